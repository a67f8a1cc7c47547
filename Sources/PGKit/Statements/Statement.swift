/// A prepared statement.
///
/// It lives on the server until it is closed or, soon after, when the last reference to it goes away.
///
/// ```swift
/// let add = try db.prepare("SELECT $1::int + $2::int")
/// let sum = try add(1, 2)[0][0, as: Int.self]
/// ```
///
/// In py-postgresql: `postgresql.api.Statement`. On the wire: Parse once, then Bind and Execute.
public final class Statement {
  /// The connection that it belongs to.
  public let connection: Connection
  /// The statement's text.
  public let string: String
  /// The statement's name on the server.
  public let statementID: String
  private let description: StatementDescription
  private var isClosed = false

  fileprivate init(
    _ connection: Connection, _ sql: String, name: String, _ description: StatementDescription
  ) {
    self.connection = connection
    string = sql
    statementID = name
    self.description = description
  }

  deinit {
    if !isClosed { connection.discarded.append(.statement(statementID)) }
  }

  /// The parameters' types.
  public var parameterTypes: [TypeOID] { description.parameterTypes }

  /// The columns; none for a statement that gives no rows.
  public var columns: [Column] { description.columns }

  /// The columns' names.
  public var columnNames: [String] { columns.map(\.name) }

  /// Runs the statement and gives all of its rows.
  ///
  /// - Throws: ``PGError``: `--PIO` if a value does not fit its parameter, or the server's.
  public func callAsFunction(_ parameters: (any PGEncodable)?...) throws(PGError) -> QueryResult {
    try chunks(with: parameters).collect()
  }

  /// Runs the statement and gives its rows as they arrive, one by one.
  public func rows(_ parameters: (any PGEncodable)?...) throws(PGError) -> Rows {
    Rows(try chunks(with: parameters))
  }

  /// Runs the statement and gives its rows as they arrive, in batches: the fast way.
  public func chunks(_ parameters: (any PGEncodable)?...) throws(PGError) -> Chunks {
    try chunks(with: parameters)
  }

  /// Runs the statement and gives the values of its first column as they arrive.
  public func column<Value: PGColumnValue>(
    _ parameters: (any PGEncodable)?..., as type: Value.Type = Value.self
  ) throws(PGError) -> ColumnValues<Value> {
    ColumnValues(try chunks(with: parameters))
  }

  /// Runs the statement and gives the first value, row, or count of rows.
  ///
  /// The statement runs to its end; what comes behind the first row is dropped as it arrives.
  public func first(_ parameters: (any PGEncodable)?...) throws(PGError) -> FirstResult {
    try chunks(with: parameters).firstResult()
  }

  /// Runs the statement and gives the first column of its first row, if there is one.
  public func first<Value: PGColumnValue>(
    _ parameters: (any PGEncodable)?..., as type: Value.Type
  ) throws(PGError) -> Value? {
    guard let row = try chunks(with: parameters).first() else { return nil }
    return .some(try row[0, as: type])
  }

  /// Runs the statement and gives the first columns of its first row, if there is one, as a tuple.
  public func first<each Value: PGColumnValue>(
    _ parameters: (any PGEncodable)?..., as type: (repeat each Value).Type
  ) throws(PGError) -> (repeat each Value)? {
    guard let row = try chunks(with: parameters).first() else { return nil }
    let values: (repeat each Value) = try row.decode(each: repeat (each Value).self)
    return values
  }

  /// Closes the statement on the server.
  ///
  /// Closing twice does nothing.
  public func close() throws(PGError) {
    if isClosed || connection.isClosed { return }
    isClosed = true
    var closing = CloseNamed([.statement(statementID)])
    try connection.perform(&closing)
  }

  private func chunks(with values: [(any PGEncodable)?]) throws(PGError) -> Chunks {
    let origin = ErrorOrigin.Creator("STATEMENT", string)
    if isClosed { throw .operation("the statement is closed").inside(origin) }
    let bound: BoundParameters
    do throws(PGError) { bound = try Parameters.bind(values, to: parameterTypes) } catch {
      throw error.inside(origin)
    }
    let running = RunningExecution(
      Execution(
        prepared: statementID, columnCount: columns.count, parameters: bound,
        resultFormats: description.resultFormats),
      columns: columns, origin: origin)
    try running.begin(on: connection)
    return Chunks(connection, running)
  }
}

extension Connection {
  /// Prepares one statement: the server parses and plans it and describes its parameters and columns.
  ///
  /// - Throws: ``PGError`` of class 42 if the server rejects the text; 42601 if it holds more than one
  ///   statement.
  ///
  /// In py-postgresql: `db.prepare(sql)`. On the wire: Parse, Describe, Sync.
  public func prepare(_ sql: String) throws(PGError) -> Statement {
    let name = names.next("statement")
    let description = try describe(sql, name: name)
    return Statement(self, sql, name: name, description)
  }

  /// Parses `sql` under a name, empty for the unnamed statement, and learns what it is.
  func describe(_ sql: String, name: String) throws(PGError) -> StatementDescription {
    var exchange = Prepare(name: name, sql: sql)
    do throws(PGError) { try perform(&exchange) } catch {
      throw error.inside(.init("STATEMENT", sql))
    }
    return StatementDescription(parameters: exchange.parameters, fields: exchange.columns)
  }
}
