#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// The one door to the C library for sockets. Differences between platforms stay behind it, a call
// that a signal interrupted is repeated here, and `errno` never leaves it but as a SystemError.

/// System calls, as this library needs them.
enum Syscalls {
  /// What a call that moves bytes answers.
  enum Outcome {
    /// This many bytes were moved; of a read, 0 is the end.
    case moved(Int)
    /// It would have to wait.
    case wouldBlock
    /// The system refuses.
    case refused(SystemError)
  }

  /// What a wait ended with; nothing of it means that the deadline has passed.
  struct Readiness: OptionSet {
    let rawValue: Int
    /// The descriptor can be read, or reading would show an error.
    static let reading = Readiness(rawValue: 1)
    /// The descriptor can be written, or writing would show an error.
    static let writing = Readiness(rawValue: 2)
    /// The second descriptor can be read: the wait is called off.
    static let interruption = Readiness(rawValue: 4)
    /// Nobody reads any more what would be written to the third descriptor.
    static let hangUp = Readiness(rawValue: 8)
  }

  /// The text of an error's number in English.
  static func text(ofError number: Int32) -> String {
    guard let locale = plainLocale, let text = strerror_l(number, locale) else {
      return "error number \(number)"
    }
    return String(cString: text)
  }

  private nonisolated(unsafe) static let plainLocale = newlocale(1 << LC_MESSAGES, "C", nil)

  /// The error that the last call left.
  static func lastError(of call: String) -> SystemError { SystemError(call: call, number: errno) }

  /// Does nothing for less than a second; a signal ends it.
  static func pause(nanoseconds: Int) {
    guard nanoseconds > 0 else { return }
    var span = timespec(tv_sec: 0, tv_nsec: min(nanoseconds, 999_999_999))
    _ = nanosleep(&span, nil)
  }

  /// Waits until `descriptor` is ready, `interruption` can be read, the reader of `output` has gone,
  /// or the deadline has passed.
  ///
  /// - Throws: ``PGError`` 08003 when the descriptor is not open.
  static func wait(
    for descriptor: Int32, reading: Bool = false, writing: Bool = false,
    until deadline: Deadline, alsoReading interruption: Int32? = nil,
    orHangUpOf output: Int32? = nil
  ) throws(PGError) -> Readiness {
    let events = Int16((reading ? POLLIN : 0) | (writing ? POLLOUT : 0))
    while true {
      // poll passes over a negative descriptor, and tells of a hang-up without being asked.
      var polled = (
        pollfd(fd: descriptor, events: events, revents: 0),
        pollfd(fd: interruption ?? -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: output ?? -1, events: 0, revents: 0)
      )
      let timeout = deadline.pollTimeout
      let number: nfds_t = interruption == nil && output == nil ? 1 : 3
      let count = withUnsafeMutablePointer(to: &polled) {
        $0.withMemoryRebound(to: pollfd.self, capacity: 3) { poll($0, number, timeout) }
      }
      if count < 0 {
        let error = lastError(of: "poll")
        if error.number == EINTR { continue }
        throw .connectionFailure("could not wait for a socket: \(error.text)", cause: error)
      }
      var ready = readiness(of: polled.0.revents, reading: reading, writing: writing)
      if polled.1.revents != 0 { ready.insert(.interruption) }
      if polled.2.revents != 0 { ready.insert(.hangUp) }
      if polled.0.revents & Int16(POLLNVAL) != 0 {
        throw .connectionDoesNotExist("the socket is closed")
      }
      if !ready.isEmpty || deadline.hasPassed { return ready }
    }
  }

  /// Errors and hang-ups count as whatever was waited for, so that the next call shows them.
  private static func readiness(of events: Int16, reading: Bool, writing: Bool) -> Readiness {
    let broken = events & Int16(POLLERR | POLLHUP) != 0
    var ready: Readiness = []
    if reading, broken || events & Int16(POLLIN) != 0 { ready.insert(.reading) }
    if writing, broken || events & Int16(POLLOUT) != 0 { ready.insert(.writing) }
    return ready
  }

  /// Writes a text to stderr; what cannot be written there cannot be told anywhere.
  static func writeToStandardError(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { writeToStandardError($0) }
      if count <= 0 { return }
      rest = rest.dropFirst(count)
    }
  }

  private static func writeToStandardError(_ bytes: UnsafeRawBufferPointer) -> Int {
    while true {
      let written = write(STDERR_FILENO, bytes.baseAddress, bytes.count)
      if written >= 0 || errno != EINTR { return written }
    }
  }

  /// Waits, signals or not.
  static func pause(_ duration: Duration) {
    let end = Deadline.after(duration)
    while !end.hasPassed { poll(nil, 0, end.pollTimeout) }
  }

  /// Why the file or directory at `path` cannot be read, or nothing.
  static func obstacle(toReading path: String) -> SystemError? {
    access(path, R_OK) == 0 ? nil : lastError(of: "access")
  }

  /// Whether `error` says that there is no such file.
  static func meansMissing(_ error: SystemError) -> Bool {
    error.number == ENOENT || error.number == ENOTDIR
  }

  /// The number of the user on whose behalf the process acts.
  static var effectiveUser: UInt32 { UInt32(geteuid()) }
}
