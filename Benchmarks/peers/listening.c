// What pg-listen is compared with: the least that a C program with libpq does, and what times both.
//
//   cc -O2 -I"$(pg_config --includedir)" -o listening listening.c -lpq
//
//   listening count CHANNEL N                 takes N notifications, and ends
//   listening lines CHANNEL [N]               prints the payload of each, until it is ended or has N
//   listening drive CHANNEL N COMMAND...      notifies N times, each when the command has printed the
//                                             line of the one before, which must have its payload;
//                                             prints each time in microseconds, and to standard error
//                                             their median and what the command took of the processor
//
// The environment says where the server is.
#define _GNU_SOURCE
#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The command that is driven, while there is one.
static pid_t driven;

static void end(pid_t command);

static void fail(const char *what, const char *why) {
  fprintf(stderr, "listening: %s: %s\n", what, why);
  if (driven > 0) end(driven);
  exit(1);
}

static PGconn *connected(void) {
  PGconn *connection = PQconnectdb("");
  if (PQstatus(connection) != CONNECTION_OK) fail("connect", PQerrorMessage(connection));
  return connection;
}

static int listening(const char *channel, long wanted, int prints) {
  PGconn *connection = connected();
  struct pollfd readable = {PQsocket(connection), POLLIN, 0};
  char statement[200];
  long count = 0;

  snprintf(statement, sizeof statement, "LISTEN %s", channel);
  PGresult *result = PQexec(connection, statement);
  if (PQresultStatus(result) != PGRES_COMMAND_OK) fail("LISTEN", PQerrorMessage(connection));
  PQclear(result);
  fputs("listening on\n", stderr);
  while (wanted == 0 || count < wanted) {
    PGnotify *event;
    poll(&readable, 1, -1);
    if (!PQconsumeInput(connection)) fail("read", PQerrorMessage(connection));
    while ((event = PQnotifies(connection))) {
      count++;
      if (prints) puts(event->extra);
      PQfreemem(event);
    }
    if (prints) fflush(stdout);
  }
  fprintf(stderr, "WORK ops=%ld\n", count);
  PQfinish(connection);
  return 0;
}

static double microseconds(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1e6 + at.tv_nsec / 1e3;
}

static char line[1 << 16];

// Reads until a line has ended. A line is shorter than what a pipe takes as one piece.
static void read_line(int source) {
  ssize_t count;
  do {
    count = read(source, line, sizeof line - 1);
    if (count <= 0) fail("the command", "ended");
  } while (line[count - 1] != '\n');
  line[count] = 0;
}

// Whether the line that was read has this payload, and not one that only begins like it.
static int line_has(const char *payload) {
  const char *found = strstr(line, payload);
  return found != NULL && strchr("0123456789", found[strlen(payload)]) == NULL;
}

static int by_value(const void *a, const void *b) {
  double first = *(const double *)a, second = *(const double *)b;
  return (first > second) - (first < second);
}

// Ends a command; of what counts another (perf) that other one, after which it tells what it has counted.
static void end(pid_t command) {
  char path[80];
  int counted;
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)command, (int)command);
  FILE *children = fopen(path, "r");
  if (children != NULL && fscanf(children, "%d", &counted) == 1) command = counted;
  if (children != NULL) fclose(children);
  kill(command, SIGTERM);
}

static int drive(const char *channel, long count, char **command) {
  int ends[2];
  char statement[200], payload[40];
  PGconn *connection = connected();
  double *times = calloc((size_t)count, sizeof *times);

  if (times == NULL) fail("memory", "not enough");
  if (pipe2(ends, O_CLOEXEC) != 0) fail("pipe", "no more descriptors");
  pid_t self = getpid();
  driven = fork();
  if (driven < 0) fail("fork", "no more processes");
  if (driven == 0) {
    dup2(ends[1], STDOUT_FILENO);
    // Where we end without ending it; or have ended already.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != self) _exit(1);
    execvp(command[0], command);
    _exit(127);
  }
  close(ends[1]);
  // Until it listens, nothing comes back.
  struct pollfd readable = {ends[0], POLLIN, 0};
  snprintf(statement, sizeof statement, "NOTIFY %s, 'first'", channel);
  for (int attempt = 0; attempt < 500; attempt++) {
    PQclear(PQexec(connection, statement));
    if (poll(&readable, 1, 20) > 0) break;
  }
  while (poll(&readable, 1, 300) > 0) read_line(ends[0]);
  for (long number = 0; number < count; number++) {
    snprintf(payload, sizeof payload, "payload %ld", number);
    snprintf(statement, sizeof statement, "NOTIFY %s, '%s'", channel, payload);
    double begin = microseconds();
    PQsendQuery(connection, statement);
    read_line(ends[0]);
    times[number] = microseconds() - begin;
    if (!line_has(payload)) fail("the command prints something else for", payload);
    printf("%.1f\n", times[number]);
    PGresult *result;
    while ((result = PQgetResult(connection))) PQclear(result);
  }
  qsort(times, (size_t)count, sizeof *times, by_value);
  end(driven);
  struct rusage usage;
  wait4(driven, NULL, 0, &usage);
  double user = usage.ru_utime.tv_sec * 1e6 + usage.ru_utime.tv_usec;
  double system = usage.ru_stime.tv_sec * 1e6 + usage.ru_stime.tv_usec;
  fprintf(stderr, "WORK p50=%.1f ops=%ld user=%.0f system=%.0f cpu=%.0f\n", times[count / 2], count, user,
          system, user + system);
  free(times);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 4 && !strcmp(argv[1], "count")) return listening(argv[2], atol(argv[3]), 0);
  if (argc == 3 && !strcmp(argv[1], "lines")) return listening(argv[2], 0, 1);
  if (argc == 4 && !strcmp(argv[1], "lines")) return listening(argv[2], atol(argv[3]), 1);
  if (argc > 4 && !strcmp(argv[1], "drive")) return drive(argv[2], atol(argv[3]), argv + 4);
  fputs("usage: see the head of listening.c\n", stderr);
  return 64;
}
