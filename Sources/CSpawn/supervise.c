#define _GNU_SOURCE
#include "CSpawn.h"
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#if !defined(MSG_NOSIGNAL)
#define MSG_NOSIGNAL 0
#endif

// How long a server may take to obey SIGQUIT, and the kernel to obey SIGKILL.
static const long long quit_patience = 10000;
static const long long kill_patience = 5000;
// How long a command may take to obey SIGTERM.
static const int command_patience = 2000;
// How often processes are looked at where the system has no descriptor for them.
static const int look_interval = 100;
// How long a killed server's processes may take to be gone.
static const int resident_patience = 1000;
// How often is looked whether anybody is connected.
static const int longest_idle_look = 1000;
// A killed postmaster's backends may still write for a moment: removal is tried this often.
static const int removal_attempts = 20;

int pgkit_process_descriptor(pid_t pid) {
#if defined(SYS_pidfd_open)
  // A pidfd is closed on exec from birth.
  return (int)syscall(SYS_pidfd_open, pid, 0u);
#else
  (void)pid;
  errno = ENOSYS;
  return -1;
#endif
}

int pgkit_signal_process(int descriptor, int signal) {
#if defined(SYS_pidfd_send_signal)
  return (int)syscall(SYS_pidfd_send_signal, descriptor, signal, NULL, 0u);
#else
  (void)descriptor;
  (void)signal;
  errno = ENOSYS;
  return -1;
#endif
}

int pgkit_tell_supervisor(int socket, int kind, int value) {
  struct pgkit_message message = {kind, value};
  for (;;) {
    if (send(socket, &message, sizeof message, MSG_NOSIGNAL) == (ssize_t)sizeof message) return 0;
    if (errno != EINTR) return errno;
  }
}

/// A process that is waited for; pid 0 is none, or one that was gone when it was first looked for.
struct process {
  pid_t pid;
  int descriptor;
  int was_gone;
};

/// A number without a process is not kept: it may soon be somebody else's.
static void follow(struct process *process, pid_t pid) {
  if (process->descriptor >= 0) close(process->descriptor);
  process->descriptor = pgkit_process_descriptor(pid);
  process->was_gone = process->descriptor < 0 && errno == ESRCH;
  process->pid = process->was_gone ? 0 : pid;
}

static int has_ended(const struct process *process) {
  if (process->was_gone) return 1;
  if (process->pid == 0) return 0;
  if (process->descriptor < 0) return kill(process->pid, 0) != 0 && errno == ESRCH;
  struct pollfd entry = {process->descriptor, POLLIN, 0};
  return poll(&entry, 1, 0) > 0;
}

