import PGErrorCodes

/// A place in the rows of a query that stays on the server: rows are read from it in either direction.
///
/// Nothing is read ahead, so the position is always exactly where the last read or seek has left it.
///
/// ```swift
/// let cursor = try db.prepare("SELECT * FROM employee ORDER BY name").declare()
/// try cursor.seek(100)
/// for row in try cursor.read(10) { … }
/// ```
///
/// In py-postgresql: `postgresql.api.Cursor`. Source: PostgreSQL manual, DECLARE, FETCH and MOVE.
public final class Cursor: MessageHearer {
  /// Which way a cursor moves.
  public enum Direction: String, Sendable, CaseIterable {
    /// From the first row to the last.
    case forward = "FORWARD"
    /// From the last row to the first.
    case backward = "BACKWARD"

    /// Reads `FORWARD` or `BACKWARD`, in upper or lower case.
    public init?(_ word: String) { self.init(rawValue: word.uppercased()) }

    /// The other one.
    public var reversed: Direction { self == .forward ? .backward : .forward }

    /// Where a cursor of this direction moves that is told to move in direction `way`.
    func towards(_ way: Direction) -> Direction { way == .forward ? self : reversed }
  }

  /// What a position is counted from.
  ///
  /// The raw values are py-postgresql's numbers.
  public enum Whence: Int, Sendable, CaseIterable {
    /// From the beginning: the next row to read has this index. A negative one counts from the end.
    case absolute
    /// From where the cursor is, backward if negative.
    case relative
    /// From the end back.
    case fromEnd
    /// From where the cursor is, in its direction.
    case forward
    /// From where the cursor is, against its direction.
    case backward

    /// Reads `ABSOLUTE`, `RELATIVE`, `FROM_END`, `FORWARD` or `BACKWARD`, in upper or lower case.
    public init?(_ word: String) {
      switch word.uppercased() {
      case "ABSOLUTE": self = .absolute
      case "RELATIVE": self = .relative
      case "FROM_END": self = .fromEnd
      case "FORWARD": self = .forward
      case "BACKWARD": self = .backward
      default: return nil
      }
    }
  }

  /// The connection that it belongs to.
  public let connection: Connection
  /// Its name on the server.
  public let cursorID: String
  /// The statement that was declared; `nil` for a cursor that was found by its name.
  public let statement: Statement?
  /// The columns.
  public let columns: [Column]
  /// The direction in which it reads and seeks: backward, it behaves as a cursor over the same rows in
  /// the opposite order.
  public var direction = Direction.forward
  /// Hears messages of this cursor's operations.
  ///
  /// In py-postgresql: `c.msghook`.
  public var messageHook: MessageHook?
  private let parameters: BoundParameters?
  private var isClosed = false

  init(
    _ connection: Connection, name: String, statement: Statement?, parameters: BoundParameters?,
    columns: [Column]
  ) {
    self.connection = connection
    cursorID = name
    self.statement = statement
    self.parameters = parameters
    self.columns = columns
  }

  deinit {
    // One that was found by its name is not ours to close.
    if statement != nil, !isClosed { connection.discarded.append(.portal(cursorID)) }
  }

  /// The columns' names.
  public var columnNames: [String] { columns.map(\.name) }

  /// The columns' types.
  public var pgColumnTypes: [TypeOID] { columns.map(\.type) }

  /// The Swift types that the columns' values have where nothing else is asked for.
  public var columnTypes: [any PGColumnValue.Type] { pgColumnTypes.map(\.swiftType) }

  /// The SQL names of the columns' types: `INTEGER`.
  ///
  /// - Throws: ``PGError``: the server's, which is asked for types that not every server has.
  public func sqlColumnTypes() throws(PGError) -> [String] {
    try connection.sqlNames(of: pgColumnTypes)
  }

  /// Reads rows: the next `count`, or all that are left.
  ///
  /// Fewer rows than asked for mean that it has come to its end in this direction. Reading none has no
  /// effect.
  ///
  /// - Parameters:
  ///   - count: How many rows; `nil` is all that are left.
  ///   - way: With the cursor's ``direction``, or against it.
  /// - Throws: ``PGError``: `--PIO` for a negative count; the server's, 34000 if it is closed.
  public func read(_ count: Int? = nil, _ way: Direction = .forward) throws(PGError) -> QueryResult
  {
    let towards = direction.towards(way)
    if let count, count < 0 { throw .parameter("a cursor cannot read \(count) rows") }
    if count == 0 {
      return QueryResult(nil, [], tag: CommandTag("FETCH 0"), columns: columns)
    }
    let amount = count.flatMap { Int32(exactly: $0) }.map(String.init) ?? "ALL"
    let formats = columns.map(\.format.rawValue)
    let fetch = "FETCH \(towards.rawValue) \(amount) FROM \(try name())"
    let running = RunningExecution(
      Execution(sql: fetch, parameters: BoundParameters(), resultFormats: formats),
      columns: ColumnList(columns), origin: origin, hearer: self,
      observation: connection.observe(.execute, fetch))
    try running.begin(on: connection)
    return try Chunks(connection, running).collect()
  }

  /// The next row in the cursor's direction, or `nil` behind the last.
  public func next() throws(PGError) -> Row? { try read(1).first }

