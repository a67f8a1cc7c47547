/// Makes a prepared statement of one statement's text.
struct Parse: FrontendMessage {
  static let tag: FrontendTag? = .parse

  /// The statement's name; empty for the unnamed one.
  let name: String
  let sql: String
  /// The types of the first parameters; 0 lets the server infer one.
  var parameterTypes: [UInt32] = []

  func encodeBody(into writer: inout ByteWriter) {
    writer.writeTerminated(name)
    writer.writeTerminated(sql)
    writer.writeInteger(UInt16(truncatingIfNeeded: parameterTypes.count))
    for type in parameterTypes { writer.writeInteger(type) }
  }
}
