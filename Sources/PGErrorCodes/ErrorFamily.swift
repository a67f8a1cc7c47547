/// Everything that descends from one name of py-postgresql's tree, for catching by an ancestor.
///
/// A family has the codes of a class (`ConnectionError`), a single code (`UniqueError`), or those
/// of a group that cuts across classes and has no code of its own (`Disconnection`,
/// `UndefinedError`):
///
/// ```swift
/// do { try db.execute(sql) }
/// catch ErrorFamily.undefined { … }          // a table, a column, a function, …
/// catch ErrorFamily.disconnection { … }      // the session has ended, for whatever reason
/// ```
///
/// In py-postgresql: `except UndefinedError`.
public struct ErrorFamily: Hashable, Sendable, ExpressibleByStringLiteral {
  /// The name at the root of the family, in py-postgresql's spelling where it is a name of its tree.
  public let name: String
  /// The codes that the name means by itself; empty for a group.
  private let codes: [SQLState]

  /// Finds a family: any name that ``SQLState/named(_:)`` understands, a group's name, `Error` or
  /// `Warning`; letters may be large or small.
  public init?(_ name: some StringProtocol) {
    if let group = ErrorGroup(String(name)) {
      self.init(group.name, [])
    } else {
      let codes = SQLState.named(name)
      guard let first = codes.first?.definition else { return nil }
      let isTreeName = first.name.lowercased() == name.lowercased()
      self.init(isTreeName ? first.name : String(name), codes)
    }
  }

  /// Makes a family of a literal; a name that does not exist is a programmer's mistake and stops
  /// the program.
  public init(stringLiteral name: StaticString) {
    guard let family = ErrorFamily("\(name)") else {
      preconditionFailure("no error has the name \(name)")
    }
    self = family
  }

  private init(_ name: String, _ codes: [SQLState]) {
    self.name = name
    self.codes = codes
  }

  /// Whether the code, or the definition nearest to it, descends from the family's root.
  ///
  /// The tree decides, not the code's characters: `-Cwrn` is a `Warning` among the cluster's errors.
  public func contains(_ code: SQLState) -> Bool {
    guard let nearest = code.nearestDefinition else { return name == "Error" }
    let roots = roots
    return nearest.name == name || codes.contains(nearest.code)
      || nearest.ancestors.contains(where: roots.contains)
  }

  /// The family's name, and those of the tree that its codes have.
  private var roots: [String] { [name] + codes.compactMap { $0.definition?.name } }

  /// Whether the code belongs to the family, as a pattern.
  public static func ~= (family: ErrorFamily, code: SQLState) -> Bool { family.contains(code) }

  /// The session has ended, or never began, whatever the class.
  public static let disconnection: ErrorFamily = "Disconnection"
  /// A transaction could not begin, go on or end.
  public static let transaction: ErrorFamily = "TransactionError"
  /// A type is not the one that its place needs.
  public static let type: ErrorFamily = "TypeError"
  /// Something that is named does not exist.
  public static let undefined: ErrorFamily = "UndefinedError"
  /// Something of this name is there already.
  public static let duplicate: ErrorFamily = "DuplicateError"
  /// A name could mean several things.
  public static let ambiguity: ErrorFamily = "AmbiguityError"
  /// A definition is not valid.
  public static let definition: ErrorFamily = "DefinitionError"
  /// A statement's, cursor's, database's or schema's name is unknown.
  public static let name: ErrorFamily = "NameError"
}
