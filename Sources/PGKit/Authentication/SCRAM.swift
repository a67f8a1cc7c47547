/// The client's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677).
///
/// Two messages each way: ``first`` → ``answer(_:shouldStop:)`` → ``verify(_:)``. The order is the
/// ``Authenticator``'s to keep.
struct SCRAM {
  /// How the login is bound to its channel, and with that the mechanism.
  let binding: ChannelBinding
  private let password: [UInt8]
  private let opening: SCRAMMessages.ClientFirst
  private let iterationLimit: Int
  /// What a server that knows the password will sign with; empty until the proof is made.
  private var expectedSignature: [UInt8] = []

  /// - Parameter nonce: Printable, without commas, never used before.
  init(password: [UInt8], binding: ChannelBinding, nonce: String, iterationLimit: Int) {
    self.binding = binding
    self.password = SASLprep.prepare(password)
    self.opening = SCRAMMessages.ClientFirst(binding: binding, nonce: nonce)
    self.iterationLimit = iterationLimit
  }

  /// A nonce of 18 random bytes, as libpq's.
  static func makeNonce() throws(PGError) -> String {
    do throws(CryptoFailure) {
      return Base64.encode(try SecureRandom.bytes(18))
    } catch { throw .crypto(error, during: "SCRAM authentication") }
  }

  /// What the login begins with.
  ///
  /// It holds no secret.
  var first: SASLInitialResponse {
    SASLInitialResponse(mechanism: binding.mechanism, response: opening.bytes)
  }

  /// Answers the server's first message with the proof that the password is known.
  ///
  /// Everything that the message says is checked before anything is computed from it.
  mutating func answer(
    _ message: [UInt8], shouldStop: () -> Bool
  ) throws(PGError) -> SASLResponse {
    let challenge = try SCRAMMessages.ServerFirst(parsing: message)
    try check(challenge)
    let reply = SCRAMMessages.ClientFinal(binding: binding, nonce: challenge.nonce)
    let comma = [ASCII.comma]
    let signed = opening.bare + comma + message + comma + reply.withoutProof
    do throws(CryptoFailure) {
      let salted = try KeyDerivation.pbkdf2(
        password: password, salt: challenge.salt, iterations: challenge.iterations,
        shouldStop: shouldStop)
      expectedSignature = try HMAC.sha256(
        key: try HMAC.sha256(key: salted, Array("Server Key".utf8)), signed)
      return SASLResponse(response: reply.bytes(proof: try Self.proof(salted, signed)))
    } catch { throw .crypto(error, during: "SCRAM authentication") }
  }

  /// Checks that the server knows the password, too.
  func verify(_ message: [UInt8]) throws(PGError) {
    switch try SCRAMMessages.ServerFinal(parsing: message) {
    case .error(let reason): throw .refusedSCRAM(reason)
    case .verifier(let signature):
      guard !expectedSignature.isEmpty, ConstantTime.areEqual(signature, expectedSignature) else {
        throw .wrongSignature
      }
    }
  }

  private func check(_ challenge: SCRAMMessages.ServerFirst) throws(PGError) {
    let nonce = challenge.nonce
    guard nonce.starts(with: opening.nonce.utf8), nonce.count > opening.nonce.utf8.count else {
      throw .malformedSCRAM("the nonce does not continue the client's")
    }
    guard nonce.allSatisfy({ (0x21...0x7e).contains($0) }) else {
      throw .malformedSCRAM("the nonce is not printable")
    }
    guard challenge.iterations <= iterationLimit else {
      throw .tooManyIterations(limit: iterationLimit)
    }
  }

  /// ClientProof: ClientKey hidden under ClientSignature.
  private static func proof(
    _ salted: [UInt8], _ signed: [UInt8]
  ) throws(CryptoFailure) -> [UInt8] {
    let key = try HMAC.sha256(key: salted, Array("Client Key".utf8))
    let signature = try HMAC.sha256(key: try Digest.sha256(key), signed)
    return zip(key, signature).map { $0 ^ $1 }
  }
}

extension SCRAM: CustomStringConvertible, CustomReflectable {
  /// Never the password.
  var description: String { binding.mechanism }
  /// Never the password.
  var customMirror: Mirror { Mirror(self, children: []) }
}
