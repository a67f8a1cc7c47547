#if Services
  public import PGKit
  public import ServiceLifecycle

  /// A `ConnectionPool` as a service of swift-service-lifecycle: it keeps connections ready until the
  /// group shuts down, gracefully or not, and then closes the pool.
  ///
  /// A group ends its services in the opposite order, so the pool stands before those that use it:
  ///
  /// ```swift
  /// let pool = ConnectionPool(connector)
  /// try await ServiceGroup(services: [pool.service, server], logger: logger).run()
  /// ```
  public struct PoolService: Service {
    /// The pool.
    public let pool: ConnectionPool

    /// Makes a service of a pool.
    public init(_ pool: ConnectionPool) { self.pool = pool }

    /// Keeps connections ready until it is to end, and closes the pool.
    public func run() async {
      let pool = pool
      await cancelWhenGracefulShutdown { await pool.run() }
    }
  }

  extension ConnectionPool {
    /// The pool as a service.
    public nonisolated var service: PoolService { PoolService(self) }
  }
#endif
