/// The first thing that a statement gives.
///
/// In py-postgresql: what `ps.first(...)` gives.
public enum FirstResult: Sendable {
  /// Nothing: a query without rows, or an empty statement.
  case none
  /// The value of the only column, in the first row.
  case value(PGValue)
  /// The first row, where there are several columns.
  case row(Row)
  /// How many rows were changed, copied or, where there are no columns, selected.
  case count(Int)
  /// What a statement without rows or a count said of itself: `CREATE TABLE`.
  case tag(String)
}

extension Chunks {
  /// The first row, with the rest dropped as it arrives.
  func first() throws(PGError) -> Row? { try running.first(on: connection) }

  /// What is first, by py-postgresql's rules.
  func firstResult() throws(PGError) -> FirstResult {
    let row = try first()
    if columns.isEmpty {
      guard let tag, !tag.description.isEmpty else { return .none }
      return tag.rowCount.map { .count($0) } ?? .tag(tag.name)
    }
    guard let row else { return .none }
    return row.count == 1 ? .value(try row[0]) : .row(row)
  }
}
