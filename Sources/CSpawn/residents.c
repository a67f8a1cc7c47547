#define _GNU_SOURCE
#include "CSpawn.h"
#include "entries.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// What a killed server leaves besides its files and its shared memory: processes that have not noticed
// yet. They are known by where they work, never by a number alone.
// Everything here is safe after a fork: no memory is taken.

#if defined(__linux__)

// ---- processes -----------------------------------------------------------------------------------

struct search {
  const char *root;
  size_t length;
  int signal;
  int found;
  // Where numbers are put instead, and how many there is room for.
  int *numbers;
  int capacity;
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

/// Whether a process is a server's that works in the root or below.
static int works_in(const struct search *search, int pid) {
  char path[64], target[4096];
  snprintf(path, sizeof path, "/proc/%d/cwd", pid);
  ssize_t count = readlink(path, target, sizeof target);
  if (count < (ssize_t)search->length || count == sizeof target) return 0;
  target[count] = 0;
  if (memcmp(target, search->root, search->length) != 0) return 0;
  if (target[search->length] != '/' && target[search->length] != 0) return 0;
  snprintf(path, sizeof path, "/proc/%d/comm", pid);
  return reads_as(path, "postgres") || reads_as(path, "postmaster");
}

static void look_at_process(void *context, const char *name) {
  struct search *search = context;
  int pid = pgkit_process_number(name);
  if (pid <= 1 || !works_in(search, pid)) return;
  int descriptor = pgkit_process_descriptor(pid);
  // Held fast first, and asked again: the number may have changed hands in between.
  if (descriptor >= 0 && works_in(search, pid)) {
    pgkit_signal_process(descriptor, search->signal);
    search->found++;
  } else if (descriptor < 0 && errno == ENOSYS) {
    kill(pid, search->signal);
    search->found++;
  }
  if (descriptor >= 0) close(descriptor);
}

static int signal_residents(const char *root, int signal) {
  struct search search = {root, strlen(root), signal, 0, NULL, 0};
  pgkit_each_entry("/proc", look_at_process, &search);
  return search.found;
}

static void note_process(void *context, const char *name) {
  struct search *search = context;
  int pid = pgkit_process_number(name);
  if (pid <= 1 || search->found >= search->capacity || !works_in(search, pid)) return;
  search->numbers[search->found++] = pid;
}

int pgkit_list_residents(const char *root, int *numbers, int capacity) {
  struct search search = {root, strlen(root), 0, 0, numbers, capacity};
  pgkit_each_entry("/proc", note_process, &search);
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
  int pid = pgkit_process_number(name);
  if (pid <= 1 || living_group(pid) != company->group) return;
  company->is_there = 1;
  if (!company->is_of_root) company->is_of_root = was_given(pid, company->root);
}

static struct company look_for_company(const char *root, pid_t group) {
  struct company company = {root, group, 0, 0};
  pgkit_each_entry("/proc", look_at_company, &company);
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

#else

int pgkit_list_residents(const char *root, int *numbers, int capacity) {
  (void)root;
  (void)numbers;
  (void)capacity;
  return 0;
}

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

#endif
