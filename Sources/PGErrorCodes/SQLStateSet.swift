/// A named set of codes, such as `constraint` or `retryable`, for questions that shells and programs
/// ask.
public struct SQLStateSet: Hashable, Sendable {
  /// The name, such as `constraint`.
  public var name: String { String(ownName) }
  /// What its members say, in a few words.
  public var meaning: String { String(ownMeaning) }
  private let ownName: Substring
  private let ownMeaning: Substring
  /// What members begin with; after `!`, what they do not begin with; after `=`, the answer of their
  /// retry rule.
  ///
  /// Kept as the table has it, with commas: most runs ask every set once.
  private let members: Substring

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

  private init(line: Substring) {
    let rest: Substring
    (ownName, rest) = SortedLines.halves(of: line, at: UInt8(ascii: " "))
    (members, ownMeaning) = SortedLines.halves(of: rest, at: UInt8(ascii: "\t"))
  }

  /// Every set, in the order of their names.
  public static var all: [SQLStateSet] {
    SortedLines(SQLStateTable.sets).lines(beginningWith: "").map(SQLStateSet.init(line:))
  }

  /// Whether the code, defined or not, belongs to the set.
  public func contains(_ code: SQLState) -> Bool { contains(code, retry: code.retry.answer) }

  /// Whether the code belongs to the set, if this is the answer of its retry rule.
  func contains(_ code: SQLState, retry: RetryRule.Answer) -> Bool {
    var isMember = false
    var rest = members
    while !rest.isEmpty {
      let (member, others) = SortedLines.halves(of: rest, at: UInt8(ascii: ","))
      rest = others
      switch member.utf8.first {
      case UInt8(ascii: "!"):
        if code.begins(with: member.dropFirst()) { return false }
      case UInt8(ascii: "="):
        if RetryRule.Answer(word: member.dropFirst()) == retry { return true }
      default:
        if code.begins(with: member) { isMember = true }
      }
    }
    return isMember
  }
}

extension SQLState {
  /// The sets that the code belongs to, in the order of their names.
  public var sets: [SQLStateSet] { SQLStateSet.all.filter { $0.contains(self) } }

  /// Whether the code's first characters are these.
  fileprivate func begins(with characters: Substring) -> Bool {
    var shift: UInt64 = 40
    for byte in characters.utf8 {
      guard shift > 0 else { return false }
      shift -= 8
      if UInt8(truncatingIfNeeded: packedBytes >> shift) != byte { return false }
    }
    return true
  }
}
