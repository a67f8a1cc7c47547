// Runs one command with its standard output in a pipe that is read to the end, and prints what it
// cost: wall time and CPU time (user and system) in microseconds, the peak of resident memory in
// KiB, and how many bytes it wrote. On the lines after that stands what it wrote: the first 4 KiB, and
// of what is longer the last 512 bytes, too. Exits with the command's own status.
//
//   cc -O2 -o measure measure.c && ./measure [--digest] COMMAND [ARGUMENT...]
//
// With --digest it prints a fifth number, the FNV-1a of all that the command wrote: for a run that is not
// measured, as it takes time.
//
// The launcher is small and has no runtime of its own, so that neither its memory (which the kernel
// counts into a child until exec) nor its start-up hides what is measured.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static char sink[1 << 16];
static char first[4096], last[512];
static size_t at_first, at_last;
static unsigned long long digest = 0xcbf29ce484222325;

static long long now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000000LL + at.tv_nsec / 1000;
}

static long long microseconds(struct timeval span) {
  return span.tv_sec * 1000000LL + span.tv_usec;
}

static void keep(const char *bytes, size_t count) {
  size_t fitting = sizeof first - at_first < count ? sizeof first - at_first : count;
  memcpy(first + at_first, bytes, fitting);
  at_first += fitting;
  bytes += fitting;
  count -= fitting;
  if (count > sizeof last) {
    bytes += count - sizeof last;
    count = sizeof last;
  }
  size_t kept = sizeof last - count < at_last ? sizeof last - count : at_last;
  memmove(last, last + at_last - kept, kept);
  memcpy(last + kept, bytes, count);
  at_last = kept + count;
}

static void add_to_digest(const char *bytes, size_t count) {
  unsigned long long value = digest;
  for (size_t each = 0; each < count; each++) value = (value ^ (unsigned char)bytes[each]) * 0x100000001b3;
  digest = value;
}

static long long drain(int source, int is_digested) {
  long long total = 0;
  ssize_t count;
  while ((count = read(source, sink, sizeof sink)) != 0) {
    if (count > 0) {
      keep(sink, (size_t)count);
      if (is_digested) add_to_digest(sink, (size_t)count);
      total += count;
    } else if (errno != EINTR) break;
  }
  return total;
}

int main(int argc, char **argv) {
  int ends[2], status = 0;
  pid_t child;
  struct rusage usage;
  posix_spawn_file_actions_t actions;

  int is_digested = argc > 1 && !strcmp(argv[1], "--digest");
  argc -= is_digested;
  argv += is_digested;
  if (argc < 2) {
    fprintf(stderr, "usage: measure [--digest] COMMAND [ARGUMENT...]\n");
    return 64;
  }
  if (pipe2(ends, O_CLOEXEC) != 0) {
    perror("measure: pipe");
    return 125;
  }
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);

  long long started = now();
  int fault = posix_spawnp(&child, argv[1], &actions, NULL, argv + 1, environ);
  if (fault != 0) {
    fprintf(stderr, "measure: %s: %s\n", argv[1], strerror(fault));
    return 127;
  }
  close(ends[1]);
  long long bytes = drain(ends[0], is_digested);
  while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {}
  long long wall = now() - started;

  printf("%lld %lld %ld %lld", wall, microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
         usage.ru_maxrss, bytes);
  if (is_digested) printf(" %llu", digest);
  putchar('\n');
  fwrite(first, 1, at_first, stdout);
  if (bytes > (long long)(at_first + at_last)) fputs("\n[…]\n", stdout);
  fwrite(last, 1, at_last, stdout);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
