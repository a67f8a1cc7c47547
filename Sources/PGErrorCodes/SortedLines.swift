/// Lines sorted by their first word, searched where they lie in the program's text.
///
/// Words and lines are ASCII; words are told apart and ordered by their bytes.
struct SortedLines: Sendable {
  private let text: String

  init(_ text: String) { self.text = text }

  /// The line whose first word is `word`.
  func line(of word: some StringProtocol) -> Substring? {
    let line = line(at: lowerBound(of: word.utf8))
    guard let line, SortedLines.word(of: line).elementsEqual(word.utf8) else { return nil }
    return line
  }

  /// The lines whose first word begins with `prefix`, in their order.
  func lines(beginningWith prefix: some StringProtocol) -> [Substring] {
    var found: [Substring] = []
    var start = lowerBound(of: prefix.utf8)
    while let line = line(at: start), line.utf8.starts(with: prefix.utf8) {
      found.append(line)
      start = afterLine(at: start)
    }
    return found
  }

  /// The words of a line.
  static func words(of line: Substring) -> [String] {
    line.utf8.split(separator: UInt8(ascii: " ")).map { String(Substring($0)) }
  }

  /// The fields of a line that has tabs between them.
  static func fields(of line: Substring) -> [String] {
    line.utf8.split(separator: UInt8(ascii: "\t")).map { String(Substring($0)) }
  }

  private static func word(of line: Substring) -> Substring.UTF8View.SubSequence {
    line.utf8.prefix { $0 != UInt8(ascii: " ") }
  }

  /// The start of the first line whose word is not below `word`.
  private func lowerBound(of word: some Sequence<UInt8>) -> String.Index {
    let bytes = text.utf8
    var low = bytes.startIndex
    var high = bytes.endIndex
    while low < high {
      let middle = bytes.index(low, offsetBy: bytes.distance(from: low, to: high) / 2)
      let start = startOfLine(around: middle, notBefore: low)
      guard start < text.utf8.endIndex else { break }
      // The rest of the line may be long, and is of no matter here.
      if SortedLines.word(of: text[start...]).lexicographicallyPrecedes(word) {
        low = afterLine(at: start)
      } else {
        high = start
      }
    }
    return low
  }

  private func startOfLine(around index: String.Index, notBefore low: String.Index) -> String.Index
  {
    let newline = text.utf8[low..<index].lastIndex(of: UInt8(ascii: "\n"))
    return newline.map { text.utf8.index(after: $0) } ?? low
  }

  private func endOfLine(at start: String.Index) -> String.Index {
    let rest = text.utf8[start...]
    // Where the bytes lie side by side, as they do in a literal, they are searched without the string.
    let length = rest.withContiguousStorageIfAvailable { bytes in
      bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
    }
    if let length { return text.utf8.index(start, offsetBy: length) }
    return rest.firstIndex(of: UInt8(ascii: "\n")) ?? text.utf8.endIndex
  }

  private func afterLine(at start: String.Index) -> String.Index {
    let end = endOfLine(at: start)
    return end == text.utf8.endIndex ? end : text.utf8.index(after: end)
  }

  private func line(at start: String.Index) -> Substring? {
    start == text.utf8.endIndex ? nil : text[start..<endOfLine(at: start)]
  }
}
