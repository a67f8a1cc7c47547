// A row as a mapping from names to values, and as a sequence of values.
//
// Where two columns have the same name, the first one answers to it; all of them are among the values.
// (In py-postgresql the last one wins and the row becomes shorter.)

extension Row {
  /// The columns' names, in order.
  public var keys: [String] { columnNames }

  /// The values, in the order of the columns.
  ///
  /// - Throws: ``PGError`` `--CIO` if a value's bytes are no value of its type.
  public func values() throws(PGError) -> [PGValue] {
    var values: [PGValue] = []
    for index in 0..<count { values.append(try self[index]) }
    return values
  }

  /// The names with their values, in the order of the columns.
  public func items() throws(PGError) -> [(name: String, value: PGValue)] {
    Array(zip(columnNames, try values()).map { (name: $0, value: $1) })
  }

  /// A column's value, or `fallback` if there is no such column.
  public func get(_ index: Int, default fallback: PGValue = .null) throws(PGError) -> PGValue {
    (0..<count).contains(index) ? try self[index] : fallback
  }

  /// The value of the first column named `name`, or `fallback` if there is none.
  public func get(_ name: String, default fallback: PGValue = .null) throws(PGError) -> PGValue {
    guard let index = index(of: name) else { return fallback }
    return try self[index]
  }

  /// Whether a value is among the row's.
  public func contains(_ value: PGValue) throws(PGError) -> Bool {
    try values().contains(value)
  }

  /// The name of a column; `nil` if there is no such column.
  ///
  /// In py-postgresql: `key_from_index`.
  public func key(at index: Int) -> String? {
    columns.indices.contains(index) ? columns[index].name : nil
  }

  /// The row's values, taken out of it.
  public func record() throws(PGError) -> PGRecord {
    PGRecord(columnNames: columnNames, values: try values(), types: columns.map(\.pgType))
  }

  /// A record of the same columns, with values changed by position; `nil` leaves one as it is.
  ///
  /// ```swift
  /// let record = try row.transform(nil, { $0.description.uppercased() })
  /// ```
  ///
  /// - Throws: ``PGError`` `--CIO` if there are more functions than columns, and what they throw.
  public func transform(_ functions: PGRecord.Function?...) throws -> PGRecord {
    try record().transform(functions)
  }

  /// A record of the same columns, with values changed by name.
  ///
  /// - Throws: ``PGError`` `--CIO` if there is no column of a name, and what the functions throw.
  public func transform(_ functions: [String: PGRecord.Function]) throws -> PGRecord {
    try record().transform(functions)
  }
}
