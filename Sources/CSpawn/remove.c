#define _GNU_SOURCE
#include "CSpawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

// A data directory is about six deep; deeper than this is no cluster's.
static const int deepest = 64;

struct removal {
  dev_t device;
  char *name;
  size_t name_size;
  int error;
  // When it is given up, on the monotonic clock in milliseconds; negative is never.
  long long end;
};

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int is_late(const struct removal *removal) {
  return removal->end >= 0 && now() >= removal->end;
}

static void note(struct removal *removal, const char *name, int error) {
  if (removal->error != 0) return;
  removal->error = error;
  if (removal->name_size == 0) return;
  size_t length = strnlen(name, removal->name_size - 1);
  memcpy(removal->name, name, length);
  removal->name[length] = 0;
}

static int empty_directory(struct removal *removal, int directory, int depth);

static int remove_subdirectory(struct removal *removal, int parent, const char *name, int depth) {
  int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory < 0) return errno;
  struct stat status;
  int error = 0;
  if (fstat(directory, &status) != 0) error = errno;
  else if (status.st_dev != removal->device) error = EXDEV;
  else if (depth >= deepest) error = ELOOP;
  else empty_directory(removal, directory, depth + 1);
  close(directory);
  if (error != 0) return error;
  return unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : errno;
}

/// Removes one entry; returns whether it is gone.
static int remove_entry(struct removal *removal, int parent, const char *name, int depth) {
  if (is_late(removal)) {
    note(removal, name, ETIMEDOUT);
    return 0;
  }
  if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return 1;
  int error = errno;
  if (error == EISDIR || error == EPERM) {
    int inner = remove_subdirectory(removal, parent, name, depth);
    if (inner == 0 || inner == ENOENT) return 1;
    // EPERM of a plain file that may not be removed, rather than "not a directory".
    error = inner == ENOTDIR ? error : inner;
  }
  note(removal, name, error);
  return 0;
}

static int is_self_or_parent(const char *name) {
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

#if defined(__linux__)
struct linux_entry {
  unsigned long long inode;
  long long offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

// The system call itself: opendir takes memory from malloc, which a forked child must not.
static int empty_once(struct removal *removal, int directory, int depth) {
  char buffer[4096] __attribute__((aligned(8)));
  int removed = 0;
  if (lseek(directory, 0, SEEK_SET) < 0) return 0;
  for (;;) {
    long count = syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    if (count <= 0) return removed;
    for (long offset = 0; offset < count;) {
      struct linux_entry *entry = (struct linux_entry *)(buffer + offset);
      offset += entry->length;
      if (is_self_or_parent(entry->name)) continue;
      removed += remove_entry(removal, directory, entry->name, depth);
    }
  }
}
#else
static int empty_once(struct removal *removal, int directory, int depth) {
  int removed = 0;
  DIR *stream = fdopendir(dup(directory));
  if (stream == NULL) return 0;
  rewinddir(stream);
  struct dirent *entry;
  while ((entry = readdir(stream)) != NULL) {
    if (is_self_or_parent(entry->d_name)) continue;
    removed += remove_entry(removal, directory, entry->d_name, depth);
  }
  closedir(stream);
  return removed;
}
#endif

/// Repeats, because a directory that changes while it is read may skip entries.
static int empty_directory(struct removal *removal, int directory, int depth) {
  while (empty_once(removal, directory, depth) > 0) continue;
  return 0;
}

int pgkit_remove_tree(
  const struct pgkit_directory *directory, int patience, char *name, size_t name_size) {
  struct removal removal = {directory->device, name, name_size, 0, patience < 0 ? -1 : now() + patience};
  if (name_size > 0) name[0] = 0;
  int top = open(directory->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (top < 0) return errno == ENOENT ? 0 : errno;
  struct stat status;
  int error = 0;
  if (fstat(top, &status) != 0) error = errno;
  else if (status.st_dev != directory->device || status.st_ino != directory->inode) error = ESTALE;
  else empty_directory(&removal, top, 0);
  close(top);
  if (error != 0) return error;
  if (rmdir(directory->path) != 0 && errno != ENOENT) note(&removal, directory->path, errno);
  else return 0;
  return removal.error;
}
