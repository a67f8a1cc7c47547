internal import Glibc
internal import PGCommandLine
internal import PGErrorCodes

/// The stream from stdin to stdout: block by block, with nothing kept but the head of a line that is
/// not complete yet.
///
/// A line is looked at once, at its head. Everything else is searched for its end only, and written
/// as it was read. Where the place of the codes has to be found out, a bounded start of the log is
/// read twice.
final class LogFilter {
  /// What a line must say of itself within so many bytes: prefix, severity and code.
  static let headLimit = 4096
  private static let blockSize = 1 << 20

  /// What the place of the codes is learned from, at most.
  private static let startSize = 256 * 1024
  /// How long a log that is being written may keep its first lines back, in milliseconds.
  private static let startPatience = 250

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
  /// Whether lines are only learned from, and neither counted nor written.
  private var isSurvey = false
  /// Whether nothing comes behind what was read.
  private var isLast = false

  init(_ labels: CodeLabels, prefix: LogPrefix?, isQuiet: Bool) {
    self.labels = labels
    self.isQuiet = isQuiet
    isKept = !isQuiet && !labels.isSelective
    lines = TextLines(prefix: prefix)
  }

  /// What could not be read, and what would help; `nil` if nothing is to be said.
  var remark: String? {
    let passed = lines.passedOver
    if passed > 0 {
      return "\(passed) \(passed == 1 ? "record was" : "records were") passed over: which of the "
        + "words before the severity is the SQLSTATE cannot be told; --prefix with the server's "
        + "log_line_prefix says it"
    }
    if let word = lines.unknownWord.map(Question.quoted), hasCodes || !hasRecords {
      let start = "no severity is known here, where \(word) stands, perhaps in another language: "
      return start
        + (hasCodes
          ? "details and statements are counted as messages are"
          : "no line is named; --prefix with the server's log_line_prefix says where %e is")
    }
    if hasCodes { return nil }
    guard hasRecords else { return nil }
    return "no line has a SQLSTATE: log_line_prefix needs %e (and --prefix says where it is), or "
      + "log_error_verbosity must be verbose"
  }

