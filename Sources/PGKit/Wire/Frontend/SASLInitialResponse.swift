/// SASLInitialResponse: the chosen mechanism and what it begins with.
struct SASLInitialResponse: FrontendMessage, Equatable {
  static let tag: FrontendTag? = .password

  /// The mechanism's name, one of those that the server offered.
  let mechanism: String
  /// The mechanism's first message; `nil` if it lets the server begin.
  let response: [UInt8]?

  func encodeBody(into writer: inout ByteWriter) {
    writer.writeTerminated(mechanism)
    if let response {
      writer.writeLengthPrefixed { $0.writeBytes(response) }
    } else {
      writer.writeInteger(-1 as Int32)
    }
  }
}
