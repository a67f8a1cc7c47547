internal import PGErrorCodes

/// Rows of `--list` and `--search`: code, condition, name, class, severity, since, until, retry.
///
/// With tabs between; on a terminal a table.
enum ListReport {
  static func lines(_ definitions: [SQLStateDefinition], _ sources: Sources) -> String {
    let rows = definitions.map { columns($0, sources) }
    return Terminal.isOutput
      ? ColumnTable.lines([heading] + rows)
      : rows.reduce("") { $0 + $1.joined(separator: "\t") + "\n" }
  }

  private static let heading = [
    "CODE", "CONDITION", "NAME", "CLASS", "SEVERITY", "SINCE", "UNTIL", "RETRY",
  ]

  private static func columns(
    _ definition: SQLStateDefinition, _ sources: Sources
  ) -> [String] {
    [
      definition.code.description, definition.condition ?? "", definition.name,
      definition.code.classCharacters, definition.severity.rawValue,
      definition.since.map(String.init) ?? "", definition.until.map(String.init) ?? "",
      sources.catalogue.retry(of: definition.code).answer.rawValue,
    ]
  }
}
