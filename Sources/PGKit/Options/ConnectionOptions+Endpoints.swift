extension ConnectionOptions {
  /// The places to try, in order.
  ///
  /// - With `unix`, that socket alone: an absolute path, or `@` and a name in the abstract namespace.
  /// - Else one for each host, with its address and port: there are as many addresses as hosts if
  ///   there are both, and one port, or one for each. A host that begins with `/` or `@` is the
  ///   directory of a Unix-domain socket; no host at all is `localhost`.
  ///
  /// - Throws: ``PGError`` with ``SQLState/clientParameterError`` if the lists do not match, or `unix`
  ///   is relative.
  ///
  /// Source: PostgreSQL manual, "Specifying Multiple Hosts".
  public func endpoints() throws(PGError) -> [Endpoint] {
    let (names, addresses) = (Self.said(hosts), Self.said(hostAddresses))
    if let unix {
      guard names.isEmpty, addresses.isEmpty, ports?.isEmpty != false else {
        throw .option("\"unix\" names the socket, so \"host\", \"hostaddr\" and \"port\" cannot")
      }
      guard !unix.isEmpty else { throw .option("\"unix\" names no socket") }
      guard unix.hasPrefix("/") || unix.hasPrefix("@") else {
        throw .option(
          "\"unix\" is not an absolute path",
          hint: "It names the socket itself, as /run/postgresql/.s.PGSQL.5432 does.")
      }
      return [.unix(path: unix)]
    }
    let count = max(names.count, addresses.count, 1)
    if !names.isEmpty, !addresses.isEmpty, names.count != addresses.count {
      throw .option("there are \(names.count) hosts, but \(addresses.count) of hostaddr")
    }
    let ports = try checkedPorts(count: count)
    return (0..<count).map { index in
      Self.endpoint(
        names.isEmpty ? "" : names[index], addresses.isEmpty ? "" : addresses[index], ports[index])
    }
  }

  /// One port for each of `count` hosts.
  private func checkedPorts(count: Int) throws(PGError) -> [Int] {
    let ports = ports ?? []
    guard ports.allSatisfy({ (1...65535).contains($0) }) else {
      throw .option("a port is out of range", hint: "A port is a number from 1 to 65535.")
    }
    if ports.count <= 1 {
      return Array(repeating: ports.first ?? Self.defaultPort, count: count)
    }
    guard ports.count == count else {
      throw .option("there are \(ports.count) ports, but the number of hosts is \(count)")
    }
    return ports
  }

  private static func endpoint(_ host: String, _ address: String, _ port: Int) -> Endpoint {
    if !address.isEmpty { return .tcp(host: host, address: address, port: port) }
    if host.hasPrefix("/") || host.hasPrefix("@") {
      return .unix(path: Endpoint.socketPath(directory: host, port: port))
    }
    return .tcp(host: host.isEmpty ? "localhost" : host, address: nil, port: port)
  }

  /// A list that says something: one empty element does not.
  private static func said(_ list: [String]?) -> [String] {
    guard let list, list != [""] else { return [] }
    return list
  }
}

extension Endpoint {
  /// Where servers keep their sockets unless told otherwise: Debian's place, and PostgreSQL's own.
  static let socketDirectories = ["/var/run/postgresql", "/run/postgresql", "/tmp"]

  /// The path of a server's socket in its directory.
  static func socketPath(directory: String, port: Int) -> String {
    "\(directory)/\(socketPrefix)\(port)"
  }

  static let socketPrefix = ".s.PGSQL."

  /// The port: TCP's, or the one that a socket is named after, if it is named in the usual way.
  public var port: Int? {
    switch self {
    case .tcp(_, _, let port): return port
    case .unix(let path):
      guard let name = path.split(separator: "/").last, name.hasPrefix(Self.socketPrefix) else {
        return nil
      }
      return Int(name.dropFirst(Self.socketPrefix.count))
    }
  }

  /// The host names under which the password file may know the place.
  ///
  /// A socket in a default directory is `localhost` there, as in libpq, and may also be named.
  var passwordFileHosts: [String] {
    guard case .unix = self else { return [host] }
    return Self.socketDirectories.contains(host) ? ["localhost", host] : [host]
  }

  /// The port under which the password file knows the place.
  var passwordFilePort: String {
    switch self {
    case .tcp(_, _, let port): return String(port)
    case .unix(let path):
      let name = path[(path.lastIndex(of: "/") ?? path.startIndex)...].drop { $0 == "/" }
      guard name.hasPrefix(Self.socketPrefix) else { return String(ConnectionOptions.defaultPort) }
      return String(name.dropFirst(Self.socketPrefix.count))
    }
  }
}
