#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An address that a socket can be connected to: IPv4, IPv6, or a Unix-domain path.
struct SocketAddress: Sendable, Hashable {
  /// The address in the form that system calls take (`sockaddr`).
  private let bytes: [UInt8]

  /// Copies an address out of the system's memory.
  init?(copying address: UnsafePointer<sockaddr>, length: Int) {
    guard length >= MemoryLayout<sockaddr>.size, length <= MemoryLayout<sockaddr_storage>.size
    else { return nil }
    bytes = Array(UnsafeRawBufferPointer(start: address, count: length))
  }

  /// The address of the Unix-domain socket at `path`; `@name` is in the abstract namespace.
  ///
  /// - Throws: ``PGError`` `-*000` when the path is empty or longer than the system allows.
  init(unixPath path: String) throws(PGError) {
    var text = Array(path.utf8)
    let isAbstract = text.first == UInt8(ascii: "@")
    if isAbstract { text[0] = 0 }
    try Self.check(text, of: path, isAbstract: isAbstract)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let offset = MemoryLayout<sockaddr_un>.size - Self.pathCapacity
    // A path ends with NUL, a name in the abstract namespace ends where the address ends.
    let length = offset + text.count + (isAbstract ? 0 : 1)
    bytes = withUnsafeMutableBytes(of: &address) { storage in
      UnsafeMutableRawBufferPointer(rebasing: storage[offset...]).copyBytes(from: text)
      return Array(storage.prefix(length))
    }
  }

  private static func check(
    _ text: [UInt8], of path: String, isAbstract: Bool
  ) throws(PGError) {
    let limit = pathCapacity - (isAbstract ? 0 : 1)
    if text.count > limit {
      throw .option(
        "the socket path \"\(path)\" is too long: \(text.count) bytes, at most \(limit) are possible",
        hint: "Choose a shorter socket directory.")
    }
    if path.isEmpty || path == "@" { throw .option("the socket path is empty") }
    if text.dropFirst(isAbstract ? 1 : 0).contains(0) {
      throw .option("the socket path contains a NUL byte")
    }
  }

  /// The size of `sun_path`.
  static let pathCapacity = MemoryLayout.size(ofValue: sockaddr_un().sun_path)

  /// Lends the address to a system call.
  func withPointer<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
    var storage = sockaddr_storage()
    let count = bytes.count
    return withUnsafeMutableBytes(of: &storage) { memory in
      memory.copyBytes(from: bytes)
      // Memory of a sockaddr_storage is aligned for every kind of address.
      let address = memory.assumingMemoryBound(to: sockaddr.self)
      return body(UnsafePointer(address.baseAddress.unsafelyUnwrapped), socklen_t(count))
    }
  }

  /// The address family's number.
  var family: Int32 { withPointer { address, _ in Int32(address.pointee.sa_family) } }

  /// Whether it is a Unix-domain address.
  var isUnix: Bool { family == AF_UNIX }

  /// The path, if it is a Unix-domain address.
  var path: String? {
    guard isUnix else { return nil }
    let name = bytes.dropFirst(MemoryLayout<sockaddr_un>.size - Self.pathCapacity)
    if name.first == 0 { return "@" + String(decoding: name.dropFirst(), as: UTF8.self) }
    return String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The numeric host, if it is an IP address: `127.0.0.1`, `::1`, `fe80::1%eth0`.
  var host: String? { isUnix ? nil : numericNames?.host }

  /// The port, if it is an IP address.
  var port: Int? { isUnix ? nil : numericNames.flatMap { Int($0.port) } }

  private var numericNames: (host: String, port: String)? {
    let capacity = 128
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 2 * capacity) { text in
      guard let host = text.baseAddress else { return nil }
      let port = host + capacity
      let status = withPointer { address, length in
        getnameinfo(
          address, length, host, socklen_t(capacity), port, socklen_t(capacity),
          NI_NUMERICHOST | NI_NUMERICSERV)
      }
      return status == 0 ? (String(cString: host), String(cString: port)) : nil
    }
  }
}

extension SocketAddress: CustomStringConvertible {
  /// `127.0.0.1:5432`, `[::1]:5432`, or the path.
  var description: String {
    if let path { return path }
    guard let names = numericNames else { return "(unknown address)" }
    return names.host.contains(":")
      ? "[\(names.host)]:\(names.port)" : "\(names.host):\(names.port)"
  }
}
