/// The rows of a running statement, handed over as they arrive: one batch at a time.
///
/// The fast way: constant memory, one step per batch. When another operation begins on the connection
/// before the last batch was taken, the rest is received first and kept, as far as 256 MiB for
/// the connection go; beyond that it is dropped, and ``next()`` says so.
///
/// In py-postgresql: `ps.chunks(...)`.
public final class Chunks {
  let connection: Connection
  let running: RunningExecution

  init(_ connection: Connection, _ running: RunningExecution) {
    self.connection = connection
    self.running = running
  }

  deinit {
    running.forget()
    if let error = running.takeUnheard() { connection.noteUnheard(error) }
  }

  /// The next batch, or `nil` after the last.
  ///
  /// - Throws: ``PGError``: the server's, each time; or `--OPE` if what was left was too much to keep.
  public func next() throws(PGError) -> RowBatch? { try running.nextBatch(on: connection) }

  /// The columns.
  ///
  /// Known from the start for a prepared statement, otherwise from the first batch on.
  public var columns: [Column] { running.columns?.columns ?? [] }

  /// What the statement said of itself when it was complete.
  public var tag: CommandTag? { running.tag }

  /// Hands every batch to `body`.
  public func forEach(_ body: (RowBatch) throws -> Void) throws {
    while let batch = try next() { try body(batch) }
  }

  /// Drops what has not been taken, and gives what the statement said of itself.
  ///
  /// - Throws: ``PGError``: the server's, if the statement failed in what was dropped.
  @discardableResult
  public func finish() throws(PGError) -> CommandTag? {
    while try next() != nil {}
    return tag
  }

  /// Drops what has not been taken, so that the connection is free.
  ///
  /// - Throws: ``PGError``: the server's, if the statement failed in what was dropped.
  public func close() throws(PGError) {
    running.forget()
    if connection.running === running { try connection.completeRunningSilently() }
    if let error = running.takeUnheard() { throw error.inside(running.origin, of: connection) }
  }
}

/// The rows of a statement under way.
final class RunningExecution: RunningResult<Execution, RowBatch> {
  private(set) var columns: ColumnList?
  /// What is known of types, where the columns are not.
  private var types: TypeRegistry?
  /// The types that were met within anonymous records.
  private var members: [TypeOID: PGType] = [:]
  /// The parameters of a prepared statement, to run it anew if its result has changed since it was
  /// prepared; `nil` once something of it has come.
  private var values: [(any PGEncodable)?]?

  /// - Parameter columns: The columns, if they are known; those that the server describes only now all
  ///   come as text.
  init(
    _ exchange: Execution, columns: ColumnList?, types: TypeRegistry? = nil,
    origin: ErrorOrigin.Creator, hearer: (any MessageHearer)? = nil, observation: Observation?,
    deadline: Deadline = .never
  ) {
    self.columns = columns
    self.types = types
    super.init(
      exchange, origin: origin, owner: hearer, observation: observation, deadline: deadline)
  }

  /// A run of a prepared statement.
  init(
    _ statement: Statement, _ values: [(any PGEncodable)?], _ parameters: consuming BoundParameters,
    observation: Observation?
  ) {
    columns = statement.columnList
    self.values = values
    super.init(
      statement.execution(parameters), origin: nil, owner: statement, observation: observation)
  }

  /// Gives the memory of the parameters away, once they are written.
  func releaseParameters() -> BoundParameters { exchange.releaseParameters() }

  override func part(of progress: Session.Progress) throws(PGError) -> RowBatch? {
    switch progress {
    case .rows(let run):
      values = nil
      return RowBatch(run, columns: columns ?? describe())
    case .delivered:
      // A COPY … TO STDOUT that was run as a query: its data has no rows.
      throw .operation("the statement copies its rows out", hint: "use copyOut(_:)")
    case .copyData, .needsBytes, .finished: return nil
    }
  }

  /// The next batch, with all that its values are made of looked up.
  func nextBatch(on connection: Connection) throws(PGError) -> RowBatch? {
    guard let batch = try next(on: connection) else { return nil }
    guard let known = columns, known.holdRecords else { return batch }
    let run = batch.storage.run
    if try connection.lookUpMembers(of: run, known, into: &members) {
      columns = known.withMembers(members)
    }
    // One that was kept meanwhile knows less.
    return RowBatch(run, columns: columns ?? known)
  }

  override func size(of part: RowBatch) -> Int { part.storage.run.memorySize }

  override func finished() {
    values = nil
    if columns == nil { _ = describe() }
  }

  override func forgotten() { values = nil }

  /// Runs the statement once more if its plan was too old for its tables.
  ///
  /// Inside a block the error has spoilt the transaction, so there it stands.
  override func isRenewed(
    after error: PGError, on connection: Connection
  ) throws(PGError) -> Bool {
    guard let values, error.isStalePlan, connection.transactionStatus == .idle,
      let statement = owner as? Statement, statement.string != nil
    else { return false }
    self.values = nil
    connection.running = nil
    try statement.renew()
    exchange = statement.execution(try statement.encode(values))
    columns = statement.columnList
    try begin(on: connection)
    return true
  }

  /// The first row, with the rest dropped as it arrives.
  func first(on connection: Connection) throws(PGError) -> Row? {
    var row: Row?
    while let batch = try nextBatch(on: connection) {
      if row == nil { row = batch.first }
    }
    return row
  }

  private func describe() -> ColumnList {
    let list = ColumnList(
      (exchange.columns ?? []).map {
        let oid = TypeOID(rawValue: $0.typeOID)
        return Column($0, types?.type(oid) ?? PGType(oid), format: .text)
      })
    columns = list
    return list
  }
}

extension PGError {
  /// Whether a prepared statement gives other columns now than when it was prepared, or is about types
  /// that were dropped since.
  ///
  /// The code says only that something is not supported; the server's routine says what, whatever its
  /// language. What the server says of its own errors is not translated.
  var isStalePlan: Bool {
    switch code {
    case .featureNotSupported: fields?[.routine] == "RevalidateCachedQuery"
    case .undefinedObject: fields?[.routine] == "lookup_type_cache"
    case .internalError: fields?.message.hasPrefix("cache lookup failed for type ") == true
    default: false
    }
  }
}
