import COpenSSL

/// A digest in the making: libcrypto's `EVP_MD_CTX`.
final class DigestContext {
  private let context: OpaquePointer

  /// Makes a context in which nothing has begun.
  init() throws(CryptoFailure) {
    guard let context = EVP_MD_CTX_new() else { throw CryptoFailure.last("digest") }
    self.context = context
  }

  /// Makes a context that has begun SHA-256 and taken `prefix`.
  init(sha256 prefix: [UInt8]) throws(CryptoFailure) {
    guard let context = EVP_MD_CTX_new() else { throw CryptoFailure.last("digest") }
    self.context = context
    guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1,
      EVP_DigestUpdate(context, prefix, prefix.count) == 1
    else { throw CryptoFailure.last("SHA-256") }
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Goes on from where `start` is with `bytes` and writes the 32 bytes of the digest to `output`.
  ///
  /// The output may be where the bytes are. `start` stays as it is. Answers whether libcrypto could.
  func finish(
    _ start: DigestContext, with bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer
  ) -> Bool {
    EVP_MD_CTX_copy_ex(context, start.context) == 1
      && EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
      && EVP_DigestFinal_ex(context, output.assumingMemoryBound(to: UInt8.self), nil) == 1
  }
}
