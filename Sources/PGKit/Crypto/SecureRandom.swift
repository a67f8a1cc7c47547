import COpenSSL

/// Bytes that nobody can guess.
enum SecureRandom {
  /// `count` random bytes.
  static func bytes(_ count: Int) throws(CryptoFailure) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: count)
    guard let size = Int32(exactly: count), RAND_bytes(&output, size) == 1 else {
      throw CryptoFailure.last("random bytes")
    }
    return output
  }
}
