/// What is copied from a server: a table, what looks like one, or the rows of a query.
public enum CopySource: Hashable, Sendable {
  /// A table, or some columns of it.
  case table(CopyTable)
  /// A view, a partitioned or a foreign table: COPY reads its rows only through a query.
  case view(CopyTable)
  /// A query's text, without a semicolon at its end.
  case query(String)

  /// Tells a table's name from a query: what is a name, with an optional list of columns, names a
  /// table, unless it is the bare word that a query begins with.
  public init(parsing text: String) {
    if let table = CopyTable(parsing: text), !Self.beginsQuery(table, text) {
      self = .table(table)
    } else {
      self = .query(Self.trimmed(text))
    }
  }

  /// The table, or what looks like one; `nil` for a query.
  public var table: CopyTable? {
    switch self {
    case .table(let table), .view(let table): table
    case .query: nil
    }
  }

  /// The statement that gives the data.
  ///
  /// - Parameters:
  ///   - format: The data's format.
  ///   - encoding: The data's encoding; `nil` is the session's.
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if a name holds a NUL.
  public func copyOut(
    _ format: CopyFormat = .text, encoding: String? = nil
  ) throws(PGError) -> String {
    switch self {
    case .table(let table): return try table.copyOut(format, encoding: encoding)
    case .view(let table):
      let query = CopySource.query(
        "SELECT \(try table.quotedColumns()) FROM \(try table.quotedName())")
      return try query.copyOut(format, encoding: encoding)
    case .query(let text):
      // The newline ends a comment that the query may end with.
      let options = try CopyTable.options(format, encoding)
      return "COPY (\(text)\n) TO STDOUT WITH (\(options))"
    }
  }

  /// The rows of a table that lie in some of its blocks, which a server finds without reading the others.
  ///
  /// Under one snapshot, the parts of a table are together its rows, each once.
  ///
  /// - Parameters:
  ///   - table: A table that has blocks: no view, no partitioned and no foreign table.
  ///   - blocks: The numbers of the blocks; without an end, also those that are added.
  ///   - end: The first block that is not meant any more.
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if a name holds a NUL.
  ///
  /// Source: PostgreSQL manual, "System Columns", ctid; version 14 and later read only these blocks.
  public static func part(
    of table: CopyTable, blocks: PartialRangeFrom<Int>, upTo end: Int? = nil
  ) throws(PGError) -> CopySource {
    let upper = end.map { " AND ctid < '(\($0),0)'::pg_catalog.tid" } ?? ""
    return .query(
      "SELECT \(try table.quotedColumns()) FROM ONLY \(try table.quotedName()) "
        + "WHERE ctid >= '(\(blocks.lowerBound),0)'::pg_catalog.tid\(upper)")
  }

  private static let queryWords: Set<String> = ["select", "table", "values", "with"]

  private static func beginsQuery(_ table: CopyTable, _ text: String) -> Bool {
    guard table.path.count == 1, let word = table.path.first else { return false }
    return queryWords.contains(word) && !text.contains("\"\(word)\"")
  }

  private static func trimmed(_ text: String) -> String {
    var rest = Substring(text)
    while let last = rest.last, last == ";" || last.isWhitespace { rest.removeLast() }
    return String(rest)
  }
}

extension Connection {
  /// Works out what `source` is before anything is copied.
  ///
  /// A table without a list of columns gets one: those that have data of their own, so that they
  /// are matched by name where they arrive. A query is checked to be one statement by itself, so
  /// that it cannot end the COPY that it is put into.
  ///
  /// - Throws: ``PGError``: the server's, if there is no such table or the query is not one.
  public func resolve(_ source: CopySource) throws(PGError) -> CopySource {
    switch source {
    case .query(let text):
      let statement = try prepare(text)
      try statement.close()
      return source
    case .table(var table), .view(var table):
      if table.columns.isEmpty {
        table.columns = try columns(of: table).filter { !$0.isGenerated }.map(\.name)
      }
      return try isView(table) ? .view(table) : .table(table)
    }
  }

  /// Whether COPY … TO cannot name it.
  private func isView(_ table: CopyTable) throws(PGError) -> Bool {
    let rows = try query.text(
      """
      SELECT relkind FROM pg_catalog.pg_class \
      WHERE oid = $1::pg_catalog.text::pg_catalog.regclass
      """,
      [try table.quotedName()])
    var kind = ""
    while let batch = try rows.next() {
      for row in batch { kind = try row[0, as: String.self] }
    }
    return ["v", "m", "p", "f"].contains(kind)
  }

  /// What tells this table from every other one: its server's start, database and number.
  ///
  /// Two connections that lead to one table by different ways (a socket, an address, a pooler) get
  /// the same answer, and copies of one data directory that run side by side do not.
  ///
  /// - Throws: ``PGError``: the server's, if there is no such table.
  public func identity(of table: CopyTable) throws(PGError) -> String {
    let rows = try query.text(
      """
      SELECT pg_catalog.concat_ws('/', pg_catalog.date_part('epoch', \
      pg_catalog.pg_postmaster_start_time()), pg_catalog.current_setting('port'), d.oid, \
      $1::pg_catalog.text::pg_catalog.regclass::pg_catalog.oid) FROM pg_catalog.pg_database d \
      WHERE d.datname = pg_catalog.current_database()
      """, [try table.quotedName()])
    var identity = ""
    while let batch = try rows.next() {
      for row in batch { identity = try row[0, as: String.self] }
    }
    return identity
  }
}
