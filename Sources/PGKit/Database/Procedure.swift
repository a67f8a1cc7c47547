import PGErrorCodes

/// A function or procedure of the database, to be called like one of Swift's.
///
/// ```swift
/// let add = try db.proc("add(int, int)")
/// let sum = try add.value(1, 2, as: Int.self)
/// ```
///
/// Arguments that have defaults may be left out from the end; a variadic one takes any number.
///
/// In py-postgresql: `postgresql.api.StoredProcedure`.
public final class Procedure {
  /// What a call gives.
  public enum Result {
    /// The value of a function that returns one; NULL of a procedure without output.
    case value(PGValue)
    /// The values of a function that returns a set of them, as they arrive.
    case values(ColumnValues<PGValue>)
    /// The one row of a function with several output parameters or a composite type, or of a
    /// procedure with output.
    case row(Row)
    /// The rows of a function that returns a set of such rows.
    case cursor(Cursor)
  }

  /// The connection that it belongs to.
  public let connection: Connection
  /// The row of `pg_proc`.
  public let oid: UInt32
  /// The name with its schema, quoted where needed.
  public let name: String
  private let signature: ProcedureSignature
  /// The statements that call it, by their text: one for each number of arguments, or set of names.
  private var statements: [String: Statement] = [:]
  /// The most statements that are kept; a variadic procedure has one for each number of arguments.
  private static let statementLimit = 16

  init(_ connection: Connection, _ signature: ProcedureSignature) {
    self.connection = connection
    self.signature = signature
    (oid, name) = (signature.oid, signature.name)
  }

  /// Calls it with arguments by position.
  ///
  /// - Throws: ``PGError``: `--PIO` for too few or too many arguments, or one that does not fit; the
  ///   server's.
  @discardableResult
  public func callAsFunction(_ arguments: (any PGEncodable)?...) throws(PGError) -> Result {
    try call(with: arguments)
  }

  /// Calls it with arguments by position, and others by name, in any order; those that have defaults may
  /// be left out.
  ///
  /// Source: PostgreSQL manual, "Calling Functions".
  @discardableResult
  public func call(
    _ arguments: (any PGEncodable)?..., named others: [String: (any PGEncodable)?]
  ) throws(PGError) -> Result {
    let pairs = others.sorted { $0.key < $1.key }
    let statement = try statement(
      signature.call(count: arguments.count, named: pairs.map(\.key)))
    return try run(statement, arguments + pairs.map(\.value))
  }

  /// Calls it and gives its value, of a function that returns one, as a Swift type.
  ///
  /// - Throws: ``PGError``: `--CIO` if it gives something else.
  public func value<Value: PGColumnValue>(
    _ arguments: (any PGEncodable)?..., as type: Value.Type
  ) throws(PGError) -> Value {
    guard signature.result == .value else {
      throw .column("\(name) gives something else than one value")
    }
    let statement = try statement(for: arguments.count)
    guard let row = try statement.chunks(with: arguments).first() else {
      throw .column("\(name) gave no value")
    }
    return try row.value(0, as: type)
  }

  /// Calls it and gives its values, of a function that returns a set of them, as a Swift type.
  public func values<Value: PGColumnValue>(
    _ arguments: (any PGEncodable)?..., as type: Value.Type
  ) throws(PGError) -> ColumnValues<Value> {
    guard signature.result == .values else {
      throw .column("\(name) gives something else than a set of values")
    }
    return ColumnValues(try statement(for: arguments.count).chunks(with: arguments))
  }

  func call(with arguments: [(any PGEncodable)?]) throws(PGError) -> Result {
    try run(statement(for: arguments.count), arguments)
  }

  private func run(
    _ statement: Statement, _ arguments: [(any PGEncodable)?]
  ) throws(PGError) -> Result {
    switch signature.result {
    case .value:
      let row = try statement.chunks(with: arguments).first()
      guard let row, row.count > 0 else { return .value(.null) }
      return .value(try row[0])
    case .values: return .values(ColumnValues(try statement.chunks(with: arguments)))
    case .row:
      guard let row = try statement.chunks(with: arguments).first() else { return .value(.null) }
      return .row(row)
    case .rows: return .cursor(try statement.declare(binding: statement.bind(arguments)))
    }
  }

  private func statement(for count: Int) throws(PGError) -> Statement {
    try statement(signature.call(count: count))
  }

  /// The statement with this text, prepared once.
  private func statement(_ text: String) throws(PGError) -> Statement {
    if let statement = statements[text] { return statement }
    let statement = try connection.prepare(text)
    if statements.count >= Self.statementLimit { statements = [:] }
    statements[text] = statement
    return statement
  }
}

extension Connection {
  /// Finds a function or procedure by its name or its signature: `version()`, `pg_catalog.abs(int)`; a
  /// name alone must be the only one.
  ///
  /// - Throws: ``PGError``: the server's, 42883 if there is none, 42725 if there are several.
  ///
  /// In py-postgresql: `db.proc(id)`.
  public func proc(_ name: String) throws(PGError) -> Procedure {
    let type = name.contains("(") ? "regprocedure" : "regproc"
    return try proc(
      "$1::pg_catalog.text::pg_catalog.\(type)::pg_catalog.oid", name, label: name)
  }

  /// Finds a function or procedure by its OID.
  ///
  /// - Throws: ``PGError`` 42883 if there is none.
  public func proc(_ oid: UInt32) throws(PGError) -> Procedure {
    try proc("$1::pg_catalog.oid", "\(oid)", label: "OID \(oid)")
  }

  private func proc(
    _ expression: String, _ value: String, label: String
  ) throws(PGError) -> Procedure {
    let kind = serverVersion.major >= 11 ? "p.prokind" : "'f'"
    let found = try query.text(
      """
      SELECT p.oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname),
        \(kind) = 'p', p.proretset, t.typtype = 'c' OR p.prorettype = 2249, p.pronargdefaults,
        p.prorettype = 2249
      FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_catalog.pg_type t ON t.oid = p.prorettype
      WHERE p.oid = \(expression)
      """, [value]
    ).first()
    guard let found else {
      throw PGError(
        code: .undefinedFunction, message: "there is no function with \(label)", fault: .caller)
    }
    let arguments = try query.text(Self.argumentsOfProcedure, ["\(try found[0, as: UInt32.self])"])
    return Procedure(self, try ProcedureSignature(found, arguments: arguments.collect()))
  }

  /// Mode, name, type and, of a variadic one, the type of its elements, of each argument in order; a
  /// type that cannot be written in a cast is empty.
  private static let argumentsOfProcedure = """
    SELECT coalesce(p.proargmodes[i], 'i'), coalesce(p.proargnames[i], ''),
      CASE WHEN a.typtype = 'p' THEN '' ELSE pg_catalog.format_type(a.oid, -1) END,
      CASE WHEN e.oid IS NULL OR e.typtype = 'p' THEN ''
        ELSE pg_catalog.format_type(e.oid, -1) END
    FROM pg_catalog.pg_proc p,
      pg_catalog.generate_series(1, coalesce(pg_catalog.array_length(p.proallargtypes, 1), p.pronargs)) i
      JOIN pg_catalog.pg_type a ON true LEFT JOIN pg_catalog.pg_type e ON e.oid = a.typelem
    WHERE p.oid = $1::pg_catalog.oid
      AND a.oid = coalesce(p.proallargtypes[i], p.proargtypes[i - 1])
    ORDER BY i
    """
}
