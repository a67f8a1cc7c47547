/// Runs one prepared statement several times, with different parameters, in one round trip.
///
/// Sent: Bind and Execute for each, Sync.
/// Comes: for each BindComplete, DataRow…, CommandComplete | EmptyQueryResponse; then ReadyForQuery.
///
/// All of it is one transaction, unless a block is open. After an error the server skips the rest.
struct ExecutionBatch: Exchange {
  private enum Phase { case bind, rows }

  private let statement: String
  private let columnCount: Int
  private let parameters: [BoundParameters]
  private var phase = Phase.bind
  /// How many have run to their end.
  private(set) var completed = 0
  /// How many rows they have changed or given together.
  private(set) var rowCount = 0

  init(prepared statement: String, columnCount: Int, parameters: [BoundParameters]) {
    (self.statement, self.columnCount, self.parameters) = (statement, columnCount, parameters)
  }

  var dataPlane: DataPlane { phase == .rows ? .rows(columns: columnCount) : .nothing }
  var isComplete: Bool { completed == parameters.count }

  func open(_ outbox: inout ByteWriter) throws(PGError) {
    for parameters in parameters {
      if parameters.values.overflowed { throw .messageTooLong() }
      Bind(portal: "", statement: statement, parameters: parameters, resultFormats: [])
        .encode(into: &outbox)
      Execute(portal: "").encode(into: &outbox)
    }
    BodilessMessage.sync.encode(into: &outbox)
  }

  mutating func receive(
    _ message: BackendMessage, _ outbox: inout ByteWriter
  ) throws(PGError) -> ExchangeStep {
    switch (phase, message) {
    case (.bind, .bindComplete) where !isComplete: phase = .rows
    case (.rows, .commandComplete(let tag)):
      rowCount += tag.rowCount ?? 0
      complete()
    case (.rows, .emptyQueryResponse): complete()
    default: throw unexpected(message)
    }
    return .proceed
  }

  private mutating func complete() {
    completed += 1
    phase = .bind
  }
}