static void send_signal(const struct process *process, int signal) {
  if (process->pid == 0) return;
  if (process->descriptor >= 0) pgkit_signal_process(process->descriptor, signal);
  else kill(process->pid, signal);
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void wait_for_end(const struct process *process, long long patience) {
  long long end = now() + patience;
  while (!has_ended(process) && now() < end) {
    struct pollfd entry = {process->descriptor, POLLIN, 0};
    poll(&entry, 1, look_interval);
  }
}

static void end_process(const struct process *process) {
  if (process->pid == 0 || has_ended(process)) return;
  send_signal(process, SIGQUIT);
  wait_for_end(process, quit_patience);
  if (has_ended(process)) return;
  send_signal(process, SIGKILL);
  wait_for_end(process, kill_patience);
}

struct state {
  int socket;
  struct process server;
  struct process owner;
  struct process command;
  // A stream whose end may count, -1 if there is none any more; and whether it came to its end.
  int stream;
  int stream_has_ended;
  // Whether it counts.
  int follows_stream;
  // When everything ends, on the monotonic clock; 0 is never.
  long long end;
  // Whether somebody else than the socket's holder decides.
  int is_handed_over;
  // How long nobody may be connected; 0 is for ever. And since when nobody was, when last looked.
  long long longest_idle;
  long long idle_since;
  int port;
  // Where the sockets are.
  const char *root;
};

/// Whether a message names what it may: 0, 1 and negative numbers stand for groups, for the first
/// process and for everybody when a signal is sent to them or to their group.
static int is_sensible(const struct pgkit_message *message) {
  switch (message->kind) {
    case PGKIT_MESSAGE_PROCESS:
    case PGKIT_MESSAGE_COMMAND: return message->value > 1;
    // Only waited for; the first process of a container may own a cluster.
    case PGKIT_MESSAGE_OWNER: return message->value > 0;
    case PGKIT_MESSAGE_IDLE: return message->value > 0;
    default: return 1;
  }
}

/// Takes one message; returns 0 if there is nothing left to do at all.
static int receive(struct state *state) {
  struct pgkit_message message;
  ssize_t count = recv(state->socket, &message, sizeof message, 0);
  if (count < 0 && errno == EINTR) return 1;
  if (count != (ssize_t)sizeof message) {
    close(state->socket);
    state->socket = -1;
    return 1;
  }
  if (!is_sensible(&message)) return 1;
  switch (message.kind) {
    case PGKIT_MESSAGE_PROCESS: follow(&state->server, (pid_t)message.value); return 1;
    case PGKIT_MESSAGE_OWNER:
      state->is_handed_over = 1;
      follow(&state->owner, (pid_t)message.value);
      return 1;
    case PGKIT_MESSAGE_LIFETIME:
      state->is_handed_over = 1;
      state->end = now() + (long long)message.value * 1000;
      return 1;
    case PGKIT_MESSAGE_COMMAND: follow(&state->command, (pid_t)message.value); return 1;
    case PGKIT_MESSAGE_IDLE:
      state->is_handed_over = 1;
      state->longest_idle = (long long)message.value * 1000;
      state->idle_since = now();
      return 1;
    case PGKIT_MESSAGE_PORT: state->port = message.value; return 1;
    case PGKIT_MESSAGE_STREAM:
      state->is_handed_over = 1;
      state->follows_stream = 1;
      return 1;
    default: return 0;
  }
}

static int is_over(struct state *state) {
  if (state->socket < 0 && !state->is_handed_over) return 1;
  if (state->end != 0 && now() >= state->end) return 1;
  if (state->longest_idle != 0) {
    if (pgkit_has_clients(state->root, state->port)) state->idle_since = now();
    if (now() - state->idle_since >= state->longest_idle) return 1;
  }
  if (has_ended(&state->owner)) return 1;
  if (state->follows_stream && state->stream_has_ended) return 1;
  return state->is_handed_over && state->socket < 0 && has_ended(&state->server);
}

static int patience(const struct state *state) {
  int result = -1;
  if (state->end != 0) {
    long long rest = state->end - now();
    result = rest < 0 ? 0 : rest > INT_MAX ? INT_MAX : (int)rest;
  }
  if (state->longest_idle != 0) {
    int look = longest_idle_look;
    if (state->longest_idle / 4 < look) look = (int)(state->longest_idle / 4);
    if (result < 0 || result > look) result = look;
  }
  int looks = (state->owner.pid != 0 && state->owner.descriptor < 0)
    || (state->server.pid != 0 && state->server.descriptor < 0);
  return looks && (result < 0 || result > look_interval) ? look_interval : result;
}

/// What is written to the stream means nothing; only its end does.
static void read_stream(struct state *state) {
  char bytes[512];
  ssize_t count = read(state->stream, bytes, sizeof bytes);
  if (count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN))) return;
  close(state->stream);
  state->stream = -1;
  state->stream_has_ended = 1;
}

/// Waits; returns whether the server is to be ended and the directories are to go.
static int watch(struct state *state) {
  while (!is_over(state)) {
    // The server matters only when nobody but this process is left to notice its end.
    int server = state->is_handed_over && state->socket < 0 ? state->server.descriptor : -1;
    struct pollfd entries[4] = {
      {state->socket, POLLIN, 0},
      {state->owner.descriptor, POLLIN, 0},
      {server, POLLIN, 0},
      {state->stream, POLLIN, 0},
    };
    if (poll(entries, 4, patience(state)) < 0) continue;
    if (entries[3].revents != 0) read_stream(state);
    if (entries[0].revents != 0 && !receive(state)) return 0;
  }
  return 1;
}

/// Ends a command whose owner did not live to do so, with all that it has started.
static void end_command(const struct process *process, const char *root) {
  if (process->pid == 0) return;
  if (!has_ended(process)) {
    kill(-process->pid, SIGTERM);
    wait_for_end(process, command_patience);
    if (!has_ended(process)) kill(-process->pid, SIGKILL);
  }
  // Its number may be another group's by now, so the rest of it is looked at first.
  pgkit_end_command(root, process->pid, command_patience);
}

/// Returns whether nothing of them is left.
static int remove_directories(const struct pgkit_directory *directories, size_t count) {
  int is_clean = 1;
  for (size_t i = 0; i < count; i++) {
    struct stat status;
    if (lstat(directories[i].path, &status) == 0 && status.st_dev == directories[i].device
        && status.st_ino == directories[i].inode) {
      pgkit_end_residents(directories[i].path, resident_patience);
      pgkit_remove_segments(directories[i].path);
    }
    int error = 0;
    for (int attempt = 0; attempt < removal_attempts; attempt++) {
      char name[256];
      error = pgkit_remove_tree(&directories[i], -1, name, sizeof name);
      if (error == 0 || error == ESTALE) break;
      poll(NULL, 0, look_interval);
    }
    if (error != 0 && error != ESTALE) is_clean = 0;
  }
  return is_clean;
}

