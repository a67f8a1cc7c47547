import PGKit

/// The server that these tests share; it goes away with the process.
enum ServiceCluster {
  private static let made = Result { () throws(PGError) in
    var options = TemporaryCluster.Options()
    options.listening = .loopback(port: nil)
    return try TemporaryCluster(installation: nil, options)
  }

  static var shared: TemporaryCluster { get throws { try made.get() } }

  /// A connector to it.
  static func connector() throws -> Connector { Connector(try shared.connectionOptions()) }
}
