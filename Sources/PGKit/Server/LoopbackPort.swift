#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Ports of 127.0.0.1.
enum LoopbackPort {
  /// A port that nobody has at this moment.
  static func free() throws(PGError) -> Int {
    switch bind(port: 0) {
    case .success(let port): return port
    case .failure(let error): throw .cluster("could not find a free port", error)
    }
  }

  /// Whether nobody has `port`.
  static func isFree(_ port: Int) -> Bool {
    if case .success = bind(port: port) { return true }
    return false
  }

  private static func bind(port: Int) -> Result<Int, SystemError> {
    #if canImport(Glibc)
      let descriptor = socket(
        AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    #else
      let descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    guard descriptor >= 0 else { return .failure(Syscalls.lastError(of: "socket")) }
    let file = OpenFile(owning: descriptor)
    _ = fcntl(file.descriptor, F_SETFD, FD_CLOEXEC)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let failed = withUnsafeMutablePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> String? in
        if bindSocket(file.descriptor, address, size) != 0 { return "bind" }
        return getsockname(file.descriptor, address, &size) != 0 ? "getsockname" : nil
      }
    }
    if let failed { return .failure(Syscalls.lastError(of: failed)) }
    return .success(Int(UInt16(bigEndian: address.sin_port)))
  }

  private static func bindSocket(
    _ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ size: socklen_t
  ) -> Int32 {
    #if canImport(Glibc)
      Glibc.bind(descriptor, address, size)
    #elseif canImport(Musl)
      Musl.bind(descriptor, address, size)
    #else
      Darwin.bind(descriptor, address, size)
    #endif
  }
}
