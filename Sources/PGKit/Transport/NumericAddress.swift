#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An IP address as it is written in a certificate: four or sixteen bytes.
enum NumericAddress {
  /// Reads `text` as an IPv4 or IPv6 address.
  static func parse(_ text: String) -> [UInt8]? {
    parse(text, family: AF_INET, count: 4) ?? parse(text, family: AF_INET6, count: 16)
  }

  private static func parse(_ text: String, family: Int32, count: Int) -> [UInt8]? {
    guard !text.utf8.contains(0) else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { memory in
      inet_pton(family, text, memory.baseAddress) == 1 ? Array(memory) : nil
    }
  }
}
