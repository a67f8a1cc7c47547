/// Whole CopyData messages that lie in one buffer one after the other.
struct CopyRun {
  let buffer: ReceiveBuffer
  /// Where they lie, tags and lengths included: just as another server wants to receive them.
  let frames: Range<Int>
  /// How many there were when they came.
  ///
  /// A server sends each row as one message.
  let count: Int
  /// How many there are now.
  var frameCount: Int

  init(buffer: ReceiveBuffer, frames: Range<Int>, count: Int, frameCount: Int? = nil) {
    (self.buffer, self.frames, self.count) = (buffer, frames, count)
    self.frameCount = frameCount ?? count
  }

  /// The size of the data, the messages' own headers not counted.
  var byteCount: Int { frames.count - frameCount * Frame.headerSize }

  /// The largest message that is made of several: what is longer has few messages anyway.
  static let joinedLimit = 8 << 20

  /// How much memory it takes: all of the buffer that it keeps.
  var memorySize: Int { buffer.capacity }

  /// The messages as they came over the wire, borrowed for the call.
  func withFrames<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    defer { extendLifetime(buffer) }
    return try body(
      UnsafeRawBufferPointer(start: buffer.base + frames.lowerBound, count: frames.count))
  }

  /// The same data in one message, in the same memory: whoever still has this run must not use it.
  ///
  /// A server takes a row in no time, but each message costs it some.
  func joined() -> CopyRun {
    guard frameCount > 1, frames.count <= Self.joinedLimit else { return self }
    let found = buffer.joinMessages(
      in: frames, tag: BackendTag.copyData.rawValue, headerSize: Frame.headerSize, bodyLimit: .max)
    return CopyRun(buffer: buffer, frames: found.joined, count: count, frameCount: 1)
  }

  /// Hands each message's data to `body`.
  func forEach<Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    var rest = frames
    while let message = buffer.message(at: rest.lowerBound, headerSize: Frame.headerSize, in: rest)
    {
      try body(
        UnsafeRawBufferPointer(start: buffer.base + message.lowerBound, count: message.count))
      rest = message.upperBound..<frames.upperBound
    }
  }
}
