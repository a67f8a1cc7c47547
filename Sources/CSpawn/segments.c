#define _GNU_SOURCE
#include "CSpawn.h"
#include "entries.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// The shared memory that a killed server leaves. A server makes one System V segment, in whose head its
// data directory stands; that head names the list of its dynamic segments, and the list names these. A
// server that is started in the same directory goes the same way; nothing is known by its number alone.
//
// Every process of a server is attached to the first segment, so that when nobody is, nobody uses the
// others either. Everything here is safe after a fork: no memory is taken.

/// The head of a segment, as PostgreSQL's `PGShmemHeader` in `src/include/storage/pg_shmem.h`.
struct segment_head {
  int magic;
  pid_t creator;
  size_t total_size;
  size_t free_offset;
  unsigned dsm_control;
  void *index;
  dev_t device;
  ino_t inode;
};
static const int segment_magic = 679834894;

/// Where a server keeps nothing but the head there, as it does by default, this much is enough for it;
/// a larger segment that is not named in `postmaster.pid` is not looked into.
static const size_t largest_head = 4096;

/// Whether a segment is one of the owner's that nobody uses.
static int is_idle_of(const struct pgkit_data_directory *data, const struct shmid_ds *facts) {
  return facts->shm_nattch == 0 && facts->shm_perm.uid == data->owner;
}

/// How many look at a segment's head at the same time, as this file does; a server has more processes.
static const shmatt_t most_visitors = 4;
/// How often is looked whether they have gone, half a millisecond apart.
static const int most_looks = 4000;

/// Whether those who are attached only look at it: the last of them is no server.
static int is_visited(const struct shmid_ds *facts) {
  if (facts->shm_nattch == 0 || facts->shm_nattch > most_visitors) return 0;
  char path[64], name[16] = "";
  snprintf(path, sizeof path, "/proc/%d/comm", (int)facts->shm_lpid);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 1;
  ssize_t count = read(file, name, sizeof name - 1);
  close(file);
  return count <= 0 || strncmp(name, "postgres", 8) != 0;
}

/// Waits until nobody only looks at it: whoever does so is searching for another server's, and would
/// make this one seem to be in use.
static int await_visitors(int identifier, struct shmid_ds *facts) {
  for (int look = 0; look < most_looks && is_visited(facts); look++) {
    struct timespec moment = {0, 500000};
    nanosleep(&moment, NULL);
    if (shmctl(identifier, IPC_STAT, facts) != 0) return -1;
  }
  return 0;
}

// ---- dynamic segments ----------------------------------------------------------------------------

/// The list of dynamic segments, as `dsm_control_header` in `src/backend/storage/ipc/dsm.c`; an item of
/// it begins with a handle and with how often it is used. What else an item has depends on the version.
struct list_head {
  uint32_t magic;
  uint32_t count;
  uint32_t capacity;
  uint32_t padding;
};
struct list_item {
  uint32_t handle;
  uint32_t uses;
};
static const uint32_t list_magic = 0x9a503d32;
/// Of version 14 on, where an odd handle is one of a piece of the server's main memory.
static const uint64_t item_with_pages = 40;
static const uint64_t smallest_item = 16, largest_item = 64;
/// More segments than a server has connections and a few is no list.
static const uint32_t largest_list = 1 << 21;

/// The size of a list's items, which fill the segment to its end; 0 if it is no list.
static uint64_t item_size(const struct list_head *head, uint64_t size) {
  if (head->magic != list_magic || size < sizeof *head) return 0;
  if (head->capacity == 0 || head->capacity > largest_list || head->count > head->capacity) return 0;
  uint64_t room = size - sizeof *head, item = room / head->capacity;
  if (room % head->capacity != 0 || item % 8 != 0) return 0;
  return item < smallest_item || item > largest_item ? 0 : item;
}

static int names_segment(const struct list_item *item, uint64_t size) {
  return item->uses != 0 && item->handle != 0 && !(size >= item_with_pages && item->handle % 2 == 1);
}

#if defined(__linux__)

/// Opens the owner's segment of a handle in /dev/shm, and says where it is and how large.
static int open_posix(
  unsigned handle, const struct pgkit_data_directory *data, char *path, size_t room, uint64_t *size) {
  struct stat status;
  snprintf(path, room, "/dev/shm/PostgreSQL.%u", handle);
  int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return -1;
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == data->owner) {
    *size = (uint64_t)status.st_size;
    return file;
  }
  close(file);
  return -1;
}

