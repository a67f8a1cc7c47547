/// Runs statements once, without keeping them: `db.query("…", …)`, `db.query.rows("…", …)`.
///
/// In py-postgresql: `db.query`.
public struct OneShot {
  let connection: Connection

  /// Runs a statement and gives all of its rows.
  ///
  /// - Throws: ``PGError``: `--PIO` if a value does not fit its parameter, or the server's.
  @discardableResult
  public func callAsFunction(
    _ sql: String, _ parameters: (any PGEncodable)?...
  ) throws(PGError) -> QueryResult {
    try chunks(sql, with: parameters).collect()
  }

  /// Runs a statement and gives its rows as they arrive, one by one.
  public func rows(_ sql: String, _ parameters: (any PGEncodable)?...) throws(PGError) -> Rows {
    Rows(try chunks(sql, with: parameters))
  }

  /// Runs a statement and gives its rows as they arrive, in batches.
  public func chunks(_ sql: String, _ parameters: (any PGEncodable)?...) throws(PGError) -> Chunks {
    try chunks(sql, with: parameters)
  }

  /// Runs a statement and gives the values of its first column as they arrive.
  public func column<Value: PGColumnValue>(
    _ sql: String, _ parameters: (any PGEncodable)?..., as type: Value.Type = Value.self
  ) throws(PGError) -> ColumnValues<Value> {
    ColumnValues(try chunks(sql, with: parameters))
  }

  /// Runs a statement and gives the first value, row, or count of rows.
  public func first(
    _ sql: String, _ parameters: (any PGEncodable)?...
  ) throws(PGError) -> FirstResult {
    try chunks(sql, with: parameters).firstResult()
  }

  /// Runs a statement and gives the first column of its first row, if there is one.
  public func first<Value: PGColumnValue>(
    _ sql: String, _ parameters: (any PGEncodable)?..., as type: Value.Type
  ) throws(PGError) -> Value? {
    guard let row = try chunks(sql, with: parameters).first() else { return nil }
    return .some(try row.value(0, as: type))
  }

  /// Runs a statement and gives the first columns of its first row, if there is one, as a tuple.
  public func first<each Value: PGColumnValue>(
    _ sql: String, _ parameters: (any PGEncodable)?..., as type: (repeat each Value).Type
  ) throws(PGError) -> (repeat each Value)? {
    guard let row = try chunks(sql, with: parameters).first() else { return nil }
    let values: (repeat each Value) = try row.decode(each: repeat (each Value).self)
    return values
  }

  /// Runs a query and leaves its rows on the server, to be read in any order.
  public func declare(_ sql: String, _ parameters: (any PGEncodable)?...) throws(PGError) -> Cursor
  {
    let statement = try connection.prepare(sql)
    return try statement.declare(binding: statement.bind(parameters))
  }

  /// Runs a statement once for each row of parameters.
  ///
  /// - Returns: How many rows were changed altogether.
  @discardableResult
  public func loadRows(
    _ sql: String, _ rows: some Sequence<[(any PGEncodable)?]>
  ) throws(PGError) -> Int {
    try connection.prepare(sql).loadRows(rows)
  }

  /// Runs a COPY … FROM STDIN with these lines.
  ///
  /// - Returns: How many rows were stored.
  @discardableResult
  public func loadLines(_ sql: String, _ lines: some Sequence<[UInt8]>) throws(PGError) -> Int {
    try connection.prepare(sql).loadLines(lines)
  }

  /// Runs a statement once for each row of parameters, each chunk in one round trip.
  ///
  /// - Returns: How many rows were changed altogether.
  @discardableResult
  public func loadChunks(
    _ sql: String, _ chunks: some Sequence<[[(any PGEncodable)?]]>
  ) throws(PGError) -> Int {
    try connection.prepare(sql).loadChunks(chunks)
  }

  /// Runs a statement once for each row that another one gives.
  ///
  /// - Returns: How many rows were changed altogether.
  @discardableResult
  public func loadChunks(_ sql: String, _ chunks: Chunks) throws(PGError) -> Int {
    try connection.prepare(sql).loadChunks(chunks)
  }

  /// Runs a COPY … FROM STDIN with the data of a COPY … TO STDOUT.
  ///
  /// - Returns: How many rows were stored.
  @discardableResult
  public func loadChunks(_ sql: String, _ source: CopyOutStream) throws(PGError) -> Int {
    try connection.prepare(sql).loadChunks(source)
  }

  /// Runs a statement in a single round trip, everything as text: the values, whose types the server
  /// infers, and the rows.
  ///
  /// - Parameters:
  ///   - sql: The text of the statement.
  ///   - parameters: The values in their types' text form; `nil` for NULL.
  ///   - learnsTypes: Whether to find out first what the columns' types are made of, which takes
  ///     another round trip.
  ///   - deadline: When the server must have sent each batch; the session is over if it has not.
  public func text(
    _ sql: String, _ parameters: [String?] = [], learnsTypes: Bool = false,
    until deadline: Deadline = .never
  ) throws(PGError) -> Chunks {
    if learnsTypes { _ = try connection.describe(sql, name: "") }
    let origin = ErrorOrigin.Creator.statement(sql)
    let running = RunningExecution(
      Execution(
        sql: sql, parameters: try Parameters.bindUntyped(parameters.map { $0 }),
        resultFormats: []),
      columns: nil, types: connection.types, origin: origin,
      observation: connection.observe(.execute, sql, parameters: parameters.map { $0 }),
      deadline: deadline)
    try running.begin(on: connection)
    return Chunks(connection, running)
  }

  func chunks(
    _ sql: String, with values: [(any PGEncodable)?]
  ) throws(PGError) -> Chunks {
    if SQL.copiesStandardStream(sql) { throw .isCopy(sql, on: connection) }
    let origin = ErrorOrigin.Creator.statement(sql)
    let observation = connection.observe(.execute, sql, parameters: values)
    let description: StatementDescription
    let bound: BoundParameters
    do throws(PGError) {
      description = try connection.describe(sql, name: "")
      do throws(PGError) {
        bound = try Parameters.bind(values, to: description.parameterTypes)
      } catch { throw error.inside(origin, of: connection) }
    } catch {
      observation?.ended(.failed(error))
      throw error
    }
    // Parsed once more: after a Sync a pooler may have gone on to another server process, where the unnamed
    // statement is somebody else's.
    let running = RunningExecution(
      Execution(
        sql: sql, parameterTypes: description.parameterTypes.map(\.oid.rawValue),
        columnCount: description.columns.columns.count, parameters: bound,
        resultFormats: description.resultFormats),
      columns: description.columns, origin: origin,
      observation: observation)
    try running.begin(on: connection)
    if !description.givesRows { try running.finish(on: connection) }
    return Chunks(connection, running)
  }
}

extension Connection {
  /// Runs statements once: call it, or one of its ways of giving rows.
  ///
  /// In py-postgresql: `db.query`. On the wire: Parse and Describe, then Parse, Bind and Execute.
  public var query: OneShot { OneShot(connection: self) }

  /// Runs a text of any number of statements; their rows are dropped.
  ///
  /// Outside a transaction block the statements form one transaction. It stops at the first error.
  ///
  /// - Parameters:
  ///   - sql: The statements, with semicolons between them.
  ///   - deadline: When the server must have answered; the session is over if it has not.
  /// - Throws: ``PGError``: the server's; 57014 when the deadline passes.
  ///
  /// In py-postgresql: `db.execute(sql)`. On the wire: Query.
  public func execute(_ sql: String, until deadline: Deadline = .never) throws(PGError) {
    try run(sql, until: deadline)
  }
}
