/// What a query of a library gives: which of these, its method says.
public enum QueryOutcome {
  /// All rows (`all`; a constant's `rows` and `chunks`).
  case result(QueryResult)
  /// The first value, row or count (`first`).
  case first(FirstResult)
  /// The rows as they arrive (`rows`).
  case rows(Rows)
  /// The rows as they arrive, in batches (`chunks`).
  case chunks(Chunks)
  /// The values of the first column as they arrive (`column`).
  case column(ColumnValues<PGValue>)
  /// The values of the first column (a constant's `column`).
  case values([PGValue])
  /// A cursor over the rows (`declare`).
  case cursor(Cursor)
  /// What the function gave (`proc`).
  case procedure(Procedure.Result)
}

/// A query of a library on a connection.
///
/// Call it, and it runs by its method; ``statement()`` is for everything else.
///
/// In py-postgresql: `postgresql.lib.BoundSymbol`, `BoundReference`.
public struct BoundQuery {
  private let connection: Connection
  private let bound: BoundLibrary
  /// What the library says of it.
  public let symbol: QuerySymbol

  init(_ connection: Connection, _ bound: BoundLibrary, _ symbol: QuerySymbol) {
    (self.connection, self.bound, self.symbol) = (connection, bound, symbol)
  }

  /// Runs it by its method; a constant gives what it gave when the library was bound.
  ///
  /// A reference is first run without parameters, to get the text of what is then run with them.
  ///
  /// - Throws: ``PGError``: `--LIB` for a method that takes rows, as `load_rows`; as ``Statement``.
  @discardableResult
  public func callAsFunction(_ parameters: (any PGEncodable)?...) throws(PGError) -> QueryOutcome {
    try located { () throws(PGError) in try run(parameters) }
  }

  /// The prepared statement, which is kept for the next use unless the query is `transient`.
  ///
  /// - Throws: ``PGError``: `--LIB` for a `proc`; the server's.
  public func statement() throws(PGError) -> Statement {
    try located { () throws(PGError) in try prepare() }
  }

  /// The function or procedure that a `proc` names.
  ///
  /// - Throws: ``PGError``: `--LIB` for any other query; as ``Connection/proc(_:)-(String)``.
  public func procedure() throws(PGError) -> Procedure {
    try located { () throws(PGError) in try findProcedure() }
  }

  /// The query whose text a reference gives, when it is run with these parameters; any other query is
  /// its own.
  ///
  /// The reference's values are joined by blanks, its rows by line ends.
  ///
  /// In py-postgresql: a call of the reference.
  public func referent(_ parameters: (any PGEncodable)?...) throws(PGError) -> BoundQuery {
    try located { () throws(PGError) in try referent(with: parameters) }
  }

  private func run(_ values: [(any PGEncodable)?]) throws(PGError) -> QueryOutcome {
    if symbol.isReference { return try referent(with: []).run(values) }
    if symbol.kind == .const {
      if let constant = bound.constants[symbol.name] { return constant }
      let constant = try settled(prepare(), values)
      bound.constants[symbol.name] = constant
      return constant
    }
    if symbol.kind == .proc { return .procedure(try findProcedure().call(with: values)) }
    let statement = try prepare()
    switch symbol.method {
    case .all: return .result(try statement.chunks(with: values).collect())
    case .first: return .first(try statement.chunks(with: values).firstResult())
    case .rows: return .rows(Rows(try statement.chunks(with: values)))
    case .chunks: return .chunks(try statement.chunks(with: values))
    case .column: return .column(ColumnValues(try statement.chunks(with: values)))
    case .declare: return .cursor(try statement.declare(binding: statement.bind(values)))
    case .loadRows, .loadChunks: throw rowsExpected()
    }
  }

  /// Runs a constant: what would arrive bit by bit is taken whole.
  private func settled(
    _ statement: Statement, _ values: [(any PGEncodable)?]
  ) throws(PGError) -> QueryOutcome {
    let chunks = try statement.chunks(with: values)
    switch symbol.method {
    case .all, .rows, .chunks, .declare: return .result(try chunks.collect())
    case .first: return .first(try chunks.firstResult())
    case .column: return .values(try ColumnValues<PGValue>(chunks).collect())
    case .loadRows, .loadChunks: throw rowsExpected()
    }
  }

  private func prepare() throws(PGError) -> Statement {
    if symbol.isReference { return try referent(with: []).prepare() }
    if symbol.kind == .proc {
      throw .library("it names a function", hint: "procedure() gives it")
    }
    if symbol.kind == .transient { return try connection.prepare(symbol.sql) }
    if let prepared = bound.prepared[symbol.name], !prepared.isClosed {
      return Statement(connection, symbol.sql, prepared)
    }
    let prepared = try connection.prepared(symbol.sql)
    // A constant is not run again.
    if symbol.kind != .const { bound.prepared[symbol.name] = prepared }
    return Statement(connection, symbol.sql, prepared)
  }

  private func findProcedure() throws(PGError) -> Procedure {
    if symbol.isReference { return try referent(with: []).findProcedure() }
    guard symbol.kind == .proc else { throw .library("it names no function") }
    return try connection.proc(symbol.sql)
  }

  private func referent(with values: [(any PGEncodable)?]) throws(PGError) -> BoundQuery {
    guard symbol.isReference else { return self }
    // With parameters, or if it is not to be kept, it may be another one each time.
    let isKept = values.isEmpty && symbol.kind != .transient
    if isKept, let known = bound.referents[symbol.name] {
      return BoundQuery(connection, bound, known)
    }
    let statement = try connection.prepare(symbol.sql)
    var lines: [String] = []
    let rows = Rows(try statement.chunks(with: values))
    while let row = try rows.next() {
      var words: [String] = []
      for index in 0..<row.count {
        let value = try row[index]
        if value != .null { words.append("\(value)") }
      }
      lines.append(words.joined(separator: " "))
    }
    let found = symbol.referring(to: lines.joined(separator: "\n"), isKept: isKept)
    if isKept { bound.referents[symbol.name] = found }
    return BoundQuery(connection, bound, found)
  }

  private func rowsExpected() -> PGError {
    .library(
      "its method \(symbol.method.rawValue) takes rows, not parameters",
      hint: "statement().loadRows(_:), loadLines(_:) and loadChunks(_:) do that")
  }

  private func located<Value>(_ body: () throws(PGError) -> Value) throws(PGError) -> Value {
    do throws(PGError) { return try body() } catch {
      let library = bound.library.name.isEmpty ? "" : "\(bound.library.name), "
      throw error.insideConnection(
        .init("QUERY", "\(library)[\(symbol.name)], line \(symbol.line)"))
    }
  }
}

extension QuerySymbol {
  /// The query to which this one refers: kept like this one, or made for one use.
  ///
  /// Of a constant it is the reference that is resolved once and for all; what it leads to is run each
  /// time.
  fileprivate func referring(to sql: String, isKept: Bool) -> QuerySymbol {
    let ownKind = kind == .const ? .static : kind
    return QuerySymbol(
      name: name, kind: isKept || kind == .proc ? ownKind : .transient, method: method, sql: sql,
      documentation: documentation, isReference: false, line: line)
  }
}
