import COpenSSL

/// Comparison that takes the same time wherever the first difference is.
enum ConstantTime {
  /// Whether both have the same bytes.
  ///
  /// Their counts are no secret. Without OpenSSL nothing is equal.
  static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
  }
}
