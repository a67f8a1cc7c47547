#define _GNU_SOURCE
#include "CSpawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/fs.h>
#include <sys/ioctl.h>
#endif

// A data directory is about six deep; deeper than this is no cluster's.
static const int deepest = 64;
// Where the system cannot copy by itself, this much goes through our hands at a time.
#define CHUNK 65536

/// How files are copied: the fastest way that has not failed yet.
enum way { WAY_REFLINK, WAY_RANGE, WAY_READ };

struct cloning {
  const struct pgkit_clone_request *request;
  enum way way;
  char *name;
  size_t name_size;
};

static int note(struct cloning *cloning, const char *name, int error) {
  if (cloning->name_size > 0 && cloning->name[0] == 0) {
    snprintf(cloning->name, cloning->name_size, "%s", name);
  }
  return error;
}

static int copy_by_hand(int source, int destination) {
  char buffer[CHUNK];
  for (;;) {
    ssize_t count = read(source, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return 0;
    for (ssize_t offset = 0; offset < count;) {
      ssize_t written = write(destination, buffer + offset, (size_t)(count - offset));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return errno;
      offset += written;
    }
  }
}

#if defined(__linux__)
/// Whether an error means that this way leads nowhere here, rather than that the copy failed.
static int is_refusal(int error) {
  return error == EXDEV || error == EOPNOTSUPP || error == ENOSYS || error == EINVAL
    || error == ENOTTY || error == EPERM || error == EBADF;
}

static int copy_range(int source, int destination, int *has_begun) {
  for (;;) {
    ssize_t count = copy_file_range(source, NULL, destination, NULL, 1 << 30, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return 0;
    *has_begun = 1;
  }
}

static int copy_contents(struct cloning *cloning, int source, int destination) {
  if (cloning->way == WAY_REFLINK) {
    if (ioctl(destination, FICLONE, source) == 0) return 0;
    if (!is_refusal(errno)) return errno;
    cloning->way = WAY_RANGE;
  }
  if (cloning->way == WAY_RANGE) {
    int has_begun = 0;
    int error = copy_range(source, destination, &has_begun);
    if (error == 0 || has_begun || !is_refusal(error)) return error;
    cloning->way = WAY_READ;
  }
  return copy_by_hand(source, destination);
}
#else
static int copy_contents(struct cloning *cloning, int source, int destination) {
  (void)cloning;
  return copy_by_hand(source, destination);
}
#endif

static int give(const struct cloning *cloning, int descriptor) {
  const struct pgkit_clone_request *request = cloning->request;
  if (!request->changes_owner) return 0;
  return fchown(descriptor, request->user, request->group) == 0 ? 0 : errno;
}

static int clone_file(
  struct cloning *cloning, int source, int destination, const char *name, const struct stat *status) {
  int from = openat(source, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (from < 0) return errno;
  int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  int to = openat(destination, name, flags, status->st_mode & 0777);
  int error = to < 0 ? errno : give(cloning, to);
  // Many files of a cluster are empty.
  if (error == 0 && status->st_size > 0) error = copy_contents(cloning, from, to);
  if (to >= 0 && close(to) != 0 && error == 0) error = errno;
  close(from);
  return error;
}

static int clone_directory(struct cloning *cloning, int source, int destination, int depth);

static int clone_subdirectory(
  struct cloning *cloning, int source, int destination, const char *name, int depth) {
  const struct pgkit_clone_request *request = cloning->request;
  if (depth >= deepest) return ELOOP;
  const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int from = openat(source, name, flags);
  if (from < 0) return errno;
  int error = mkdirat(destination, name, 0700) == 0 ? 0 : errno;
  int to = error == 0 ? openat(destination, name, flags) : -1;
  if (error == 0) error = to < 0 ? errno : give(cloning, to);
  int is_hollow = depth == 0 && request->hollow != NULL && strcmp(name, request->hollow) == 0;
  if (error == 0 && !is_hollow) error = clone_directory(cloning, from, to, depth + 1);
  if (to >= 0) close(to);
  close(from);
  return error;
}

static int clone_entry(
  struct cloning *cloning, int source, int destination, const char *name, int depth) {
  struct stat status;
  if (fstatat(source, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  if (S_ISDIR(status.st_mode)) {
    return clone_subdirectory(cloning, source, destination, name, depth);
  }
  // A template has neither links nor devices.
  if (!S_ISREG(status.st_mode)) return EINVAL;
  return clone_file(cloning, source, destination, name, &status);
}

int pgkit_is_left_out(const struct pgkit_clone_request *request, const char *name) {
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return 1;
  if (request->unwanted == NULL) return 0;
  size_t length = strlen(name), ending = strlen(request->unwanted);
  return length >= ending && strcmp(name + length - ending, request->unwanted) == 0;
}

static int clone_directory(struct cloning *cloning, int source, int destination, int depth) {
  int copy = fcntl(source, F_DUPFD_CLOEXEC, 0);
  DIR *stream = copy < 0 ? NULL : fdopendir(copy);
  if (stream == NULL) {
    int error = errno;
    if (copy >= 0) close(copy);
    return error;
  }
  int error = 0;
  struct dirent *entry;
  while (error == 0 && (errno = 0, entry = readdir(stream)) != NULL) {
    const char *name = entry->d_name;
    if (pgkit_is_left_out(cloning->request, name)) continue;
    error = clone_entry(cloning, source, destination, name, depth);
    if (error != 0) note(cloning, name, error);
  }
  if (error == 0 && errno != 0) error = errno;
  closedir(stream);
  return error;
}

int pgkit_clone_tree(const char *source, const char *destination,
  const struct pgkit_clone_request *request, char *name, size_t name_size) {
  struct cloning cloning = {request, WAY_REFLINK, name, name_size};
  if (name_size > 0) name[0] = 0;
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  int from = open(source, flags);
  if (from < 0) return note(&cloning, source, errno);
  int to = request->changes_owner ? pgkit_open_without_links(destination, flags, 0)
                                  : open(destination, flags | O_NOFOLLOW);
  int error = to < 0 ? note(&cloning, destination, errno) : 0;
  if (error == 0) error = clone_directory(&cloning, from, to, 0);
  if (to >= 0) close(to);
  close(from);
  return error;
}

#if defined(__linux__)
int pgkit_can_reflink(const char *source, const char *destination) {
  struct stat here, there;
  if (stat(source, &here) != 0 || stat(destination, &there) != 0) return 0;
  if (here.st_dev != there.st_dev) return 0;
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/PG_VERSION", source);
  if (length < 0 || length >= (int)sizeof path) return 0;
  int from = open(path, O_RDONLY | O_CLOEXEC);
  int to = open(destination, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  int can = from >= 0 && to >= 0 && ioctl(to, FICLONE, from) == 0;
  if (from >= 0) close(from);
  if (to >= 0) close(to);
  return can;
}
#else
int pgkit_can_reflink(const char *source, const char *destination) {
  (void)source;
  (void)destination;
  return 0;
}
#endif

int pgkit_force(const char *path) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return errno;
#if defined(__linux__)
  int error = syncfs(file) == 0 ? 0 : errno;
#else
  int error = fsync(file) == 0 ? 0 : errno;
#endif
  close(file);
  return error;
}
