/// Asks, on a connection of its own, for the running statement of a session to be cancelled.
///
/// There is no answer: the server closes.
struct CancelRequest: FrontendMessage {
  static let tag: FrontendTag? = nil

  let key: BackendKeyData

  func encodeBody(into writer: inout ByteWriter) {
    writer.writeInteger(RequestCode.cancel)
    writer.writeInteger(key.processID)
    writer.writeBytes(key.secret)
  }
}
