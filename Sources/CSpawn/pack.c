#define _GNU_SOURCE
#include "CSpawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/fsuid.h>
#include <sys/prctl.h>
#endif

// A directory as one file, because opening a thousand files to read them takes as long as writing a
// thousand others. Entries follow each other, a directory before what is in it: a head, the name
// with its zero byte, the contents without the zeros at their end.

static const uint32_t entry_mark = 0x5047504B;
// A data directory is about six deep; deeper than this is no cluster's.
enum { deepest = 64 };

struct head {
  uint32_t mark;
  uint32_t mode;
  // Of the name, with its zero byte.
  uint32_t name_length;
  uint32_t is_directory;
  // Of the file, and of what is stored of it.
  uint64_t size;
  uint64_t stored;
};

struct packing {
  const struct pgkit_clone_request *request;
  FILE *file;
  char path[PATH_MAX];
};

static int put(FILE *file, const void *bytes, size_t count) {
  errno = 0;
  if (count == 0 || fwrite(bytes, 1, count, file) == count) return 0;
  return errno != 0 ? errno : EIO;
}

static int put_entry(struct packing *packing, const struct stat *status, const char *bytes) {
  struct head head = {entry_mark, status->st_mode & 0777, (uint32_t)strlen(packing->path) + 1,
    S_ISDIR(status->st_mode), 0, 0};
  if (!head.is_directory) {
    head.size = head.stored = (uint64_t)status->st_size;
    while (head.stored > 0 && bytes[head.stored - 1] == 0) head.stored--;
  }
  int error = put(packing->file, &head, sizeof head);
  if (error == 0) error = put(packing->file, packing->path, head.name_length);
  if (error == 0) error = put(packing->file, bytes, head.stored);
  return error;
}

static int pack_file(struct packing *packing, int directory, const char *name, const struct stat *status) {
  if (status->st_size == 0) return put_entry(packing, status, NULL);
  int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) return errno;
  size_t size = (size_t)status->st_size;
  char *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
  int error = bytes == MAP_FAILED ? errno : put_entry(packing, status, bytes);
  if (bytes != MAP_FAILED) munmap(bytes, size);
  close(file);
  return error;
}

static int pack_directory(struct packing *packing, int directory, int depth);

static int is_left_out(const struct packing *packing, const char *name, int depth) {
  const char *hollow = packing->request->hollow;
  if (pgkit_is_left_out(packing->request, name)) return 1;
  if (depth != 1 || hollow == NULL) return 0;
  size_t length = strlen(hollow);
  return strncmp(packing->path, hollow, length) == 0 && packing->path[length] == '/';
}

static int pack_entry(struct packing *packing, int directory, const char *name, int depth) {
  struct stat status;
  if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  if (S_ISREG(status.st_mode)) return pack_file(packing, directory, name, &status);
  if (!S_ISDIR(status.st_mode)) return EINVAL;
  if (depth >= deepest) return ELOOP;
  int error = put_entry(packing, &status, NULL);
  int inner = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (inner < 0) return errno;
  if (error == 0) error = pack_directory(packing, inner, depth + 1);
  else close(inner);
  return error;
}

/// Takes over the descriptor.
static int pack_directory(struct packing *packing, int directory, int depth) {
  DIR *stream = fdopendir(directory);
  if (stream == NULL) return errno;
  size_t length = strlen(packing->path);
  int error = 0;
  struct dirent *entry;
  while (error == 0 && (errno = 0, entry = readdir(stream)) != NULL) {
    const char *slash = length > 0 ? "/" : "";
    int written = snprintf(
      packing->path + length, sizeof packing->path - length, "%s%s", slash, entry->d_name);
    if (written < 0 || (size_t)written >= sizeof packing->path - length) error = ENAMETOOLONG;
    else if (!is_left_out(packing, entry->d_name, depth)) {
      error = pack_entry(packing, dirfd(stream), entry->d_name, depth);
    }
    packing->path[length] = 0;
  }
  if (error == 0 && errno != 0) error = errno;
  closedir(stream);
  return error;
}

int pgkit_pack_tree(const char *source, const char *file, const struct pgkit_clone_request *request) {
  struct packing packing = {.request = request};
  int directory = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return errno;
  int target = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  packing.file = target < 0 ? NULL : fdopen(target, "w");
  if (packing.file == NULL) {
    int error = errno;
    if (target >= 0) close(target);
    close(directory);
    return error;
  }
  int error = pack_directory(&packing, directory, 0);
  if (fclose(packing.file) != 0 && error == 0) error = errno;
  return error;
}

