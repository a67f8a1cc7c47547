/// Gathers executions of a statement and sends them in batches.
@usableFromInline
final class Loading {
  private let statement: Statement
  /// `nil` where the caller says where each batch ends.
  private let batchSize: Int?
  /// What the next batch has so far.
  private var gathered: Executions
  /// The parameters of one row; its memory is used again for the next.
  private var bound = BoundParameters()
  private var underWay: RunningBatch?
  /// Of the batch under way.
  private var observation: Observation?
  /// How many executions are known to have run to their end.
  private var completed = 0
  private var rowCount = 0
  /// A batch is sent when it is larger than this, however few its rows are.
  private static let batchBytes = 1 << 20

  @usableFromInline
  init(_ statement: Statement, batchSize: Int? = nil) throws(PGError) {
    if statement.isCopy { throw .isCopy(statement.origin.summary, on: statement.connection) }
    try statement.requireOpen()
    self.statement = statement
    self.batchSize = batchSize.map { max($0, 1) }
    gathered = Executions(of: statement.statementID)
  }

  /// Adds a row of parameters.
  @usableFromInline
  func append(_ values: [(any PGEncodable)?]) throws(PGError) {
    do throws(PGError) { try statement.encode(values, as: &bound) } catch {
      throw try located(error)
    }
    try appendBound()
  }

  /// Adds a row of another result: what has the parameter's type passes as it came.
  func append(_ row: Row) throws(PGError) {
    let types = statement.pgParameterTypes
    guard row.count == types.count else {
      throw try located(
        .parameter("the statement has \(types.count) parameters, but the row \(row.count) columns"))
    }
    guard zip(row.columns, types).allSatisfy({ $0.type == $1 }) else {
      var values: [(any PGEncodable)?] = []
      for index in 0..<row.count { values.append(try row[index]) }
      return try append(values)
    }
    // The bytes belong to it.
    defer { extendLifetime(row) }
    for (index, column) in row.columns.enumerated() {
      guard let bytes = row.storage.run.reader(row: row.position, column: index)?.unread else {
        bound.appendNull()
        continue
      }
      bound.append(format: column.format.rawValue) { $0.writeBytes(bytes) }
    }
    try appendBound()
  }

  private func appendBound() throws(PGError) {
    gathered.append(bound)
    bound.removeAll()
    guard let batchSize else { return }
    if gathered.count >= batchSize || gathered.size >= Self.batchBytes { try send() }
  }

  /// Sends what was gathered, once the server's word on the batch before is there; or before, where the
  /// server will not do it if that one fails.
  @usableFromInline
  func send() throws(PGError) {
    guard gathered.count > 0 else { return }
    if let before = underWay, before.mayBeFollowed { return try send(behind: before) }
    try collect()
    observation = observeNext()
    let batch = nextBatch()
    underWay = batch
    do throws(PGError) { try batch.begin() } catch { throw failed(error, batch) }
  }

  private func send(behind before: RunningBatch) throws(PGError) {
    let batch = nextBatch()
    let messages: [UInt8]
    do throws(PGError) { messages = try batch.takeMessages() } catch {
      try collect()
      throw located(error, completed)
    }
    do throws(PGError) {
      try batch.sendAhead(messages)
      try finish(before)
    } catch {
      // What the server says of the second one is no news; but it has to be heard.
      try? before.finish()
      try? batch.takeOver()
      try? batch.finish()
      throw failed(error, before)
    }
    underWay = batch
    let last = observation
    observation = nil
    do throws(PGError) { try batch.takeOver() } catch {
      last?.ended(.completed(nil))
      throw failed(error, batch)
    }
    // Whoever observes may use the connection.
    last?.ended(.completed(nil))
    observation = observeNext(batch.executions.count)
  }

  private func nextBatch() -> RunningBatch {
    defer {
      // As large as this one, unless it was for a huge value.
      let room = min(gathered.size, Self.batchBytes)
      gathered = Executions(of: statement.statementID, room: room)
    }
    return RunningBatch(statement, gathered)
  }

  private func observeNext(_ count: Int? = nil) -> Observation? {
    statement.connection.observe(
      .execute, statement.origin.summary, count: count ?? gathered.count)
  }

  /// Waits for the server's word on the batch under way.
  func collect() throws(PGError) {
    guard let batch = underWay else { return }
    do throws(PGError) { try finish(batch) } catch { throw failed(error, batch) }
    observation?.ended(.completed(nil))
    (underWay, observation) = (nil, nil)
  }