struct mapping {
  char name[64];
  int is_there;
};

/// Looks for a path's last part in what a process has mapped, of which each line ends with a path.
static void look_at_maps(void *context, const char *name) {
  struct mapping *mapping = context;
  int pid = pgkit_process_number(name);
  if (pid <= 0 || mapping->is_there) return;
  char buffer[4096];
  snprintf(buffer, sizeof buffer, "/proc/%d/maps", pid);
  int file = open(buffer, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  size_t kept = 0, length = strlen(mapping->name);
  ssize_t count;
  while (!mapping->is_there && (count = read(file, buffer + kept, sizeof buffer - kept)) > 0) {
    size_t end = kept + (size_t)count;
    char *found = memmem(buffer, end, mapping->name, length);
    // A longer number is another one's; one at the end of what was read is looked at again.
    while (found != NULL && found + length < buffer + end) {
      if (found[length] == '\n' || found[length] == ' ') mapping->is_there = 1;
      found = memmem(found + 1, end - (size_t)(found + 1 - buffer), mapping->name, length);
    }
    kept = end < length + 1 ? end : length + 1;
    memmove(buffer, buffer + end - kept, kept);
  }
  close(file);
}

static int is_mapped(unsigned handle) {
  struct mapping mapping = {.is_there = 0};
  snprintf(mapping.name, sizeof mapping.name, "/PostgreSQL.%u", handle);
  pgkit_each_entry("/proc", look_at_maps, &mapping);
  return mapping.is_there;
}

static void remove_posix(unsigned handle, const struct pgkit_data_directory *data) {
  char path[64];
  uint64_t size;
  int file = open_posix(handle, data, path, sizeof path, &size);
  if (file < 0) return;
  if (!is_mapped(handle)) unlink(path);
  close(file);
}

/// Removes what the list of a handle in /dev/shm names, and the list.
static void remove_posix_list(unsigned handle, const struct pgkit_data_directory *data) {
  char path[64];
  uint64_t size = 0;
  int file = open_posix(handle, data, path, sizeof path, &size);
  if (file < 0) return;
  struct list_head head = {0, 0, 0, 0};
  uint64_t item = pread(file, &head, sizeof head, 0) == sizeof head ? item_size(&head, size) : 0;
  for (uint32_t index = 0; item != 0 && index < head.count; index++) {
    struct list_item entry;
    off_t offset = (off_t)(sizeof head + index * item);
    if (pread(file, &entry, sizeof entry, offset) != sizeof entry) break;
    if (names_segment(&entry, item)) remove_posix(entry.handle, data);
  }
  close(file);
  // A server that was killed while it made the list has not written its head yet.
  if (item != 0 || head.magic == 0) remove_posix(handle, data);
}

#else

static void remove_posix_list(unsigned handle, const struct pgkit_data_directory *data) {
  (void)handle;
  (void)data;
}

#endif

/// The owner's idle System V segment whose key a handle is, or -1, and its size.
static int find_system_v(unsigned handle, const struct pgkit_data_directory *data, uint64_t *size) {
  struct shmid_ds facts;
  // Servers make no key negative.
  key_t key = (key_t)(handle > INT_MAX ? 0u - handle : handle);
  if (key == IPC_PRIVATE) return -1;
  int identifier = shmget(key, 0, 0);
  if (identifier < 0 || shmctl(identifier, IPC_STAT, &facts) != 0) return -1;
  if (facts.shm_perm.uid != data->owner || await_visitors(identifier, &facts) != 0) return -1;
  *size = facts.shm_segsz;
  return is_idle_of(data, &facts) ? identifier : -1;
}

/// The same with dynamic_shared_memory_type=sysv.
static void remove_system_v_list(unsigned handle, const struct pgkit_data_directory *data) {
  uint64_t size = 0, ignored;
  int identifier = find_system_v(handle, data, &size);
  if (identifier < 0 || size < sizeof(struct list_head)) return;
  const char *list = shmat(identifier, NULL, SHM_RDONLY);
  if (list == (void *)-1) return;
  struct list_head head;
  memcpy(&head, list, sizeof head);
  uint64_t item = item_size(&head, size);
  for (uint32_t index = 0; item != 0 && index < head.count; index++) {
    struct list_item entry;
    memcpy(&entry, list + sizeof head + index * item, sizeof entry);
    int segment = names_segment(&entry, item) ? find_system_v(entry.handle, data, &ignored) : -1;
    if (segment >= 0) shmctl(segment, IPC_RMID, NULL);
  }
  shmdt(list);
  if (item != 0) shmctl(identifier, IPC_RMID, NULL);
}

// ---- a server's first segment --------------------------------------------------------------------

static int may_be_of(const struct pgkit_data_directory *data, const struct shmid_ds *facts, size_t largest) {
  return facts->shm_perm.uid == data->owner && facts->shm_segsz >= sizeof(struct segment_head)
    && facts->shm_segsz <= largest;
}

static void remove_segment(int identifier, const struct pgkit_data_directory *data, size_t largest) {
  struct shmid_ds facts;
  if (shmctl(identifier, IPC_STAT, &facts) != 0 || !may_be_of(data, &facts, largest)) return;
  if (await_visitors(identifier, &facts) != 0 || !is_idle_of(data, &facts)) return;
  struct segment_head *head = shmat(identifier, NULL, SHM_RDONLY);
  if (head == (void *)-1) return;
  int is_ours =
    head->magic == segment_magic && head->device == data->device && head->inode == data->inode;
  unsigned list = is_ours ? head->dsm_control : 0;
  shmdt(head);
  // The first segment goes last: without it the others cannot be found.
  if (list != 0) {
    remove_posix_list(list, data);
    remove_system_v_list(list, data);
  }
  if (is_ours) shmctl(identifier, IPC_RMID, NULL);
}

/// The number of the segment that `postmaster.pid` names, the second in line 7; or -1.
static int named_segment(const char *directory) {
  char text[4096];
  int length = snprintf(text, sizeof text, "%s/postmaster.pid", directory);
  if (length < 0 || length >= (int)sizeof text) return -1;
  int file = open(text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t count = read(file, text, sizeof text - 1);
  close(file);
  if (count <= 0) return -1;
  text[count] = 0;
  const char *line = text;
  for (int number = 1; number < 7; number++) {
    line = strchr(line, '\n');
    if (line == NULL) return -1;
    line++;
  }
  line += strspn(line, " ");
  line += strspn(line, "0123456789");
  line += strspn(line, " ");
  long identifier = 0;
  if (*line < '0' || *line > '9') return -1;
  for (; *line >= '0' && *line <= '9'; line++) {
    identifier = identifier * 10 + (*line - '0');
    if (identifier > INT_MAX) return -1;
  }
  return *line == '\n' ? (int)identifier : -1;
}

int pgkit_identify_data(const char *directory, struct pgkit_data_directory *data) {
  struct stat status;
  if (lstat(directory, &status) != 0) return errno;
  if (!S_ISDIR(status.st_mode)) return ENOTDIR;
  *data = (struct pgkit_data_directory){
    status.st_dev, status.st_ino, status.st_uid, named_segment(directory)};
  return 0;
}

void pgkit_remove_segments_of(const struct pgkit_data_directory *data) {
  if (data->segment >= 0) remove_segment(data->segment, data, SIZE_MAX);
#if defined(__linux__)
  // A killed server's file may be gone already. This is Linux's own way to go through all segments;
  // the answer is the highest index in use.
  struct shmid_ds facts;
  int highest = shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&(struct shm_info){0});
  for (int index = 0; index <= highest; index++) {
    int identifier = shmctl(index, SHM_STAT, &facts);
    if (identifier >= 0 && may_be_of(data, &facts, largest_head)) {
      remove_segment(identifier, data, largest_head);
    }
  }
#endif
}

#if defined(__linux__)

struct segments {
  const char *root;
};

static void look_at_directory(void *context, const char *name) {
  const struct segments *segments = context;
  char path[4096];
  if (name[0] == '.') return;
  int length = snprintf(path, sizeof path, "%s/%s", segments->root, name);
  struct pgkit_data_directory data;
  if (length <= 0 || length >= (int)sizeof path || pgkit_identify_data(path, &data) != 0) return;
  pgkit_remove_segments_of(&data);
}

void pgkit_remove_segments(const char *root) {
  struct segments segments = {root};
  pgkit_each_entry(root, look_at_directory, &segments);
}

#else

void pgkit_remove_segments(const char *root) { (void)root; }

#endif
