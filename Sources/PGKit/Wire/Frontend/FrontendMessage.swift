// What a client sends. One file for each message with a body, named as in the manual ("Message
// Formats"); the messages without one are constants here.

/// The byte that begins a frontend message; messages before authentication have none.
enum FrontendTag: UInt8 {
  case bind = 0x42  // B
  case close = 0x43  // C
  case copyData = 0x64  // d
  case copyDone = 0x63  // c
  case copyFail = 0x66  // f
  case describe = 0x44  // D
  case execute = 0x45  // E
  case flush = 0x48  // H
  case parse = 0x50  // P
  /// PasswordMessage, SASLInitialResponse and SASLResponse share it; the exchange tells them apart.
  case password = 0x70  // p
  case query = 0x51  // Q
  case sync = 0x53  // S
  case terminate = 0x58  // X
}

/// A message that a client sends.
protocol FrontendMessage {
  /// Its first byte, or `nil` for the requests that come before the startup packet.
  static var tag: FrontendTag? { get }

  /// Writes what follows the length.
  func encodeBody(into writer: inout ByteWriter)
}

extension FrontendMessage {
  /// Writes the whole message: tag, length, body.
  func encode(into writer: inout ByteWriter) {
    if let tag = Self.tag { writer.writeByte(tag.rawValue) }
    writer.writeLengthPrefixed(includingItself: true) { encodeBody(into: &$0) }
  }
}

/// A message that is nothing but its tag.
struct BodilessMessage {
  let tag: FrontendTag

  /// Ends a pipeline: the server answers ReadyForQuery.
  static let sync = BodilessMessage(tag: .sync)
  /// Ends the copied data.
  static let copyDone = BodilessMessage(tag: .copyDone)
  /// Ends the session.
  static let terminate = BodilessMessage(tag: .terminate)

  /// Writes the message.
  func encode(into writer: inout ByteWriter) {
    writer.writeByte(tag.rawValue)
    writer.writeInteger(4 as Int32)
  }
}
