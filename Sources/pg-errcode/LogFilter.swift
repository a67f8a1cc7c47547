internal import Glibc
internal import PGCommandLine
internal import PGErrorCodes

/// The stream from stdin to stdout: block by block, with nothing kept but the head of a line that is
/// not complete yet.
///
/// A line is looked at once, at its head. Everything else is searched for its end only, and written
/// as it was read.
final class LogFilter {
  /// What a line must say of itself within so many bytes: prefix, severity and code.
  static let headLimit = 4096
  private static let blockSize = 1 << 20

  /// Where the reading stands between two blocks.
  private enum State {
    case lineStart
    /// Within a line whose end needs `ending` before it.
    case line(ending: [UInt8])
    /// Within a record of csvlog; an open quotation mark makes newlines part of it.
    case record(ending: [UInt8], isQuoted: Bool)
    /// At the start of a line within the quotation marks of a record.
    case quotedLineStart(ending: [UInt8])
  }

  private let labels: CodeLabels
  private let isQuiet: Bool
  private var lines: TextLines
  private var state = State.lineStart
  private var output = OutputBuffer()
  private var isKept: Bool
  private var hasRecords = false
  private var hasCodes = false
  /// Whether nothing comes behind what was read.
  private var isLast = false

  init(_ labels: CodeLabels, prefix: LogPrefix?, isQuiet: Bool) {
    self.labels = labels
    self.isQuiet = isQuiet
    isKept = !isQuiet && !labels.isSelective
    lines = TextLines(prefix: prefix)
  }

  /// Whether there were records, and none had a code.
  var hasFoundNothing: Bool { hasRecords && !hasCodes }

