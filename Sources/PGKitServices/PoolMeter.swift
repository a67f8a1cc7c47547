#if Services
  public import CoreMetrics
  public import PGKit

  /// Shows what a `ConnectionPool` has, in swift-metrics.
  ///
  /// All have the dimension `db.client.connection.pool.name`.
  ///
  /// - meters: `db.client.connection.count` with `db.client.connection.state`, `idle` or `used`,
  ///   `db.client.connection.pending_requests` (tasks that wait);
  /// - timers: `db.client.connection.wait_time` (from asking to having), `db.client.connection.create_time`,
  ///   `db.client.connection.use_time`;
  /// - counters: `db.client.connection.timeouts`, `db.client.connection.discarded` with `reason` `age`,
  ///   `failure` or `close`, `db.client.connection.leaked`.
  ///
  /// Source: OpenTelemetry's semantic conventions, "Database client metrics", "Connection pools", which are
  /// in development there; as of version 1.33. `discarded` and `leaked` are PGKit's own.
  public final class PoolMeter: PoolObserver {
    private let idle: Meter
    private let used: Meter
    private let pending: Meter
    private let waitTime: Timer
    private let createTime: Timer
    private let useTime: Timer
    private let timeouts: Counter
    private let aged: Counter
    private let failed: Counter
    private let closed: Counter
    private let leaked: Counter

    /// Makes one for the pool of this name that writes to `factory`; by default to the one in force.
    public init(_ pool: String, _ factory: (any MetricsFactory)? = nil) {
      let factory = factory ?? MetricsSystem.factory
      let label = { (name: String) in "db.client.connection.\(name)" }
      let dimensions = { (more: [(String, String)]) in
        [("db.client.connection.pool.name", pool)] + more
      }
      let meter = { (name: String, more: [(String, String)]) in
        Meter(label: label(name), dimensions: dimensions(more), factory: factory)
      }
      let timer = { (name: String) in
        Timer(label: label(name), dimensions: dimensions([]), factory: factory)
      }
      let counter = { (name: String, more: [(String, String)]) in
        Counter(label: label(name), dimensions: dimensions(more), factory: factory)
      }
      let state = "db.client.connection.state"
      (idle, used) = (meter("count", [(state, "idle")]), meter("count", [(state, "used")]))
      pending = meter("pending_requests", [])
      (waitTime, createTime, useTime) = (
        timer("wait_time"), timer("create_time"), timer("use_time")
      )
      timeouts = counter("timeouts", [])
      aged = counter("discarded", [("reason", "age")])
      failed = counter("discarded", [("reason", "failure")])
      closed = counter("discarded", [("reason", "close")])
      leaked = counter("leaked", [])
    }

    /// Shows it.
    public func heard(_ event: PoolEvent, _ statistics: ConnectionPool.Statistics) {
      idle.set(statistics.idle)
      used.set(statistics.busy)
      pending.set(statistics.waiting)
      switch event {
      case .made(_, let time): createTime.recordNanoseconds(time.nanoseconds)
      case .lent(_, let time): waitTime.recordNanoseconds(time.nanoseconds)
      case .returned(_, let time): useTime.recordNanoseconds(time.nanoseconds)
      case .denied(let error, _): if error.isTimeout { timeouts.increment() }
      case .discarded(_, .age): aged.increment()
      case .discarded(_, .failure): failed.increment()
      case .discarded(_, .close): closed.increment()
      case .leaked: leaked.increment()
      case .refused, .waits: break
      }
    }
  }

  extension ConnectionPool.Options {
    /// Shows what the pool has, as ``PoolMeter`` does.
    ///
    /// - Parameters:
    ///   - name: What the pool is called.
    ///   - factory: Where to; by default the factory in force.
    public mutating func measure(as name: String, with factory: (any MetricsFactory)? = nil) {
      addObserver(PoolMeter(name, factory))
    }
  }
#endif
