/// A named set of codes, such as `constraint` or `retryable`, for questions that shells and programs
/// ask.
public struct SQLStateSet: Hashable, Sendable {
  /// The name, such as `constraint`.
  public let name: String
  /// What its members say, in a few words.
  public let meaning: String
  /// What members begin with; after `!`, what members do not begin with.
  private let beginnings: [String]
  /// The answers of the retry rules of members; `nil` for a set that goes by beginnings.
  private let answers: [RetryRule.Answer]?

  /// Finds a set by its name; `integrity` is another name of `constraint`.
  public init?(_ name: some StringProtocol) {
    let name = SQLStateSet.properName(name)
    if let set = SQLStateSet.retrySets.first(where: { $0.name == name }) {
      self = set
    } else if let line = SortedLines(SQLStateTable.sets).line(of: name) {
      self.init(line: line)
    } else {
      return nil
    }
  }

  /// The name of a set that has two.
  static func properName(_ name: some StringProtocol) -> String {
    name == "integrity" ? "constraint" : String(name)
  }

  private init(line: Substring) {
    let fields = SortedLines.fields(of: line)
    let words = SortedLines.words(of: (fields.first ?? "")[...])
    name = words.first ?? ""
    beginnings = words.dropFirst().first.map(SortedLines.parts(of:)) ?? []
    meaning = fields.last ?? ""
    answers = nil
  }

  private init(_ name: String, _ answers: [RetryRule.Answer], _ meaning: String) {
    self.name = name
    self.answers = answers
    self.meaning = meaning
    beginnings = []
  }

  /// Every set, in the order of their names.
  public static var all: [SQLStateSet] {
    (SortedLines(SQLStateTable.sets).lines(beginningWith: "").map(SQLStateSet.init(line:))
      + retrySets).sorted { $0.name < $1.name }
  }

  private static var retrySets: [SQLStateSet] {
    [
      SQLStateSet("ambiguous", [.ambiguous], "the work may have taken effect: look first"),
      SQLStateSet("retryable", [.now, .later], "nothing took effect, and it may succeed again"),
      SQLStateSet("retryable-later", [.later], "the same may succeed when something has changed"),
      SQLStateSet("retryable-now", [.now], "the same may succeed at once"),
    ]
  }

  /// Whether the code, defined or not, belongs to the set.
  public func contains(_ code: SQLState) -> Bool { contains(code, retry: code.retry.answer) }

  /// Whether the code belongs to the set, if this is the answer of its retry rule.
  func contains(_ code: SQLState, retry: RetryRule.Answer) -> Bool {
    if let answers { return answers.contains(retry) }
    let text = code.description
    var isMember = false
    for beginning in beginnings {
      if beginning.utf8.first == UInt8(ascii: "!") {
        if text.utf8.starts(with: beginning.utf8.dropFirst()) { return false }
      } else if text.utf8.starts(with: beginning.utf8) {
        isMember = true
      }
    }
    return isMember
  }
}

extension SQLState {
  /// The sets that the code belongs to, in the order of their names.
  public var sets: [SQLStateSet] { SQLStateSet.all.filter { $0.contains(self) } }
}
