/// What is known of one code: PostgreSQL's names for it, py-postgresql's, and its place among them.
///
/// Sources: PostgreSQL's `errcodes.txt` (manual, Appendix A) and py-postgresql's
/// `postgresql.exceptions`; codes that the latter lacks have names in its style.
public struct SQLStateDefinition: Hashable, Sendable {
  /// What a code says of the statement it comes with.
  public enum Severity: String, Sendable {
    /// The statement failed.
    case error
    /// The statement went on.
    case warning
    /// The statement is complete.
    case success
  }

  /// Where ``name`` comes from.
  enum NameOrigin {
    case pyPostgreSQL, unreachable, pgKit
    /// A file of a project.
    case project

    /// Reads the letter of the table.
    fileprivate init?(letter: String) {
      switch letter.utf8.first {
      case UInt8(ascii: "p"): self = .pyPostgreSQL
      case UInt8(ascii: "u"): self = .unreachable
      case UInt8(ascii: "k"): self = .pgKit
      default: return nil
      }
    }
  }

  /// The code.
  public let code: SQLState
  /// What the code says of the statement.
  public let severity: Severity
  /// The first major version of the server with this code; `nil` if every supported one has it.
  public let since: Int?
  /// The last major version of the server with this code; `nil` if it is still there.
  public let until: Int?
  /// The condition's name, as in `EXCEPTION WHEN unique_violation`; `nil` for a driver's code.
  public let condition: String?
  /// The server's C macros, as in `ERRCODE_UNIQUE_VIOLATION`; the first is the usual one.
  public let macros: [String]
  /// The exception's name, as in py-postgresql's `UniqueError`.
  public let name: String
  /// The names from which ``name`` descends directly.
  public let parents: [String]

  /// The name in Swift, as ``SQLState`` has it: `uniqueViolation`.
  package let swiftName: String

  let origin: NameOrigin

  /// Reads a line of ``SQLStateTable/records``.
  init?(line: Substring) {
    let words = SortedLines.words(of: line)
    guard words.count == 10, let code = SQLState(words[0]),
      let origin = NameOrigin(letter: words[8])
    else { return nil }
    self.code = code
    severity = words[1] == "E" ? .error : words[1] == "W" ? .warning : .success
    since = Int(words[2])
    until = Int(words[3])
    condition = words[4] == "-" ? nil : words[4]
    macros = SQLStateDefinition.list(words[5]).map { macro in
      "ERRCODE_" + (macro == "=" ? words[4].uppercased() : macro)
    }
    name = words[6]
    parents = SQLStateDefinition.list(words[7])
    swiftName = words[9]
    self.origin = origin
  }

  /// Makes a definition of a project's own code.
  init(
    code: SQLState, severity: Severity, condition: String?, macros: [String], name: String,
    parents: [String], since: Int? = nil, until: Int? = nil
  ) {
    self.code = code
    self.severity = severity
    self.condition = condition
    self.macros = macros
    self.name = name
    self.parents = parents
    self.since = since
    self.until = until
    swiftName = code.definition?.swiftName ?? SQLStateDefinition.swiftName(condition, macros, name)
    origin = .project
  }

  /// The same definition of a project's own code, descending from others.
  func with(parents: [String]) -> SQLStateDefinition {
    SQLStateDefinition(
      code: code, severity: severity, condition: condition, macros: macros, name: name,
      parents: parents, since: since, until: until)
  }

  /// Every name from which ``name`` descends, nearest first; the last is `Error` or `Warning`.
  public var ancestors: [String] {
    SQLStateDefinition.ancestors(below: parents, parentsOf: SQLStateDefinition.parents(of:))
  }

  /// Every name from which something with these parents descends, nearest first.
  static func ancestors(
    below parents: [String], parentsOf: (String) -> [String]
  ) -> [String] {
    var found = parents
    var next = 0
    while next < found.count {
      for parent in parentsOf(found[next]) where !found.contains(parent) { found.append(parent) }
      next += 1
    }
    return found
  }

  static func parents(of name: String) -> [String] {
    if let line = SortedLines(SQLStateTable.groups).line(of: name) {
      return list(SortedLines.words(of: line)[1])
    }
    let definitions = SQLState.named(name).lazy.compactMap(\.definition)
    return definitions.first { $0.name == name }?.parents ?? []
  }

  /// The condition's words together, or those of the macro; or else the name.
  private static func swiftName(_ condition: String?, _ macros: [String], _ name: String) -> String
  {
    let macro = macros.first.map { $0.dropFirst("ERRCODE_".count).lowercased() }
    guard let words = (condition ?? macro)?.split(separator: "_"), let first = words.first else {
      return name.prefix(1).lowercased() + name.dropFirst()
    }
    return words.dropFirst().reduce(String(first)) {
      $0 + $1.prefix(1).uppercased() + $1.dropFirst()
    }
  }

  private static func list(_ word: String) -> [String] {
    word == "-" ? [] : SortedLines.parts(of: word)
  }
}
