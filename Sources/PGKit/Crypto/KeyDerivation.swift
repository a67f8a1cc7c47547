/// Keys from passwords.
enum KeyDerivation {
  /// How many iterations pass between two looks at `shouldStop`: some milliseconds.
  static let iterationsBetweenLooks = 10_000

  /// PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2) and a key of one block, 32 bytes.
  ///
  /// libcrypto has the whole in one call, but nothing stops that call: a server that asks for two
  /// billion iterations would hold the caller past every deadline.
  ///
  /// - Throws: ``CryptoFailure/stopped`` when `shouldStop` says so.
  static func pbkdf2(
    password: [UInt8], salt: [UInt8], iterations: Int, shouldStop: () -> Bool
  ) throws(CryptoFailure) -> [UInt8] {
    guard iterations >= 1 else {
      throw CryptoFailure.refused(operation: "PBKDF2", reason: "no iterations")
    }
    let hmac = try HMAC(key: password)
    var code = try hmac.code(salt + [0, 0, 0, 1])
    var key = code
    var remaining = iterations - 1
    while remaining > 0 {
      if shouldStop() { throw CryptoFailure.stopped }
      let count = min(remaining, iterationsBetweenLooks)
      guard iterate(hmac, count, &code, &key) else { throw CryptoFailure.last("PBKDF2") }
      remaining -= count
    }
    return key
  }

  /// Replaces `code` by its own code `count` times and adds each to `key`.
  private static func iterate(
    _ hmac: HMAC, _ count: Int, _ code: inout [UInt8], _ key: inout [UInt8]
  ) -> Bool {
    code.withUnsafeMutableBytes { code in
      key.withUnsafeMutableBytes { key in
        for _ in 0..<count {
          guard hmac.replace(code) else { return false }
          for index in 0..<min(key.count, code.count) { key[index] ^= code[index] }
        }
        return true
      }
    }
  }
}
