/// The first message of a session: version and parameters.
struct StartupMessage: FrontendMessage {
  static let tag: FrontendTag? = nil

  let version: ProtocolVersion
  /// Names and values in order; none contains a zero byte.
  let parameters: [(name: String, value: String)]

  func encodeBody(into writer: inout ByteWriter) {
    writer.writeInteger(version.code)
    for (name, value) in parameters {
      writer.writeTerminated(name)
      writer.writeTerminated(value)
    }
    writer.writeByte(0)
  }
}
