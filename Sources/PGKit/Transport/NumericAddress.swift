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

  /// Writes an address of four or sixteen bytes.
  static func format(_ bytes: [UInt8]) -> String? {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    let family = bytes.count == 4 ? AF_INET : AF_INET6
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
      guard let start = text.baseAddress, inet_ntop(family, bytes, start, 64) != nil else {
        return nil
      }
      return String(cString: start)
    }
  }
}
