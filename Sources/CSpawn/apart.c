#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#endif

// ext4 gives a new file an inode near its directory's, and a new directory one near its parent's.
// Where it keeps no journal it passes over every inode whose file was removed in the last minutes, for
// each new file anew: where clusters come and go, a thousand files then take a second. Directories in
// one that is marked as the top of a hierarchy it spreads over the whole disk, by their names.

#if defined(__linux__)
/// Marks a directory as such a top; returns whether it is one.
static int mark_as_top(int directory) {
  struct statfs facts;
  if (fstatfs(directory, &facts) != 0 || facts.f_type != EXT4_SUPER_MAGIC) return 0;
  int flags = 0;
  if (ioctl(directory, FS_IOC_GETFLAGS, &flags) != 0) return 0;
  if (flags & FS_TOPDIR_FL) return 1;
  flags |= FS_TOPDIR_FL;
  return ioctl(directory, FS_IOC_SETFLAGS, &flags) == 0;
}

/// Makes the directory under a name that nobody has used, which decides where it goes, and renames it.
static int make_by_name(int parent, const char *name, const char *unique) {
  const unsigned replaces_nothing = 1;
  char first[NAME_MAX + 1];
  int length = snprintf(first, sizeof first, "%s.%s", name, unique);
  if (length < 0 || length >= (int)sizeof first) return ENAMETOOLONG;
  if (mkdirat(parent, first, 0700) != 0) return errno;
  if (syscall(SYS_renameat2, parent, first, parent, name, replaces_nothing) == 0) return 0;
  int error = errno;
  unlinkat(parent, first, AT_REMOVEDIR);
  return error;
}
#endif

int pgkit_make_apart(const char *parent, const char *name, const char *unique) {
  int directory = open(parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory < 0) return errno;
  int error = -1;
#if defined(__linux__)
  if (mark_as_top(directory)) error = make_by_name(directory, name, unique);
#else
  (void)unique;
#endif
  if (error != 0 && error != EEXIST) error = mkdirat(directory, name, 0700) == 0 ? 0 : errno;
  close(directory);
  return error;
}