  /// Moves without reading.
  ///
  /// - Returns: How many rows it has passed or, for a place counted from the beginning or the end,
  ///   whether there is a row: 1 or 0.
  /// - Throws: ``PGError``: the server's, 34000 if it is closed.
  @discardableResult
  public func seek(_ position: Int, from whence: Whence = .absolute) throws(PGError) -> Int {
    switch (whence, direction) {
    case (.absolute, .forward): try move(toIndex: position)
    case (.absolute, .backward) where position < 0: try move(toIndex: 0 - max(position, -Int.max))
    case (.absolute, .backward), (.fromEnd, .forward): try move(fromEnd: position)
    case (.fromEnd, .backward): try move(toIndex: max(position, 0))
    case (.relative, let way), (.forward, let way): try move(position, way)
    case (.backward, let way): try move(position, way.reversed)
    }
  }

  /// Moves behind the last row in the cursor's direction, or against it before the first.
  ///
  /// - Returns: How many rows it has passed.
  ///
  /// In py-postgresql: `seek('ALL')`.
  @discardableResult
  public func seekAll(_ way: Direction = .forward) throws(PGError) -> Int {
    try move("\(direction.towards(way).rawValue) ALL")
  }

  /// Runs the same statement with the same parameters again, as another cursor.
  ///
  /// - Throws: ``PGError`` `--OPE` for a cursor that was found by its name.
  public func clone() throws(PGError) -> Cursor {
    guard let statement, let parameters else {
      throw .operation(
        "a cursor that was found by its name cannot be cloned: its statement is unknown")
    }
    return try statement.declare(binding: parameters)
  }

  /// Closes the cursor on the server.
  ///
  /// Closing twice does nothing.
  public func close() throws(PGError) {
    if isClosed || connection.isClosed { return }
    var closing = CloseNamed([.portal(cursorID)])
    try connection.perform(&closing)
    isClosed = true
  }

  /// Stands on the row before the one with this index, so that this one is read next.
  private func move(toIndex index: Int) throws(PGError) -> Int {
    try move("ABSOLUTE \(Self.clamped(index))")
  }

  /// Stands on the row so many before the end.
  private func move(fromEnd count: Int) throws(PGError) -> Int {
    let found = try move("ABSOLUTE -1")
    _ = try move("FORWARD ALL")
    if count > 0 { _ = try move("BACKWARD \(Self.clamped(count))") }
    return found
  }

  private func move(_ count: Int, _ way: Direction) throws(PGError) -> Int {
    let towards = count < 0 ? way.reversed : way
    return try move(
      "\(towards.rawValue) \(Self.clamped(count < 0 ? 0 - max(count, -Int.max) : count))")
  }

  private func move(_ place: String) throws(PGError) -> Int {
    let sql = "MOVE \(place) FROM \(try name())"
    return try connection.run(sql, shownAs: origin, heardBy: self)?.rowCount ?? 0
  }

  /// The server counts in 32 bits; no held cursor has more rows.
  private static func clamped(_ count: Int) -> Int { min(max(count, -0x7FFF_FFFF), 0x7FFF_FFFF) }

  var nextHearer: (any MessageHearer)? { statement }

  private func name() throws(PGError) -> String { try SQL.quoteIdentifier(cursorID) }

  var origin: ErrorOrigin.Creator { .init("CURSOR", cursorID) }
}

extension Statement {
  /// Runs the statement and leaves its rows on the server, to be read in any order: a scrollable cursor
  /// that outlives the transaction.
  ///
  /// It is closed when the value goes away.
  ///
  /// - Throws: ``PGError``: the server's, 42601 if the statement is no query.
  ///
  /// In py-postgresql: `ps.declare(...)`. Source: PostgreSQL manual, DECLARE.
  public func declare(_ parameters: (any PGEncodable)?...) throws(PGError) -> Cursor {
    try declare(binding: bind(parameters))
  }

  func declare(binding parameters: BoundParameters) throws(PGError) -> Cursor {
    guard let string else {
      throw .operation(
        "a statement that was found by its name cannot be declared: its text is unknown")
    }
    let name = connection.names.next("cursor")
    let sql = "DECLARE \(name) INSENSITIVE SCROLL CURSOR WITH HOLD FOR \(string)"
    let running = RunningExecution(
      Execution(
        sql: sql,
        parameterTypes: pgParameterTypes.map(\.rawValue), parameters: parameters,
        resultFormats: []),
      columns: ColumnList([]), origin: .statement(sql), hearer: self,
      observation: connection.observe(.execute, sql))
    try running.begin(on: connection)
    try running.finish(on: connection)
    // What the statement was described with may be of an older table.
    let now = try connection.describe(.portal(name))
    return Cursor(
      connection, name: name, statement: self, parameters: parameters,
      columns: now.columns.columns)
  }
}

extension Connection {
  /// Takes up a cursor that was declared on the server.
  ///
  /// It is not closed before somebody does so.
  ///
  /// - Throws: ``PGError``: the server's, 34000 if there is none.
  ///
  /// In py-postgresql: `db.cursor_from_id(id)`.
  public func cursor(id: String) throws(PGError) -> Cursor {
    let description = try describe(.portal(id))
    return Cursor(
      self, name: id, statement: nil, parameters: nil, columns: description.columns.columns)
  }
}
