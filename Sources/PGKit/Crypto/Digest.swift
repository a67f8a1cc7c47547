import COpenSSL

/// Digests of bytes at once.
enum Digest {
  /// The size of a SHA-256 digest in bytes.
  static let sha256Size = 32

  /// SHA-256 (FIPS 180-4).
  static func sha256(_ bytes: [UInt8]) throws(CryptoFailure) -> [UInt8] {
    try digest(bytes, EVP_sha256(), size: sha256Size, name: "SHA-256")
  }

  /// MD5 (RFC 1321); systems in FIPS mode refuse it.
  static func md5(_ bytes: [UInt8]) throws(CryptoFailure) -> [UInt8] {
    try digest(bytes, EVP_md5(), size: 16, name: "MD5")
  }

  private static func digest(
    _ bytes: [UInt8], _ algorithm: OpaquePointer?, size: Int, name: String
  ) throws(CryptoFailure) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var written: UInt32 = 0
    guard EVP_Digest(bytes, bytes.count, &output, &written, algorithm, nil) == 1,
      Int(written) == size
    else { throw CryptoFailure.last(name) }
    return Array(output.prefix(size))
  }
}
