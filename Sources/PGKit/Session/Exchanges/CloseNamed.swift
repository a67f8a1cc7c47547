/// Closes prepared statements and portals.
///
/// Sent: Close for each, Sync. Comes: CloseComplete for each, ReadyForQuery.
struct CloseNamed: Exchange {
  let objects: [NamedObject]
  private var closed = 0

  init(_ objects: [NamedObject]) { self.objects = objects }

  var dataPlane: DataPlane { .nothing }
  var isComplete: Bool { closed == objects.count }

  func open(_ outbox: inout ByteWriter) {
    for object in objects { Close(object: object).encode(into: &outbox) }
    BodilessMessage.sync.encode(into: &outbox)
  }

  mutating func receive(
    _ message: BackendMessage, _ outbox: inout ByteWriter
  ) throws(PGError) -> ExchangeStep {
    guard case .closeComplete = message, closed < objects.count else { throw unexpected(message) }
    closed += 1
    return .proceed
  }
}
