/// A named set of codes, such as `constraint` or `retryable`, for questions that shells and programs
/// ask.
public struct SQLStateSet: Hashable, Sendable {
  /// The name, such as `constraint`.
  public var name: String { String(SortedLines.halves(of: line, at: .space).0) }
  /// What its members say, in a few words.
  public var meaning: String { String(SortedLines.halves(of: line, at: .tab).1) }
  /// The name; behind a space the members, with commas between them; behind a tab the meaning.
  ///
  /// A member is what codes begin with; after `!`, what they do not begin with; after `=`, the answer
  /// of their retry rule. Kept as the table has it: most runs ask every set once.
  private let line: Substring

  /// Finds a set by its name; `integrity` is another name of `constraint`.
  public init?(_ name: some StringProtocol) {
    let line = SortedLines(SQLStateTable.sets).line(of: SQLStateSet.properName(name))
    guard let line else { return nil }
    self.init(line: line)
  }

  /// The name of a set that has two.
  static func properName(_ name: some StringProtocol) -> String {
    name == "integrity" ? "constraint" : String(name)
  }

  private init(line: Substring) { self.line = line }

  /// Every set, in the order of their names.
  public static var all: [SQLStateSet] { Array(each) }

  /// Every set, one by one, in the order of their names.
  static var each: some Sequence<SQLStateSet> {
    SortedLines(SQLStateTable.sets).lines(beginningWith: "").lazy.map(SQLStateSet.init(line:))
  }

  /// Whether the code, defined or not, belongs to the set.
  public func contains(_ code: SQLState) -> Bool { contains(code, retry: code.retry.answer) }

  /// Whether the code belongs to the set, if this is the answer of its retry rule.
  func contains(_ code: SQLState, retry: RetryRule.Answer) -> Bool {
    let bytes = line.utf8Span.span
    var isMember = false
    var start = bytes.end(of: .space, from: 0) + 1
    let end = bytes.end(of: .tab, from: start)
    while start < end {
      let next = Swift.min(bytes.end(of: .comma, from: start), end)
      switch bytes[start] {
      case UInt8(ascii: "!"):
        if code.begins(with: bytes.extracting(start + 1..<next)) { return false }
      case UInt8(ascii: "="):
        if bytes.extracting(start + 1..<next).isEqual(to: retry.word) { return true }
      default:
        if code.begins(with: bytes.extracting(start..<next)) { isMember = true }
      }
      start = next + 1
    }
    return isMember
  }
}

extension SQLState {
  /// The sets that the code belongs to, in the order of their names.
  public var sets: [SQLStateSet] { SQLStateSet.all.filter { $0.contains(self) } }

  /// Whether the code's first characters are these.
  fileprivate func begins(with characters: Span<UInt8>) -> Bool {
    var shift: UInt64 = 40
    for index in characters.indices {
      guard shift > 0 else { return false }
      shift -= 8
      if UInt8(truncatingIfNeeded: packedBytes >> shift) != characters[index] { return false }
    }
    return true
  }
}
