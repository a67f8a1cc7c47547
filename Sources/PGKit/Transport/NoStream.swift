/// A stream that leads nowhere: what a connection has before it is established.
final class NoStream: ByteStream {
  /// None; `poll` passes over it.
  let descriptor: Int32 = -1

  func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamProgress { .ended }

  func write(_ bytes: UnsafeRawBufferPointer) -> StreamProgress { .ended }

  func close() {}
}
