#if Services
  public import CoreMetrics
  public import PGKit
  import Synchronization

  /// Counts and times what connections do, in swift-metrics.
  ///
  /// The timer `db.client.operation.duration` and the counter `db.client.operations` have the dimensions
  /// `db.system.name` (`postgresql`), `db.namespace` (the database that was asked for), `db.operation.name`
  /// (`CONNECT`, `PREPARE`, `EXECUTE`, `COPY`), `server.address` and `server.port`; the counter
  /// `db.client.errors` has `error.type` as well: the SQLSTATE, or that of its class where nobody knows it.
  /// What is not known, as a Unix socket's port, is empty: some backends take no metric whose dimensions
  /// change, which is also why the timer does not have `error.type`. None has statements, which are too many.
  ///
  /// ```swift
  /// var connector = Connector(options)
  /// connector.measure()
  /// ```
  ///
  /// Source: OpenTelemetry's semantic conventions, "Database client metrics", stable since version 1.33. The
  /// two counters are PGKit's own.
  public final class StatementMeter: ConnectionObserver {
    /// What is counted together.
    private struct Subject: Hashable {
      let kind: ObservedOperation.Kind
      let database: String?
      let endpoint: Endpoint?
      /// The SQLSTATE, for errors.
      var error: String?
    }

    private let factory: any MetricsFactory
    /// Made when the first of their kind comes.
    private let operations = Mutex<[Subject: (timer: Timer, counter: Counter)]>([:])
    private let errors = Mutex<[Subject: Counter]>([:])

    /// Makes one that writes to `factory`; by default to the one in force.
    public init(_ factory: (any MetricsFactory)? = nil) {
      self.factory = factory ?? MetricsSystem.factory
    }

    /// It does not.
    public var wantsParameters: Bool { false }

    /// Nothing.
    public func began(_ operation: ObservedOperation) {}

    /// Counts it, and how long it took.
    public func ended(
      _ operation: ObservedOperation, after duration: Duration, _ outcome: ObservedOperation.Outcome
    ) {
      var subject = Subject(
        kind: operation.kind, database: operation.database, endpoint: operation.endpoint)
      let (timer, counter) = operations.withLock { operations in
        if let known = operations[subject] { return known }
        let dimensions = dimensions(of: operation)
        let made = (
          timer: Timer(
            label: "db.client.operation.duration", dimensions: dimensions, factory: factory),
          counter: Counter(label: "db.client.operations", dimensions: dimensions, factory: factory)
        )
        operations[subject] = made
        return made
      }
      timer.recordNanoseconds(duration.nanoseconds)
      counter.increment()
      guard case .failed(let error) = outcome else { return }
      // A server may make up as many codes as it likes.
      let code = error.code.nearestDefinition?.code.description ?? "_OTHER"
      subject.error = code
      let failures = errors.withLock { [subject] errors in
        if let known = errors[subject] { return known }
        let made = Counter(
          label: "db.client.errors", dimensions: dimensions(of: operation) + [("error.type", code)],
          factory: factory)
        errors[subject] = made
        return made
      }
      failures.increment()
    }

    private func dimensions(of operation: ObservedOperation) -> [(String, String)] {
      let (address, port) =
        switch operation.endpoint {
        case .tcp(_, _, let port): (operation.endpoint?.host ?? "", "\(port)")
        case .unix(let path): (path, "")
        case nil: ("", "")
        }
      return [
        ("db.system.name", "postgresql"), ("db.namespace", operation.database ?? ""),
        ("db.operation.name", operation.name), ("server.address", address), ("server.port", port),
      ]
    }
  }

  extension Duration {
    /// As a timer takes them.
    var nanoseconds: Int64 {
      let (seconds, attoseconds) = components
      let (whole, isOver) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
      return isOver ? .max : whole &+ attoseconds / 1_000_000_000
    }
  }

  extension Connector {
    /// Counts and times what its connections do, as ``StatementMeter`` does.
    ///
    /// - Parameter factory: Where to; by default the factory in force.
    public mutating func measure(with factory: (any MetricsFactory)? = nil) {
      addObserver(StatementMeter(factory))
    }
  }
#endif
