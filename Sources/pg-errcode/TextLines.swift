internal import PGErrorCodes

/// The reading of lines in the stderr format: prefix, severity, message.
struct TextLines {
  /// What a line turned out to be.
  struct Line {
    var code: SQLState?
    /// Whether a message begins here, rather than its detail or statement.
    var isRecord = false
    /// Whether it belongs to the lines before it.
    var isContinuation = false
  }

  /// How far names reach that contain what looks like a severity.
  private static let reach = 512

  private let prefix: LogPrefix?
  private var slot = CodeSlot()
  private var verbose = VerboseCodes()
  private var hasSeverities = false
  /// How many messages have a code that could not be told from other words.
  private(set) var passedOver = 0
  /// The first word that stands where a severity does, as long as none is known.
  private(set) var unknownWord: String?

  init(prefix: LogPrefix?) { self.prefix = prefix }

  /// Whether the place of the code has to be found out.
  var isLearning: Bool { prefix == nil }

  // MARK: Learning

  /// Takes a line into account before any is read.
  mutating func observe(_ head: Piece.Head, _ labels: CodeLabels) {
    guard let label = LineLabel.first(in: head, from: head.start), !isIndented(head) else { return }
    verbose.observe(head, label, labels)
    guard label.isSeverity, let words = PrefixWords(head, before: label.start) else { return }
    _ = slot.observe(words, label.kind, labels)
  }

  /// Decides what the lines have taught.
  ///
  /// - Parameter isAll: Whether there are no other lines.
  mutating func decide(isAll: Bool) {
    slot.decide(isAll: isAll)
    verbose.decide(isAll: isAll)
  }

  // MARK: Reading

  mutating func read(_ head: Piece.Head, _ labels: CodeLabels) -> Line {
    if isIndented(head) { return Line(isContinuation: true) }
    guard let prefix else { return readLearning(head, labels) }
    return readPrefixed(head, prefix, labels)
  }

  /// Whether the line is a message's beginning beyond doubt: it has a severity, and its code where the
  /// prefix, given or learned, has it.
  func isCertainRecord(_ head: Piece.Head, _ labels: CodeLabels) -> Bool {
    guard !isIndented(head) else { return false }
    if let prefix {
      let (label, reading) = prefix.read(head)
      if case .code = reading { return label?.isSeverity ?? false }
      return false
    }
    guard let label = LineLabel.first(in: head, from: head.start), label.isSeverity,
      let words = PrefixWords(head, before: label.start),
      case .code = slot.read(words, label.kind, labels)
    else { return false }
    return true
  }

  private func isIndented(_ head: Piece.Head) -> Bool {
    head.has(UInt8(ascii: "\t"), at: head.start)
  }

  private mutating func readPrefixed(
    _ head: Piece.Head, _ prefix: LogPrefix, _ labels: CodeLabels
  ) -> Line {
    let (label, reading) = prefix.read(head)
    guard let label = label ?? LineLabel.first(in: head, from: head.start) else { return Line() }
    return line(head, label, reading, labels)
  }

  private mutating func readLearning(_ head: Piece.Head, _ labels: CodeLabels) -> Line {
    guard let label = LineLabel.first(in: head, from: head.start) ?? LineLabel.unknown(in: head),
      let words = PrefixWords(head, before: label.start)
    else { return Line() }
    if label.isSeverity {
      if !slot.isSettled, slot.observe(words, label.kind, labels) { slot.decide() }
      slot.refute(words, label.kind)
    }
    var reading = slot.read(words, label.kind, labels)
    if reading != .undecided, slot.hasNamesBefore, isDoubtful(head, behind: label, reading, labels)
    {
      reading = .undecided
    }
    if label.kind == .unknown, (0..<words.count).contains(where: { words.code($0) != nil }) {
      note(unknown: label, in: head)
    }
    return line(head, label, reading, labels)
  }

  /// Whether the line has another code before another severity: one of the two is part of a name.
  private func isDoubtful(
    _ head: Piece.Head, behind first: LineLabel, _ reading: CodeReading, _ labels: CodeLabels
  ) -> Bool {
    var from = first.end
    while let label = LineLabel.first(in: head, from: from),
      label.start - head.start <= Self.reach
    {
      if let words = PrefixWords(head, before: label.start),
        case .code(let other) = slot.read(words, label.kind, labels)
      {
        guard case .code(let place) = reading, head.code(at: place) == head.code(at: other) else {
          return true
        }
      }
      from = label.end
    }
    return false
  }

  private mutating func line(
    _ head: Piece.Head, _ label: LineLabel, _ reading: CodeReading, _ labels: CodeLabels
  ) -> Line {
    var line = Line(isRecord: label.isSeverity)
    if case .code(let place) = reading {
      line.code = head.code(at: place)
    } else {
      verbose.observe(head, label, labels)
      verbose.decide(isAll: false)
      if verbose.isTrusted { line.code = VerboseCodes.code(in: head, label) }
    }
    if label.kind == .unknown {
      if line.code != nil { note(unknown: label, in: head) }
      // Where severities are known, it is a detail or a statement.
      line.isRecord = line.code != nil && !hasSeverities
      line.isContinuation = line.code != nil && hasSeverities
      return line
    }
    if label.isSeverity {
      hasSeverities = true
      unknownWord = nil
    }
    line.isContinuation = !label.isSeverity
    if line.isRecord, line.code == nil, reading == .undecided { passedOver += 1 }
    return line
  }

  private mutating func note(unknown label: LineLabel, in head: Piece.Head) {
    guard unknownWord == nil, !hasSeverities else { return }
    let bytes = UnsafeBufferPointer(
      start: head.bytes + label.start, count: label.end - 3 - label.start)
    unknownWord = String(decoding: bytes.prefix(40), as: UTF8.self)
  }
}
