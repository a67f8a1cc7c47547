/// Rows of a COPY as they came over the wire.
///
/// A server sends each row as one message, so the number of messages is the number of rows (in the
/// binary format its header and its end travel with them as messages of their own or within).
///
/// What it holds does not change any more, and no more is received into it; but when a ``CopyTransfer`` has
/// it from a producer that gives its pieces away, it is the transfer's alone.
public struct CopyChunk: @unchecked Sendable {
  let run: CopyRun

  /// The number of messages.
  public var count: Int { run.count }

  /// The number of bytes, the messages' own headers not counted.
  public var byteCount: Int { run.byteCount }

  /// The same rows in one message; this chunk must not be used any more.
  func joined() -> CopyChunk { CopyChunk(run: run.joined()) }

  /// Lends each message's data to `body`.
  public func forEach(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    try run.forEach(body)
  }
}
