/// Asks whether the server speaks TLS; it answers with one byte that is no message.
struct SSLRequest: FrontendMessage {
  static let tag: FrontendTag? = nil

  func encodeBody(into writer: inout ByteWriter) { writer.writeInteger(RequestCode.ssl) }
}
