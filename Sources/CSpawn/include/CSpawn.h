// What Swift cannot do: everything between fork and exec, and the life of a process that never
// execs. Only async-signal-safe functions run in the children, because other threads of the parent
// may have held any lock at the moment of the fork.
#ifndef PGKIT_CSPAWN_H
#define PGKIT_CSPAWN_H

#include <stddef.h>
#include <sys/types.h>

/// The step at which a spawn failed.
enum pgkit_spawn_step {
  PGKIT_STEP_NONE = 0,
  PGKIT_STEP_PIPE,
  PGKIT_STEP_FORK,
  PGKIT_STEP_SESSION,
  PGKIT_STEP_DESCRIPTORS,
  PGKIT_STEP_GROUPS,
  PGKIT_STEP_USER,
  PGKIT_STEP_NAME,
  PGKIT_STEP_DIRECTORY,
  PGKIT_STEP_OUTPUT,
  PGKIT_STEP_EXEC,
};

/// How a child stands to the terminal and to its parent's process group.
enum pgkit_spawn_group {
  /// Stays in the parent's process group.
  PGKIT_GROUP_SAME = 0,
  /// Leads a process group of its own.
  PGKIT_GROUP_OWN,
  /// Leads a session of its own, without a terminal.
  PGKIT_GROUP_SESSION,
};

/// One process to be made. Pointers are read before the call returns.
struct pgkit_spawn_request {
  /// The program's path; PATH is not searched.
  const char *path;
  char *const *arguments;
  char *const *environment;
  /// Where the child works, entered after the change of user; NULL leaves it.
  const char *directory;
  /// What becomes the child's descriptors 0, 1 and 2.
  int descriptors[3];
  /// A file that takes 1 and 2 instead, opened for appending after the change of user, or NULL.
  const char *output_path;
  int group;
  /// A terminal whose foreground the child's own process group takes, or -1.
  int terminal;
  /// Whether every descriptor above 2 is closed; otherwise only those marked close-on-exec.
  int closes_others;
  /// Whether signals that the parent ignores stay ignored.
  int keeps_ignored_signals;
  /// A supervisor's socket to which the child announces itself before it runs, or -1; and as what: as
  /// the process or the command of `enum pgkit_message_kind`.
  int supervisor;
  int announced_as;
  /// A signal that the child gets when the thread that makes it ends, where the system can; 0 is none.
  int end_signal;
  /// Whether the child becomes another user, and which.
  int changes_user;
  uid_t user;
  gid_t group_id;
  const gid_t *groups;
  size_t group_count;
  /// Whether the child sees itself as another user than it is, and as which: in a user namespace of its
  /// own, where the system allows those. What it makes is its real user's all the same.
  int changes_appearance;
  uid_t appearance;
};

/// Makes the process. Returns 0, or an errno with the step that failed in `step`.
int pgkit_spawn(const struct pgkit_spawn_request *request, pid_t *pid, int *step);

/// A descriptor that becomes readable when the process ends, or -1 with errno.
int pgkit_process_descriptor(pid_t pid);

/// Sends a signal through such a descriptor. Returns 0, or -1 with errno.
int pgkit_signal_process(int descriptor, int signal);

/// The process's environment, ended by NULL.
char **pgkit_environment(void);

/// Opens a path from the root of which no part may be a link; closed on exec. Returns the descriptor,
/// or -1 with errno: ENOTDIR or ELOOP where a link stands.
int pgkit_open_without_links(const char *path, int flags, mode_t mode);

/// Makes the new directory `name` in `parent`, which no link may stand for, open to its owner alone.
/// Where that speeds up what is made in it, it lies apart from others on the disk; `unique` is a name
/// that no other parent's directory was given. Returns 0 or an errno.
int pgkit_make_apart(const char *parent, const char *name, const char *unique);

/// A directory by name and identity: it is touched only while both are those of its making.
struct pgkit_directory {
  const char *path;
  dev_t device;
  ino_t inode;
};

/// Removes a directory and everything in it, following no link and crossing no mount point.
///
/// Returns 0, or an errno with the entry that could not be removed in `name`. A directory that is
/// gone already counts as removed; one of another identity is left alone (ESTALE). It gives up
/// (ETIMEDOUT) after `patience` milliseconds, unless that is negative; what is gone by then is gone.
int pgkit_remove_tree(
  const struct pgkit_directory *directory, int patience, char *name, size_t name_size);

/// How a directory is copied.
struct pgkit_clone_request {
  /// Whether everything copied is given to `user` and `group`.
  int changes_owner;
  uid_t user;
  gid_t group;
  /// A subdirectory of which nothing is copied but itself, or NULL.
  const char *hollow;
  /// How the names of files end that are left out, or NULL.
  const char *unwanted;
};

/// Whether a name is that of a directory itself or of the one above it, or one that a copy leaves out.
int pgkit_is_left_out(const struct pgkit_clone_request *request, const char *name);

