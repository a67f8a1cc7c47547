/// One place where a server may listen.
public enum Endpoint: Sendable, Hashable {
  /// The full path of a Unix-domain socket; one that begins with `@` is in the abstract namespace.
  case unix(path: String)
  /// A host and a TCP port. With an `address` the name is not looked up: the address is connected
  /// to and the name only checked against the certificate and the password file.
  case tcp(host: String, address: String?, port: Int)

  /// The host as the password file and messages know it: the name, or the socket's directory.
  public var host: String {
    switch self {
    case .unix(let path): path.lastIndex(of: "/").map { String(path[..<$0]) } ?? path
    case .tcp(let host, let address, _): host.isEmpty ? address ?? "" : host
    }
  }
}

extension Endpoint: CustomStringConvertible {
  /// `host:port`, or the socket's path.
  public var description: String {
    switch self {
    case .unix(let path): return path
    case .tcp(_, _, let port):
      return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
  }
}
