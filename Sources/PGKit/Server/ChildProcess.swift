internal import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A process that this one has started and whose end it collects.
public final class ChildProcess: Sendable {
  /// Its number.
  public let pid: Int32
  private let handle: ProcessHandle
  private let ending: Mutex<ProcessEnding?>
  private let isStopped = Mutex(false)

  init(_ pid: Int32) {
    self.pid = pid
    handle = ProcessHandle(pid)
    ending = Mutex(nil)
  }

  /// Waits for its end; `nil` if that does not come by the deadline.
  public func wait(until deadline: Deadline = .never) -> ProcessEnding? {
    _ = handle.hasEnded(by: deadline) { collect() != nil }
    return ending.withLock { $0 }
  }

  /// Waits for its end or until `descriptor` can be read, whichever comes first.
  func wait(until deadline: Deadline, or descriptor: Int32) -> ProcessEnding? {
    if let ending = collect() { return ending }
    handle.wait(until: deadline, or: descriptor)
    return collect()
  }

  /// Sends it a signal; that it has ended already is no error.
  ///
  /// - Throws: ``PGError`` `-C000` if the system refuses.
  public func send(_ signal: Int32) throws(PGError) {
    if collect() != nil { return }
    do { try handle.send(signal) } catch {
      throw .cluster("could not signal process \(pid)", error)
    }
  }

  /// Whether it was stopped, as by a terminal's Ctrl-Z, since this was last asked.
  public func takeStop() -> Bool {
    _ = collect()
    return isStopped.withLock { isStopped in
      defer { isStopped = false }
      return isStopped
    }
  }

  /// Collects its end if that has come.
  private func collect() -> ProcessEnding? {
    ending.withLock { ending in
      if ending != nil { return ending }
      var status: Int32 = 0
      switch waitpid(pid, &status, WNOHANG | WUNTRACED) {
      case pid where status & 0xFF == 0x7F: isStopped.withLock { $0 = true }
      case pid: ending = ProcessEnding(waitStatus: status)
      case -1 where errno == ECHILD:
        // Somebody else has collected it, or children are not collected at all.
        if handle.hasEnded(by: .after(.zero)) { ending = .unknown }
      default: break
      }
      return ending
    }
  }
}

extension ProcessLaunch {
  /// More output than this is read but not kept.
  private static let outputLimit = 1 << 20

  /// Runs the program to its end and returns both its outputs as one text.
  ///
  /// - Throws: ``PGError`` `-C000` if it does not run, `-Cout` if it does not end in time; then it
  ///   is killed.
  func capture(until deadline: Deadline) throws(PGError) -> (ending: ProcessEnding, text: String) {
    let ends: (reading: Int32, writing: Int32)
    switch Syscalls.openPipe() {
    case .success(let pipe): ends = pipe
    case .failure(let error): throw .cluster("could not open a pipe", error)
    }
    let reading = OpenFile(owning: ends.reading)
    let child: ChildProcess
    do {
      let writing = OpenFile(owning: ends.writing)
      var launch = self
      launch.output = .descriptor(writing.descriptor)
      launch.error = .descriptor(writing.descriptor)
      child = try launch.start()
    }
    let bytes = read(reading, child, until: deadline)
    if let ending = child.wait(until: deadline) {
      return (ending, String(decoding: bytes, as: UTF8.self))
    }
    try child.send(SIGKILL)
    _ = child.wait(until: .never)
    throw .clusterTimeout("\"\(executable)\" did not end in time and was killed")
  }

  /// Reads until the end of the output, the program's own end or the deadline: a grandchild may
  /// keep the pipe open for ever.
  private func read(
    _ file: borrowing OpenFile, _ child: ChildProcess, until deadline: Deadline
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    while !deadline.hasPassed {
      let hasEnded = child.wait(until: .after(.zero)) != nil
      let patience = Deadline.after(.milliseconds(100)).earlier(deadline).pollTimeout
      if !file.isReadable(timeout: hasEnded ? 0 : patience) {
        if hasEnded { break }
        continue
      }
      guard let chunk = file.readOnce(), !chunk.isEmpty else { break }
      bytes += chunk.prefix(max(0, Self.outputLimit - bytes.count))
    }
    return bytes
  }
}