// ---- unpacking -----------------------------------------------------------------------------------

static int write_all(int file, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t written = write(file, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes += written;
    count -= (size_t)written;
  }
  return 0;
}

// No file system keeps less of a file than this.
enum { page_size = 4096 };

/// Writes what is stored of a file, and the zeros behind it: those that fill its last page at once, more
/// than that as a hole.
static int write_contents(int file, const char *bytes, const struct head *head) {
  static const char zeros[page_size];
  uint64_t rest = head->size - head->stored;
  if (rest == 0) return write_all(file, bytes, head->stored);
  if (rest < page_size && head->stored % page_size + rest <= page_size) {
    const struct iovec parts[] = {
      {(void *)(uintptr_t)bytes, head->stored}, {(void *)(uintptr_t)zeros, rest}};
    if (writev(file, parts, 2) == (ssize_t)head->size) return 0;
    // Once more in pieces, which tells why not.
    if (lseek(file, 0, SEEK_SET) != 0) return errno;
  }
  int error = write_all(file, bytes, head->stored);
  if (error != 0) return error;
  return ftruncate(file, (off_t)head->size) == 0 ? 0 : errno;
}

// What a thread makes can be another user's from its first moment: that saves giving a thousand files away
// one by one, and nothing of root's ever lies in a directory of somebody else's.

#if defined(__linux__)
/// Who a thread was to the file system, and what a change of that takes away.
struct guise {
  int is_worn;
  uid_t user;
  gid_t group;
  int death_signal;
  int is_dumpable;
};

static void put_off(struct guise *guise) {
  if (!guise->is_worn) return;
  guise->is_worn = 0;
  setfsuid(guise->user);
  setfsgid(guise->group);
  prctl(PR_SET_DUMPABLE, guise->is_dumpable, 0, 0, 0);
  if (guise->death_signal != 0) prctl(PR_SET_PDEATHSIG, guise->death_signal, 0, 0, 0);
}

/// Whether a directory is the owner's already, who then may make files in it.
static int is_home(const struct pgkit_clone_request *request, int directory) {
  struct stat status;
  return fstat(directory, &status) == 0 && status.st_uid == request->user
    && (status.st_mode & S_IRWXU) == S_IRWXU;
}

/// Has what this thread makes in a directory belong to another user, whose that is; where that is refused,
/// nothing has changed.
static void put_on(
  struct guise *guise, const struct pgkit_clone_request *request, int directory) {
  guise->is_worn = 0;
  if (!request->changes_owner || !is_home(request, directory)) return;
  if (prctl(PR_GET_PDEATHSIG, &guise->death_signal, 0, 0, 0) != 0) return;
  guise->is_dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1;
  guise->is_worn = 1;
  // The group first: it takes a right that goes with the user.
  guise->group = (gid_t)setfsgid(request->group);
  guise->user = (uid_t)setfsuid(request->user);
  // They tell no failure; only what is now the case.
  if ((uid_t)setfsuid((uid_t)-1) != request->user || (gid_t)setfsgid((gid_t)-1) != request->group) {
    put_off(guise);
  }
}
#else
struct guise {
  int is_worn;
};
static void put_off(struct guise *guise) { (void)guise; }
static void put_on(
  struct guise *guise, const struct pgkit_clone_request *request, int directory) {
  (void)request;
  (void)directory;
  guise->is_worn = 0;
}
#endif

/// The directories between the destination and the one that is being filled, open: so that nobody who
/// may write to one of them can lead us elsewhere by putting a link in its place.
struct unpacking {
  const struct pgkit_clone_request *request;
  /// Whether what is made has to be given to its owner.
  int gives_away;
  /// The destination, and one for each part of `path`.
  int levels[1 + deepest];
  int depth;
  /// The directory that is being filled, as names in the pack have it, and how long that is.
  const char *path;
  size_t length;
};

static void leave_directory(struct unpacking *unpacking) {
  close(unpacking->levels[unpacking->depth]);
  unpacking->depth--;
  while (unpacking->length > 0 && unpacking->path[unpacking->length - 1] != '/') unpacking->length--;
  if (unpacking->length > 0) unpacking->length--;
}

