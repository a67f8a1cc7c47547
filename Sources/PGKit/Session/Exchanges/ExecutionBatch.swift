/// Runs one prepared statement several times, with different parameters, in one round trip.
///
/// Sent: Bind and Execute for each, Sync.
/// Comes: for each BindComplete, DataRow…, CommandComplete | EmptyQueryResponse; then ReadyForQuery.
///
/// All of it is one transaction, unless a block is open. After an error the server skips the rest.
struct ExecutionBatch: Exchange {
  private enum Phase { case bind, rows }

  private let columnCount: Int
  private let executions: Executions
  private var phase = Phase.bind
  /// Whether its messages were sent before it was begun.
  private var isSent = false
  /// How many have run to their end.
  private(set) var completed = 0
  /// How many rows they have changed or given together.
  private(set) var rowCount = 0

  init(columnCount: Int, _ executions: Executions) {
    (self.columnCount, self.executions) = (columnCount, executions)
  }

  var dataPlane: DataPlane { phase == .rows ? .rows(columns: columnCount) : .nothing }
  var isComplete: Bool { completed == executions.count }

  func open(_ outbox: inout ByteWriter) throws(PGError) {
    if isSent { return }
    if executions.overflowed { throw .messageTooLong() }
    outbox.writeBytes(executions.bytes)
    BodilessMessage.sync.encode(into: &outbox)
  }

  /// Takes the messages, to be sent before it is begun.
  mutating func takeMessages() throws(PGError) -> [UInt8] {
    var messages = ByteWriter()
    try open(&messages)
    isSent = true
    return messages.bytes
  }

  mutating func receive(
    _ message: BackendMessage, _ outbox: inout ByteWriter
  ) throws(PGError) -> ExchangeStep {
    switch (phase, message) {
    case (.bind, .bindComplete) where !isComplete: phase = .rows
    case (.rows, .commandComplete(let tag)):
      rowCount = rowCount.addingRows(tag.rowCount ?? 0)
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

/// Executions of one prepared statement as they are sent: Bind and Execute for each.
struct Executions {
  /// The statement's name.
  let statement: String
  /// How many there are.
  private(set) var count = 0
  private var writer = ByteWriter()
  private(set) var overflowed = false
  /// What is the same in all: the names that a Bind begins with, and an Execute.
  private let names: [UInt8]
  private static let execute: [UInt8] = {
    var writer = ByteWriter()
    // All columns as text; then the message that follows.
    writer.writeInteger(0 as UInt16)
    Execute(portal: "").encode(into: &writer)
    return writer.bytes
  }()

  /// - Parameter room: How many bytes they will probably be.
  init(of statement: String, room: Int = 0) {
    self.statement = statement
    var names = ByteWriter()
    names.writeTerminated("")
    names.writeTerminated(statement)
    self.names = names.bytes
    writer.reserve(room)
  }

  var bytes: [UInt8] { writer.bytes }
  /// How many bytes they are.
  var size: Int { writer.count }

  mutating func append(_ parameters: BoundParameters) {
    if parameters.values.overflowed { overflowed = true }
    append(parametersOfSize: parameters.size) { parameters.encode(into: &$0) }
  }

  private mutating func append(parametersOfSize size: Int, _ body: (inout ByteWriter) -> Void) {
    // The length counts itself and the count of formats behind the parameters.
    let length = 4 + names.count + size + 2
    if length > ByteWriter.lengthLimit { overflowed = true }
    writer.writeByte(FrontendTag.bind.rawValue)
    writer.writeInteger(Int32(truncatingIfNeeded: length))
    writer.writeBytes(names)
    body(&writer)
    writer.writeBytes(Self.execute)
    count += 1
  }

  /// The same, of a statement that does the same by another name.
  func renamed(_ name: String) -> Executions {
    var others = Executions(of: name)
    others.overflowed = overflowed
    writer.bytes.withUnsafeBytes { bytes in
      var place = 0
      while place < bytes.count {
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[place...]))
        guard (try? reader.skip(1)) != nil, let length = try? reader.readInteger(Int32.self),
          (try? reader.skip(names.count)) != nil,
          let parameters = try? reader.readSlice(Int(length) - 4 - names.count - 2)
        else { return }
        others.append(parametersOfSize: parameters.remaining) { $0.writeBytes(parameters.unread) }
        place += 1 + Int(length) - 2 + Self.execute.count
      }
    }
    return others
  }
}
