/// SASLResponse: what the mechanism says next.
struct SASLResponse: FrontendMessage, Equatable {
  static let tag: FrontendTag? = .password

  /// The mechanism's message.
  let response: [UInt8]

  func encodeBody(into writer: inout ByteWriter) { writer.writeBytes(response) }
}
