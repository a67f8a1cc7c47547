/// A cursor of an ``AsyncConnection``: rows that stay on the server and are read in any order.
///
/// What each of its operations does is told where ``Cursor`` declares it.
public struct AsyncCursor: Sendable {
  /// The connection that it belongs to.
  public let connection: AsyncConnection
  private let confined: Confined<Cursor>

  init(_ connection: AsyncConnection, _ confined: Confined<Cursor>) {
    self.connection = connection
    self.confined = confined
  }

  /// Reads so many rows, or all that are left.
  ///
  /// - Throws: ``PGError``: the server's; 57014 if the task is cancelled.
  public nonisolated(nonsending) func read(
    _ count: Int? = nil, _ way: Cursor.Direction = .forward
  ) async throws(PGError) -> QueryResult {
    try await connection.perform { _ throws(PGError) in try confined.value.read(count, way) }
  }

  /// The next row, or `nil` after the last.
  ///
  /// - Throws: ``PGError``: the server's; 57014 if the task is cancelled.
  public nonisolated(nonsending) func next() async throws(PGError) -> Row? {
    try await read(1).first
  }

  /// Moves to a place.
  ///
  /// - Throws: ``PGError``: the server's; 57014 if the task is cancelled.
  @discardableResult
  public nonisolated(nonsending) func seek(
    _ position: Int, from whence: Cursor.Whence = .absolute
  ) async throws(PGError) -> Int {
    try await connection.perform { _ throws(PGError) in
      try confined.value.seek(position, from: whence)
    }
  }

  /// Closes the cursor on the server.
  ///
  /// Closing twice does nothing.
  ///
  /// - Throws: ``PGError``: the server's; 57014 if the task is cancelled.
  public nonisolated(nonsending) func close() async throws(PGError) {
    try await connection.perform { _ throws(PGError) in try confined.value.close() }
  }
}
