internal import Synchronization

// The two lives that a throwaway cluster usually has: as long as the process, and as long as a block.

extension TemporaryCluster {
  private static let processCluster = Mutex<TemporaryCluster?>(nil)

  /// The process's own cluster: made when it is first asked for, gone when the process ends.
  ///
  /// - Throws: ``PGError`` of class `-C` if it cannot be made; the next call tries again.
  ///
  /// In py-postgresql: `temporal.pg_tmp`.
  public static func ofProcess() throws(PGError) -> TemporaryCluster {
    var failure: PGError?
    let cluster = processCluster.withLock { cluster -> TemporaryCluster? in
      if let cluster { return cluster }
      do throws(PGError) { cluster = try TemporaryCluster() } catch { failure = error }
      return cluster
    }
    if let cluster { return cluster }
    throw failure ?? .cluster("the process's cluster could not be made")
  }

  /// Makes a cluster for a block, which is gone when the block ends, however it does.
  ///
  /// - Throws: what the block throws; ``PGError`` of class `-C` if the cluster cannot be made or
  ///   something of it stays behind.
  public static func with<Result>(
    installation: Installation? = nil, _ options: Options = Options(),
    _ body: (TemporaryCluster) throws -> Result
  ) throws -> Result {
    let cluster = try TemporaryCluster(installation: installation, options)
    let result: Result
    do { result = try body(cluster) } catch {
      // What went wrong in the block is told; the supervisor tries again.
      try? cluster.close()
      throw error
    }
    try cluster.close()
    return result
  }

  /// Lends a connection that works in a schema of its own, which is dropped with everything in it
  /// when the block ends.
  ///
  /// Blocks may stand within each other; each has its own connection and schema.
  ///
  /// - Throws: what the block throws; ``PGError`` if there is no connection, or the schema cannot be
  ///   dropped.
  ///
  /// In py-postgresql: `with pg_tmp:`.
  public func withSandbox<Result>(_ body: (Connection) throws -> Result) throws -> Result {
    var generator = SystemRandomNumberGenerator()
    let schema = "sandbox_" + String(UInt32.random(in: .min ... .max, using: &generator), radix: 36)
    let connection = try Connector(connectionOptions()).connect()
    try connection.execute("CREATE SCHEMA \(schema); SET search_path = \(schema), public")
    defer { connection.close() }
    let result = Swift.Result { try body(connection) }
    connection.close()
    // A fresh one: whatever the block has left its own in.
    let cleaner = try Connector(connectionOptions()).connect()
    defer { cleaner.close() }
    try cleaner.execute("SET client_min_messages = warning; DROP SCHEMA \(schema) CASCADE")
    return try result.get()
  }
}
