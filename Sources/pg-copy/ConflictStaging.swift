internal import PGCommandLine
internal import PGKit

/// The temporary table that rows come into first, where some may have keys that are there already.
enum ConflictStaging {
  private static let name = "pgkit_copy"

  /// What became of the rows.
  struct Merge {
    /// How many were stored or changed.
    let rows: Int
    /// Whether each that came was to be.
    let takesAll: Bool
  }

  /// What becomes of a row whose key is there.
  private struct Answer {
    let clause: String
    /// Whether it changes the one that is there, so that no row is left out by it.
    let takesAll: Bool
  }

  /// The table, with the receiver's columns.
  static func table(_ receiver: Receiver) -> CopyTable {
    CopyTable(["pg_temp", name], columns: receiver.table.columns)
  }

  /// Makes it; it goes with the transaction.
  static func create(_ receiver: Receiver, _ connection: Connection) throws(PGError) {
    let target = try receiver.table.quotedName()
    let columns = try receiver.table.quotedColumns()
    try connection.execute(
      """
      CREATE TEMPORARY TABLE \(name) ON COMMIT DROP AS SELECT \(columns) FROM \(target) WITH NO DATA
      """)
  }

  /// Takes the rows over from it.
  static func merge(
    _ receiver: Receiver, _ answer: ConflictAnswer, _ connection: Connection
  ) throws(PGError) -> Merge {
    let columns = try receiver.table.quotedColumns()
    let target = try receiver.table.quotedName()
    let overriding =
      receiver.columns.contains(where: \.isIdentity) ? " OVERRIDING SYSTEM VALUE" : ""
    let answer = try self.answer(answer, of: receiver, connection)
    let rows = try connection.query(
      """
      WITH stored AS (INSERT INTO \(target) (\(columns))\(overriding)
        SELECT \(columns) FROM pg_temp.\(name) \(answer.clause) RETURNING 1)
      SELECT count(*) FROM stored
      """)
    return Merge(rows: try rows.row(at: 0)[0, as: Int.self], takesAll: answer.takesAll)
  }

  private static func answer(
    _ answer: ConflictAnswer, of receiver: Receiver, _ connection: Connection
  ) throws(PGError) -> Answer {
    if answer == .nothing { return Answer(clause: "ON CONFLICT DO NOTHING", takesAll: false) }
    let key = try key(of: receiver.table, connection)
    let changed = receiver.table.columns.filter { !key.contains($0) }
    var names: [String] = []
    for column in key { names.append(try SQL.quoteIdentifier(column)) }
    let place = names.joined(separator: ", ")
    if changed.isEmpty {
      return Answer(clause: "ON CONFLICT (\(place)) DO NOTHING", takesAll: false)
    }
    var changes: [String] = []
    for column in changed {
      let quoted = try SQL.quoteIdentifier(column)
      changes.append("\(quoted) = EXCLUDED.\(quoted)")
    }
    return Answer(
      clause: "ON CONFLICT (\(place)) DO UPDATE SET \(changes.joined(separator: ", "))",
      takesAll: true)
  }

  /// The columns of the primary key, or of the only unique index.
  private static func key(
    of table: CopyTable, _ connection: Connection
  ) throws(PGError) -> [String] {
    let rows = try connection.query(
      """
      SELECT i.indisprimary, (SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.place)
        FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
        WHERE k.place <= i.indnkeyatts)
      FROM pg_catalog.pg_index i
      WHERE i.indrelid = $1::pg_catalog.text::pg_catalog.regclass AND i.indisunique AND i.indisvalid
        AND i.indpred IS NULL AND i.indexprs IS NULL
      ORDER BY i.indisprimary DESC
      """, try table.quotedName())
    var isClear = rows.count == 1
    if rows.count > 1 { isClear = try rows[0][0, as: Bool.self] }
    guard isClear, let row = rows.first else {
      throw PGError(
        code: .invalidColumnReference,
        message:
          "\(table.path.joined(separator: ".")) has no primary key, and \(rows.count) other unique keys",
        fault: .server, hint: "--on-conflict update needs to know which key decides")
    }
    return try row[1, as: [String].self]
  }
}
