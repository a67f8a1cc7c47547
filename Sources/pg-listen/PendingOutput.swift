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

  /// What is written.
  enum Content {
    /// Lines of events, each with its separator, of the source that they name if they do; some may stand
    /// for more than one event.
    case events(of: String?, surplus: [Surplus])
    /// A line that says what happened to the stream, or what a command has printed.
    case control
  }

  /// How many events a line stands for, beside itself.
  struct Surplus {
    /// Where the line ends, in what is written.
    var end: Int
    let count: Int
  }

  private enum Kind: Equatable {
    case events(of: String?)
    case control
    /// A line that stands for that many events of a source.
    case dropped(Int, of: String?)
  }

  private struct Block {
    var bytes: [UInt8]
    let kind: Kind
    /// In the order of the lines.
    var surplus: [Surplus] = []
    /// How many of the bytes have been written.
    var start = 0
    /// Whether what stands before the bytes has been written, and belongs to their first line.
    var isContinued = false

    var count: Int { bytes.count - start }

    /// Whether a part of a line has been written, which must then be written to its end.
    func isOpen(_ separator: UInt8) -> Bool {
      start > 0 ? bytes[start - 1] != separator : isContinued
    }
  }

  /// The system's answer to an attempt to write.
  private enum Attempt {
    case wrote(Int)
    case full
    case failed(CInt)
  }

  /// How the descriptor is written to without waiting.
  private enum Way {
    /// It never keeps anybody waiting for long: a file.
    case file
    /// It does not block: a pipe or a terminal opened again, so that others who have it are not affected.
    case own(CInt)
    /// At most as many bytes as fit when it says that it is ready.
    case pipe
    case socket
  }

  /// What is kept together: enough that a slow reader is given much at once.
  private static let blockSize = 64 << 10

  private let limit: Int
  private let overflow: Overflow
  private let control: ControlEvents
  /// What ends an event.
  private let separator: UInt8
  private let way: Way
  private var blocks: [Block] = []
  /// How many of `blocks` have been written.
  private var head = 0
  private var size = 0
  private var hasEndedWaiting = false

  /// - Parameters:
  ///   - limit: The most bytes that wait.
  ///   - control: Where it is said that events were dropped.
  init(limit: Int, overflow: Overflow, control: ControlEvents, separator: UInt8) {
    self.limit = limit
    self.overflow = overflow
    self.control = control
    self.separator = separator
    way = Self.way()
  }

  private static func way() -> Way {
    var status = stat()
    guard fstat(STDOUT_FILENO, &status) == 0 else { return .file }
    switch status.st_mode & S_IFMT {
    case S_IFSOCK: return .socket
    // A terminal can be stopped by a key.
    case let kind where kind == S_IFIFO || isatty(STDOUT_FILENO) == 1:
      let own = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
      return own >= 0 ? .own(own) : .pipe
    default: return .file
    }
  }

  /// Whether lines wait for the reader.
  var isWaiting: Bool { head < blocks.count }

  /// Whether more waits than may.
  var isFull: Bool { size > limit }

  /// Whether no more events are to be received.
  var isToBeWaitedFor: Bool { overflow == .block && isFull }

  /// Whether the last of what waited has been written since this was last asked.
  mutating func takeEndOfWaiting() -> Bool {
    defer { hasEndedWaiting = false }
    return hasEndedWaiting
  }

  /// Takes whole lines of events, or one control line.
  ///
  /// - Returns: How many lines of events were dropped for them, perhaps some of their own.
  /// - Throws: ``StandardOutput/Failure`` if stdout does not accept them; ``Failure`` with status 1 if
  ///   there is no room and that is to be a failure.
  mutating func write(_ bytes: [UInt8], _ content: Content) throws -> Int {
    try drain()
    let written = isWaiting ? 0 : try writeNow(bytes, from: 0)
    if written == bytes.count { return 0 }
    let isContinued = written > 0 && bytes[written - 1] != separator
    keep(bytes[written...], content, isContinued: isContinued)
    return isFull && overflow != .block ? try makeRoom() : 0
  }

  /// Writes of what waits as much as goes now.
  ///
  /// - Throws: ``StandardOutput/Failure`` if stdout does not accept it.
  mutating func drain() throws {
    guard isWaiting else { return }
    while isWaiting {
      let written = try writeNow(blocks[head].bytes, from: blocks[head].start)
      size -= written
      blocks[head].start += written
      if blocks[head].count > 0 { return }
      head += 1
    }
    clear()
  }

  /// Hands everything to stdout, waiting for its reader.
  ///
  /// - Throws: ``StandardOutput/Failure`` if stdout does not accept it.
  mutating func finish() throws {
    for block in blocks[head...] {
      try block.bytes[block.start...].withUnsafeBytes { try StandardOutput.shared.write($0) }
    }
    if isWaiting { clear() }
    try StandardOutput.shared.flush()
  }

  private mutating func clear() {
    (blocks, head, size) = ([], 0, 0)
    hasEndedWaiting = true
  }

  private mutating func keep(
    _ bytes: ArraySlice<UInt8>, _ content: Content, isContinued: Bool
  ) {
    size += bytes.count
    guard case .events(let source, let surplus) = content else {
      blocks.append(Block(bytes: Array(bytes), kind: .control, isContinued: isContinued))
      return
    }
    let kind = Kind.events(of: source)
    if !isWaiting || blocks[blocks.count - 1].kind != kind
      || blocks[blocks.count - 1].count >= Self.blockSize
    {
      blocks.append(Block(bytes: [], kind: kind, isContinued: isContinued))
    }
    let last = blocks.count - 1
    let shift = blocks[last].bytes.count - bytes.startIndex
    blocks[last].bytes += bytes
    for line in surplus where line.end > bytes.startIndex {
      blocks[last].surplus.append(Surplus(end: line.end + shift, count: line.count))
    }
  }

  /// Drops the older half of the events; how many lines that were.
  private mutating func makeRoom() throws -> Int {
    if overflow == .fail {
      if let line = ControlLine.placed(control, separator, { ControlLine.appendOverflow(to: &$0) })
      {
        blocks.append(Block(bytes: line, kind: .control))
        size += line.count
      }
      throw Failure(
        .localFailure,
        Diagnostic(
          program: ListenCommand.program,
          message: "the reader of stdout is too slow: more than \(limit) bytes wait",
          details: [("HINT", "allow more with --buffer, or drop the oldest: --on-overflow drop")]))
    }
    var kept: [Block] = []
    var dropped = DroppedEvents()
    var place: Int?
    for block in blocks[head...] {
      switch block.kind {
      case .events(let source) where size > limit / 2:
        let division = dropLines(of: block, of: source, into: &dropped)
        kept += division.begun
        if dropped.places > 0 { place = place ?? kept.count }
        kept += division.rest
      case .dropped(let count, let source) where block.start == 0:
        dropped.add(count, of: source, places: 0)
        size -= block.count
        place = place ?? kept.count
      default: kept.append(block)
      }
    }
    (blocks, head) = (kept, 0)
    if let place { tell(dropped, at: place) }
    return dropped.places
  }

  /// Drops whole lines until what waits is half of what may.
  ///
  /// - Returns: A line of which a part has been written, and those that are kept.
  private mutating func dropLines(
    of block: Block, of source: String?, into dropped: inout DroppedEvents
  ) -> (begun: [Block], rest: [Block]) {
    let bytes = block.bytes
    var (begun, rest): ([Block], [Block]) = ([], [])
    var position = block.start
    if block.isOpen(separator) {
      position = bytes[position...].firstIndex(of: separator).map { $0 + 1 } ?? bytes.count
      begun = [
        Block(bytes: Array(bytes[block.start..<position]), kind: block.kind, isContinued: true)
      ]
    }
    let start = position
    var lines = 0
    while size > limit / 2, let end = bytes[position...].firstIndex(of: separator) {
      size -= end + 1 - position
      position = end + 1
      lines += 1
    }
    let more = block.surplus.filter { $0.end > start && $0.end <= position }
    dropped.add(more.reduce(lines) { $0 + $1.count }, of: source, places: lines)
    if position < bytes.count {
      var kept = Block(bytes: Array(bytes[position...]), kind: block.kind)
      for line in block.surplus where line.end > position {
        kept.surplus.append(Surplus(end: line.end - position, count: line.count))
      }
      rest = [kept]
    }
    return (begun, rest)
  }

  /// Says that events were dropped, where they would have come.
  private mutating func tell(_ dropped: DroppedEvents, at place: Int) {
    var lines: [Block] = []
    for (source, count) in dropped.counts {
      let line = ControlLine.placed(control, separator) {
        ControlLine.appendDropped(count, of: source, to: &$0)
      }
      guard let line else { continue }
      lines.append(Block(bytes: line, kind: .dropped(count, of: source)))
      size += line.count
    }
    blocks.insert(contentsOf: lines, at: place)
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
