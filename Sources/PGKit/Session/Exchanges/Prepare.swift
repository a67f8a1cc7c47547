/// Makes a prepared statement and learns its parameters and columns.
///
/// Sent: Parse, Describe(statement), Sync.
/// Comes: ParseComplete, ParameterDescription, RowDescription | NoData, ReadyForQuery.
struct Prepare: Exchange {
  private enum Phase { case parse, parameters, columns, complete }

  /// The statement's name; `nil` only describes one that exists.
  let name: String
  let sql: String?
  let parameterTypes: [UInt32]
  private var phase: Phase
  private(set) var parameters = [UInt32]()
  private(set) var columns = [RowDescription.Field]()

  init(name: String, sql: String?, parameterTypes: [UInt32] = []) {
    self.name = name
    self.sql = sql
    self.parameterTypes = parameterTypes
    phase = sql == nil ? .parameters : .parse
  }

  var dataPlane: DataPlane { .nothing }
  var isComplete: Bool { phase == .complete }

  func open(_ outbox: inout ByteWriter) throws(PGError) {
    if let sql {
      try sql.requireNoNUL("the statement's text")
      Parse(name: name, sql: sql, parameterTypes: parameterTypes).encode(into: &outbox)
    }
    Describe(object: .statement(name)).encode(into: &outbox)
    BodilessMessage.sync.encode(into: &outbox)
  }

  mutating func receive(
    _ message: BackendMessage, _ outbox: inout ByteWriter
  ) throws(PGError) -> ExchangeStep {
    switch (phase, message) {
    case (.parse, .parseComplete): phase = .parameters
    case (.parameters, .parameterDescription(let description)):
      parameters = description.typeOIDs
      phase = .columns
    case (.columns, .rowDescription(let description)):
      columns = description.fields
      phase = .complete
    case (.columns, .noData): phase = .complete
    default: throw unexpected(message)
    }
    return .proceed
  }
}
