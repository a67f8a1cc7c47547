/// The rows of a running statement, one at a time.
///
/// In py-postgresql: `ps.rows(...)`.
public final class Rows {
  private let chunks: Chunks
  private var batch: RowBatch?
  private var position = 0

  init(_ chunks: Chunks) { self.chunks = chunks }

  /// The next row, or `nil` after the last.
  ///
  /// - Throws: ``PGError``: the server's, or `--OPE` if another operation took the connection.
  public func next() throws(PGError) -> Row? {
    while true {
      if let batch, position < batch.count {
        defer { position += 1 }
        return batch[position]
      }
      batch = nil
      guard let following = try chunks.next() else { return nil }
      (batch, position) = (following, 0)
    }
  }

  /// Hands every row to `body`.
  public func forEach(_ body: (Row) throws -> Void) throws {
    while let row = try next() { try body(row) }
  }

  /// Drops the rows that have not been taken, so that the connection is free and nothing is kept.
  ///
  /// What the server has yet to send is received and dropped. A statement that would go on for
  /// very long, or for ever, is ended sooner by ``Interruption/cancel(within:)``; one whose end
  /// is not known is read with a cursor instead.
  public func close() throws(PGError) {
    batch = nil
    try chunks.close()
  }

  /// What the statement said of itself when it was complete.
  public var tag: CommandTag? { chunks.tag }
}
