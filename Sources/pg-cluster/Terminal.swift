internal import Glibc
internal import PGKit

/// The terminal that a command shares with the shell behind this program.
///
/// The command has a process group of its own, which owns the terminal while it runs. The shell knows
/// only this program; so when the command is stopped, this program stops as well.
enum Terminal {
  /// Stops this program together with the command; returns when both go on.
  static func stop(with command: ChildProcess) {
    take(for: getpgrp())
    raise(SIGSTOP)
    // The shell has given us the terminal if we were brought to the foreground, not to the background.
    if tcgetpgrp(STDIN_FILENO) == getpgrp() { take(for: command.pid) }
    kill(-command.pid, SIGCONT)
  }

  /// Makes a process group the terminal's foreground group, as a background process may not without
  /// blocking SIGTTOU.
  private static func take(for group: pid_t) {
    guard isatty(STDIN_FILENO) == 1 else { return }
    var set = sigset_t()
    var before = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGTTOU)
    pthread_sigmask(SIG_BLOCK, &set, &before)
    tcsetpgrp(STDIN_FILENO, group)
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }
}
