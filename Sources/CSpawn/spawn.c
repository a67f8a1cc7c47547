#define _GNU_SOURCE
#include "CSpawn.h"
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#include <sys/prctl.h>
#endif

extern char **environ;

char **pgkit_environment(void) { return environ; }

struct failure {
  int step;
  int error;
};

static int fail(struct failure *failure, int step) {
  failure->step = step;
  failure->error = errno;
  return -1;
}

/// Default dispositions, so that nothing the parent installed reaches into the new program.
static void reset_signals(int keeps_ignored) {
  for (int number = 1; number < NSIG; number++) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) != 0) continue;
    if (action.sa_handler == SIG_DFL) continue;
    if (keeps_ignored && action.sa_handler == SIG_IGN) continue;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    sigaction(number, &action, NULL);
  }
}

static int enter_group(const struct pgkit_spawn_request *request) {
  if (request->group == PGKIT_GROUP_SESSION) return setsid() < 0 ? -1 : 0;
  if (request->group != PGKIT_GROUP_OWN) return 0;
  if (setpgid(0, 0) != 0) return -1;
  // Every signal is still blocked here, so that SIGTTOU does not stop the taker.
  if (request->terminal >= 0) tcsetpgrp(request->terminal, getpid());
  return 0;
}

static int change_user(const struct pgkit_spawn_request *request, struct failure *failure) {
  if (!request->changes_user) return 0;
  if (setgroups(request->group_count, request->groups) != 0) {
    return fail(failure, PGKIT_STEP_GROUPS);
  }
  if (setgid(request->group_id) != 0) return fail(failure, PGKIT_STEP_USER);
  if (setuid(request->user) != 0) return fail(failure, PGKIT_STEP_USER);
  return 0;
}

#if defined(__linux__)
static int write_file(const char *path, const char *text, size_t length) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t count = write(file, text, length);
  int error = errno;
  close(file);
  errno = count < 0 ? error : EIO;
  return count == (ssize_t)length ? 0 : -1;
}

/// Appends a number; printf is not for what stands between fork and exec.
static size_t put_number(char *text, size_t length, unsigned long number) {
  char digits[24];
  size_t count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  while (count > 0) text[length++] = digits[--count];
  return length;
}

/// Writes the one line of a map: INNER OUTER 1.
static int write_map(const char *path, unsigned long inner, unsigned long outer) {
  char text[64];
  size_t length = put_number(text, 0, inner);
  text[length++] = ' ';
  length = put_number(text, length, outer);
  memcpy(text + length, " 1", 2);
  return write_file(path, text, length + 2);
}
#endif

/// A user may map itself, and only itself, in a user namespace that it makes.
///
/// Source: user_namespaces(7), "Defining user and group ID mappings".
static int change_appearance(
  const struct pgkit_spawn_request *request, struct failure *failure) {
  if (!request->changes_appearance) return 0;
#if defined(__linux__)
  unsigned long user = geteuid(), group = getegid();
  // Whoever was root until now does not own its files in /proc.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  static const char deny[] = "deny";
  if (unshare(CLONE_NEWUSER) == 0
      && write_map("/proc/self/uid_map", request->appearance, user) == 0
      && write_file("/proc/self/setgroups", deny, sizeof deny - 1) == 0
      && write_map("/proc/self/gid_map", group, group) == 0) {
    return 0;
  }
#else
  errno = ENOSYS;
#endif
  return fail(failure, PGKIT_STEP_NAME);
}

static int open_output(const char *path) {
  int descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) return -1;
  if (dup2(descriptor, 1) < 0 || dup2(descriptor, 2) < 0) return -1;
  if (descriptor > 2) close(descriptor);
  return 0;
}

/// Everything that the child does before it becomes the program.
static int prepare(const struct pgkit_spawn_request *request, struct failure *failure) {
  if (enter_group(request) != 0) return fail(failure, PGKIT_STEP_SESSION);
  if (pgkit_set_standard_descriptors(request->descriptors) != 0) {
    return fail(failure, PGKIT_STEP_DESCRIPTORS);
  }
  if (change_user(request, failure) != 0 || change_appearance(request, failure) != 0) return -1;
  if (request->directory != NULL && chdir(request->directory) != 0) {
    return fail(failure, PGKIT_STEP_DIRECTORY);
  }
  if (request->output_path != NULL && open_output(request->output_path) != 0) {
    return fail(failure, PGKIT_STEP_OUTPUT);
  }
  return 0;
}

/// Has the child end with the thread that makes it, after the change of user, which would undo that.
static void follow_parent(const struct pgkit_spawn_request *request, pid_t parent) {
#if defined(__linux__)
  if (request->end_signal == 0) return;
  prctl(PR_SET_PDEATHSIG, request->end_signal, 0, 0, 0);
  // It may have gone already.
  if (getppid() != parent) _exit(127);
#else
  (void)request;
  (void)parent;
#endif
}

static _Noreturn void become(
  const struct pgkit_spawn_request *request, int report, pid_t parent) {
  struct failure failure = {PGKIT_STEP_NONE, 0};
  // Both must survive the standard descriptors' arrival and be the only ones left.
  int lifted = pgkit_lift(report);
  int supervisor = request->supervisor < 0 ? -1 : pgkit_lift(request->supervisor);
  if (lifted < 0) _exit(127);
  // Announced first: from here on the process cannot outlive its owner unnoticed.
  if (supervisor >= 0) pgkit_tell_supervisor(supervisor, request->announced_as, (int)getpid());
  if (supervisor >= 0) close(supervisor);
  if (prepare(request, &failure) == 0) {
    if (request->closes_others) {
      if (lifted != 3) {
        if (dup2(lifted, 3) == 3) lifted = 3;
        fcntl(3, F_SETFD, FD_CLOEXEC);
      }
      pgkit_close_from(4);
    }
    reset_signals(request->keeps_ignored_signals);
    follow_parent(request, parent);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(request->path, request->arguments, request->environment);
    fail(&failure, PGKIT_STEP_EXEC);
  }
  const char *bytes = (const char *)&failure;
  size_t written = 0;
  while (written < sizeof failure) {
    ssize_t count = write(lifted, bytes + written, sizeof failure - written);
    if (count < 0 && errno != EINTR) break;
    if (count > 0) written += (size_t)count;
  }
  _exit(127);
}

/// Whether the child reported a failure before its end of the pipe was closed by exec.
static int read_failure(int descriptor, struct failure *failure) {
  char *bytes = (char *)failure;
  size_t received = 0;
  while (received < sizeof *failure) {
    ssize_t count = read(descriptor, bytes + received, sizeof *failure - received);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    received += (size_t)count;
  }
  return received == sizeof *failure;
}

// Closed on exec from birth where that is possible: a program started by another thread in between
// would otherwise hold an end open, and the caller would wait for that program's end.
static int make_pipe(int ends[2]) {
#if defined(__linux__)
  return pipe2(ends, O_CLOEXEC);
#else
  if (pipe(ends) != 0) return -1;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  return 0;
#endif
}

int pgkit_spawn(const struct pgkit_spawn_request *request, pid_t *pid, int *step) {
  int ends[2];
  *step = PGKIT_STEP_PIPE;
  if (make_pipe(ends) != 0) return errno;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) become(request, ends[1], parent);
  int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    *step = PGKIT_STEP_FORK;
    return error;
  }
  struct failure failure;
  int failed = read_failure(ends[0], &failure);
  close(ends[0]);
  if (!failed) {
    *pid = child;
    *step = PGKIT_STEP_NONE;
    return 0;
  }
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
  *step = failure.step;
  return failure.error == 0 ? EIO : failure.error;
}
