@testable import PGKit

/// The server's half of SCRAM, honest unless a test turns a knob.
struct ScriptedSCRAMServer {
  var password = "pencil"
  var salt = Array("sixteen bytes ok".utf8)
  var iterations = 4
  var nonceTail = "server"

  /// server-first-message in answer to a client-first-message.
  func first(to client: SASLInitialResponse) -> [UInt8] {
    let bare = Self.bare(client)
    let nonce = bare.dropFirst("n=,r=".utf8.count)
    return Array("r=".utf8) + nonce
      + Array("\(nonceTail),s=\(Base64.encode(salt)),i=\(iterations)".utf8)
  }

  /// server-final-message in answer to a client-final-message, whose proof is checked.
  func final(
    to client: SASLInitialResponse, _ first: [UInt8], _ final: SASLResponse
  ) throws -> (message: [UInt8], isProofGood: Bool) {
    let text = String(decoding: final.response, as: UTF8.self)
    let parts = text.split(separator: ",")
    let withoutProof = parts.dropLast().joined(separator: ",")
    let signed =
      Self.bare(client) + Array(",".utf8) + first + Array(",\(withoutProof)".utf8)
    let salted = try KeyDerivation.pbkdf2(
      password: Array(password.utf8), salt: salt, iterations: iterations
    ) { false }
    let clientKey = try HMAC.sha256(key: salted, Array("Client Key".utf8))
    let signature = try HMAC.sha256(key: try Digest.sha256(clientKey), signed)
    let proof = zip(clientKey, signature).map { $0 ^ $1 }
    let serverKey = try HMAC.sha256(key: salted, Array("Server Key".utf8))
    let verifier = Base64.encode(try HMAC.sha256(key: serverKey, signed))
    return (Array("v=\(verifier)".utf8), parts.last == "p=\(Base64.encode(proof))")
  }

  /// client-first-message-bare.
  private static func bare(_ client: SASLInitialResponse) -> [UInt8] {
    let message = client.response ?? []
    let commas = message.indices.filter { message[$0] == UInt8(ascii: ",") }
    return commas.count > 1 ? Array(message[(commas[1] + 1)...]) : []
  }
}
