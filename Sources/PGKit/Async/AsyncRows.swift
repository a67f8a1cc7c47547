/// The rows of a statement under way, in chunks, as they arrive.
///
/// It suspends once for each batch; what nobody asks for is not received. Its iterators share it: each
/// batch comes once.
public struct AsyncChunks: AsyncSequence, Sendable {
  private let connection: AsyncConnection
  private let confined: Confined<Chunks>

  init(_ connection: AsyncConnection, _ confined: Confined<Chunks>) {
    self.connection = connection
    self.confined = confined
  }

  /// The next batch, or `nil` after the last.
  ///
  /// - Throws: ``PGError`` as ``Chunks/next()``; 57014 if the task is cancelled.
  public nonisolated(nonsending) func next() async throws(PGError) -> RowBatch? {
    try await connection.takeMore(of: { confined.value.running }) { _ throws(PGError) in
      try confined.value.next()
    }
  }

  /// Drops what has not been taken, and gives what the statement said of itself.
  ///
  /// - Throws: ``PGError`` as ``Chunks/finish()``; 57014 if the task is cancelled.
  @discardableResult
  public nonisolated(nonsending) func finish() async throws(PGError) -> CommandTag? {
    try await connection.perform { _ throws(PGError) in try confined.value.finish() }
  }

  /// Drops what has not been taken, so that the connection is free: a statement that only reads (SELECT,
  /// VALUES, TABLE, SHOW) is cancelled if it has much left, outside of transaction blocks.
  ///
  /// - Throws: ``PGError`` as ``Chunks/close()``; 57014 if the task is cancelled.
  public nonisolated(nonsending) func close() async throws(PGError) {
    await connection.drop(confined)
    try await connection.perform { _ throws(PGError) in try confined.value.close() }
  }

  /// Takes one batch after the other.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let chunks: AsyncChunks

    /// The next batch, or `nil` after the last.
    public mutating func next() async throws(PGError) -> RowBatch? { try await chunks.next() }

    /// The next batch, or `nil` after the last.
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(PGError) -> RowBatch? {
      try await chunks.next()
    }
  }

  /// Begins where the last iterator has stopped.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(chunks: self) }
}

/// The rows of a statement under way, one by one, as they arrive.
///
/// It suspends once for each batch of them.
public struct AsyncRows: AsyncSequence, Sendable {
  /// The same rows in chunks.
  public let chunks: AsyncChunks

  init(_ chunks: AsyncChunks) { self.chunks = chunks }

  /// Drops what has not been taken, as ``AsyncChunks/close()`` does.
  ///
  /// - Throws: ``PGError`` as ``Chunks/close()``; 57014 if the task is cancelled.
  public nonisolated(nonsending) func close() async throws(PGError) { try await chunks.close() }

  /// Takes one row after the other.
  public struct AsyncIterator: AsyncIteratorProtocol {
    @usableFromInline let chunks: AsyncChunks
    private var batch: RowBatch?
    @usableFromInline var position = 0
    @usableFromInline var end = 0

    fileprivate init(_ chunks: AsyncChunks) { self.chunks = chunks }

    /// The next row, or `nil` after the last.
    public mutating func next() async throws(PGError) -> Row? {
      try await next(isolation: nil)
    }

    // As a call of its own it would ask for each row on which thread to go on, which takes half the
    // time that the row takes. In the caller's loop it asks once for each batch.
    /// The next row, or `nil` after the last.
    @inlinable @inline(__always)
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(PGError) -> Row? {
      while position == end {
        guard let next = try await chunks.next() else { return nil }
        begin(next)
      }
      return take()
    }

    @usableFromInline
    mutating func begin(_ next: RowBatch) { (batch, position, end) = (next, 0, next.count) }

    /// The next row of the batch.
    @usableFromInline
    mutating func take() -> Row? {
      defer { position += 1 }
      return batch?[position]
    }
  }

  /// Begins with the next batch.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(chunks) }
}
