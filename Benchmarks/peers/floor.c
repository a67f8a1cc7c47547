// The least that a client can do: the protocol by hand, messages made before, little or no parsing. Without a
// password, over the socket or TCP address in PGHOST and PGPORT.
//
//   cc -O2 -o floor floor.c
//
//   floor rtt N                       N round trips of a prepared SELECT $1::int
//   floor rttpipe N DEPTH             the same, DEPTH before each answer
//   floor decode                      a million rows, every column decoded where it lies
//   floor csv|json                    a million rows of text as CSV or JSON lines
//   floor copy text|binary            COPY bulk TO STDOUT, received and forgotten
//   floor copywrite text|binary       the same, payload to standard output
//   floor listen CHANNEL N            takes N notifications
//
//   floor paced WORK …                the same, letting bytes come together as PGKit does (pace.h)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "pace.h"

enum { BUFSZ = 256 * 1024 };
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}
static void die(const char* m) {
  fprintf(stderr, "floor: %s: %s\n", m, strerror(errno));
  exit(1);
}
static const char* env(const char* k, const char* d) {
  const char* v = getenv(k);
  return v && *v ? v : d;
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
static void sendall(int fd, const char* b, size_t n) {
  while (n) {
    ssize_t k = send(fd, b, n, MSG_NOSIGNAL);
    if (k < 0) {
      if (errno == EINTR) continue;
      die("send");
    }
    b += k;
    n -= k;
  }
}

typedef struct {
  int fd;
  char* buf;
  size_t have, pos;
  Pace pace;
} Conn;
/* next whole message; returns type, body, body length */
static int next(Conn* c, char** body, uint32_t* len) {
  for (;;) {
    size_t avail = c->have - c->pos;
    if (avail >= 5) {
      uint32_t l = be32(c->buf + c->pos + 1);
      if (avail >= l + 1u) {
        int t = c->buf[c->pos];
        *body = c->buf + c->pos + 5;
        *len = l - 4;
        c->pos += l + 1;
        return t;
      }
    }
    if (c->pos) {
      memmove(c->buf, c->buf + c->pos, avail);
      c->have = avail;
      c->pos = 0;
    }
    ssize_t k = receive(&c->pace, c->fd, c->buf + c->have, BUFSZ - c->have);
    if (k <= 0) die("recv");
    c->have += k;
  }
}
static void until_ready(Conn* c) {
  char* b;
  uint32_t l;
  int t;
  while ((t = next(c, &b, &l)) != 'Z')
    if (t == 'E') {
      fprintf(stderr, "server error: %s\n", b + 1);
      exit(1);
    }
}
static Conn dial(const char* port) {
  Conn c = {.buf = malloc(BUFSZ)};
  const char* host = env("PGHOST", "/var/run/postgresql");
  if (*host == '/') {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s/.s.PGSQL.%s", host, port);
    c.fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(c.fd, (void*)&a, sizeof a)) die("connect");
  } else {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    inet_aton(strcmp(host, "localhost") ? host : "127.0.0.1", &a.sin_addr);
    c.fd = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c.fd, (void*)&a, sizeof a)) die("connect");
  }
  char m[256];
  size_t n = 8;
  const char *u = env("PGUSER", "postgres"), *d = env("PGDATABASE", "postgres");
  n += sprintf(m + n, "user%c%s%cdatabase%c%s%c", 0, u, 0, 0, d, 0);
  m[n++] = 0;
  put32(m, n);
  put32(m + 4, 196608);
  sendall(c.fd, m, n);
  until_ready(&c);
  return c;
}
static size_t query_msg(char* o, const char* sql) {
  size_t l = strlen(sql) + 1;
  o[0] = 'Q';
  put32(o + 1, l + 4);
  memcpy(o + 5, sql, l);
  return l + 5;
}
static void simple(Conn* c, const char* sql) {
  char m[1024];
  sendall(c->fd, m, query_msg(m, sql));
}
/* Parse/Bind/Execute/Sync of the unnamed statement, all results in format fmt */
static void extended(Conn* c, const char* sql, int fmt) {
  char m[1024], *p = m;
  size_t l = strlen(sql) + 1;
  *p = 'P';
  put32(p + 1, 4 + 1 + l + 2);
  p[5] = 0;
  memcpy(p + 6, sql, l);
  p += 6 + l;
  *p++ = 0;
  *p++ = 0;
  *p = 'B';
  put32(p + 1, 4 + 1 + 1 + 2 + 2 + 2 + 2);
  memset(p + 5, 0, 6);
  p[11] = 0;
  p[12] = 0;
  p += 11;
  p[0] = 0;
  p[1] = 1;
  p[2] = 0;
  p[3] = fmt;
  p += 4;
  put32(m + 6 + l + 2 + 1, 14);
  *p = 'E';
  put32(p + 1, 9);
  p[5] = 0;
  put32(p + 6, 0);
  p += 10;
  *p = 'S';
  put32(p + 1, 4);
  p += 5;
  sendall(c->fd, m, p - m);
}

