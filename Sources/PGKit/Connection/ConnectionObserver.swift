import Synchronization

/// Hears what its connections do: for logs, spans and counters.
///
/// It is called by the thread that uses the connection, in the middle of its work, so it should be
/// quick; it must not use the connection.
public protocol ConnectionObserver: Sendable {
  /// Whether it wants the values of parameters, which may be secret.
  var wantsParameters: Bool { get }

  /// Hears that something begins.
  func began(_ operation: ObservedOperation)

  /// Hears how it ended; that comes once for each that began, with the same ``ObservedOperation/number``.
  ///
  /// - Parameters:
  ///   - operation: What has ended.
  ///   - duration: How long it took, with the time in which nobody asked for its rows.
  ///   - outcome: What came of it.
  func ended(
    _ operation: ObservedOperation, after duration: Duration, _ outcome: ObservedOperation.Outcome)
}

/// One thing that a connection does.
public struct ObservedOperation: Sendable {
  /// What is done.
  public enum Kind: String, Sendable, CaseIterable {
    /// A connection is established.
    case connect
    /// A statement is prepared.
    case prepare
    /// A statement runs.
    case execute
    /// A COPY runs, in either direction, until its data is complete.
    case copy
  }

  /// How it ended.
  public enum Outcome: Sendable {
    /// It was done; with what the statement says of itself, as `INSERT 0 1`.
    case completed(CommandTag?)
    /// It failed.
    case failed(PGError)
    /// It was brought to its end before anybody had asked for all of its rows.
    case leftUnread
  }

  /// Tells it from all other operations of the process.
  public let number: UInt64
  /// What is done.
  public let kind: Kind
  /// The statement's text; for ``Kind/connect`` where to, as an IRI without secrets.
  public let text: String
  /// The values of the parameters in their text form, if the observer wants them.
  public let parameters: [String?]?
  /// How many times the statement runs, with different parameters.
  public let count: Int
  /// The server's process; 0 until a connection is established.
  public let backendID: Int32
  /// Where the server listens; `nil` until a connection is established.
  public let endpoint: Endpoint?
  /// The database that was asked for, if one was.
  public let database: String?
}

/// Several observers, each of which hears everything.
struct ConnectionObservers: ConnectionObserver {
  let all: [any ConnectionObserver]

  var wantsParameters: Bool { all.contains { $0.wantsParameters } }

  func began(_ operation: ObservedOperation) {
    for observer in all { observer.began(operation.shown(to: observer)) }
  }

  func ended(
    _ operation: ObservedOperation, after duration: Duration, _ outcome: ObservedOperation.Outcome
  ) {
    for observer in all { observer.ended(operation.shown(to: observer), after: duration, outcome) }
  }
}

extension ObservedOperation {
  /// Without values for whoever does not want them, though another does.
  fileprivate func shown(to observer: any ConnectionObserver) -> ObservedOperation {
    guard parameters != nil, !observer.wantsParameters else { return self }
    return ObservedOperation(
      number: number, kind: kind, text: text, parameters: nil, count: count, backendID: backendID,
      endpoint: endpoint, database: database)
  }
}

extension Optional where Wrapped == any ConnectionObserver {
  /// Has another one hear everything as well.
  mutating func add(_ observer: any ConnectionObserver) {
    switch self {
    case nil: self = observer
    case let several as ConnectionObservers:
      self = ConnectionObservers(all: several.all + [observer])
    case let one?: self = ConnectionObservers(all: [one, observer])
    }
  }
}

extension Connector {
  /// Has another observer hear what its connections do, besides those that do already.
  public mutating func addObserver(_ observer: any ConnectionObserver) {
    self.observer.add(observer)
  }
}

extension Connection {
  /// Has another observer hear what this connection does, besides those that do already.
  public func addObserver(_ observer: any ConnectionObserver) { self.observer.add(observer) }
}

/// Something under way that an observer hears of.
final class Observation {
  private let observer: any ConnectionObserver
  private var operation: ObservedOperation
  private let start = ContinuousClock.now
  private var isOver = false

  init(_ observer: any ConnectionObserver, _ operation: ObservedOperation) {
    (self.observer, self.operation) = (observer, operation)
    observer.began(operation)
  }

  /// Where the connection was closed under it, nobody says how it ended.
  deinit { if !isOver { ended(.leftUnread) } }

  /// A connection has begun: which one it is has not been known before.
  func established(_ backendID: Int32, _ endpoint: Endpoint?) {
    operation = ObservedOperation(
      number: operation.number, kind: operation.kind, text: operation.text,
      parameters: operation.parameters, count: operation.count, backendID: backendID,
      endpoint: endpoint, database: operation.database)
  }

  func ended(_ outcome: ObservedOperation.Outcome) {
    isOver = true
    observer.ended(operation, after: start.duration(to: .now), outcome)
  }
}

private let lastNumber = Atomic<UInt64>(0)

extension Connection {
  /// Tells the observer, if there is one, that something begins.
  func observe(
    _ kind: ObservedOperation.Kind, _ text: @autoclosure () -> String, count: Int = 1,
    parameters: @autoclosure () -> [(any PGEncodable)?] = []
  ) -> Observation? {
    guard isObserved, let observer else { return nil }
    let values = observer.wantsParameters ? parameters().map { $0.map { Self.text(of: $0) } } : nil
    return Observation(
      observer,
      ObservedOperation(
        number: lastNumber.wrappingAdd(1, ordering: .relaxed).newValue, kind: kind, text: text(),
        parameters: values, count: count, backendID: backendID, endpoint: endpoint,
        database: connector.options.database))
  }

  /// A value's text form; that of its description where it has none.
  private static func text(of value: any PGEncodable) -> String {
    var writer = ByteWriter()
    do throws(PGError) { try value.encodeText(as: .shown, into: &writer) } catch {
      return "\(value)"
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
