// Connectors for one kind of way to the server.

extension Connector {
  /// A connector to a host, whose addresses are looked up at each connection and tried in order.
  ///
  /// - Parameters:
  ///   - name: The host's name or address.
  ///   - port: The TCP port.
  ///   - options: Everything else.
  /// - Throws: ``PGError`` `-*000` if the options say where to connect, too.
  ///
  /// In py-postgresql: `driver.default.host(...)`.
  public static func host(
    _ name: String, port: Int = ConnectionOptions.defaultPort,
    _ options: ConnectionOptions = ConnectionOptions()
  ) throws(PGError) -> Connector {
    guard !name.isEmpty, !name.hasPrefix("/"), !name.hasPrefix("@") else {
      throw .option("\"\(name)\" is no host", hint: "Connector.unix(_:_:) is for sockets.")
    }
    return try Connector(options.leading(to: name, port))
  }

  /// A connector to one IPv4 address: `127.0.0.1`.
  ///
  /// - Throws: ``PGError`` `-*000` if `address` is none, or the options say where to connect, too.
  ///
  /// In py-postgresql: `driver.default.ip4(...)`.
  public static func ip4(
    _ address: String, port: Int = ConnectionOptions.defaultPort,
    _ options: ConnectionOptions = ConnectionOptions()
  ) throws(PGError) -> Connector {
    guard NumericAddress.parse(address)?.count == 4 else {
      throw .option("\"\(address)\" is no IPv4 address", hint: "An example is 127.0.0.1.")
    }
    return try Connector(options.leading(to: address, port))
  }

  /// A connector to one IPv6 address: `::1`.
  ///
  /// - Throws: ``PGError`` `-*000` if `address` is none, or the options say where to connect, too.
  ///
  /// In py-postgresql: `driver.default.ip6(...)`.
  public static func ip6(
    _ address: String, port: Int = ConnectionOptions.defaultPort,
    _ options: ConnectionOptions = ConnectionOptions()
  ) throws(PGError) -> Connector {
    guard NumericAddress.parse(address)?.count == 16 else {
      throw .option("\"\(address)\" is no IPv6 address", hint: "An example is ::1.")
    }
    return try Connector(options.leading(to: address, port))
  }

  /// A connector to one Unix-domain socket: `/run/postgresql/.s.PGSQL.5432`.
  ///
  /// - Parameters:
  ///   - path: The absolute path of the socket itself, not of its directory.
  ///   - options: Everything else.
  /// - Throws: ``PGError`` `-*000` if `path` is not absolute, or the options say where to connect, too.
  ///
  /// In py-postgresql: `driver.default.unix(...)`.
  public static func unix(
    _ path: String, _ options: ConnectionOptions = ConnectionOptions()
  ) throws(PGError) -> Connector {
    guard path.hasPrefix("/") else {
      throw .option("\"\(path)\" is no absolute path of a socket")
    }
    var options = try options.leadingNowhere()
    options.unix = path
    return Connector(options)
  }
}

extension ConnectionOptions {
  fileprivate func leading(to host: String, _ port: Int) throws(PGError) -> ConnectionOptions {
    var options = try leadingNowhere()
    options.hosts = [host]
    options.ports = [port]
    return options
  }

  /// The same options, as long as they do not say where the server is.
  fileprivate func leadingNowhere() throws(PGError) -> ConnectionOptions {
    let places = [hosts != nil, hostAddresses != nil, ports != nil, unix != nil]
    guard !places.contains(true) else {
      throw .option("the options say where to connect, and so does the connector")
    }
    return self
  }
}
