internal import PGCommandLine
internal import PGKit

/// The columns of a result as an array of JSON: names, types, and whether they can be NULL.
enum SchemaLine {
  /// Writes the line in front of the rows, for a statement that gives some.
  ///
  /// - Throws: ``PGError`` or ``StandardOutput/Failure``.
  static func write(of sql: String, on connection: Connection, to output: RowOutput) throws {
    let statement = try connection.prepare(sql)
    guard statement.givesRows, let types = try statement.sqlColumnTypes() else { return }
    let columns = statement.columns
    let nullable = try nullability(of: columns, on: connection)
    let members = columns.indices.map { index in
      """
      {"name":\(JSONText.quoted(columns[index].name)),"type":\(JSONText.quoted(types[index])),\
      "oid":\(columns[index].type.rawValue),"nullable":\(nullable[index].map { "\($0)" } ?? "null")}
      """
    }
    try output.write("[" + members.joined(separator: ",") + "]\n")
  }

  /// Whether columns that come from a table can be NULL; `nil` for others, of which nobody knows.
  private static func nullability(
    of columns: [Column], on connection: Connection
  ) throws(PGError) -> [Bool?] {
    let places = columns.map { "\($0.tableOID).\($0.attributeNumber)" }
    guard columns.contains(where: { $0.tableOID != 0 }) else { return columns.map { _ in nil } }
    let rows = try connection.query.text(
      """
      SELECT attrelid || '.' || attnum, NOT attnotnull FROM pg_catalog.pg_attribute
        WHERE attrelid = ANY ($1::pg_catalog.oid[])
      """, ["{" + columns.map { "\($0.tableOID)" }.joined(separator: ",") + "}"]
    ).collect()
    var known: [String: Bool] = [:]
    for row in rows { known[try row[0, as: String.self]] = try row[1, as: Bool.self] }
    return places.map { known[$0] }
  }
}
