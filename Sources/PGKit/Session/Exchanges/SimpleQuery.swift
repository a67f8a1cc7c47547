/// Runs a text of any number of statements, or one COPY in either direction.
///
/// Sent: Query; after CopyInResponse: CopyData…, CopyDone | CopyFail.
/// Comes, for each statement: RowDescription, DataRow…, CommandComplete | EmptyQueryResponse
///   | CopyOutResponse, CopyData…, CopyDone, CommandComplete
///   | CopyInResponse, … , CommandComplete; then ReadyForQuery.
struct SimpleQuery: StatementExchange {
  private enum Phase { case statement, rows(columns: Int), copyOut, copyIn, copied }

  private let sql: String
  /// What the caller is ready to do, should the server ask for it.
  private let copying: CopyResponse.Direction?
  private var phase = Phase.statement
  private(set) var tag: CommandTag?
  private(set) var mayAlterTypes = false
  private(set) var copyResponse: CopyResponse?

  /// - Parameter copying: The direction in which the caller will copy; data that nobody is there to
  ///   receive is dropped, data that nobody is there to send is refused with CopyFail.
  init(_ sql: String, copying: CopyResponse.Direction? = nil) {
    self.sql = sql
    self.copying = copying
  }

  var dataPlane: DataPlane {
    switch phase {
    case .rows(let columns): .rows(columns: columns)
    case .copyOut: .copyData
    default: .nothing
    }
  }

  var isComplete: Bool {
    if case .statement = phase { tag != nil } else { false }
  }

  func open(_ outbox: inout ByteWriter) throws(PGError) {
    try sql.requireNoNUL("the text of statements")
    Query(sql: sql).encode(into: &outbox)
  }

  mutating func receive(
    _ message: BackendMessage, _ outbox: inout ByteWriter
  ) throws(PGError) -> ExchangeStep {
    switch (phase, message) {
    case (.statement, .rowDescription(let description)):
      phase = .rows(columns: description.fields.count)
    case (.statement, .emptyQueryResponse): tag = CommandTag("")
    case (.statement, .commandComplete(let tag)), (.rows, .commandComplete(let tag)),
      (.copied, .commandComplete(let tag)), (.copyIn, .commandComplete(let tag)):
      self.tag = tag
      mayAlterTypes = mayAlterTypes || tag.mayAlterTypes
      phase = .statement
    case (.statement, .copyResponse(let response)):
      return try beginCopying(response, &outbox)
    case (.copyOut, .copyDone): phase = .copied
    default: throw unexpected(message)
    }
    return .proceed
  }

  private mutating func beginCopying(
    _ response: CopyResponse, _ outbox: inout ByteWriter
  ) throws(PGError) -> ExchangeStep {
    switch response.direction {
    case .out: phase = .copyOut
    case .in: phase = .copyIn
    case .both: throw .protocolViolation("the server began to copy both ways")
    }
    // One copy has one caller: a second COPY … FROM STDIN in the text is refused as well, or both
    // ends would wait for each other.
    guard copying == response.direction, copyResponse == nil else {
      if response.direction == .in {
        CopyFail(reason: "no data: the statement was not run as a copy").encode(into: &outbox)
      }
      return .proceed
    }
    copyResponse = response
    return .deliver
  }
}
