internal import Glibc
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

  /// A severity, or what a further line of a message begins with.
  private struct Word {
    let start: Int
    /// Behind the colon and the two blanks.
    let end: Int
    let isSeverity: Bool
  }

  private let prefix: LogPrefix?
  private var slot = CodeSlot()

  init(prefix: LogPrefix?) { self.prefix = prefix }

  mutating func read(_ head: Piece.Head, _ labels: CodeLabels) -> Line {
    if head.has(UInt8(ascii: "\t"), at: head.start) { return Line(isContinuation: true) }
    let word = Self.word(in: head)
    var line = Line(isRecord: word?.isSeverity ?? false)
    line.isContinuation = word.map { !$0.isSeverity } ?? false
    if let place = prefix?.place(in: head), word.map({ place < $0.start }) ?? true {
      line.code = head.code(at: place)
      line.isRecord = word?.isSeverity ?? true
    } else if let word {
      line.code = Self.verboseCode(in: head, word)
      if line.code == nil, prefix == nil {
        line.code = slot.code(in: head, before: word.start, labels)
      }
    }
    return line
  }

  /// Whether the line is a message's beginning beyond doubt: it has a severity, and its code where the
  /// prefix, given or learned, has it.
  func isCertainRecord(_ head: Piece.Head, _ labels: CodeLabels) -> Bool {
    guard !head.has(UInt8(ascii: "\t"), at: head.start), let word = Self.word(in: head),
      word.isSeverity
    else { return false }
    guard let prefix else { return slot.knownCode(in: head, before: word.start, labels) != nil }
    return prefix.place(in: head).map { $0 < word.start } ?? false
  }

  /// The code that `log_error_verbosity = verbose` puts before the message.
  private static func verboseCode(in head: Piece.Head, _ word: Word) -> SQLState? {
    guard word.isSeverity, head.has(": ", at: word.end + 5) else { return nil }
    return head.code(at: word.end)
  }

  /// The first severity, or other label, with a colon and two blanks behind it.
  private static func word(in head: Piece.Head) -> Word? {
    var place = head.start
    while place < head.end, let found = memchr(head.bytes + place, 0x3A, head.end - place) {
      let colon = UnsafeRawPointer(found) - UnsafeRawPointer(head.bytes)
      if head.has(":  ", at: colon) {
        var start = colon
        while start > head.start, ASCIIText.isCode(head.bytes[start - 1]) { start -= 1 }
        let isAlone = start == head.start || !ASCIIText.isWord(head.bytes[start - 1])
        if isAlone, let word = word(head, start, colon) { return word }
      }
      place = colon + 1
    }
    return nil
  }

  private static func word(_ head: Piece.Head, _ start: Int, _ colon: Int) -> Word? {
    let end = colon + 3
    let length = colon - start
    func matches(_ text: StaticString) -> Bool {
      text.utf8CodeUnitCount == length && head.has(text, at: start)
    }
    if matches("LOG") || matches("INFO") || matches("NOTICE") {
      return Word(start: start, end: end, isSeverity: true)
    }
    if matches("ERROR") || matches("WARNING") || matches("FATAL") || matches("PANIC") {
      return Word(start: start, end: end, isSeverity: true)
    }
    if length <= 6, length >= 5, head.has("DEBUG", at: start),
      length == 5 || ASCIIText.isDigit(head.bytes[colon - 1])
    {
      return Word(start: start, end: end, isSeverity: true)
    }
    if matches("DETAIL") || matches("HINT") || matches("QUERY") || matches("CONTEXT")
      || matches("STATEMENT") || matches("LOCATION") || matches("BACKTRACE")
    {
      return Word(start: start, end: end, isSeverity: false)
    }
    return nil
  }
}