/* ---- decoders ---- */
static int64_t num_bin(const char* p) /* numeric -> hundredths */
{
  int nd = be16(p), w = (int16_t)be16(p + 2), sign = be16(p + 4);
  int64_t v = 0;
  /* value = sum d[i] * 10000^(w-i); scaled by 100 */
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
typedef struct {
  int32_t a;
  int64_t b;
  char c[24];
  int64_t d;
  double e;
  int64_t f;
} Row;

#define SQL1M "SELECT a,b,c,d,e,f FROM million"

static void recv_discard(Conn* c, double t0,
                         const char* what) { /* ends when a read ends with ReadyForQuery */
  double bytes = 0;
  long reads = 0;
  for (;;) {
    ssize_t k = receive(&c->pace, c->fd, c->buf, BUFSZ);
    if (k <= 0) die("recv");
    bytes += k;
    reads++;
    if (k >= 6 && !memcmp(c->buf + k - 6, "Z\0\0\0\5I", 6)) break;
  }
  report(what, now() - t0, reads, bytes);
}
static char out[1 << 17];
static size_t on;
static double written;
static void flush(void) {
  char* p = out;
  written += on;
  while (on) {
    ssize_t k = write(1, p, on);
    if (k < 0) die("write");
    p += k;
    on -= k;
  }
}

int main(int argc, char** argv) {
  int is_paced = argc > 1 && !strcmp(argv[1], "paced");
  argc -= is_paced;
  argv += is_paced;
  const char* cmd = argc > 1 ? argv[1] : "";
  char* b;
  uint32_t l;
  int t;
  Conn c = dial(env("PGPORT", "5432"));
  c.pace.is_on = is_paced;
  int bin = argc > 2 && !strcmp(argv[2], "binary");
  if (!strcmp(cmd, "rtt") || !strcmp(cmd, "rttpipe")) {
    long n = atol(argv[2]);
    long depth = !strcmp(cmd, "rttpipe") ? atol(argv[3]) : 1;
    static const char parse[] = "P\0\0\0\32s\0SELECT $1::int\0\0\1\0\0\0\27S\0\0\0\4";
    char pm[64];
    size_t pl = sizeof parse - 1;
    memcpy(pm, parse, pl);
    put32(pm + 1, 4 + 2 + 15 + 2 + 4);
    sendall(c.fd, pm, pl);
    until_ready(&c);
    char m[64], *p = m; /* Bind + Execute + Sync */
    *p = 'B';
    char* bl = p + 1;
    p += 5;
    *p++ = 0;
    *p++ = 's';
    *p++ = 0;
    memcpy(p, "\0\1\0\1", 4);
    p += 4;
    memcpy(p, "\0\1\0\0\0\4", 6);
    p += 6;
    char* val = p;
    put32(p, 7);
    p += 4;
    memcpy(p, "\0\1\0\1", 4);
    p += 4;
    put32(bl, p - bl);
    memcpy(p, "E\0\0\0\11\0\0\0\0\0", 10);
    p += 10;
    memcpy(p, "S\0\0\0\4", 5);
    p += 5;
    size_t ml = p - m, want = 40;
    char r[65536];
    (void)val;
    /* one Sync per batch: DEPTH x (Bind, Execute), then Sync */
    char* big = malloc(ml * depth);
    size_t bn = 0;
    for (long i = 0; i < depth; i++) {
      size_t k = i == depth - 1 ? ml : ml - 5;
      memcpy(big + bn, m, k);
      bn += k;
    }
    want = 34 * depth + 6;
    double t0 = now();
    for (long i = 0; i < n; i += depth) {
      sendall(c.fd, big, bn);
      size_t got = 0;
      while (got < want) {
        /* A recv that waits is woken as well when the server takes what was sent: a third more wakings than
           with poll, which is told only of what can be read. */
        struct pollfd readable = {c.fd, POLLIN, 0};
        if (poll(&readable, 1, -1) < 0) die("poll");
        ssize_t k = recv(c.fd, r, sizeof r, 0);
        if (k <= 0) die("recv");
        got += k;
      }
      if (got != want) {
        fprintf(stderr, "unexpected reply length %zu\n", got);
        return 1;
      }
    }
    report(cmd, now() - t0, n, 0);
  } else if (!strcmp(cmd, "copy")) {
    double t0 = now();
    simple(&c, bin ? "COPY bulk TO STDOUT (FORMAT binary)" : "COPY bulk TO STDOUT");
    recv_discard(&c, t0, "copy");
  } else if (!strcmp(cmd, "copywrite")) {
    double t0 = now(), bytes = 0;
    long rows = 0;
    simple(&c, bin ? "COPY bulk TO STDOUT (FORMAT binary)" : "COPY bulk TO STDOUT");
    while ((t = next(&c, &b, &l)) != 'Z') {
      if (t == 'E') die(b);
      if (t != 'd') continue;
      rows++;
      bytes += l;
      if (on + l > sizeof out) flush();
      memcpy(out + on, b, l);
      on += l;
    }
    flush();
    report(cmd, now() - t0, rows, bytes);
  } else if (!strcmp(cmd, "decode")) {
    double t0 = now(), bytes = 0;
    long rows = 0;
    int64_t sum = 0, hundredths = 0;
    double fs = 0;
    Row r;
    long chars = 0;
    extended(&c, SQL1M, 1);
    while ((t = next(&c, &b, &l)) != 'Z') {
      if (t == 'E') die(b);
      if (t != 'D') continue;
      char* f[6];
      int n[6];
      char* p = b + 2;
      for (int i = 0; i < 6; i++) {
        n[i] = be32(p);
        f[i] = p + 4;
        p += 4 + (n[i] > 0 ? n[i] : 0);
      }
      r.a = be32(f[0]);
      r.b = be64(f[1]);
      r.d = be64(f[3]);
      uint64_t u = be64(f[4]);
      memcpy(&r.e, &u, 8);
      r.f = num_bin(f[5]);
      memcpy(r.c, f[2], n[2]);
      r.c[n[2]] = 0;
      rows++;
      bytes += l;
      sum += r.a + r.b + r.d / 1000000;
      hundredths += r.f;
      fs += r.e;
      chars += n[2];
    }
    report("decode", now() - t0, rows, bytes);
    fprintf(stderr, "WORK chars=%ld integers=%lld doubles=%.17g hundredths=%lld\n", chars, (long long)sum, fs,
            (long long)hundredths);
  } else if (!strcmp(cmd, "csv") || !strcmp(cmd, "json")) {
    int js = *cmd == 'j';
    long rows = 0;
    double t0 = now();
    static const char* names[6] = {"a", "b", "c", "d", "e", "f"};
    static const int q[6] = {0, 0, 1, 1, 0, 0};
    simple(&c, SQL1M);
    while ((t = next(&c, &b, &l)) != 'Z') {
      if (t == 'E') die(b);
      if (t != 'D') continue;
      if (on + 2 * l + 256 > sizeof out) flush();
      char *p = b + 2, *o = out + on;
      for (int i = 0; i < 6; i++) {
        int n = be32(p);
        p += 4;
        if (js) {
          *o++ = i ? ',' : '{';
          *o++ = '"';
          *o++ = *names[i];
          *o++ = '"';
          *o++ = ':';
          if (q[i]) *o++ = '"';
        } else if (i) *o++ = ',';
        int special = 0; /* the scan a real writer must do */
        for (int k = 0; k < n; k++)
          special |= js ? ((unsigned char)p[k] < 32 || p[k] == '"' || p[k] == '\\')
                        : (p[k] == ',' || p[k] == '"' || p[k] == '\n' || p[k] == '\r');
        if (special) die("special character: not in this test");
        memcpy(o, p, n);
        o += n;
        p += n;
        if (js && q[i]) *o++ = '"';
      }
      if (js) *o++ = '}';
      *o++ = '\n';
      on = o - out;
      rows++;
    }
    flush();
    report(cmd, now() - t0, rows, written);
  } else if (!strcmp(cmd, "listen")) {
    char s[128];
    snprintf(s, sizeof s, "LISTEN %s", argv[2]);
    simple(&c, s);
    until_ready(&c);
    fputs("LISTENING\n", stderr);
    long want = atol(argv[3]), n = 0;
    double t0 = 0, bytes = 0;
    while (n < want) {
      t = next(&c, &b, &l);
      if (t != 'A') continue;
      if (!n) t0 = now();
      n++;
      bytes += l;
    }
    report("listen", now() - t0, n, bytes);
  } else {
    fprintf(stderr, "usage: see the head of floor.c\n");
    return 2;
  }
  return 0;
}
