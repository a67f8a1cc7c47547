// What a careful C program does with libpq. The environment says where the server is.
//
//   cc -O2 -I"$(pg_config --includedir)" -o libpq libpq.c -lpq
//
//   libpq select1                       connects, asks SELECT 1, prints
//   libpq rtt N                         N round trips of a prepared SELECT $1::int
//   libpq rttpipe N DEPTH               the same, DEPTH before each answer
//   libpq fetch                         a million rows, one by one, every column decoded
//   libpq csv|json                      a million rows of text, one by one, as CSV or JSON lines
//   libpq copyout text|binary           COPY bulk TO STDOUT, forgotten
//   libpq xfer text|binary SINK[,SINK]  bulk into other tables
//   libpq insert pipe|copy|copybinary N
//                                       N rows into ins, which is empty
//   libpq version                       prints the library's version
#include <libpq-fe.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}
static uint32_t be32(const void* p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return __builtin_bswap32(v);
}
static uint16_t be16(const void* p) {
  uint16_t v;
  memcpy(&v, p, 2);
  return __builtin_bswap16(v);
}
static uint64_t be64(const void* p) {
  uint64_t v;
  memcpy(&v, p, 8);
  return __builtin_bswap64(v);
}
static void put32(char* p, uint32_t v) {
  v = __builtin_bswap32(v);
  memcpy(p, &v, 4);
}
static void report(const char* w, double s, long ops, double bytes) {
  fprintf(stderr, "WORK what=%s seconds=%.6f ops=%ld bytes=%.0f\n", w, s, ops, bytes);
}
static PGconn* dial(const char* port) {
  const char *k[] = {"port", "dbname", NULL}, *v[] = {port, getenv("PGDATABASE"), NULL};
  PGconn* c = PQconnectdbParams(k, v, 0);
  if (PQstatus(c) != CONNECTION_OK) {
    fprintf(stderr, "%s", PQerrorMessage(c));
    exit(1);
  }
  return c;
}
static void check(PGconn* c, PGresult* r, ExecStatusType want) {
  if (PQresultStatus(r) != want) {
    fprintf(stderr, "%s: %s", PQresStatus(PQresultStatus(r)), PQerrorMessage(c));
    exit(1);
  }
}
static void run(PGconn* c, const char* sql, ExecStatusType want) {
  PGresult* r = PQexec(c, sql);
  check(c, r, want);
  PQclear(r);
}

static int64_t num_bin(const char* p) {
  int nd = be16(p), w = (int16_t)be16(p + 2), sign = be16(p + 4);
  int64_t v = 0;
  for (int i = 0; i < nd; i++) {
    int e = w - i;
    int64_t d = be16(p + 8 + 2 * i);
    if (e >= 0) {
      int64_t s = 100;
      while (e--) s *= 10000;
      v += d * s;
    } else if (e == -1) v += d / 100;
  }
  return sign == 0x4000 ? -v : v;
}
static int64_t sum, hundredths;
static double fs;
static long rows, chars;
static void take(PGresult* r) {
  int n = PQntuples(r);
  char copy[32];
  for (int i = 0; i < n; i++) {
    int32_t a;
    int64_t b, d, f;
    double e;
    a = be32(PQgetvalue(r, i, 0));
    b = be64(PQgetvalue(r, i, 1));
    d = be64(PQgetvalue(r, i, 3));
    uint64_t u = be64(PQgetvalue(r, i, 4));
    memcpy(&e, &u, 8);
    f = num_bin(PQgetvalue(r, i, 5));
    int l = PQgetlength(r, i, 2);
    memcpy(copy, PQgetvalue(r, i, 2), l);
    copy[l] = 0;
    rows++;
    chars += l;
    sum += a + b + d / 1000000;
    hundredths += f;
    fs += e;
  }
}
#define SQL1M "SELECT a,b,c,d,e,f FROM million"

