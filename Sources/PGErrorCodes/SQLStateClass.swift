/// A class of codes: what the first two of the five characters say.
///
/// Source: PostgreSQL manual, Appendix A; the classes of the driver's own codes are PGKit's.
public struct SQLStateClass: Hashable, Sendable {
  /// The two characters, such as `23`.
  public let characters: String
  /// The title, such as `Integrity Constraint Violation`.
  public let title: String

  /// Finds the class with these two characters; `nil` if there is none.
  public init?(_ characters: some StringProtocol) {
    let line = SortedLines(SQLStateTable.classes).line(of: String(characters))
    guard let line else { return nil }
    self.init(line: line)
  }

  /// Finds the class of a code; `nil` if the code's class is unknown.
  public init?(of code: SQLState) { self.init(code.classCharacters) }

  private init(line: Substring) {
    characters = String(line.prefix(2))
    title = String(line.dropFirst(3))
  }

  /// Every class, in the order of the characters.
  public static var all: [SQLStateClass] {
    SortedLines(SQLStateTable.classes).lines(beginningWith: "").map(SQLStateClass.init(line:))
  }

  /// The class's own code: its characters followed by `000`.
  public var code: SQLState? { SQLState(characters + "000") }

  /// The definitions of the class's codes, in their order.
  public var members: [SQLStateDefinition] {
    SortedLines(SQLStateTable.records).lines(beginningWith: characters).compactMap(
      SQLStateDefinition.init(line:))
  }
}
