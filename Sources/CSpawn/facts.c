#define _GNU_SOURCE
#include "CSpawn.h"

#include <unistd.h>
#if defined(__linux__)
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

int pgkit_is_in_memory(const char *path) {
#if defined(__linux__)
  struct statfs facts;
  if (statfs(path, &facts) != 0) return 0;
  return facts.f_type == TMPFS_MAGIC || (unsigned long)facts.f_type == RAMFS_MAGIC;
#else
  (void)path;
  return 0;
#endif
}

size_t pgkit_library_version(char *buffer, size_t size) {
#if defined(_CS_GNU_LIBC_VERSION)
  size_t length = confstr(_CS_GNU_LIBC_VERSION, buffer, size);
  return length == 0 || length > size ? 0 : length - 1;
#else
  (void)buffer;
  (void)size;
  return 0;
#endif
}
