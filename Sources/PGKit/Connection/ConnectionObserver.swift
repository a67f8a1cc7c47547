/// Hears what its connections do: for logs, spans and counters.
///
/// It is called by the thread that uses the connection, in the middle of its work, so it should be
/// quick; it must not use the connection.
public protocol ConnectionObserver: Sendable {
  /// Whether it wants the values of parameters, which may be secret.
  var wantsParameters: Bool { get }

  /// Hears that something begins.
  func began(_ operation: ObservedOperation)

  /// Hears how it ended.
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

  /// What is done.
  public let kind: Kind
  /// The statement's text; for ``Kind/connect`` where to, as an IRI without secrets.
  public let text: String
  /// The values of the parameters in their text form, if the observer wants them.
  public let parameters: [String?]?
  /// How many times the statement runs, with different parameters.
  public let count: Int
  /// The server's process; 0 before it is known.
  public let backendID: Int32
}

/// Something under way that an observer hears of.
final class Observation {
  private let observer: any ConnectionObserver
  private let operation: ObservedOperation
  private let start = ContinuousClock.now

  init(_ observer: any ConnectionObserver, _ operation: ObservedOperation) {
    (self.observer, self.operation) = (observer, operation)
    observer.began(operation)
  }

  func ended(_ outcome: ObservedOperation.Outcome) {
    observer.ended(operation, after: start.duration(to: .now), outcome)
  }
}

extension Connection {
  /// Tells the observer, if there is one, that something begins.
  func observe(
    _ kind: ObservedOperation.Kind, _ text: @autoclosure () -> String, count: Int = 1,
    parameters: @autoclosure () -> [(any PGEncodable)?] = []
  ) -> Observation? {
    guard let observer = connector.observer else { return nil }
    let values = observer.wantsParameters ? parameters().map { $0.map { Self.text(of: $0) } } : nil
    return Observation(
      observer,
      ObservedOperation(
        kind: kind, text: text(), parameters: values, count: count, backendID: backendID))
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
