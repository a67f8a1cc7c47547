internal import PGErrorCodes

/// A row of `--list`: code, condition, name, class, severity, since, until, with tabs between.
enum ListReport {
  static func line(_ definition: SQLStateDefinition) -> String {
    let columns = [
      definition.code.description, definition.condition, definition.name,
      definition.code.classCharacters, definition.severity.rawValue,
      definition.since.map(String.init), definition.until.map(String.init),
    ]
    return columns.map { $0 ?? "" }.joined(separator: "\t")
  }
}
