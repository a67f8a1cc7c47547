/// Runs one statement with its parameters, prepared before or made for this one use.
///
/// Sent: [Parse,] Bind, [Describe(portal),] Execute, Sync.
/// Comes: [ParseComplete,] BindComplete, [RowDescription | NoData,]
///   DataRow… CommandComplete | EmptyQueryResponse
///   | CopyOutResponse, CopyData…, CopyDone, CommandComplete; then ReadyForQuery.
///
/// COPY … FROM STDIN cannot run here: whether the Sync that was sent already is swallowed by the
/// copying depends on when it fails. `SimpleQuery` has no such doubt.
struct Execution: StatementExchange {
  private enum Phase { case parse, bind, description, rows, copyOut, copied, complete }

  private enum Request {
    case prepared(PreparedRun)
    /// A text to parse as the unnamed statement.
    case text(String, parameterTypes: [UInt32], resultFormats: [Int16])
  }

  private let request: Request
  private var parameters: BoundParameters
  private var phase: Phase
  /// The columns: known beforehand for a prepared statement, described by the server otherwise.
  private(set) var columns: [RowDescription.Field]?
  private let columnCount: Int
  /// Whether the server is asked for the columns.
  private let describes: Bool
  private(set) var tag: CommandTag?
  /// Set when the statement turns out to copy its rows out.
  private(set) var copyResponse: CopyResponse?

  /// Runs a prepared statement, whose columns are known: no description is asked for.
  init(_ prepared: PreparedRun, parameters: consuming BoundParameters) {
    request = .prepared(prepared)
    self.parameters = parameters
    columnCount = prepared.columnCount
    describes = false
    phase = .bind
  }

  /// Parses, describes and runs in one round trip.
  ///
  /// - Parameter columnCount: How many columns there are, if that is known: no description is asked for.
  init(
    sql: String, parameterTypes: [UInt32] = [], columnCount: Int? = nil,
    parameters: BoundParameters, resultFormats: [Int16]
  ) {
    request = .text(sql, parameterTypes: parameterTypes, resultFormats: resultFormats)
    self.parameters = parameters
    self.columnCount = columnCount ?? 0
    describes = columnCount == nil
    phase = .parse
  }

  var dataPlane: DataPlane {
    switch phase {
    case .rows: .rows(columns: columns?.count ?? columnCount)
    case .copyOut: .copyData
    default: .nothing
    }
  }

  var isComplete: Bool { phase == .complete }

  func open(_ outbox: inout ByteWriter) throws(PGError) {
    if parameters.values.overflowed { throw .messageTooLong() }
    switch request {
    case .prepared(let run): run.encode(parameters, into: &outbox)
    case .text(let sql, let parameterTypes, let resultFormats):
      try sql.requireNoNUL("the statement's text")
      Parse(name: "", sql: sql, parameterTypes: parameterTypes).encode(into: &outbox)
      Bind(portal: "", statement: "", parameters: parameters, resultFormats: resultFormats)
        .encode(into: &outbox)
      if describes { Describe(object: .portal("")).encode(into: &outbox) }
      outbox.writeBytes(PreparedRun.executeAndSync)
    }
  }

  /// Gives the memory of the parameters away, once they are written.
  mutating func releaseParameters() -> BoundParameters {
    var released = BoundParameters()
    swap(&released, &parameters)
    return released
  }

  mutating func receive(
    _ message: BackendMessage, _ outbox: inout ByteWriter
  ) throws(PGError) -> ExchangeStep {
    switch (phase, message) {
    case (.parse, .parseComplete): phase = .bind
    case (.bind, .bindComplete): phase = describes ? .description : .rows
    case (.description, .rowDescription(let description)):
      columns = description.fields
      phase = .rows
    case (.description, .noData): phase = .rows
    case (.rows, .commandComplete(let tag)), (.copied, .commandComplete(let tag)):
      self.tag = tag
      phase = .complete
    case (.rows, .emptyQueryResponse): phase = .complete
    case (.rows, .copyResponse(let response)) where response.direction == .out:
      copyResponse = response
      phase = .copyOut
      return .deliver
    case (.rows, .copyResponse(let response)) where response.direction == .in:
      throw .operation(
        "COPY … FROM STDIN was run as an ordinary statement; the connection is closed",
        hint: "use copyIn(_:)")
    case (.copyOut, .copyDone): phase = .copied
    default: throw unexpected(message)
    }
    return .proceed
  }
}