  /// Reads to the end of stdin.
  ///
  /// - Throws: `Failure` if stdin cannot be read, `StandardOutput.Failure` if stdout does not take it.
  func run() throws {
    let block = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.blockSize)
    defer { block.deallocate() }
    var filled = 0
    if lines.isLearning {
      try readStart(block, &filled)
      try survey(Piece(bytes: block, count: filled))
    }
    while true {
      let consumed = try filter(Piece(bytes: block, count: filled))
      try output.drain()
      try StandardOutput.shared.flush()
      if isLast { return }
      // At most the head of one line stays.
      if consumed > 0, consumed < filled { memmove(block, block + consumed, filled - consumed) }
      filled -= consumed
      try read(block, &filled)
    }
  }

  private func read(_ block: UnsafeMutablePointer<UInt8>, _ filled: inout Int) throws {
    let room = UnsafeMutableRawBufferPointer(start: block + filled, count: Self.blockSize - filled)
    let count = try StandardInput.read(into: room, program: ErrorCodeCommand.program)
    filled += count
    isLast = count == 0
  }

  // MARK: Learning

  /// Reads until there is enough to learn from, the log ends, or nobody should wait any longer.
  private func readStart(_ block: UnsafeMutablePointer<UInt8>, _ filled: inout Int) throws {
    try read(block, &filled)
    let end = ContinuousClock.now + .milliseconds(Self.startPatience)
    while !isLast, filled < Self.startSize {
      let rest = (end - ContinuousClock.now) / .milliseconds(1)
      guard rest > 0, StandardInput.waitToRead(milliseconds: Int(rest) + 1) else { return }
      try read(block, &filled)
    }
  }

  /// Learns where the lines have their codes.
  private func survey(_ bytes: Piece) throws {
    let wasKept = isKept
    isKept = false
    isSurvey = true
    _ = try filter(Piece(bytes: bytes.bytes, count: min(bytes.count, Self.startSize)))
    lines.decide(isAll: isLast)
    isSurvey = false
    isKept = wasKept
    state = .lineStart
  }

  // MARK: Lines

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
      if CSVRecord.code(in: head) != nil || JSONRecord.isServers(head)
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
    if JSONRecord.isObject(head) { return try beginObject(bytes, head.start, end, &written) }
    return try beginText(bytes, head, end, &written)
  }

  private func beginObject(
    _ bytes: Piece, _ start: Int, _ end: Int?, _ written: inout Int
  ) throws -> Int? {
    let limit = JSONRecord.headLimit
    guard let head = bytes.head(from: start, to: end, isLast: isLast, limit: limit) else {
      return nil
    }
    guard let record = JSONRecord(head) else {
      return try beginText(bytes, head.prefix(Self.headLimit), end, &written)
    }
    hasRecords = true
    guard let (code, place) = record.code else {
      try keep(false, bytes, head, &written)
      return try finishLine(bytes, from: start, end, [], &written)
    }
    let label = try found(code, isCounted: true, bytes, head, &written)
    if !record.isNamed {
      try write(bytes, &written, upTo: place)
      add(label.inJSON)
    }
    return try finishLine(bytes, from: place, end, [], &written)
  }

  private func beginText(
    _ bytes: Piece, _ head: Piece.Head, _ end: Int?, _ written: inout Int
  ) throws -> Int? {
    if isSurvey {
      lines.observe(head, labels)
      return try finishLine(bytes, from: head.start, end, [], &written)
    }
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
    let label = labels.label(of: code, isCounted: isCounted && !isSurvey)
    try keep(label.isWanted, bytes, head, &written)
    return label
  }

  /// Decides whether what begins here is written.
  private func keep(
    _ isWanted: Bool, _ bytes: Piece, _ head: Piece.Head, _ written: inout Int
  ) throws {
    guard labels.isSelective, !isQuiet, !isSurvey, isWanted != isKept else { return }
    try write(bytes, &written, upTo: head.start)
    isKept = isWanted
  }

  // MARK: Ends

  private func finishLine(
    _ bytes: Piece, from place: Int, _ newline: Int?, _ ending: [UInt8], _ written: inout Int
  ) throws -> Int? {
    guard newline != nil || isLast else {
      state = .line(ending: ending)
      let end = endOfPart(bytes, from: place, ending)
      return end > place ? end : nil
    }
    try write(ending, bytes, from: place, &written, before: newline ?? bytes.count)
    state = .lineStart
    return newline.map { $0 + 1 } ?? bytes.count
  }

  /// How much of a line without its newline is done with: its last bytes may be the ending, if the log
  /// was filtered before, and a carriage return that belongs to the newline.
  private func endOfPart(_ bytes: Piece, from place: Int, _ ending: [UInt8]) -> Int {
    ending.isEmpty ? bytes.count : max(place, bytes.count - min(ending.count + 1, Self.headLimit))
  }

  /// Writes the line up to its newline, and the ending unless it is there already.
  private func write(
    _ ending: [UInt8], _ bytes: Piece, from start: Int, _ written: inout Int, before newline: Int
  ) throws {
    guard !ending.isEmpty else { return }
    let end = max(start, bytes.endOfLine(before: newline))
    if bytes.has(ending, from: start, endingAt: end) { return }
    try write(bytes, &written, upTo: max(end, written))
    add(ending)
  }

  private func finishRecord(
    _ bytes: Piece, from start: Int, _ ending: [UInt8], _ isQuoted: Bool,
    _ written: inout Int
  ) throws -> Int? {
    let newline = bytes.newline(from: start)
    let end = newline ?? (isLast ? bytes.count : endOfPart(bytes, from: start, ending))
    let isOpen = isQuoted != bytes.hasOddQuotes(from: start, to: end)
    guard newline != nil || isLast else {
      state = .record(ending: ending, isQuoted: isOpen)
      return end > start ? end : nil
    }
    if isOpen {
      state = .quotedLineStart(ending: ending)
    } else {
      try write(ending, bytes, from: start, &written, before: end)
      state = .lineStart
    }
    return newline.map { $0 + 1 } ?? bytes.count
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