  private func finish(_ batch: RunningBatch) throws(PGError) {
    var last = batch
    do throws(PGError) { try batch.finish() } catch {
      guard try isRenewed(after: error, completed: batch.completed) else { throw error }
      last = RunningBatch(statement, batch.executions)
      underWay = last
      try last.begin()
      try last.finish()
    }
    completed += last.completed
    rowCount = rowCount.addingRows(last.rowCount)
  }

  /// Prepares the statement again if its plan was too old for its tables and nothing was done yet.
  private func isRenewed(after error: PGError, completed: Int) throws(PGError) -> Bool {
    guard error.isStalePlan, completed == 0, statement.string != nil,
      statement.connection.transactionStatus == .idle
    else { return false }
    let types = statement.pgParameterTypes
    try statement.renew()
    // The parameters are encoded for those types.
    return statement.pgParameterTypes == types
  }

  /// Sends what is left, and waits for the server's word on it.
  ///
  /// - Returns: How many rows were changed altogether.
  @usableFromInline
  func finish() throws(PGError) -> Int {
    try send()
    try collect()
    return rowCount
  }

  /// The error of a batch that was sent.
  private func failed(_ error: PGError, _ batch: RunningBatch) -> PGError {
    let row = completed + (underWay ?? batch).completed
    observation?.ended(.failed(error))
    (underWay, observation) = (nil, nil)
    return located(error, row)
  }

  /// The error of a row that was not: the batch before it comes first.
  private func located(_ error: PGError) throws(PGError) -> PGError {
    try collect()
    return located(error, completed + gathered.count)
  }

  private func located(_ error: PGError, _ row: Int) -> PGError {
    error.inside(.init("ROW", "\(row)")).inside(statement.origin, of: statement.connection)
  }
}

/// A batch that the server works on while the next one is gathered.
private final class RunningBatch: RunningOperation {
  private let statement: Statement
  let executions: Executions
  private var exchange: ExecutionBatch
  /// The link that it was sent on: the connection may have another one meanwhile.
  private let link: Link
  private var isOver = false
  private var failure: PGError?
  /// Whether it was begun inside a transaction block.
  private var isInBlock = false

  init(_ statement: Statement, _ executions: Executions) {
    self.statement = statement
    self.executions =
      executions.statement == statement.statementID
      ? executions : executions.renamed(statement.statementID)
    exchange = ExecutionBatch(columnCount: statement.columns.count, self.executions)
    link = statement.connection.link
  }

  var hearer: (any MessageHearer)? { statement }
  /// How many have run to their end.
  var completed: Int { exchange.completed }
  /// How many rows they have changed or given together.
  var rowCount: Int { exchange.rowCount }

  /// Whether another one can be sent behind it without harm: the server refuses that if this one fails.
  ///
  /// What takes parameters cannot end a block, nor mend one that has failed.
  var mayBeFollowed: Bool { !isOver && isInBlock && !statement.pgParameterTypes.isEmpty }

  /// Its messages, for ``sendAhead(_:)``.
  func takeMessages() throws(PGError) -> [UInt8] { try exchange.takeMessages() }

  /// Sends its messages behind those of another one that is under way; ``takeOver()`` must follow.
  func sendAhead(_ messages: [UInt8]) throws(PGError) {
    do throws(PGError) { try link.ask(messages) } catch { throw link.settle(error) }
  }

  /// Takes the place of the one that it was sent behind, which has ended.
  func takeOver() throws(PGError) {
    isInBlock = statement.connection.transactionStatus == .inTransaction
    try link.session.begin(&exchange)
    statement.connection.running = self
  }

  func begin() throws(PGError) {
    let connection = statement.connection
    isInBlock = connection.transactionStatus == .inTransaction
    do throws(PGError) { try connection.begin(&exchange) } catch { throw ended(error) }
    connection.running = self
    do throws(PGError) { try link.flush(until: .never) } catch {
      throw ended(link.settle(error, &exchange))
    }
  }

  /// Waits for its end, unless that has come.
  func finish() throws(PGError) {
    if !isOver {
      statement.connection.hearer = statement
      defer { statement.connection.hearer = nil }
      do throws(PGError) { try link.finish(&exchange) } catch { throw ended(error) }
      ended()
    }
    if let failure { throw failure }
  }

  func complete(on connection: Connection, until deadline: Deadline) throws(PGError) {
    do throws(PGError) { try link.finish(&exchange, until: deadline) } catch {
      // Whoever loads the rows hears of it; of a lost connection everybody does.
      failure = error
      ended()
      if error.endsSession { throw error }
      return
    }
    ended()
  }

  private func ended() {
    isOver = true
    if statement.connection.running === self { statement.connection.running = nil }
  }

  private func ended(_ error: PGError) -> PGError {
    ended()
    return error
  }
}