static char out[1 << 17];
static size_t on;
static void flush(void) {
  if (fwrite(out, 1, on, stdout) != on) {
    perror("libpq: write");
    exit(1);
  }
  on = 0;
}
// Room for so much more; no value is longer than a half of the buffer here.
static void room(size_t n) {
  if (n > sizeof out) exit(1);
  if (on + n > sizeof out) flush();
}
static void put(const char* bytes, size_t n) {
  room(n);
  memcpy(out + on, bytes, n);
  on += n;
}
// A value as RFC 4180 has it: quoted where it must be.
static void put_csv(const char* v, size_t n) {
  int special = 0;
  for (size_t i = 0; i < n; i++) special |= v[i] == ',' || v[i] == '"' || v[i] == '\n' || v[i] == '\r';
  if (!special) {
    put(v, n);
    return;
  }
  room(2 * n + 2);
  out[on++] = '"';
  for (size_t i = 0; i < n; i++) {
    if (v[i] == '"') out[on++] = '"';
    out[on++] = v[i];
  }
  out[on++] = '"';
}
static void put_json_string(const char* v, size_t n) {
  int special = 0;
  for (size_t i = 0; i < n; i++) special |= (unsigned char)v[i] < 32 || v[i] == '"' || v[i] == '\\';
  room((special ? 6 * n : n) + 3);
  out[on++] = '"';
  if (!special) {
    memcpy(out + on, v, n);
    on += n;
  } else {
    for (size_t i = 0; i < n; i++) {
      if ((unsigned char)v[i] < 32) on += sprintf(out + on, "\\u%04x", v[i]);
      else {
        if (v[i] == '"' || v[i] == '\\') out[on++] = '\\';
        out[on++] = v[i];
      }
    }
  }
  out[on++] = '"';
}
// The numbers of these rows stand as they are in JSON.
static int is_number(Oid type) {
  return type == 20 || type == 21 || type == 23 || type == 701 || type == 1700;
}
static void header(PGresult* r) {
  for (int i = 0; i < PQnfields(r); i++) {
    if (i) put(",", 1);
    put_csv(PQfname(r, i), strlen(PQfname(r, i)));
  }
  put("\n", 1);
}
static void write_row(PGresult* r, int js) {
  for (int i = 0; i < PQnfields(r); i++) {
    const char* v = PQgetvalue(r, 0, i);
    size_t n = PQgetlength(r, 0, i);
    if (!js) {
      if (i) put(",", 1);
      put_csv(v, n);
      continue;
    }
    put(i ? "," : "{", 1);
    put_json_string(PQfname(r, i), strlen(PQfname(r, i)));
    put(":", 1);
    if (PQgetisnull(r, 0, i)) put("null", 4);
    else if (is_number(PQftype(r, i))) put(v, n);
    else put_json_string(v, n);
  }
  put(js ? "}\n" : "\n", js ? 2 : 1);
  rows++;
}

// ---- inserts in pipeline mode ----

// Takes the results that have come; returns how many ends of a batch (PQpipelineSync) were among them.
static long taken(PGconn* c) {
  long ends = 0;
  PGresult* r;
  // A statement's results end with none; where none comes twice, nothing is outstanding.
  for (int nones = 0; nones < 2 && !PQisBusy(c);) {
    r = PQgetResult(c);
    if (!r) {
      nones++;
      continue;
    }
    nones = 0;
    if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) ends++;
    else check(c, r, PGRES_COMMAND_OK);
    PQclear(r);
  }
  return ends;
}
// Waits until the server takes more of what is to be sent, or sends something, which is then taken.
static long exchanged(PGconn* c, int has_more) {
  struct pollfd p = {PQsocket(c), has_more ? POLLIN | POLLOUT : POLLIN, 0};
  if (poll(&p, 1, -1) < 0) {
    perror("libpq: poll");
    exit(1);
  }
  if (!(p.revents & ~POLLOUT)) return 0;
  if (!PQconsumeInput(c)) {
    fprintf(stderr, "%s", PQerrorMessage(c));
    exit(1);
  }
  return taken(c);
}
// What libpq could not send yet goes out, while answers are taken; the pipeline does not run empty for that.
static long sent(PGconn* c) {
  long ends = 0;
  int more;
  while ((more = PQflush(c)) > 0) ends += exchanged(c, 1);
  if (more < 0) {
    fprintf(stderr, "%s", PQerrorMessage(c));
    exit(1);
  }
  return ends;
}
// N rows, a PQpipelineSync after each thousand. As libpq's manual has it, the connection does not block.
static void insert_pipelined(PGconn* c, long n) {
  Oid t[3] = {23, 25, 1184};
  char q[64];
  long open = 0;
  run(c, "BEGIN", PGRES_COMMAND_OK);
  PGresult* r = PQprepare(c, "s", "INSERT INTO ins VALUES ($1,$2,$3)", 3, t);
  check(c, r, PGRES_COMMAND_OK);
  PQclear(r);
  PQenterPipelineMode(c);
  PQsetnonblocking(c, 1);
  uint64_t ts = __builtin_bswap64(757382400000000ULL);
  for (long i = 0; i < n; i++) {
    uint32_t v = __builtin_bswap32(i);
    int tl = sprintf(q, "row number %ld", i);
    const char* pv[3] = {(char*)&v, q, (char*)&ts};
    int pl[3] = {4, tl, 8}, pf[3] = {1, 0, 1};
    if (!PQsendQueryPrepared(c, "s", 3, pv, pl, pf, 0)) exit(1);
    if (i % 1000 != 999 && i != n - 1) continue;
    // A batch is 70 KB: libpq begins to send it before it is whole. Looking more often makes it no faster.
    if (!PQpipelineSync(c)) exit(1);
    open += 1 - sent(c);
  }
  while (open > 0) open -= exchanged(c, 0);
  PQsetnonblocking(c, 0);
  PQexitPipelineMode(c);
  run(c, "COMMIT", PGRES_COMMAND_OK);
}