#if defined(__linux__)
// The fields of /proc/self/stat that say where the command line lies, counted from the one behind
// the name, which is the third.
static const int field_of_start = 48 - 3;

static unsigned long parse_number(const char **text) {
  unsigned long number = 0;
  while (**text >= '0' && **text <= '9') number = number * 10 + (unsigned long)(*(*text)++ - '0');
  return number;
}

/// Writes the supervisor's own name over the command line that it inherited: whoever looks for its
/// parent by that, perhaps to kill it, must not find the one that cleans up after it.
static void rename_process(const char *name) {
  prctl(PR_SET_NAME, name, 0, 0, 0);
  char buffer[2048];
  int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  ssize_t count = read(file, buffer, sizeof buffer - 1);
  close(file);
  if (count <= 0) return;
  buffer[count] = 0;
  // The name may contain blanks and parentheses.
  const char *text = strrchr(buffer, ')');
  if (text == NULL || text[1] != ' ') return;
  text += 2;
  for (int field = 0; field < field_of_start; field++) {
    text = strchr(text, ' ');
    if (text == NULL) return;
    text++;
  }
  unsigned long start = parse_number(&text);
  if (*text++ != ' ') return;
  unsigned long end = parse_number(&text);
  size_t length = strlen(name);
  if (start == 0 || end <= start + length) return;
  memset((void *)start, 0, end - start);
  memcpy((void *)start, name, length);
}
#else
static void rename_process(const char *name) { (void)name; }
#endif

static void ignore_signals(void) {
  const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM};
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
}

/// What a supervisor is for; copied into it by the fork.
struct duty {
  int socket;
  const struct pgkit_directory *directories;
  size_t count;
  int lock;
  const char *record;
  int stream;
};

/// Leaves open nothing but the socket as 3, the lock as 4 and the stream as 5.
static int keep_descriptors(const struct duty *duty) {
  int socket = pgkit_lift(duty->socket);
  int lock = duty->lock < 0 ? -1 : pgkit_lift(duty->lock);
  int stream = duty->stream < 0 ? -1 : pgkit_lift(duty->stream);
  int null = open("/dev/null", O_RDWR);
  const int standard[3] = {null, null, null};
  if (socket < 0 || null < 0 || pgkit_set_standard_descriptors(standard) != 0) return -1;
  if (dup2(socket, 3) != 3) return -1;
  // What is not given must not be somebody else's.
  if (dup2(lock < 0 ? null : lock, 4) != 4) return -1;
  if (dup2(stream < 0 ? null : stream, 5) != 5) return -1;
  pgkit_close_from(6);
  return 0;
}

static _Noreturn void supervise(const struct duty *duty) {
  setsid();
  ignore_signals();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (keep_descriptors(duty) != 0 || chdir("/") != 0) _exit(1);
  rename_process("pgkit-guard");
  const char *root = duty->count > 0 ? duty->directories[0].path : "/";
  const struct process none_yet = {0, -1, 0};
  struct state state = {
    .socket = 3, .server = none_yet, .owner = none_yet, .command = none_yet, .root = root,
    .stream = duty->stream < 0 ? -1 : 5};
  if (watch(&state)) {
    end_command(&state.command, root);
    end_process(&state.server);
    // What could not be removed stays on record, for whoever sweeps up next.
    int is_clean = remove_directories(duty->directories, duty->count);
    if (is_clean && duty->record != NULL) unlink(duty->record);
  }
  _exit(0);
}

/// In the child: forks once more, so that the supervisor is nobody's child whom somebody would have
/// to collect, or would meet when waiting for any child at all.
static _Noreturn void detach(const struct duty *duty) {
  pid_t child = fork();
  if (child == 0) supervise(duty);
  _exit(child < 0 ? errno : 0);
}

int pgkit_supervise(int socket, const struct pgkit_directory *directories, size_t count, int lock,
  const char *record, int stream) {
  const struct duty duty = {socket, directories, count, lock, record, stream};
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t child = fork();
  if (child == 0) detach(&duty);
  int error = child < 0 ? errno : 0;
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0) {
    if (errno == EINTR) continue;
    // Children are not kept for whoever ignores SIGCHLD; the supervisor is there all the same.
    break;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error == 0 && WIFEXITED(status)) error = WEXITSTATUS(status);
  return error;
}
