/// HMAC-SHA-256 (RFC 2104) keyed once and used often.
///
/// Built on digest contexts that have already taken the padded key, so that a use costs two copies
/// of a context and no key schedule: PBKDF2 needs that some ten thousand times.
struct HMAC {
  private static let blockSize = 64

  private let inner: DigestContext
  private let outer: DigestContext
  private let running: DigestContext

  init(key: [UInt8]) throws(CryptoFailure) {
    let short = key.count > Self.blockSize ? try Digest.sha256(key) : key
    let padded = short + [UInt8](repeating: 0, count: Self.blockSize - short.count)
    inner = try DigestContext(sha256: padded.map { $0 ^ 0x36 })
    outer = try DigestContext(sha256: padded.map { $0 ^ 0x5c })
    running = try DigestContext()
  }

  /// The code of `message` under `key`.
  static func sha256(key: [UInt8], _ message: [UInt8]) throws(CryptoFailure) -> [UInt8] {
    try HMAC(key: key).code(message)
  }

  /// The code of `message`.
  func code(_ message: [UInt8]) throws(CryptoFailure) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: Digest.sha256Size)
    let done = message.withUnsafeBytes { bytes in
      output.withUnsafeMutableBytes { write(bytes, into: $0) }
    }
    guard done else { throw CryptoFailure.last("HMAC-SHA-256") }
    return output
  }

  /// Replaces a code by its own code.
  ///
  /// Answers whether libcrypto could.
  func replace(_ code: UnsafeMutableRawBufferPointer) -> Bool {
    write(UnsafeRawBufferPointer(code), into: code)
  }

  private func write(
    _ message: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> Bool {
    guard output.count == Digest.sha256Size, let start = output.baseAddress else { return false }
    return running.finish(inner, with: message, into: start)
      && running.finish(outer, with: UnsafeRawBufferPointer(output), into: start)
  }
}
