// What goes through directories without taking memory, so that it is safe after a fork.
#ifndef PGKIT_ENTRIES_H
#define PGKIT_ENTRIES_H

#if defined(__linux__)

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct pgkit_linux_entry {
  unsigned long long inode;
  long long offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

/// Calls `body` with each name in a directory.
static inline void pgkit_each_entry(
  const char *path, void (*body)(void *context, const char *name), void *context) {
  char buffer[8192] __attribute__((aligned(8)));
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  for (;;) {
    long count = syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    if (count <= 0) break;
    for (long offset = 0; offset < count;) {
      struct pgkit_linux_entry *entry = (struct pgkit_linux_entry *)(buffer + offset);
      offset += entry->length;
      body(context, entry->name);
    }
  }
  close(directory);
}

/// The number that a name in /proc stands for, or -1.
static inline int pgkit_process_number(const char *name) {
  int pid = 0;
  for (const char *digit = name; *digit != 0; digit++) {
    if (*digit < '0' || *digit > '9' || pid > 100000000) return -1;
    pid = pid * 10 + (*digit - '0');
  }
  return pid;
}

#endif

#endif
