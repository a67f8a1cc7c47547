#define _GNU_SOURCE
#include "CSpawn.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Whether anybody is connected is the system's to say: the lists of its sockets name the path, or the
// port, of each end that a server has accepted. No memory is taken, as after a fork.

#if defined(__linux__)

/// A line that is longer is nobody's socket of ours.
enum { longest_line = 512 };

/// Calls `body` with each line of a file until it returns 1; returns whether it did.
static int any_line(const char *path, int (*body)(const void *context, const char *line),
  const void *context) {
  char text[4096], line[longest_line + 1];
  size_t length = 0;
  int found = 0;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t count;
  while (!found && (count = read(file, text, sizeof text)) > 0) {
    for (ssize_t offset = 0; offset < count && !found; offset++) {
      if (text[offset] != '\n') {
        if (length < longest_line) line[length] = text[offset];
        length++;
        continue;
      }
      line[length < longest_line ? length : longest_line] = 0;
      length = 0;
      found = body(context, line);
    }
  }
  close(file);
  return found;
}

/// A line of /proc/net/unix: number, references, protocol, flags, type, state, inode, path.
static int is_accepted_at_path(const void *root, const char *line) {
  unsigned state = 0;
  int offset = 0;
  if (sscanf(line, "%*s %*s %*s %*s %*s %x %*s %n", &state, &offset) != 1 || offset == 0) return 0;
  const unsigned connected = 3;
  static const char name[] = "/.s.PGSQL.";
  size_t length = strlen(root);
  const char *path = line + offset;
  return state == connected && strncmp(path, root, length) == 0
    && strncmp(path + length, name, sizeof name - 1) == 0;
}

/// A line of /proc/net/tcp: number, own address and port, the other's, state.
static int is_accepted_at_port(const void *context, const char *line) {
  const int *wanted = context;
  unsigned port = 0, state = 0;
  const unsigned established = 1;
  if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*s %x", &port, &state) != 2) return 0;
  return state == established && port == (unsigned)*wanted;
}

int pgkit_has_clients(const char *root, int port) {
  if (any_line("/proc/net/unix", is_accepted_at_path, root)) return 1;
  if (port <= 0) return 0;
  return any_line("/proc/net/tcp", is_accepted_at_port, &port)
    || any_line("/proc/net/tcp6", is_accepted_at_port, &port);
}

#else

// Where nobody can say, nobody is turned out.
int pgkit_has_clients(const char *root, int port) {
  (void)root;
  (void)port;
  return 1;
}

#endif