/// Goes back up to the directory of an entry; returns the entry's own name, or NULL if that directory
/// is not one that was just filled, as a packed entry's always is.
static const char *enter_parent(struct unpacking *unpacking, const char *name) {
  const char *slash = strrchr(name, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - name);
  while (unpacking->length > length) leave_directory(unpacking);
  if (unpacking->length != length || memcmp(unpacking->path, name, length) != 0) return NULL;
  return slash == NULL ? name : slash + 1;
}

static int unpack_directory(struct unpacking *unpacking, const char *path, const char *name) {
  if (unpacking->depth >= deepest) return ELOOP;
  const struct pgkit_clone_request *request = unpacking->request;
  int parent = unpacking->levels[unpacking->depth];
  if (mkdirat(parent, name, 0700) != 0) return errno;
  int made = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (made < 0) return errno;
  unpacking->levels[++unpacking->depth] = made;
  unpacking->path = path;
  unpacking->length = strlen(path);
  if (!unpacking->gives_away) return 0;
  return fchown(made, request->user, request->group) == 0 ? 0 : errno;
}

static int unpack_file(
  struct unpacking *unpacking, const char *name, const struct head *head, const char *bytes) {
  const struct pgkit_clone_request *request = unpacking->request;
  int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  int file = openat(unpacking->levels[unpacking->depth], name, flags, head->mode & 0777);
  if (file < 0) return errno;
  int error = 0;
  if (unpacking->gives_away && fchown(file, request->user, request->group) != 0) error = errno;
  if (error == 0) error = write_contents(file, bytes, head);
  if (close(file) != 0 && error == 0) error = errno;
  return error;
}

/// Whether a name is that of an entry, rather than of a directory above.
static int is_plain(const char *name) {
  return name[0] != 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/// Unpacks one entry; moves `*offset` behind it.
static int unpack_entry(
  struct unpacking *unpacking, const char *bytes, size_t size, size_t *offset) {
  struct head head;
  if (size - *offset < sizeof head) return EBADMSG;
  memcpy(&head, bytes + *offset, sizeof head);
  *offset += sizeof head;
  if (head.mark != entry_mark || head.name_length == 0 || head.name_length > PATH_MAX) return EBADMSG;
  if (size - *offset < head.name_length) return EBADMSG;
  const char *path = bytes + *offset;
  *offset += head.name_length;
  if (memchr(path, 0, head.name_length) != path + head.name_length - 1) return EBADMSG;
  if (head.stored > head.size || head.size > (uint64_t)INT64_MAX) return EBADMSG;
  if (size - *offset < head.stored) return EBADMSG;
  const char *contents = bytes + *offset;
  *offset += head.stored;
  const char *name = enter_parent(unpacking, path);
  if (name == NULL || !is_plain(name)) return EBADMSG;
  if (head.is_directory) return unpack_directory(unpacking, path, name);
  return unpack_file(unpacking, name, &head, contents);
}

static int unpack_mapped(
  int root, int file, size_t size, const struct pgkit_clone_request *request) {
  if (size == 0) return 0;
#if defined(MAP_POPULATE)
  int flags = MAP_PRIVATE | MAP_POPULATE;
#else
  int flags = MAP_PRIVATE;
#endif
  char *bytes = mmap(NULL, size, PROT_READ, flags, file, 0);
  if (bytes == MAP_FAILED) return errno;
  int error = 0;
  struct guise guise;
  put_on(&guise, request, root);
  struct unpacking unpacking = {.request = request, .levels = {root}, .path = "",
    .gives_away = request->changes_owner && !guise.is_worn};
  for (size_t offset = 0; error == 0 && offset < size;) {
    error = unpack_entry(&unpacking, bytes, size, &offset);
  }
  put_off(&guise);
  while (unpacking.depth > 0) leave_directory(&unpacking);
  munmap(bytes, size);
  return error;
}

int pgkit_unpack_tree(
  const char *file, const char *destination, const struct pgkit_clone_request *request) {
  struct stat status;
  int pack = open(file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (pack < 0) return errno;
  const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int root = request->changes_owner ? pgkit_open_without_links(destination, flags, 0)
                                    : open(destination, flags);
  int error = root < 0 || fstat(pack, &status) != 0 ? errno : 0;
  if (error == 0) error = unpack_mapped(root, pack, (size_t)status.st_size, request);
  if (root >= 0) close(root);
  close(pack);
  return error;
}
