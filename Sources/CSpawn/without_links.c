#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#if !defined(O_PATH)
#define O_PATH 0
#endif

// O_NOFOLLOW guards only a path's last part. Whoever works as root below a directory of somebody
// else's must not be led away by any other part either.

static int open_part(int directory, const char *part, size_t length, int flags, mode_t mode) {
  char name[NAME_MAX + 1];
  if (length > NAME_MAX) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(name, part, length);
  name[length] = 0;
  return openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
}

int pgkit_open_without_links(const char *path, int flags, mode_t mode) {
  const int passing = O_PATH | O_RDONLY | O_DIRECTORY;
  const char *part = path + strspn(path, "/");
  if (part == path || *part == 0) {
    errno = EINVAL;
    return -1;
  }
  int directory = open("/", passing | O_CLOEXEC);
  while (directory >= 0) {
    size_t length = strcspn(part, "/");
    const char *next = part + length + strspn(part + length, "/");
    int opened = open_part(directory, part, length, *next == 0 ? flags : passing, mode);
    int error = errno;
    close(directory);
    errno = error;
    if (*next == 0) return opened;
    directory = opened;
    part = next;
  }
  return -1;
}
