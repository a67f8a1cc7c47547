internal import CSpawn

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A process that can be waited for and signalled without confusing it with a later one that got
/// its number, where the system has descriptors for processes.
final class ProcessHandle: Sendable {
  let pid: pid_t
  /// The process's descriptor, or -1 where the system has none.
  private let descriptor: Int32

  /// How often a process is looked at where there is no descriptor for it.
  private static let lookInterval = Duration.milliseconds(10)

  init(_ pid: pid_t) {
    self.pid = pid
    descriptor = pgkit_process_descriptor(pid)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// Waits for its end; whether it came by the deadline.
  ///
  /// A child that ended need not be collected for this, where there are descriptors; elsewhere the
  /// caller passes how to look.
  func hasEnded(by deadline: Deadline, looking look: () -> Bool) -> Bool {
    while true {
      if look() { return true }
      if deadline.hasPassed { return false }
      wait(until: deadline)
    }
  }

  /// Waits for its end, looking whether the number is still in use.
  func hasEnded(by deadline: Deadline) -> Bool {
    hasEnded(by: deadline) { isGone }
  }

  /// Waits once: for its end, for something to read, or for the deadline.
  func wait(until deadline: Deadline, or other: Int32) {
    guard descriptor >= 0 else {
      let rest = Deadline.after(Self.lookInterval).earlier(deadline)
      _ = OpenFile.isReadable(other, timeout: rest.pollTimeout)
      return
    }
    var entries = [descriptor, other].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    poll(&entries, nfds_t(entries.count), deadline.pollTimeout)
  }

  private var isGone: Bool {
    if descriptor >= 0 { return isReadable(timeout: 0) }
    return kill(pid, 0) != 0 && errno == ESRCH
  }

  private func wait(until deadline: Deadline) {
    guard descriptor >= 0 else {
      let rest = Deadline.after(Self.lookInterval).earlier(deadline)
      poll(nil, 0, rest.pollTimeout)
      return
    }
    _ = isReadable(timeout: deadline.pollTimeout)
  }

  private func isReadable(timeout: Int32) -> Bool {
    OpenFile.isReadable(descriptor, timeout: timeout)
  }

  /// Sends a signal; one to a process that has ended is no error.
  func send(_ signal: Int32) throws(SystemError) {
    let result: Int32
    if descriptor >= 0 {
      result = pgkit_signal_process(descriptor, signal)
    } else {
      result = kill(pid, signal)
    }
    if result != 0 && errno != ESRCH { throw Syscalls.lastError(of: "kill") }
  }
}

extension OpenFile {
  /// Whether the descriptor can be read within `timeout` milliseconds.
  func isReadable(timeout: Int32) -> Bool { Self.isReadable(descriptor, timeout: timeout) }

  /// Whether a descriptor can be read within `timeout` milliseconds.
  static func isReadable(_ descriptor: Int32, timeout: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, timeout) > 0
  }
}
