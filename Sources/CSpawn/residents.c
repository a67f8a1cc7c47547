#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

// What a killed server leaves besides its files: processes that have not noticed yet, and System V
// shared memory. Both are known by what they say of their data directory, never by a number alone.
// Everything here is safe after a fork: no memory is taken.

#if defined(__linux__)

struct linux_entry {
  unsigned long long inode;
  long long offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

/// Calls `body` with each name in a directory.
static void each_entry(const char *path, void (*body)(void *context, const char *name), void *context) {
  char buffer[8192] __attribute__((aligned(8)));
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  for (;;) {
    long count = syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    if (count <= 0) break;
    for (long offset = 0; offset < count;) {
      struct linux_entry *entry = (struct linux_entry *)(buffer + offset);
      offset += entry->length;
      body(context, entry->name);
    }
  }
  close(directory);
}

// ---- processes -----------------------------------------------------------------------------------

struct search {
  const char *root;
  size_t length;
  int signal;
  int found;
};

static int reads_as(const char *path, const char *wanted) {
  char text[32];
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t count = read(file, text, sizeof text - 1);
  close(file);
  size_t length = strlen(wanted);
  return count > (ssize_t)length && memcmp(text, wanted, length) == 0 && text[length] == '\n';
}

static int works_below(const struct search *search, int pid) {
  char path[64], target[4096];
  snprintf(path, sizeof path, "/proc/%d/cwd", pid);
  ssize_t count = readlink(path, target, sizeof target);
  if (count <= (ssize_t)search->length) return 0;
  if (memcmp(target, search->root, search->length) != 0 || target[search->length] != '/') return 0;
  snprintf(path, sizeof path, "/proc/%d/comm", pid);
  return reads_as(path, "postgres") || reads_as(path, "postmaster");
}

/// The number that a name in /proc stands for, or -1.
static int process_number(const char *name) {
  int pid = 0;
  for (const char *digit = name; *digit != 0; digit++) {
    if (*digit < '0' || *digit > '9' || pid > 100000000) return -1;
    pid = pid * 10 + (*digit - '0');
  }
  return pid;
}

static void look_at_process(void *context, const char *name) {
  struct search *search = context;
  int pid = process_number(name);
  if (pid <= 1 || !works_below(search, pid)) return;
  int descriptor = pgkit_process_descriptor(pid);
  // Held fast first, and asked again: the number may have changed hands in between.
  if (descriptor >= 0 && works_below(search, pid)) {
    pgkit_signal_process(descriptor, search->signal);
    search->found++;
  } else if (descriptor < 0 && errno == ENOSYS) {
    kill(pid, search->signal);
    search->found++;
  }
  if (descriptor >= 0) close(descriptor);
}

static int signal_residents(const char *root, int signal) {
  struct search search = {root, strlen(root), signal, 0};
  each_entry("/proc", look_at_process, &search);
  return search.found;
}

// How often is looked whether processes have gone.
static const int look_interval = 10;

int pgkit_end_residents(const char *root, int patience) {
  int ended = 0;
  // A backend of a killed server ends by itself within moments; others are told.
  for (int waited = 0; waited <= patience; waited += look_interval) {
    int found = signal_residents(root, SIGKILL);
    if (found == 0) return ended;
    // The same ones may be met again until they are gone.
    if (found > ended) ended = found;
    poll(NULL, 0, look_interval);
  }
  return ended;
}

// ---- a command's processes -----------------------------------------------------------------------

/// What a program that was given a cluster has in its environment, before the cluster's directory.
static const char variable[] = "PGSERVICEFILE=";

struct company {
  const char *root;
  pid_t group;
  int is_there;
  int is_of_root;
};

/// The process group of a process that has not ended, or -1.
static pid_t living_group(int pid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t count = read(file, text, sizeof text - 1);
  close(file);
  if (count <= 0) return -1;
  text[count] = 0;
  // The name may contain blanks and parentheses.
  const char *rest = strrchr(text, ')');
  char state = 0;
  int parent = 0, group = -1;
  if (rest == NULL || sscanf(rest, ") %c %d %d", &state, &parent, &group) != 3) return -1;
  return state == 'Z' || state == 'X' ? -1 : group;
}

/// What is looked for in an environment, and how much of it the text before has matched.
struct matching {
  const char *root;
  size_t length;
  size_t matched;
  int is_hopeless;
};

static char wanted(const struct matching *matching) {
  size_t name_length = sizeof variable - 1;
  if (matching->matched < name_length) return variable[matching->matched];
  size_t offset = matching->matched - name_length;
  return offset < matching->length ? matching->root[offset] : '/';
}

/// Takes one more character; returns whether all has matched.
static int take(struct matching *matching, char character) {
  if (character == 0) {
    matching->matched = 0;
    matching->is_hopeless = 0;
    return 0;
  }
  if (matching->is_hopeless || character != wanted(matching)) {
    matching->is_hopeless = 1;
    return 0;
  }
  matching->matched++;
  return matching->matched == sizeof variable - 1 + matching->length + 1;
}

/// Whether a process was started with the cluster in `root` in its environment.
static int was_given(int pid, const char *root) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/%d/environ", pid);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  struct matching matching = {root, strlen(root), 0, 0};
  int was = 0;
  ssize_t count;
  while (!was && (count = read(file, text, sizeof text)) > 0) {
    for (ssize_t offset = 0; offset < count && !was; offset++) was = take(&matching, text[offset]);
  }
  close(file);
  return was;
}

