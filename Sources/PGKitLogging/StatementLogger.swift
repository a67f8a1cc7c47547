public import Logging
public import PGKit

/// Writes what connections do to a log of swift-log: each statement at level `debug` when it has ended,
/// and at level `trace` when it begins.
///
/// The metadata are `pg.operation` (`connect`, `prepare`, `execute`, `copy`), `pg.statement`, `pg.process`,
/// `pg.duration` in milliseconds, `pg.tag`, `pg.code` of an error, and `pg.count` where one statement runs
/// many times.
///
/// Values of parameters are written only if that is asked for. The same goes for the words of an error,
/// which may repeat values. What stands in the text of a statement is written as it stands there.
///
/// ```swift
/// var connector = Connector(options)
/// connector.log(to: Logger(label: "db"))
/// ```
public struct StatementLogger: ConnectionObserver {
  private let logger: Logger
  private let includesParameters: Bool

  /// Makes one that writes to `logger`.
  public init(_ logger: Logger, includingParameters: Bool = false) {
    self.logger = logger
    includesParameters = includingParameters
  }

  /// Whether values of parameters are written.
  public var wantsParameters: Bool { includesParameters && logger.logLevel <= .debug }

  /// Writes, at level `trace`, that something begins.
  public func began(_ operation: ObservedOperation) {
    logger.trace("begins", metadata: metadata(of: operation))
  }

  /// Writes, at level `debug`, how it ended.
  public func ended(
    _ operation: ObservedOperation, after duration: Duration, _ outcome: ObservedOperation.Outcome
  ) {
    guard logger.logLevel <= .debug else { return }
    var metadata = metadata(of: operation)
    metadata["pg.duration"] = "\(Self.milliseconds(duration))"
    switch outcome {
    case .completed(let tag):
      metadata["pg.tag"] = tag.map { "\($0)" }
      logger.debug("done", metadata: metadata)
    case .leftUnread: logger.debug("done, left unread", metadata: metadata)
    case .failed(let error):
      metadata["pg.code"] = "\(error.code)"
      if includesParameters { metadata["pg.error"] = "\(error.message)" }
      logger.debug("failed", metadata: metadata)
    }
  }

  private func metadata(of operation: ObservedOperation) -> Logger.Metadata {
    var metadata: Logger.Metadata = [
      "pg.operation": "\(operation.kind.rawValue)", "pg.statement": "\(operation.text)",
      "pg.process": "\(operation.backendID)",
    ]
    if operation.count != 1 { metadata["pg.count"] = "\(operation.count)" }
    if let parameters = operation.parameters, !parameters.isEmpty {
      metadata["pg.parameters"] = .array(parameters.map { .string($0 ?? "NULL") })
    }
    return metadata
  }

  /// With three places.
  static func milliseconds(_ duration: Duration) -> Double {
    let (seconds, attoseconds) = duration.components
    return Double(seconds) * 1000 + Double(attoseconds / 1_000_000_000_000) / 1000
  }
}

extension Connector {
  /// Writes what its connections do to a log, besides what hears of it already.
  ///
  /// - Parameters:
  ///   - logger: Where to; statements have level `debug`.
  ///   - includingParameters: Whether values of parameters, and words of errors, are written.
  public mutating func log(to logger: Logger, includingParameters: Bool = false) {
    addObserver(StatementLogger(logger, includingParameters: includingParameters))
  }
}

extension Connection {
  /// Writes what this connection does to a log, besides what its connector's writes.
  ///
  /// - Parameters:
  ///   - logger: Where to; statements have level `debug`.
  ///   - includingParameters: Whether values of parameters, and words of errors, are written.
  public func log(to logger: Logger, includingParameters: Bool = false) {
    addObserver(StatementLogger(logger, includingParameters: includingParameters))
  }
}

extension AsyncConnection {
  /// Writes what this connection does to a log, besides what its connector's writes.
  ///
  /// A connection of a pool does so until it is given back.
  ///
  /// - Parameters:
  ///   - logger: Where to; statements have level `debug`.
  ///   - includingParameters: Whether values of parameters, and words of errors, are written.
  /// - Throws: ``PGError`` 57014 if the task is cancelled.
  public func log(
    to logger: Logger, includingParameters: Bool = false
  ) async throws(PGError) {
    try await perform { connection throws(PGError) in
      connection.log(to: logger, includingParameters: includingParameters)
    }
  }
}
