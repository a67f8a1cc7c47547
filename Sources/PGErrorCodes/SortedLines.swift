/// Lines sorted by their first word, searched where they lie in the program's text.
///
/// Words and lines are ASCII; words are told apart and ordered by their bytes. Most runs of pg-errcode
/// are over in a millisecond, and look up ten lines in it: bytes are read as a span, because a string
/// asks at every index what it is made of.
struct SortedLines: Sendable {
  private let text: String

  init(_ text: String) { self.text = text }

  /// The line whose first word is `word`.
  func line(of word: String) -> Substring? {
    let bytes = text.utf8Span.span
    let wanted = word.utf8Span.span
    let start = lowerBound(of: wanted, in: bytes)
    guard start < bytes.count, bytes.begins(at: start, with: wanted) else { return nil }
    let end = start + wanted.count
    guard end == bytes.count || bytes[end].endsWord else { return nil }
    return line(from: start, in: bytes)
  }

  /// The lines whose first word begins with `prefix`, in their order.
  func lines(beginningWith prefix: String) -> Lines {
    Lines(text, prefix, from: lowerBound(of: prefix.utf8Span.span, in: text.utf8Span.span))
  }

  /// Lines that follow one another, read one by one.
  struct Lines: Sequence, IteratorProtocol {
    private let text: String
    private let prefix: String
    private var start: Int

    fileprivate init(_ text: String, _ prefix: String, from start: Int) {
      self.text = text
      self.prefix = prefix
      self.start = start
    }

    mutating func next() -> Substring? {
      let bytes = text.utf8Span.span
      guard start < bytes.count, bytes.begins(at: start, with: prefix.utf8Span.span) else {
        return nil
      }
      defer { start = bytes.afterLine(at: start) }
      return text[...].ascii(start..<bytes.endOfLine(at: start))
    }
  }

  /// The words of a line.
  static func words(of line: Substring) -> [String] { pieces(of: line, between: .space) }

  /// The fields of a line that has tabs between them.
  static func fields(of line: Substring) -> [String] { pieces(of: line, between: .tab) }

  /// The parts of a word that has commas between them.
  static func parts(of word: String) -> [String] { pieces(of: word[...], between: .comma) }

  /// What comes before the first separator of an ASCII text, and what comes after it.
  static func halves(of text: Substring, at separator: UInt8) -> (Substring, Substring) {
    let bytes = text.utf8Span.span
    let end = bytes.end(of: separator, from: 0)
    let rest = Swift.min(end + 1, bytes.count)
    return (text.ascii(0..<end), text.ascii(rest..<bytes.count))
  }

  private static func pieces(of line: Substring, between separator: UInt8) -> [String] {
    let bytes = line.utf8Span.span
    var pieces: [String] = []
    var start = 0
    for index in 0...bytes.count where index == bytes.count || bytes[index] == separator {
      if start < index { pieces.append(String(line.ascii(start..<index))) }
      start = index + 1
    }
    return pieces
  }

  /// The start of the first line whose word is not below `word`.
  private func lowerBound(of word: Span<UInt8>, in bytes: Span<UInt8>) -> Int {
    var low = 0
    var high = bytes.count
    while low < high {
      let middle = low + (high - low) / 2
      let start = bytes.startOfLine(around: middle, notBefore: low)
      if bytes.hasWord(at: start, below: word) {
        low = bytes.afterLine(at: middle)
      } else {
        high = start
      }
    }
    return low
  }

  private func line(from start: Int, in bytes: Span<UInt8>) -> Substring {
    text[...].ascii(start..<bytes.endOfLine(at: start))
  }
}

extension Substring {
  /// The characters at these places of an ASCII text.
  fileprivate func ascii(_ places: Range<Int>) -> Substring {
    let start = utf8.index(startIndex, offsetBy: places.lowerBound)
    return self[start..<utf8.index(start, offsetBy: places.count)]
  }
}

extension UInt8 {
  fileprivate static let newline = UInt8(ascii: "\n")
  static let space = UInt8(ascii: " ")
  static let tab = UInt8(ascii: "\t")
  static let comma = UInt8(ascii: ",")

  fileprivate var endsWord: Bool { self == .space || self == .newline }
}

extension Span<UInt8> {
  /// Where the first such byte from a place on is; the end if there is none.
  func end(of byte: UInt8, from start: Int) -> Int {
    var end = start
    while end < count, self[end] != byte { end += 1 }
    return end
  }

  /// Whether these are the bytes of a text.
  func isEqual(to text: String) -> Bool {
    let other = text.utf8Span.span
    return count == other.count && begins(at: 0, with: other)
  }

  fileprivate func startOfLine(around index: Int, notBefore low: Int) -> Int {
    var start = index
    while start > low, self[start - 1] != .newline { start -= 1 }
    return start
  }

  fileprivate func endOfLine(at start: Int) -> Int { end(of: .newline, from: start) }

  fileprivate func afterLine(at start: Int) -> Int { Swift.min(endOfLine(at: start) + 1, count) }

  fileprivate func begins(at start: Int, with prefix: Span<UInt8>) -> Bool {
    guard count - start >= prefix.count else { return false }
    for index in prefix.indices where self[start + index] != prefix[index] { return false }
    return true
  }

  /// Whether the word at `start` comes before `word`.
  fileprivate func hasWord(at start: Int, below word: Span<UInt8>) -> Bool {
    for index in word.indices {
      guard start + index < count, !self[start + index].endsWord else { return true }
      let byte = self[start + index]
      if byte != word[index] { return byte < word[index] }
    }
    return false
  }
}
