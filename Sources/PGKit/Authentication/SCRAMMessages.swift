// The messages of SCRAM (RFC 5802 section 7), as bytes and back. What comes from a server is parsed
// strictly: attributes in their order, nothing missing, nothing twice.

/// The four messages of SCRAM.
enum SCRAMMessages {
  /// The longest message accepted from a server, in bytes: what PostgreSQL accepts from a client.
  static let lengthLimit = 65_535

  /// client-first-message.
  struct ClientFirst {
    let binding: ChannelBinding
    let nonce: String

    /// The part that is signed.
    ///
    /// The user's name stays empty: the server takes the startup packet's.
    var bare: [UInt8] { Array("n=,r=\(nonce)".utf8) }
    /// The whole.
    var bytes: [UInt8] { binding.header + bare }
  }

  /// server-first-message.
  struct ServerFirst {
    /// Both nonces.
    let nonce: [UInt8]
    let salt: [UInt8]
    /// A count too large for an integer is the largest integer.
    let iterations: Int

    init(parsing bytes: [UInt8]) throws(PGError) {
      let attributes = try SCRAMMessages.attributes(of: bytes)
      if attributes.first?.key == UInt8(ascii: "m") {
        throw .malformedSCRAM("it demands an extension that PGKit does not know")
      }
      nonce = try SCRAMMessages.value("r", at: 0, of: attributes)
      salt = try Self.salt(try SCRAMMessages.value("s", at: 1, of: attributes))
      iterations = try Self.count(try SCRAMMessages.value("i", at: 2, of: attributes))
      // Extensions may follow and mean nothing to those who do not know them.
      for extra in attributes.dropFirst(3) where "mrsi".utf8.contains(extra.key) {
        throw .malformedSCRAM("an attribute appears where it may not")
      }
    }

    private static func salt(_ text: [UInt8]) throws(PGError) -> [UInt8] {
      let salt = Base64.decode(String(decoding: text, as: UTF8.self))
      guard let salt, !salt.isEmpty else { throw .malformedSCRAM("the salt is not base64") }
      return salt
    }

    private static func count(_ text: [UInt8]) throws(PGError) -> Int {
      guard text.allSatisfy(ASCII.isDigit), text.first != ASCII.zero else {
        throw .malformedSCRAM("the iteration count is not a positive number")
      }
      return Int(String(decoding: text, as: UTF8.self)) ?? .max
    }
  }

  /// client-final-message.
  struct ClientFinal {
    let binding: ChannelBinding
    /// Both nonces.
    let nonce: [UInt8]

    /// The part that is signed.
    var withoutProof: [UInt8] {
      Array("c=\(Base64.encode(binding.input)),r=".utf8) + nonce
    }

    /// The whole.
    func bytes(proof: [UInt8]) -> [UInt8] {
      withoutProof + Array(",p=\(Base64.encode(proof))".utf8)
    }
  }

  /// server-final-message.
  enum ServerFinal {
    /// The server's signature.
    case verifier([UInt8])
    /// Why the server refuses.
    case error(String)

    init(parsing bytes: [UInt8]) throws(PGError) {
      let attributes = try SCRAMMessages.attributes(of: bytes)
      guard attributes.count == 1, let only = attributes.first else {
        throw .malformedSCRAM("something follows the last attribute")
      }
      let text = String(decoding: only.value, as: UTF8.self)
      switch only.key {
      case UInt8(ascii: "v"):
        guard let signature = Base64.decode(text) else {
          throw .malformedSCRAM("the signature is not base64")
        }
        self = .verifier(signature)
      case UInt8(ascii: "e"):
        self = .error(Self.isReadable(only.value) ? text : "(unreadable reason)")
      default: throw .malformedSCRAM("the attribute \"v\" is missing")
      }
    }

    /// Reasons are short names; anything else does not belong on a terminal.
    private static func isReadable(_ reason: [UInt8]) -> Bool {
      reason.count <= 128 && reason.allSatisfy { (0x20...0x7e).contains($0) }
    }
  }

  // MARK: Attributes

  /// One `key=value`; the key is a letter, the value is not empty.
  private typealias Attribute = (key: UInt8, value: [UInt8])

  private static func attributes(of bytes: [UInt8]) throws(PGError) -> [Attribute] {
    guard bytes.count <= lengthLimit else { throw .malformedSCRAM("it is too long") }
    guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else {
      throw .malformedSCRAM("it is not text")
    }
    var attributes: [Attribute] = []
    for part in bytes.split(separator: ASCII.comma, omittingEmptySubsequences: false) {
      guard let key = part.first, ASCII.isLetter(key), part.dropFirst().first == equals,
        part.count > 2
      else { throw .malformedSCRAM("an attribute is missing or has no value") }
      attributes.append((key, Array(part.dropFirst(2))))
    }
    return attributes
  }

  private static let equals = UInt8(ascii: "=")

  private static func value(
    _ key: Unicode.Scalar, at index: Int, of attributes: [Attribute]
  ) throws(PGError) -> [UInt8] {
    guard index < attributes.count, attributes[index].key == UInt8(ascii: key) else {
      throw .malformedSCRAM("the attribute \"\(key)\" is missing")
    }
    return attributes[index].value
  }
}