  /// Reads to the end of stdin.
  ///
  /// - Throws: `Failure` if stdin cannot be read, `StandardOutput.Failure` if stdout does not take it.
  func run() throws {
    let block = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.blockSize)
    defer { block.deallocate() }
    var filled = 0
    while true {
      let room = UnsafeMutableRawBufferPointer(
        start: block + filled, count: Self.blockSize - filled)
      let count = try StandardInput.read(into: room, program: ErrorCodeCommand.program)
      filled += count
      isLast = count == 0
      let consumed = try filter(Piece(bytes: block, count: filled))
      if isLast { finish() }
      try output.drain()
      try StandardOutput.shared.flush()
      if isLast { return }
      // At most the head of one line stays.
      if consumed > 0, consumed < filled { memmove(block, block + consumed, filled - consumed) }
      filled -= consumed
    }
  }

  /// Filters what was read; returns how much of it is done with.
  private func filter(_ bytes: Piece) throws -> Int {
    var place = 0
    var written = 0
    while place < bytes.count {
      guard let next = try step(bytes, from: place, &written) else { break }
      place = next
    }
    try write(bytes, &written, upTo: place)
    return place
  }

  /// Goes on from `place`; returns where, or `nil` if more must be read first.
  private func step(
    _ bytes: Piece, from place: Int, _ written: inout Int
  ) throws -> Int? {
    switch state {
    case .lineStart:
      let end = bytes.newline(from: place)
      guard let head = bytes.head(from: place, to: end, isLast: isLast) else { return nil }
      return try begin(bytes, head, end, &written)
    case .line(let ending):
      return try finishLine(bytes, from: place, bytes.newline(from: place), ending, &written)
    case .record(let ending, let isQuoted):
      return try finishRecord(bytes, from: place, ending, isQuoted, &written)
    case .quotedLineStart(let ending):
      let end = bytes.newline(from: place)
      guard let head = bytes.head(from: place, to: end, isLast: isLast) else { return nil }
      if CSVRecord.code(in: head) != nil || JSONRecord.isBeginning(head)
        || lines.isCertainRecord(head, labels)
      {
        // The record before this one has no end: its file was cut off.
        return try begin(bytes, head, end, &written)
      }
      return try finishRecord(bytes, from: place, ending, true, &written)
    }
  }

  /// Takes up a line by its head.
  private func begin(
    _ bytes: Piece, _ head: Piece.Head, _ end: Int?, _ written: inout Int
  ) throws -> Int? {
    if let code = CSVRecord.code(in: head) {
      let label = try found(code, isCounted: true, bytes, head, &written)
      return try finishRecord(bytes, from: head.start, label.inCSV, false, &written)
    }
    if JSONRecord.isBeginning(head) {
      hasRecords = true
      guard let found = JSONRecord.code(in: head) else {
        try keep(false, bytes, head, &written)
        return try finishLine(bytes, from: head.start, end, [], &written)
      }
      let label = try self.found(found.code, isCounted: true, bytes, head, &written)
      try write(bytes, &written, upTo: found.end)
      add(label.inJSON)
      return try finishLine(bytes, from: found.end, end, [], &written)
    }
    return try beginText(bytes, head, end, &written)
  }

  private func beginText(
    _ bytes: Piece, _ head: Piece.Head, _ end: Int?, _ written: inout Int
  ) throws -> Int? {
    let line = lines.read(head, labels)
    if line.isRecord { hasRecords = true }
    guard let code = line.code else {
      if !line.isContinuation { try keep(false, bytes, head, &written) }
      return try finishLine(bytes, from: head.start, end, [], &written)
    }
    let label = try found(code, isCounted: line.isRecord, bytes, head, &written)
    return try finishLine(bytes, from: head.start, end, label.inText, &written)
  }

  private func found(
    _ code: SQLState, isCounted: Bool, _ bytes: Piece, _ head: Piece.Head, _ written: inout Int
  ) throws -> CodeLabels.Label {
    hasRecords = true
    hasCodes = true
    let label = labels.label(of: code, isCounted: isCounted)
    try keep(label.isWanted, bytes, head, &written)
    return label
  }

  /// Decides whether what begins here is written.
  private func keep(
    _ isWanted: Bool, _ bytes: Piece, _ head: Piece.Head, _ written: inout Int
  ) throws {
    guard labels.isSelective, !isQuiet, isWanted != isKept else { return }
    try write(bytes, &written, upTo: head.start)
    isKept = isWanted
  }

  // MARK: Ends

  private func finishLine(
    _ bytes: Piece, from place: Int, _ newline: Int?, _ ending: [UInt8], _ written: inout Int
  ) throws -> Int? {
    guard let newline else {
      state = .line(ending: ending)
      return ending.isEmpty ? bytes.count : endOfPart(bytes, from: place)
    }
    if !ending.isEmpty { try write(ending, bytes, &written, before: newline) }
    state = .lineStart
    return newline + 1
  }

  /// How much of a line without its newline is done with: a carriage return at the end of a block may
  /// belong to the newline that comes next.
  private func endOfPart(_ bytes: Piece, from place: Int) -> Int? {
    guard !isLast, bytes.count > place, bytes.isReturn(at: bytes.count - 1) else {
      return bytes.count
    }
    return place < bytes.count - 1 ? bytes.count - 1 : nil
  }

  /// Writes the line up to its newline, which may have a carriage return before it, and the ending.
  private func write(
    _ ending: [UInt8], _ bytes: Piece, _ written: inout Int, before newline: Int
  ) throws {
    let end = newline > 0 && bytes.isReturn(at: newline - 1) ? newline - 1 : newline
    try write(bytes, &written, upTo: max(end, written))
    add(ending)
  }

  private func finishRecord(
    _ bytes: Piece, from start: Int, _ ending: [UInt8], _ isQuoted: Bool,
    _ written: inout Int
  ) throws -> Int? {
    let newline = bytes.newline(from: start)
    let end = newline ?? bytes.count
    let isOpen = isQuoted != bytes.hasOddQuotes(from: start, to: end)
    guard let newline else {
      state = .record(ending: ending, isQuoted: isOpen)
      return isOpen ? end : endOfPart(bytes, from: start)
    }
    if isOpen {
      state = .quotedLineStart(ending: ending)
    } else {
      try write(ending, bytes, &written, before: newline)
      state = .lineStart
    }
    return newline + 1
  }

  /// The last line has no newline, and is named all the same.
  private func finish() {
    switch state {
    case .line(let ending), .record(let ending, isQuoted: false): add(ending)
    case .lineStart, .record, .quotedLineStart: break
    }
  }

  // MARK: Output

  private func add(_ text: [UInt8]) {
    if isKept { output.append(text) }
  }

  private func write(_ bytes: Piece, _ written: inout Int, upTo end: Int) throws {
    guard end > written else { return }
    if isKept {
      let part = bytes.part(from: written, to: end)
      if part.count >= 64 * 1024 {
        try output.drain()
        try StandardOutput.shared.write(part)
      } else {
        output.append(part)
        if output.bytes.count >= 256 * 1024 { try output.drain() }
      }
    }
    written = end
  }
}
