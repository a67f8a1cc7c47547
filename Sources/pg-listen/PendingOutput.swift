internal import Glibc
internal import PGCommandLine

// Whoever reads stdout may be slow. Meanwhile the server's queue must not be held up, so what it has
// sent is taken all the same and waits here, up to a limit; beyond it the oldest events are dropped,
// and a line says how many.

/// Lines on their way to stdout, of which only as much is written as goes without waiting.
struct PendingOutput {
  /// What becomes of events for which there is no room.
  enum Overflow: String, WordArgument {
    /// The oldest are dropped, and counted in a line of their own.
    case drop
    /// The program fails.
    case fail
    /// Nothing is received until there is room.
    case block
  }

  private enum Kind: Equatable {
    case event
    case control
    /// Stands for that many events.
    case dropped(Int)
  }

  private struct Line {
    var bytes: [UInt8]
    var kind: Kind
  }

  /// The system's answer to an attempt to write.
  private enum Attempt {
    case wrote(Int)
    case full
    case failed(CInt)
  }

  /// How the descriptor is written to without waiting.
  private enum Way {
    /// It never keeps anybody waiting for long: a file, a terminal.
    case file
    /// It does not block: a pipe opened again, so that others who have it are not affected.
    case own(CInt)
    /// At most as many bytes as fit when it says that it is ready.
    case pipe
    case socket
  }

  private let limit: Int
  private let overflow: Overflow
  /// What ends an event.
  private let separator: UInt8
  private let way: Way
  private var lines: [Line] = []
  /// How many of `lines` have been written.
  private var head = 0
  /// Whether a part of the first has been written: it must be written to its end.
  private var hasBegun = false
  private var size = 0

  /// - Parameter limit: The most bytes that wait.
  init(limit: Int, overflow: Overflow, separator: UInt8) {
    self.limit = limit
    self.separator = separator
    self.overflow = overflow
    way = overflow == .block ? .file : Self.way()
  }

  private static func way() -> Way {
    var status = stat()
    guard fstat(STDOUT_FILENO, &status) == 0 else { return .file }
    switch status.st_mode & S_IFMT {
    case S_IFSOCK: return .socket
    case S_IFIFO:
      let own = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
      return own >= 0 ? .own(own) : .pipe
    default: return .file
    }
  }

  /// Whether lines wait for the reader.
  var isWaiting: Bool { head < lines.count }

  /// Takes whole lines of events, or one control line.
  ///
  /// - Throws: ``StandardOutput/Failure`` if stdout does not accept them; ``Failure`` with status 1 if
  ///   there is no room and that is to be a failure.
  mutating func write(_ bytes: [UInt8], isEvents: Bool) throws {
    var written = 0
    if !isWaiting {
      written = try writeNow(bytes, from: 0)
      if written == bytes.count { return }
    }
    keep(bytes[written...], isEvents ? .event : .control, hasBegun: written > 0)
    if size > limit { try makeRoom() }
  }

  /// Writes of what waits as much as goes now.
  ///
  /// - Throws: ``StandardOutput/Failure`` if stdout does not accept it.
  mutating func drain() throws {
    while isWaiting {
      let bytes = lines[head].bytes
      let written = try writeNow(bytes, from: 0)
      size -= written
      if written < bytes.count {
        if written > 0 {
          lines[head].bytes.removeFirst(written)
          hasBegun = true
        }
        return
      }
      hasBegun = false
      head += 1
    }
    (lines, head, size) = ([], 0, 0)
  }

  /// Hands everything to stdout, waiting for its reader.
  ///
  /// - Throws: ``StandardOutput/Failure`` if stdout does not accept it.
  mutating func finish() throws {
    for line in lines[head...] {
      try line.bytes.withUnsafeBytes { try StandardOutput.shared.write($0) }
    }
    (lines, head, size) = ([], 0, 0)
    try StandardOutput.shared.flush()
  }

  private mutating func keep(_ bytes: ArraySlice<UInt8>, _ kind: Kind, hasBegun: Bool) {
    let wasEmpty = !isWaiting
    var rest = bytes
    while let end = rest.firstIndex(of: separator) {
      lines.append(Line(bytes: Array(rest[...end]), kind: kind))
      rest = rest[(end + 1)...]
    }
    if !rest.isEmpty { lines.append(Line(bytes: Array(rest), kind: kind)) }
    size += bytes.count
    if wasEmpty { self.hasBegun = hasBegun }
  }

  /// Drops the older half of the events.
  private mutating func makeRoom() throws {
    if overflow == .fail {
      throw Failure(
        .localFailure,
        Diagnostic(
          program: ListenCommand.program,
          message: "the reader of stdout is too slow: more than \(limit) bytes wait",
          details: [("HINT", "allow more with --buffer, or drop the oldest: --on-overflow drop")]))
    }
    var kept: [Line] = []
    var dropped = 0
    var place: Int?
    for (index, line) in lines[head...].enumerated() {
      let isOpen = index == 0 && hasBegun
      switch line.kind {
      case .event where !isOpen && size > limit / 2:
        dropped += 1
        size -= line.bytes.count
        place = place ?? kept.count
      case .dropped(let count) where !isOpen:
        dropped += count
        size -= line.bytes.count
        place = place ?? kept.count
      default: kept.append(line)
      }
    }
    if let place {
      let text = "{\"event\":\"dropped\",\"count\":\(dropped)}\n"
      kept.insert(Line(bytes: Array(text.utf8), kind: .dropped(dropped)), at: place)
      size += text.utf8.count
    }
    (lines, head) = (kept, 0)
  }

  /// Writes without waiting, and says how many bytes that were.
  private func writeNow(_ bytes: [UInt8], from start: Int) throws -> Int {
    var position = start
    while position < bytes.count {
      switch attempt(bytes[position...]) {
      case .wrote(let count): position += count
      case .full: return position - start
      case .failed(let number): throw StandardOutput.Failure(stream: "stdout", errno: number)
      }
    }
    return position - start
  }

  private func attempt(_ bytes: ArraySlice<UInt8>) -> Attempt {
    bytes.withUnsafeBytes { bytes in
      while true {
        let count = writeOnce(bytes)
        if count >= 0 { return .wrote(count) }
        switch errno {
        case EINTR: continue
        case EAGAIN:
          if case .file = way { Self.waitForRoom() } else { return .full }
        case let number: return .failed(number)
        }
      }
    }
  }

  private func writeOnce(_ bytes: UnsafeRawBufferPointer) -> Int {
    switch way {
    case .file: return Glibc.write(STDOUT_FILENO, bytes.baseAddress, bytes.count)
    case .own(let descriptor): return Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    case .socket:
      return send(STDOUT_FILENO, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT))
    case .pipe:
      var request = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
      if poll(&request, 1, 0) == 0 {
        errno = EAGAIN
        return -1
      }
      return Glibc.write(STDOUT_FILENO, bytes.baseAddress, min(bytes.count, Int(PIPE_BUF)))
    }
  }

  /// Somebody has made the descriptor one that does not block.
  private static func waitForRoom() {
    var request = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    _ = poll(&request, 1, -1)
  }
}