static void look_at_company(void *context, const char *name) {
  struct company *company = context;
  int pid = process_number(name);
  if (pid <= 1 || living_group(pid) != company->group) return;
  company->is_there = 1;
  if (!company->is_of_root) company->is_of_root = was_given(pid, company->root);
}

static struct company look_for_company(const char *root, pid_t group) {
  struct company company = {root, group, 0, 0};
  each_entry("/proc", look_at_company, &company);
  return company;
}

int pgkit_end_command(const char *root, pid_t group, int patience) {
  if (group <= 1 || !look_for_company(root, group).is_of_root) return 0;
  kill(-group, SIGTERM);
  for (int waited = 0; waited < patience; waited += look_interval) {
    if (!look_for_company(root, group).is_there) return 1;
    poll(NULL, 0, look_interval);
  }
  if (look_for_company(root, group).is_of_root) kill(-group, SIGKILL);
  return 1;
}

// ---- shared memory -------------------------------------------------------------------------------

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

struct data_directory {
  dev_t device;
  ino_t inode;
  uid_t owner;
};

/// Whether a segment is the directory's, judged by what can be known without attaching to it.
static int may_be_of(const struct data_directory *data, const struct shmid_ds *facts, size_t largest) {
  return facts->shm_nattch == 0 && facts->shm_perm.uid == data->owner
    && facts->shm_segsz >= sizeof(struct segment_head) && facts->shm_segsz <= largest;
}

static void remove_segment(int identifier, const struct data_directory *data, size_t largest) {
  struct shmid_ds facts;
  if (shmctl(identifier, IPC_STAT, &facts) != 0 || !may_be_of(data, &facts, largest)) return;
  struct segment_head *head = shmat(identifier, NULL, SHM_RDONLY);
  if (head == (void *)-1) return;
  int is_ours =
    head->magic == segment_magic && head->device == data->device && head->inode == data->inode;
  shmdt(head);
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

static void remove_segments_of(const char *directory) {
  struct stat status;
  if (lstat(directory, &status) != 0 || !S_ISDIR(status.st_mode)) return;
  const struct data_directory data = {status.st_dev, status.st_ino, status.st_uid};
  int named = named_segment(directory);
  if (named >= 0) remove_segment(named, &data, SIZE_MAX);
  // A killed server's file may be gone already. This is Linux's own way to go through all segments;
  // the answer is the highest index in use.
  struct shmid_ds facts;
  int highest = shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&(struct shm_info){0});
  for (int index = 0; index <= highest; index++) {
    int identifier = shmctl(index, SHM_STAT, &facts);
    if (identifier >= 0 && may_be_of(&data, &facts, largest_head)) {
      remove_segment(identifier, &data, largest_head);
    }
  }
}

struct segments {
  const char *root;
};

static void look_at_directory(void *context, const char *name) {
  const struct segments *segments = context;
  char path[4096];
  if (name[0] == '.') return;
  int length = snprintf(path, sizeof path, "%s/%s", segments->root, name);
  if (length > 0 && length < (int)sizeof path) remove_segments_of(path);
}

void pgkit_remove_segments(const char *root) {
  struct segments segments = {root};
  each_entry(root, look_at_directory, &segments);
}

#else

int pgkit_end_residents(const char *root, int patience) {
  (void)root;
  (void)patience;
  return 0;
}

int pgkit_end_command(const char *root, pid_t group, int patience) {
  (void)root;
  (void)group;
  (void)patience;
  return 0;
}

void pgkit_remove_segments(const char *root) { (void)root; }

#endif
