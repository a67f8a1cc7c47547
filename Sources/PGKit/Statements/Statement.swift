/// A prepared statement.
///
/// It lives on the server until it is closed or, soon after, when the last reference to it goes away.
///
/// ```swift
/// let add = try db.prepare("SELECT $1::int + $2::int")
/// let sum = try add.first(1, 2, as: Int.self)
/// ```
///
/// In py-postgresql: `postgresql.api.Statement`. On the wire: Parse once, then Bind and Execute.
public final class Statement: MessageHearer {
  /// The connection that it belongs to.
  public let connection: Connection
  /// The statement's text; `nil` for one that was found by its name.
  public let string: String?
  let prepared: PreparedStatement
  /// Memory for the parameters of the next run: what the run before no longer needs.
  private var spareParameters = BoundParameters()
  /// The largest that is kept: a program may have thousands of statements.
  private static let spareLimit = 4096
  /// Hears messages of this statement's operations, unless their cursor has dealt with them.
  ///
  /// In py-postgresql: `ps.msghook`.
  public var messageHook: MessageHook?

  init(_ connection: Connection, _ sql: String?, _ prepared: PreparedStatement) {
    self.connection = connection
    string = sql
    self.prepared = prepared
  }

  /// Whether it is a COPY whose data comes from or goes to us, which runs in another way.
  var isCopy: Bool { prepared.isCopy }

  private var description: StatementDescription { prepared.description }

  /// The statement's name on the server.
  ///
  /// It changes when the statement had to be prepared again: because its result had changed, or after
  /// ``Connection/reset()``.
  public var statementID: String { prepared.name }

  /// Whether it was closed.
  public var isClosed: Bool { prepared.isClosed }

  /// The types of its parameters, `$1` first.
  public var pgParameterTypes: [TypeOID] { description.parameterTypes.map(\.oid) }

  /// The types of its columns; `nil` if it gives no rows.
  public var pgColumnTypes: [TypeOID]? { givesRows ? columns.map(\.type) : nil }

  /// The Swift types that stand for its parameters' types; others that fit are accepted too.
  public var parameterTypes: [any PGColumnValue.Type] {
    description.parameterTypes.map(\.swiftType)
  }

  /// The Swift types that its columns' values have where nothing else is asked for; `nil` if it gives
  /// no rows.
  public var columnTypes: [any PGColumnValue.Type]? {
    givesRows ? columns.map(\.pgType.swiftType) : nil
  }

  /// The SQL names of its parameters' types: `INTEGER`.
  ///
  /// - Throws: ``PGError``: the server's, which is asked for types that not every server has.
  public func sqlParameterTypes() throws(PGError) -> [String] {
    try connection.sqlNames(of: pgParameterTypes)
  }

  /// The SQL names of its columns' types; `nil` if it gives no rows.
  ///
  /// - Throws: ``PGError``: the server's, which is asked for types that not every server has.
  public func sqlColumnTypes() throws(PGError) -> [String]? {
    guard let pgColumnTypes else { return nil }
    return try connection.sqlNames(of: pgColumnTypes)
  }

  /// The columns; none for a statement that gives no rows.
  public var columns: [Column] { description.columns.columns }

  /// Whether it gives rows, which may be without columns.
  public var givesRows: Bool { description.givesRows }

  /// The columns' names.
  public var columnNames: [String] { columns.map(\.name) }

