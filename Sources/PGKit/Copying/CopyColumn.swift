/// A column of what is copied, or of what it is copied into.
public struct CopyColumn: Hashable, Sendable {
  /// Its name.
  public let name: String
  /// Its type.
  public let type: TypeOID
  /// Its type as SQL writes it, with the length: `character varying(20)`.
  public let typeName: String
  /// Whether the table works its values out itself, so that none can be stored.
  public let isGenerated: Bool
  /// Whether it is an identity column.
  public let isIdentity: Bool
  /// Whether a row needs a value for it: it is not null and has no default.
  public let isRequired: Bool
}

extension Connection {
  /// The columns of a table in the order of its list, or without one in their own order, generated ones
  /// included.
  ///
  /// - Throws: ``PGError``: the server's, if there is no such table; 42703 if there is no such column.
  public func columns(of table: CopyTable) throws(PGError) -> [CopyColumn] {
    // As JSON, because older servers lack some of these.
    let rows = try query(
      """
      SELECT a.attname::text, a.atttypid::bigint, pg_catalog.format_type(a.atttypid, a.atttypmod),
        coalesce(pg_catalog.to_jsonb(a) ->> 'attgenerated', '') <> '',
        coalesce(pg_catalog.to_jsonb(a) ->> 'attidentity', '') <> '', a.attnotnull, a.atthasdef
      FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = $1::pg_catalog.text::pg_catalog.regclass
        AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
      """, try table.quotedName())
    var all: [CopyColumn] = []
    for row in rows {
      let (isGenerated, isIdentity) = (try row[3, as: Bool.self], try row[4, as: Bool.self])
      let hasDefault = try row[6, as: Bool.self] || isIdentity
      all.append(
        CopyColumn(
          name: try row[0, as: String.self],
          type: TypeOID(rawValue: UInt32(clamping: try row[1, as: Int.self])),
          typeName: try row[2, as: String.self], isGenerated: isGenerated,
          isIdentity: isIdentity, isRequired: try row[5, as: Bool.self] && !hasDefault))
    }
    if table.columns.isEmpty { return all }
    var listed: [CopyColumn] = []
    for name in table.columns {
      guard let column = all.first(where: { $0.name == name }) else {
        throw PGError(
          code: .undefinedColumn,
          message: "\(try table.quotedName()) has no column \(try SQL.quoteIdentifier(name))",
          fault: .server)
      }
      listed.append(column)
    }
    return listed
  }

  /// The columns of a query's rows.
  ///
  /// - Throws: ``PGError``: the server's, if it is not one statement that gives rows.
  public func columns(ofQuery text: String) throws(PGError) -> [CopyColumn] {
    let statement = try prepare(text)
    let names = try statement.sqlColumnTypes() ?? []
    let columns = statement.columns
    try statement.close()
    return zip(columns, names).map { column, typeName in
      CopyColumn(
        name: column.name, type: column.type, typeName: typeName, isGenerated: false,
        isIdentity: false, isRequired: false)
    }
  }
}
