/// Makes a prepared statement, or takes what there is, and learns its parameters and columns.
///
/// Sent: [Parse,] Describe, Sync.
/// Comes: [ParseComplete,] [ParameterDescription,] RowDescription | NoData, ReadyForQuery; a portal has
///   no parameters.
struct Prepare: Exchange {
  private enum Phase { case parse, parameters, columns, complete }

  private let object: NamedObject
  /// The text to parse; `nil` only describes what exists.
  private let sql: String?
  private let parameterTypes: [UInt32]
  private var phase: Phase
  private(set) var parameters = [UInt32]()
  /// The columns; `nil` for what gives no rows, which is not the same as rows without columns.
  private(set) var columns: [RowDescription.Field]?

  init(name: String, sql: String, parameterTypes: [UInt32] = []) {
    object = .statement(name)
    self.sql = sql
    self.parameterTypes = parameterTypes
    phase = .parse
  }

  /// Describes a statement or a cursor that exists.
  init(describing object: NamedObject) {
    self.object = object
    sql = nil
    parameterTypes = []
    if case .statement = object { phase = .parameters } else { phase = .columns }
  }

  var dataPlane: DataPlane { .nothing }
  var isComplete: Bool { phase == .complete }

  func open(_ outbox: inout ByteWriter) throws(PGError) {
    if let sql {
      try sql.requireNoNUL("the statement's text")
      Parse(name: object.name, sql: sql, parameterTypes: parameterTypes).encode(into: &outbox)
    } else {
      try object.name.requireNoNUL("a name")
    }
    Describe(object: object).encode(into: &outbox)
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
