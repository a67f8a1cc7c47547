/// An exception's name and code, as py-postgresql's lookup answers.
///
/// The rule: the code itself, or else its class (the first two characters and `000`), or else the
/// root (`Error`, `Warning`). Only py-postgresql's own names take part, so that the answers are the
/// same as there; ``SQLState/definition`` knows the codes that py-postgresql lacks too.
///
/// In py-postgresql: `postgresql.exceptions.ErrorLookup` and `WarningLookup`.
public struct ExceptionName: Hashable, Sendable, CustomStringConvertible {
  /// The name, such as `UniqueError`.
  public let name: String
  /// The code that the name stands for; `nil` for the root of all errors.
  public let code: SQLState?

  /// Looks up an error's name; `characters` need not have the form of a code.
  public static func error(for characters: some StringProtocol) -> ExceptionName {
    lookup(characters, severity: .error) ?? ExceptionName(name: "Error", code: nil)
  }

  /// Looks up a warning's name; `characters` need not have the form of a code.
  public static func warning(for characters: some StringProtocol) -> ExceptionName {
    lookup(characters, severity: .warning) ?? ExceptionName(name: "Warning", code: .warning)
  }

  /// The name and the code in brackets, as in `UniqueError [23505]`.
  public var description: String { "\(name) [\(code.map(\.description) ?? "")]" }

  private static func lookup(
    _ characters: some StringProtocol, severity: SQLStateDefinition.Severity
  ) -> ExceptionName? {
    let exact = SQLState(characters)
    let candidates = [exact, exact?.successor, SQLState(characters.prefix(2) + "000")]
    for case .some(let code) in candidates {
      guard let found = code.definition, found.origin == .pyPostgreSQL, found.severity == severity
      else { continue }
      return ExceptionName(name: found.name, code: found.code)
    }
    return nil
  }
}
