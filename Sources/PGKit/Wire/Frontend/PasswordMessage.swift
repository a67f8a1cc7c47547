/// PasswordMessage: a password, or the digest that stands for it.
struct PasswordMessage: FrontendMessage, Equatable {
  static let tag: FrontendTag? = .password

  /// The bytes, without a zero byte: the message ends at the first.
  let password: [UInt8]

  func encodeBody(into writer: inout ByteWriter) {
    writer.writeBytes(password)
    writer.writeByte(0)
  }
}

extension PasswordMessage: CustomStringConvertible, CustomReflectable {
  /// Never the password.
  var description: String { "PasswordMessage" }
  /// Never the password.
  var customMirror: Mirror { Mirror(self, children: []) }
}