/// Copies what is in a directory into another one that is there: by reflinks where the file system
/// has them, else within the system, else by hand. Anything but files and directories is refused
/// (EINVAL). Where the copy is given away, no part of the destination's path may be a link. Returns 0,
/// or an errno with the entry that could not be copied in `name`.
int pgkit_clone_tree(const char *source, const char *destination,
  const struct pgkit_clone_request *request, char *name, size_t name_size);

/// Packs what is in a directory into one new file, all but what the request leaves out. Returns 0 or
/// an errno.
int pgkit_pack_tree(
  const char *source, const char *file, const struct pgkit_clone_request *request);

/// Makes in a directory that is there what was packed. Returns 0 or an errno; EBADMSG if the file
/// is not one that `pgkit_pack_tree` has written whole. Where the copy is given away, no part of the
/// destination's path may be a link.
int pgkit_unpack_tree(
  const char *file, const char *destination, const struct pgkit_clone_request *request);

/// Has the file system that `path` is in write all that it was given; returns an errno.
int pgkit_force(const char *path);

/// Whether files of one directory can be copied into the other by reflink.
int pgkit_can_reflink(const char *source, const char *destination);

/// Writes the numbers of the server processes that work in the directory `root` or below, whose path is
/// without links, as many as there is room for. Returns how many.
int pgkit_list_residents(const char *root, int *numbers, int capacity);

/// Kills every server process that works in the directory `root` or below, whose path is without links,
/// and waits `patience` milliseconds at most until none is left. Returns how many were met.
int pgkit_end_residents(const char *root, int patience);

/// Ends the process group `group` if a process in it was started for the cluster in `root`, as
/// `PGSERVICEFILE` in its environment says: by SIGTERM, and by SIGKILL after `patience` milliseconds.
/// Returns whether it was.
int pgkit_end_command(const char *root, pid_t group, int patience);

/// Whether anybody is connected to a server whose sockets are in `root`, or at a TCP port; 0 is none.
int pgkit_has_clients(const char *root, int port);

/// What a server's shared memory is known by: its data directory's identity and owner, and the System V
/// segment that `postmaster.pid` names there, or -1.
struct pgkit_data_directory {
  dev_t device;
  ino_t inode;
  uid_t owner;
  int segment;
};

/// Looks at a data directory while it is there; a link is none. Returns 0 or an errno.
int pgkit_identify_data(const char *directory, struct pgkit_data_directory *data);

/// Removes the shared memory that killed servers of a data directory have left, if nobody uses it any
/// more: the System V segments that `postmaster.pid` names, small ones of the directory's owner whose
/// head says so, and the dynamic ones that such a head leads to, in /dev/shm or of System V. Nobody
/// else's is touched.
void pgkit_remove_segments_of(const struct pgkit_data_directory *data);

/// The same for every data directory that is an entry of `root`.
void pgkit_remove_segments(const char *root);

/// Whether what is written below `path` stays in memory.
int pgkit_is_in_memory(const char *path);

/// Writes the name and version of the C library, and returns its length; 0 if it has none.
size_t pgkit_library_version(char *buffer, size_t size);

/// What a supervisor is told through its socket.
enum pgkit_message_kind {
  /// `value` is the process to be ended with its owner. A later one replaces it.
  PGKIT_MESSAGE_PROCESS = 1,
  /// From now on the process `value` is the owner; the socket's end means nothing any more.
  PGKIT_MESSAGE_OWNER,
  /// From now on everything ends after `value` seconds, and the socket's end means nothing.
  PGKIT_MESSAGE_LIFETIME,
  /// There is nothing left to do.
  PGKIT_MESSAGE_DISARM,
  /// `value` leads a process group that is ended with its owner: by SIGTERM, then by SIGKILL. A later
  /// one replaces it. Numbers below 2 are refused: to the system they stand for other processes.
  PGKIT_MESSAGE_COMMAND,
  /// From now on everything ends when nobody was connected for `value` seconds, and the socket's end
  /// means nothing.
  PGKIT_MESSAGE_IDLE,
  /// `value` is the TCP port at which clients may be connected as well.
  PGKIT_MESSAGE_PORT,
  /// From now on everything ends with the stream that the supervisor was given, and the socket's end
  /// means nothing.
  PGKIT_MESSAGE_STREAM,
};

struct pgkit_message {
  int kind;
  int value;
};

/// Forks a supervisor: a process in a session of its own that waits until the other end of
/// `socket` is closed, by whatever death of its holder, and then ends the announced process
/// (SIGQUIT, after ten seconds SIGKILL) with whatever works below the directories, and removes
/// these and their shared memory. Returns 0 or an errno.
///
/// `lock` is a descriptor that the supervisor keeps open until all is done, and `record` a file that
/// it then removes; -1 and NULL are none. `stream` is a pipe or socket whose end it can be told to act
/// on; -1 is none.
///
/// The supervisor is not a child of the caller's; that it has ended shows at the end of the socket.
int pgkit_supervise(int socket, const struct pgkit_directory *directories, size_t count, int lock,
  const char *record, int stream);

/// Sends a message to a supervisor. Returns 0 or an errno; never raises SIGPIPE.
int pgkit_tell_supervisor(int socket, int kind, int value);

#endif
