/// A two-way stream of bytes that never blocks: a socket, or TLS over one.
///
/// The pump (`Connection/Link.swift`) asks a stream to move what it can and, when it
/// cannot, waits for what the stream says it waits for.
protocol ByteStream: AnyObject {
  /// The descriptor to wait on.
  var descriptor: Int32 { get }

  /// Reads what is there into `buffer`.
  ///
  /// - Throws: ``PGError`` 08006 when the other end is gone without a proper end, or the system
  ///   refuses.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(PGError) -> StreamProgress

  /// Writes as much of `bytes` as is accepted now.
  func write(_ bytes: UnsafeRawBufferPointer) throws(PGError) -> StreamProgress

  /// Says goodbye as far as that is possible without waiting, and closes the descriptor.
  func close()
}

/// How far one read or write came.
enum StreamProgress: Equatable {
  /// This many bytes were moved; at least one.
  case moved(Int)
  /// Nothing can be moved before the descriptor is readable.
  case waitToRead
  /// Nothing can be moved before the descriptor is writable.
  case waitToWrite
  /// The other end has closed the stream properly.
  case ended
}
