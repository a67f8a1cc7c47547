/// What a code means in plain words: its usual cause, what to do about it, and who should.
///
/// Every code of the table has one. The words are PGKit's own: PostgreSQL's manual names the codes
/// and does not explain them.
public struct SQLStateAdvice: Hashable, Sendable {
  /// Who should act.
  public enum Actor: String, Hashable, Sendable, CaseIterable {
    /// The authors of the statement or of the program that sent it.
    case application = "application"
    /// Those who run the server.
    case operators = "operator"
    /// The developers of PostgreSQL, of the driver or of an extension.
    case developers = "PostgreSQL developers"
  }

  /// What usually leads to the code, as one sentence.
  public let cause: String
  /// What helps, as one sentence.
  public let action: String
  /// Who should act.
  public let actor: Actor
  /// A query that shows more, with names such as `the_table` to be filled in.
  public let query: String?

  /// Makes advice of one's own, for an application's code.
  public init(cause: String, action: String, actor: Actor = .application, query: String? = nil) {
    self.cause = cause
    self.action = action
    self.actor = actor
    self.query = query
  }

  /// Reads a line of the table: code and actor, then cause, action and query with tabs between.
  init?(line: Substring) {
    let fields = SortedLines.fields(of: line)
    guard fields.count == 4 else { return nil }
    cause = fields[1]
    action = fields[2]
    query = fields[3] == "-" ? nil : fields[3]
    switch fields[0].utf8.last {
    case UInt8(ascii: "A"): actor = .application
    case UInt8(ascii: "O"): actor = .operators
    default: actor = .developers
    }
  }
}

extension SQLStateDefinition {
  /// What the code means in plain words; `nil` only for an application's code that has no words.
  public var advice: SQLStateAdvice? { code.advice }

  /// The condition, or else the name, as words: `unique violation`.
  public var summary: String {
    guard let condition else { return SQLStateDefinition.words(name) }
    return condition.split(separator: "_").joined(separator: " ")
  }

  /// The words of a name in capitals and small letters: `DriverError` is `driver error`.
  private static func words(_ name: String) -> String {
    var words = ""
    var last: Character = "_"
    for letter in name {
      if letter.isUppercase, last.isLowercase { words += " " }
      words += letter.lowercased()
      last = letter
    }
    return words
  }
}

extension SQLState {
  /// What this very code means in plain words, if it is in the table.
  var advice: SQLStateAdvice? {
    SortedLines(SQLStateTable.advice).line(of: description).flatMap(SQLStateAdvice.init(line:))
  }
}
