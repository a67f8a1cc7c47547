/// A prepared statement of an ``AsyncConnection``.
///
/// It lives on the server until it is closed or, soon after, when the last reference to it goes away.
/// What each of its operations does is told where ``Statement`` declares it.
public struct AsyncStatement: Sendable {
  /// The connection that it belongs to.
  public let connection: AsyncConnection
  private let confined: Confined<Statement>
  /// The columns at the time of its preparation; none for a statement that gives no rows.
  public let columns: [Column]
  /// The types of its parameters, `$1` first.
  public let parameterTypes: [TypeOID]
  /// Its text, where that is known.
  private let text: String?

  init(_ connection: AsyncConnection, _ confined: Confined<Statement>) {
    self.connection = connection
    self.confined = confined
    columns = confined.value.columns
    parameterTypes = confined.value.pgParameterTypes
    text = confined.value.string
  }

  /// Runs the statement and gives all of its rows.
  ///
  /// - Throws: ``PGError``: `--PIO` if a value does not fit its parameter, or the server's; 57014 if the
  ///   task is cancelled.
  @discardableResult
  public nonisolated(nonsending) func callAsFunction(
    _ parameters: (any PGEncodable)?...
  ) async throws(PGError) -> QueryResult {
    try await connection.perform { _ throws(PGError) in
      try confined.value.collect(with: parameters)
    }
  }

  /// Runs the statement and gives the first value, row, or count of rows.
  ///
  /// - Throws: ``PGError`` as ``callAsFunction(_:)``.
  public nonisolated(nonsending) func first(_ parameters: (any PGEncodable)?...)
    async throws(PGError) -> FirstResult
  {
    try await connection.perform { _ throws(PGError) in
      try confined.value.chunks(with: parameters).firstResult()
    }
  }

  /// Runs the statement and gives its rows as they arrive, one by one.
  ///
  /// - Throws: ``PGError`` as ``callAsFunction(_:)``.
  public nonisolated(nonsending) func rows(_ parameters: (any PGEncodable)?...)
    async throws(PGError) -> AsyncRows
  {
    AsyncRows(try await chunks(with: parameters))
  }

  /// Runs the statement and gives its rows as they arrive, in chunks: the fast way.
  ///
  /// - Throws: ``PGError`` as ``callAsFunction(_:)``.
  public nonisolated(nonsending) func chunks(_ parameters: (any PGEncodable)?...)
    async throws(PGError) -> AsyncChunks
  {
    try await chunks(with: parameters)
  }

  private nonisolated(nonsending) func chunks(with parameters: [(any PGEncodable)?])
    async throws(PGError) -> AsyncChunks
  {
    try await connection.chunks(of: text) { _ throws(PGError) in
      try confined.value.chunks(with: parameters)
    }
  }

  /// Runs the statement once for each row of parameters.
  ///
  /// - Returns: How many rows were changed altogether.
  /// - Throws: ``PGError`` as ``callAsFunction(_:)``.
  @discardableResult
  public nonisolated(nonsending) func loadRows(_ rows: [[(any PGEncodable)?]]) async throws(PGError)
    -> Int
  {
    try await connection.perform { _ throws(PGError) in try confined.value.loadRows(rows) }
  }

  /// Runs the statement and leaves its rows on the server, to be read in any order.
  ///
  /// - Throws: ``PGError`` as ``callAsFunction(_:)``.
  public nonisolated(nonsending) func declare(_ parameters: (any PGEncodable)?...)
    async throws(PGError) -> AsyncCursor
  {
    let cursor = try await connection.confine { _ throws(PGError) in
      try confined.value.declare(binding: confined.value.bind(parameters))
    }
    return AsyncCursor(connection, cursor)
  }

  /// Closes the statement on the server.
  ///
  /// Closing twice does nothing.
  ///
  /// - Throws: ``PGError``: the server's; 57014 if the task is cancelled.
  public nonisolated(nonsending) func close() async throws(PGError) {
    try await connection.perform { _ throws(PGError) in try confined.value.close() }
  }
}
