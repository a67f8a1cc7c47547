/// One conversation of the protocol: what is sent, and what may come back in which order.
///
/// An exchange is fed messages and knows when it is complete; it does no I/O. The session takes care
/// of what is the same in all of them: notices, errors, ReadyForQuery. In py-postgresql: a protocol
/// transaction (`protocol.xact3`).
protocol Exchange: ~Copyable {
  /// Writes what opens the conversation.
  mutating func open(_ outbox: inout ByteWriter) throws(PGError)

  /// Advances by one message of the control plane.
  ///
  /// - Throws: ``PGError`` 08P01 for a message that cannot come here; the session is then over.
  mutating func receive(
    _ message: BackendMessage, _ outbox: inout ByteWriter
  ) throws(PGError) -> ExchangeStep

  /// What of the data plane may come now.
  var dataPlane: DataPlane { get }

  /// Whether everything that had to come before ReadyForQuery has come.
  var isComplete: Bool { get }
}

/// An exchange that runs a statement, which says of itself what it did.
protocol StatementExchange: Exchange {
  /// What the last statement said of itself when it was complete.
  var tag: CommandTag? { get }
  /// Whether any statement may have changed what types are made of.
  var mayAlterTypes: Bool { get }
}

extension StatementExchange {
  /// Whether the only statement may have.
  var mayAlterTypes: Bool { tag?.mayAlterTypes ?? false }
}

/// What follows from a message.
enum ExchangeStep {
  /// Go on with the next one.
  case proceed
  /// The caller must see the exchange now, before the next one.
  case deliver
}

/// The messages of the data plane that an exchange can take.
enum DataPlane {
  case nothing
  /// DataRows of so many columns.
  case rows(columns: Int)
  /// CopyData.
  case copyData
}

extension Exchange where Self: ~Copyable {
  /// The answer to a message that cannot come at this point.
  @inline(never)
  func unexpected(_ message: BackendMessage) -> PGError {
    .protocolViolation("unexpected \(message.name) message from the server during \(Self.self)")
  }
}