int main(int argc, char** argv) {
  const char* cmd = argc > 1 ? argv[1] : "select1";
  if (!strcmp(cmd, "version")) return printf("%d\n", PQlibVersion()) < 0;
  PGconn* c = dial(NULL);
  PGresult* r;
  int bin = argc > 2 && !strcmp(argv[2], "binary");
  if (!strcmp(cmd, "select1")) {
    r = PQexec(c, "SELECT 1");
    check(c, r, PGRES_TUPLES_OK);
    puts(PQgetvalue(r, 0, 0));
    PQclear(r);
  } else if (!strcmp(cmd, "rtt")) {
    long n = atol(argv[2]);
    Oid t = 23;
    r = PQprepare(c, "s", "SELECT $1::int", 1, &t);
    check(c, r, PGRES_COMMAND_OK);
    PQclear(r);
    double t0 = now();
    long s = 0;
    for (long i = 0; i < n; i++) {
      uint32_t v = __builtin_bswap32(i);
      const char* pv = (char*)&v;
      int pl = 4, pf = 1;
      r = PQexecPrepared(c, "s", 1, &pv, &pl, &pf, 1);
      check(c, r, PGRES_TUPLES_OK);
      s += be32(PQgetvalue(r, 0, 0));
      PQclear(r);
    }
    report("rtt", now() - t0, n, 0);
    if (s != n * (n - 1) / 2) return 1;
  } else if (!strcmp(cmd, "rttpipe")) {
    long n = atol(argv[2]), depth = atol(argv[3]);
    Oid t = 23;
    r = PQprepare(c, "s", "SELECT $1::int", 1, &t);
    check(c, r, PGRES_COMMAND_OK);
    PQclear(r);
    PQenterPipelineMode(c);
    double t0 = now();
    long s = 0;
    for (long i = 0; i < n; i += depth) {
      for (long k = 0; k < depth; k++) {
        uint32_t v = __builtin_bswap32(i + k);
        const char* pv = (char*)&v;
        int pl = 4, pf = 1;
        PQsendQueryPrepared(c, "s", 1, &pv, &pl, &pf, 1);
      }
      PQpipelineSync(c);
      for (long k = 0; k < depth; k++) {
        r = PQgetResult(c);
        check(c, r, PGRES_TUPLES_OK);
        s += be32(PQgetvalue(r, 0, 0));
        PQclear(r);
        PQgetResult(c);
      }
      r = PQgetResult(c);
      check(c, r, PGRES_PIPELINE_SYNC);
      PQclear(r);
    }
    report("rttpipe", now() - t0, n, 0);
    if (s != n * (n - 1) / 2) return 1;
  } else if (!strcmp(cmd, "fetch")) {
    double t0 = now();
    PQsendQueryParams(c, SQL1M, 0, NULL, NULL, NULL, NULL, 1);
    PQsetSingleRowMode(c);
    while ((r = PQgetResult(c))) {
      if (PQresultStatus(r) != PGRES_SINGLE_TUPLE) check(c, r, PGRES_TUPLES_OK);
      take(r);
      PQclear(r);
    }
    report(cmd, now() - t0, rows, 0);
    fprintf(stderr, "WORK chars=%ld integers=%lld doubles=%.17g hundredths=%lld\n", chars, (long long)sum, fs,
            (long long)hundredths);
  } else if (!strcmp(cmd, "csv") || !strcmp(cmd, "json")) {
    int js = *cmd == 'j';
    double t0 = now();
    PQsendQueryParams(c, SQL1M, 0, NULL, NULL, NULL, NULL, 0);
    PQsetSingleRowMode(c);
    while ((r = PQgetResult(c))) {
      if (PQresultStatus(r) == PGRES_SINGLE_TUPLE) {
        if (!js && !rows) header(r);
        write_row(r, js);
      } else check(c, r, PGRES_TUPLES_OK);
      PQclear(r);
    }
    flush();
    fprintf(stderr, "WORK what=%s seconds=%.6f ops=%ld\n", cmd, now() - t0, rows);
  } else if (!strcmp(cmd, "copyout")) {
    double t0 = now(), bytes = 0;
    char* b;
    int n;
    run(c, bin ? "COPY bulk TO STDOUT (FORMAT binary)" : "COPY bulk TO STDOUT", PGRES_COPY_OUT);
    while ((n = PQgetCopyData(c, &b, 0)) > 0) {
      rows++;
      bytes += n;
      PQfreemem(b);
    }
    r = PQgetResult(c);
    check(c, r, PGRES_COMMAND_OK);
    PQclear(r);
    report(cmd, now() - t0, rows, bytes);
  } else if (!strcmp(cmd, "xfer")) {
    PGconn* d[8];
    int nd = 0;
    char sql[200];
    for (char* t = strtok(argv[3], ","); t; t = strtok(NULL, ",")) {
      d[nd] = dial(NULL);
      sprintf(sql, "COPY %s FROM STDIN%s", t, bin ? " (FORMAT binary)" : "");
      run(d[nd++], sql, PGRES_COPY_IN);
    }
    double t0 = now(), bytes = 0;
    char* b;
    int n;
    run(c, bin ? "COPY bulk TO STDOUT (FORMAT binary)" : "COPY bulk TO STDOUT", PGRES_COPY_OUT);
    while ((n = PQgetCopyData(c, &b, 0)) > 0) {
      rows++;
      bytes += n;
      for (int i = 0; i < nd; i++)
        if (PQputCopyData(d[i], b, n) != 1) return 1;
      PQfreemem(b);
    }
    for (int i = 0; i < nd; i++) PQputCopyEnd(d[i], NULL);
    for (int i = 0; i < nd; i++) {
      r = PQgetResult(d[i]);
      check(d[i], r, PGRES_COMMAND_OK);
      PQclear(r);
    }
    report(cmd, now() - t0, rows, bytes);
  } else if (!strcmp(cmd, "insert")) {
    long n = atol(argv[3]);
    double t0 = now();
    char line[128];
    if (!strcmp(argv[2], "copy")) {
      run(c, "COPY ins FROM STDIN", PGRES_COPY_IN);
      for (long i = 0; i < n; i++) {
        int l = sprintf(line, "%ld\trow number %ld\t2024-01-01 00:00:00+00\n", i, i);
        PQputCopyData(c, line, l);
      }
      PQputCopyEnd(c, NULL);
      r = PQgetResult(c);
      check(c, r, PGRES_COMMAND_OK);
      PQclear(r);
    } else if (!strcmp(argv[2], "copybinary")) {
      run(c, "COPY ins FROM STDIN (FORMAT binary)", PGRES_COPY_IN);
      PQputCopyData(c, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
      static const uint64_t ts = __builtin_bswap64(757382400000000ULL);
      for (long i = 0; i < n; i++) {
        memcpy(line, "\0\3\0\0\0\4", 6);
        put32(line + 6, i);
        int l = sprintf(line + 14, "row number %ld", i);
        put32(line + 10, l);
        put32(line + 14 + l, 8);
        memcpy(line + 18 + l, &ts, 8);
        PQputCopyData(c, line, 26 + l);
      }
      PQputCopyData(c, "\377\377", 2);
      PQputCopyEnd(c, NULL);
      r = PQgetResult(c);
      check(c, r, PGRES_COMMAND_OK);
      PQclear(r);
    } else {
      insert_pipelined(c, n);
    }
    report(cmd, now() - t0, n, 0);
  } else {
    fprintf(stderr, "usage: see the head of libpq.c\n");
    return 2;
  }
  PQfinish(c);
  return 0;
}
