public import Logging
public import PGKit

/// Writes what a `ConnectionPool` does to a log of swift-log.
///
/// At level `warning` stands what somebody should look at: a connection that nobody gave back, one that was
/// given up because it failed, a task that waited too long, a server that gives no connection. At `debug`
/// stands which connections are made and given up, at `trace` who has one.
///
/// The metadata are `pg.process`, `pg.duration` in milliseconds, `pg.code` of an error, `pg.place` where a
/// connection was taken, and `pg.idle`, `pg.busy` and `pg.waiting`: what the pool then has. The words of
/// an error are written only if that is asked for.
///
/// ```swift
/// var options = ConnectionPool.Options()
/// options.log(to: Logger(label: "pool"))
/// ```
public struct PoolLogger: PoolObserver {
  private let logger: Logger
  private let includesErrors: Bool

  /// Makes one that writes to `logger`.
  public init(_ logger: Logger, includingErrors: Bool = false) {
    self.logger = logger
    includesErrors = includingErrors
  }

  /// Writes one entry.
  public func heard(_ event: PoolEvent, _ statistics: ConnectionPool.Statistics) {
    let level = event.level
    guard logger.logLevel <= level else { return }
    var metadata: Logger.Metadata = [
      "pg.idle": "\(statistics.idle)", "pg.busy": "\(statistics.busy)",
      "pg.waiting": "\(statistics.waiting)",
    ]
    metadata["pg.process"] = event.process.map { "\($0)" }
    metadata["pg.duration"] = event.duration.map { "\(StatementLogger.milliseconds($0))" }
    metadata["pg.code"] = event.error.map { "\($0.code)" }
    if includesErrors { metadata["pg.error"] = event.error.map { "\($0.message)" } }
    if case .leaked(_, let place) = event { metadata["pg.place"] = "\(place)" }
    logger.log(level: level, "\(event.words)", metadata: metadata)
  }
}

extension PoolEvent {
  fileprivate var level: Logger.Level {
    switch self {
    case .refused, .leaked, .discarded(_, .failure): .warning
    // Who was cancelled knows it.
    case .denied(let error, _): error.isTimeout ? .warning : .debug
    case .made, .discarded: .debug
    case .waits, .lent, .returned: .trace
    }
  }

  fileprivate var words: String {
    switch self {
    case .made: "connection made"
    case .refused: "no connection could be made"
    case .waits: "waiting for a connection"
    case .lent: "connection taken"
    case .denied: "no connection for a task"
    case .returned: "connection given back"
    case .discarded(_, .age): "connection given up: too old"
    case .discarded(_, .failure): "connection given up: failed"
    case .discarded(_, .close): "connection given up: the pool is closed"
    case .leaked: "a connection was never given back"
    }
  }

  fileprivate var process: Int32? {
    switch self {
    case .made(let process, _), .lent(let process, _), .returned(let process, _),
      .discarded(let process, _), .leaked(let process, _):
      process
    case .refused, .waits, .denied: nil
    }
  }

  fileprivate var duration: Duration? {
    switch self {
    case .made(_, let time), .lent(_, let time), .returned(_, let time), .refused(_, let time),
      .denied(_, let time):
      time
    case .waits, .discarded, .leaked: nil
    }
  }

  fileprivate var error: PGError? {
    switch self {
    case .refused(let error, _), .denied(let error, _), .discarded(_, .failure(let error)): error
    case .made, .waits, .lent, .returned, .discarded, .leaked: nil
    }
  }
}

extension ConnectionPool.Options {
  /// Writes what the pool does to a log.
  ///
  /// What its connections do is written by `Connector.log(to:)`.
  ///
  /// - Parameters:
  ///   - logger: Where to.
  ///   - includingErrors: Whether the words of errors are written.
  public mutating func log(to logger: Logger, includingErrors: Bool = false) {
    addObserver(PoolLogger(logger, includingErrors: includingErrors))
  }
}
