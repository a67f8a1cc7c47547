/// A piece of copied data on its way from a producer to receivers.
public enum CopyPiece {
  /// Rows of a server, as they came over the wire.
  case chunk(CopyChunk)
  /// Bytes from elsewhere, which may begin and end within rows.
  case bytes([UInt8])

  /// The number of messages that came; bytes from elsewhere count as one.
  public var messageCount: Int {
    switch self {
    case .chunk(let chunk): chunk.count
    case .bytes: 1
    }
  }

  /// The number of bytes of data.
  public var byteCount: Int {
    switch self {
    case .chunk(let chunk): chunk.byteCount
    case .bytes(let bytes): bytes.count
    }
  }

  /// Lends the data to `body`, part by part.
  public func forEach(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    switch self {
    case .chunk(let chunk): try chunk.forEach(body)
    case .bytes(let bytes): try bytes.withUnsafeBytes(body)
    }
  }

  /// Whether its first part begins with these bytes.
  func begins(with bytes: [UInt8]) -> Bool {
    var answer: Bool?
    forEach { part in
      if answer == nil { answer = part.prefix(bytes.count).elementsEqual(bytes) }
    }
    return answer ?? false
  }

  /// The same data in one message; this piece must not be used any more.
  func joined() -> CopyPiece {
    switch self {
    case .chunk(let chunk): .chunk(chunk.joined())
    case .bytes: self
    }
  }
}
