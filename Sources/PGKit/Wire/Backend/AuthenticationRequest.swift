// AuthenticationXXX: https://www.postgresql.org/docs/current/protocol-message-formats.html

/// What the server wants of a client that logs in: the messages with tag `R`.
enum AuthenticationRequest: Equatable, Sendable {
  /// AuthenticationOk: nothing more; the client is in.
  case ok
  /// AuthenticationKerberosV5, which no supported server sends.
  case kerberosV5
  /// AuthenticationCleartextPassword.
  case cleartextPassword
  /// AuthenticationMD5Password with its four bytes of salt.
  case md5Password(salt: [UInt8])
  /// AuthenticationSCMCredential, which no supported server sends.
  case scmCredential
  /// AuthenticationGSS.
  case gss
  /// AuthenticationGSSContinue.
  case gssContinue([UInt8])
  /// AuthenticationSSPI.
  case sspi
  /// AuthenticationSASL with the names of the server's mechanisms, in its order.
  case sasl([String])
  /// AuthenticationSASLContinue.
  case saslContinue([UInt8])
  /// AuthenticationSASLFinal.
  case saslFinal([UInt8])
  /// A code that this driver does not know.
  case unknown(Int32)

  /// Decodes the body of the message, all of it.
  ///
  /// - Throws: ``OutOfBytes`` if the body is shorter or longer than its code says.
  init(decoding reader: inout ByteReader) throws(OutOfBytes) {
    let code = try reader.readInteger(Int32.self)
    switch code {
    case 0: self = .ok
    case 2: self = .kerberosV5
    case 3: self = .cleartextPassword
    case 5: self = .md5Password(salt: try reader.readBytes(4))
    case 6: self = .scmCredential
    case 7: self = .gss
    case 8: self = .gssContinue(reader.readRemaining())
    case 9: self = .sspi
    case 10: self = .sasl(try Self.decodeMechanisms(&reader))
    case 11: self = .saslContinue(reader.readRemaining())
    case 12: self = .saslFinal(reader.readRemaining())
    default:
      // What follows an unknown code has no known form.
      _ = reader.readRemaining()
      self = .unknown(code)
    }
    guard reader.isAtEnd else { throw OutOfBytes() }
  }

  /// Names, each ended by a zero byte, until an empty one.
  private static func decodeMechanisms(
    _ reader: inout ByteReader
  ) throws(OutOfBytes) -> [String] {
    var names: [String] = []
    while true {
      let name = try reader.readTerminatedString()
      if name.isEmpty { return names }
      names.append(name)
    }
  }
}