  /// Runs the statement and gives all of its rows.
  ///
  /// - Throws: ``PGError``: `--PIO` if a value does not fit its parameter, or the server's.
  @discardableResult
  public func callAsFunction(_ parameters: (any PGEncodable)?...) throws(PGError) -> QueryResult {
    try collect(with: parameters)
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

  /// Runs the statement and gives the first columns of its first row, if there is one, as a tuple.
  public func first<each Value: PGColumnValue>(
    _ parameters: (any PGEncodable)?..., as type: (repeat each Value).Type
  ) throws(PGError) -> (repeat each Value)? {
    guard let row = try run(with: parameters).first(on: connection) else { return nil }
    let values: (repeat each Value) = try row.decode(each: repeat (each Value).self)
    return values
  }

  /// Closes the statement on the server.
  ///
  /// Closing twice does nothing.
  public func close() throws(PGError) {
    if isClosed || connection.isClosed { return }
    var closing = CloseNamed([.statement(statementID)])
    try connection.perform(&closing)
    prepared.isClosed = true
  }

  /// Prepares the same text again, as another statement.
  ///
  /// - Throws: ``PGError`` `--OPE` for a statement that was found by its name.
  public func clone() throws(PGError) -> Statement {
    guard let string else {
      throw .operation(
        "a statement that was found by its name cannot be cloned: its text is unknown")
    }
    return try connection.prepare(string)
  }

  /// Encodes values for the parameters.
  ///
  /// What is wrong with them is not yet said to be this statement's.
  func encode(_ values: [(any PGEncodable)?]) throws(PGError) -> BoundParameters {
    // The next run finds no memory until this one gives it back, and makes its own.
    var bound = BoundParameters()
    swap(&bound, &spareParameters)
    try Parameters.bind(values, to: description.parameterTypes, as: &bound)
    return bound
  }

  /// Keeps the memory of parameters that were sent.
  func keep(_ parameters: consuming BoundParameters) {
    guard parameters.size <= Self.spareLimit else { return }
    parameters.removeAll()
    spareParameters = parameters
  }

  /// Encodes values for the parameters into the memory of others.
  func encode(
    _ values: [(any PGEncodable)?], as bound: inout BoundParameters
  ) throws(PGError) {
    try Parameters.bind(values, to: description.parameterTypes, as: &bound)
  }

  /// Encodes values for the parameters of the open statement.
  func bind(_ values: [(any PGEncodable)?]) throws(PGError) -> BoundParameters {
    try requireOpen()
    do throws(PGError) { return try encode(values) } catch {
      throw error.inside(origin, of: connection)
    }
  }

  /// What errors say of it.
  var origin: ErrorOrigin.Creator { .statement(string ?? "prepared as \"\(statementID)\"") }

  /// Makes sure that the server has it: after ``Connection/reset()`` it is prepared again.
  func requireOpen() throws(PGError) {
    if isClosed {
      throw PGError(
        code: .invalidSqlStatementName, message: "the statement is closed", fault: .caller
      ).inside(origin, of: connection)
    }
    if prepared.generation != connection.generation, string != nil { try renew() }
    if description.isOutdated(connection.types) {
      try prepared.learnTypes(on: connection)
      // Types of the same names may have taken their places.
      if description.lacksTypes, string != nil { try renew() }
    }
  }

  func chunks(with values: [(any PGEncodable)?]) throws(PGError) -> Chunks {
    Chunks(connection, try run(with: values))
  }

  func run(with values: [(any PGEncodable)?]) throws(PGError) -> RunningExecution {
    if isCopy { throw .isCopy(origin.summary, on: connection) }
    let running = RunningExecution(
      self, values, try bind(values),
      observation: connection.observe(.execute, origin.summary, parameters: values))
    try running.begin(on: connection)
    keep(running.releaseParameters())
    // Where there is nothing to take, nobody would come to hear how it ended.
    if !givesRows { try running.finish(on: connection) }
    return running
  }

  func execution(_ parameters: consuming BoundParameters) -> Execution {
    Execution(prepared.run, parameters: parameters)
  }

  var nextHearer: (any MessageHearer)? { nil }

  var columnList: ColumnList { description.columns }

  /// Prepares the statement again, because what it gives has changed since.
  func renew() throws(PGError) {
    guard let string else {
      throw .operation("a statement that was found by its name cannot be prepared again")
    }
    prepared.become(try connection.prepared(string))
  }
}

extension Connection {
  /// Prepares one statement: the server parses and plans it and describes its parameters and columns.
  ///
  /// - Throws: ``PGError`` of class 42 if the server rejects the text; 42601 if it holds more than one
  ///   statement; 54023 if it has more than 65,535 parameters.
  ///
  /// In py-postgresql: `db.prepare(sql)`. On the wire: Parse, Describe, Sync.
  public func prepare(_ sql: String) throws(PGError) -> Statement {
    Statement(self, sql, try prepared(sql))
  }

  /// Prepares a statement of which the server's part alone is wanted for now.
  func prepared(_ sql: String) throws(PGError) -> PreparedStatement {
    let name = names.next("statement")
    let observation = observe(.prepare, sql)
    do throws(PGError) {
      let description = try describe(sql, name: name)
      observation?.ended(.completed(nil))
      return PreparedStatement(
        name, description, isCopy: SQL.copiesStandardStream(sql), isOurs: true, self)
    } catch {
      observation?.ended(.failed(error))
      throw error
    }
  }

  /// Takes up a statement that was prepared on the server with PREPARE, or by the protocol.
  ///
  /// It is not closed before somebody does so.
  ///
  /// - Throws: ``PGError``: the server's, 26000 if there is none.
  ///
  /// In py-postgresql: `db.statement_from_id(id)`.
  public func statement(id: String) throws(PGError) -> Statement {
    Statement(
      self, nil,
      PreparedStatement(id, try describe(.statement(id)), isCopy: false, isOurs: false, self))
  }

  /// Learns what a statement or cursor is that exists.
  func describe(_ object: NamedObject) throws(PGError) -> StatementDescription {
    var exchange = Prepare(describing: object)
    try perform(&exchange)
    return try description(of: exchange)
  }

  /// Parses `sql` under a name, empty for the unnamed statement, and learns what it is.
  func describe(_ sql: String, name: String) throws(PGError) -> StatementDescription {
    var exchange = Prepare(name: name, sql: sql)
    do throws(PGError) { try perform(&exchange) } catch {
      throw error.inside(.statement(sql), of: self)
    }
    guard exchange.parameters.count <= BoundParameters.limit else {
      discarded.append(.statement(name))
      throw PGError(
        code: .tooManyArguments,
        message:
          "the statement has \(exchange.parameters.count) parameters; a server takes at most "
          + "\(BoundParameters.limit)", fault: .caller,
        hint: "load rows with loadRows(_:), or pass arrays and unnest them"
      ).inside(.statement(sql), of: self)
    }
    return try description(of: exchange)
  }

  /// What an exchange learned, with types that were not met before looked up.
  func description(of exchange: Prepare) throws(PGError) -> StatementDescription {
    try lookUp(exchange.parameters + (exchange.columns ?? []).map(\.typeOID))
    return StatementDescription(exchange, types)
  }
}

extension PGError {
  /// A COPY was run as if it gave rows or took parameters.
  @inline(never)
  static func isCopy(_ sql: String, on connection: Connection) -> PGError {
    .operation(
      "a COPY gives no rows and takes no parameters",
      hint: "use copyOut() or copyIn(), or loadLines(_:) with the lines to copy in"
    ).inside(.statement(sql), of: connection)
  }
}
