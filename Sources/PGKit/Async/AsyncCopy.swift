/// The data of a COPY … TO STDOUT, as it arrives.
///
/// It suspends once for each piece of what was received; its iterators share it.
public struct AsyncCopyOut: AsyncSequence, Sendable {
  private let connection: AsyncConnection
  private let confined: Confined<CopyOutStream>

  init(_ connection: AsyncConnection, _ confined: Confined<CopyOutStream>) {
    self.connection = connection
    self.confined = confined
  }

  /// The next piece, or `nil` after the last.
  ///
  /// - Throws: ``PGError``: the server's; 57014 if the task is cancelled.
  public nonisolated(nonsending) func next() async throws(PGError) -> CopyChunk? {
    try await connection.takeMore(of: { confined.value.operation }) { _ throws(PGError) in
      try confined.value.next()
    }
  }

  /// Takes one piece after the other.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let stream: AsyncCopyOut

    /// The next piece, or `nil` after the last.
    public mutating func next() async throws(PGError) -> CopyChunk? { try await stream.next() }

    /// The next piece, or `nil` after the last.
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(PGError) -> CopyChunk? {
      try await stream.next()
    }
  }

  /// Begins where the last iterator has stopped.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}

/// The way in for the data of a running COPY … FROM STDIN.
public struct AsyncCopyIn: Sendable {
  private let connection: AsyncConnection
  private let confined: Confined<CopyInStream>

  init(_ connection: AsyncConnection, _ confined: Confined<CopyInStream>) {
    self.connection = connection
    self.confined = confined
  }

  /// Sends data; it may begin and end anywhere within rows.
  ///
  /// - Throws: ``PGError``: the server's, as soon as it is known, which may be some data later; 57014 if
  ///   the task is cancelled.
  public nonisolated(nonsending) func write(_ data: [UInt8]) async throws(PGError) {
    try await connection.perform { _ throws(PGError) in try confined.value.write(data) }
  }

  /// Relays rows from another server just as they came.
  ///
  /// - Throws: ``PGError`` as ``write(_:)-([UInt8])``.
  public nonisolated(nonsending) func write(_ chunk: CopyChunk) async throws(PGError) {
    try await connection.perform { _ throws(PGError) in try confined.value.write(chunk) }
  }

  fileprivate nonisolated(nonsending) func finish() async throws(PGError) -> CommandTag {
    try await connection.perform { _ throws(PGError) in try confined.value.finish() }
  }
}

extension AsyncConnection {
  /// Runs a COPY … TO STDOUT.
  ///
  /// - Throws: ``PGError``: the server's; `--OPE` if it is no such COPY; 57014 if the task is cancelled.
  public func copyOut(_ sql: String) async throws(PGError) -> AsyncCopyOut {
    AsyncCopyOut(
      self, try await confine { connection throws(PGError) in try connection.copyOut(sql) })
  }

  /// Runs a COPY … FROM STDIN with the data that `body` writes: stored when it returns, forgotten by the
  /// server when it throws or its task was cancelled.
  ///
  /// Until its end operations of other tasks wait. One of `body`'s own, or of a task that it starts, ends
  /// the copy.
  ///
  /// - Returns: How many rows were stored.
  /// - Throws: What `body` throws; ``PGError``: the server's; 57014 if the task is cancelled.
  @discardableResult
  public func copyIn(
    _ sql: String, _ body: @Sendable (AsyncCopyIn) async throws -> Void
  ) async throws -> Int {
    try await withClaim { db in
      let confined = try await db.confine { connection throws(PGError) in
        try connection.copyIn(sql)
      }
      let stream = AsyncCopyIn(db, confined)
      do {
        try await body(stream)
        return try await stream.finish().rowCount ?? 0
      } catch {
        // Also for a task that was cancelled; what went wrong first is told.
        if !db.isGivenBack, !db.connection.isClosed {
          db.finish { _ throws(PGError) in try confined.value.fail("the sender failed") }
        }
        throw error
      }
    }
  }
}
