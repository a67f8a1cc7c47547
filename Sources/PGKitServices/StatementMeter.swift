#if Services
  public import CoreMetrics
  public import PGKit
  import Synchronization

  /// Counts and times what connections do, in swift-metrics.
  ///
  /// The timer `db.client.operation.duration` and the counter `db.client.operations` have the dimension
  /// `pg.operation` (`connect`, `prepare`, `execute`, `copy`); the counter `db.client.errors` has `pg.class`
  /// as well, the first two characters of the SQLSTATE. None has statements, which are too many.
  ///
  /// ```swift
  /// var connector = Connector(options)
  /// connector.measure()
  /// ```
  public final class StatementMeter: ConnectionObserver {
    private let factory: any MetricsFactory
    private let successes: [ObservedOperation.Kind: (timer: Timer, counter: Counter)]
    /// Made when the first error of a class comes.
    private let errors = Mutex<[String: Counter]>([:])

    /// Makes one that writes to `factory`; by default to the one in force.
    public init(_ factory: (any MetricsFactory)? = nil) {
      let factory = factory ?? MetricsSystem.factory
      self.factory = factory
      successes = Dictionary(
        uniqueKeysWithValues: ObservedOperation.Kind.allCases.map { kind in
          let dimensions = [("db.system.name", "postgresql"), ("pg.operation", kind.rawValue)]
          return (
            kind,
            (
              Timer(
                label: "db.client.operation.duration", dimensions: dimensions, factory: factory),
              Counter(label: "db.client.operations", dimensions: dimensions, factory: factory)
            )
          )
        })
    }

    /// It does not.
    public var wantsParameters: Bool { false }

    /// Nothing.
    public func began(_ operation: ObservedOperation) {}

    /// Counts it, and how long it took.
    public func ended(
      _ operation: ObservedOperation, after duration: Duration, _ outcome: ObservedOperation.Outcome
    ) {
      let (timer, counter) = (
        successes[operation.kind]?.timer, successes[operation.kind]?.counter
      )
      timer?.recordNanoseconds(duration.nanoseconds)
      counter?.increment()
      if case .failed(let error) = outcome {
        failures(of: operation.kind, error.code.classCharacters).increment()
      }
    }

    private func failures(of kind: ObservedOperation.Kind, _ errorClass: String) -> Counter {
      let key = "\(kind.rawValue) \(errorClass)"
      return errors.withLock { errors in
        if let counter = errors[key] { return counter }
        let counter = Counter(
          label: "db.client.errors",
          dimensions: [
            ("db.system.name", "postgresql"), ("pg.operation", kind.rawValue),
            ("pg.class", errorClass),
          ], factory: factory)
        errors[key] = counter
        return counter
      }
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
