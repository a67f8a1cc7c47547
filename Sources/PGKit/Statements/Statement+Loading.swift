import PGErrorCodes

// Running a statement many times, with few round trips: loading rows.
//
// Each batch has one Sync. So outside a transaction block each batch is a transaction of its own: when a
// later one fails, those before it stay.

extension Statement {
  /// How many executions make a batch where the caller does not say.
  public static let batchSize = 256

  /// Runs the statement once for each row of parameters.
  ///
  /// - Parameters:
  ///   - rows: The values of each row, `$1` first.
  ///   - batchSize: How many executions are sent before any answer is read.
  /// - Returns: How many rows were changed altogether.
  /// - Throws: ``PGError``: `--PIO` naming the row whose values do not fit, of whose batch nothing is
  ///   sent; or the server's, and nothing of that batch is stored.
  ///
  /// In py-postgresql: `ps.load_rows(...)`.
  @discardableResult
  public func loadRows(
    _ rows: some Sequence<[(any PGEncodable)?]>, batchSize: Int = Statement.batchSize
  ) throws(PGError) -> Int {
    var loading = try Loading(self, batchSize: batchSize)
    for row in rows { try loading.append(row) }
    return try loading.finish()
  }

  /// Runs the statement once for each row of parameters, each chunk in one round trip.
  ///
  /// - Returns: How many rows were changed altogether.
  ///
  /// In py-postgresql: `ps.load_chunks(...)`.
  @discardableResult
  public func loadChunks(
    _ chunks: some Sequence<[[(any PGEncodable)?]]>
  ) throws(PGError) -> Int {
    var loading = try Loading(self)
    for chunk in chunks {
      for row in chunk { try loading.append(row) }
      try loading.send()
    }
    return try loading.finish()
  }

  /// Runs the statement once for each row that another statement gives, perhaps on another connection,
  /// each of its batches in one round trip.
  ///
  /// Values whose type is the parameter's pass as they came.
  ///
  /// - Returns: How many rows were changed altogether.
  ///
  /// In py-postgresql: `dst.load_chunks(src.chunks())`.
  @discardableResult
  public func loadChunks(_ chunks: Chunks) throws(PGError) -> Int {
    var loading = try Loading(self)
    while let batch = try chunks.next() {
      for row in batch { try loading.append(row) }
      try loading.send()
    }
    return try loading.finish()
  }

  /// Runs the statement, a COPY … FROM STDIN, once, with these lines.
  ///
  /// - Returns: How many rows were stored.
  /// - Throws: ``PGError``: the server's, and nothing is stored; `--OPE` if the statement is no such
  ///   COPY.
  ///
  /// In py-postgresql: `ps.load_rows(...)` of a COPY.
  @discardableResult
  public func loadLines(_ lines: some Sequence<[UInt8]>) throws(PGError) -> Int {
    let stream = try copyIn()
    for line in lines { try stream.write(line) }
    return try stream.finish().rowCount ?? 0
  }

  /// Runs the statement, a COPY … FROM STDIN, once, with the data of a COPY … TO STDOUT on another
  /// connection.
  ///
  /// - Returns: How many rows were stored.
  ///
  /// In py-postgresql: `dst.load_chunks(src.chunks())` of two COPYs.
  @discardableResult
  public func loadChunks(_ source: CopyOutStream) throws(PGError) -> Int {
    let stream = try copyIn()
    do throws(PGError) {
      while let chunk = try source.next() { try stream.write(chunk) }
    } catch {
      // What went wrong first is told; the data is not complete, so the server must forget it.
      try? stream.fail("the source failed: \(error.code)")
      throw error
    }
    return try stream.finish().rowCount ?? 0
  }

  /// Runs the statement, a COPY … FROM STDIN; send the data through what is returned, and finish it.
  ///
  /// - Throws: ``PGError``: the server's; `--OPE` if it is no such COPY.
  public func copyIn() throws(PGError) -> CopyInStream {
    try requireOpen()
    return try connection.copyIn(try copyText(), hearer: self)
  }

  /// Runs the statement, a COPY … TO STDOUT.
  ///
  /// - Throws: ``PGError``: the server's; `--OPE` if it is no such COPY.
  public func copyOut() throws(PGError) -> CopyOutStream {
    try requireOpen()
    let text = try copyText()
    guard let stream = try connection.copyOut(text, hearer: self) else {
      throw PGError.noCopy(text, on: connection)
    }
    return stream
  }

  private func copyText() throws(PGError) -> String {
    guard let string, isCopy else {
      throw PGError.operation(
        "the statement is no COPY of STDIN or STDOUT",
        hint: "COPY … TO STDOUT copies out, COPY … FROM STDIN copies in"
      ).inside(origin, of: connection)
    }
    return string
  }
}

/// Gathers executions of a statement and sends them in batches.
private struct Loading {
  private let statement: Statement
  /// `nil` where the caller says where each batch ends.
  private let batchSize: Int?
  private var waiting: [BoundParameters] = []
  private var waitingBytes = 0
  private var sent = 0
  private var rowCount = 0
  /// A batch is sent when it is larger than this, however few its rows are.
  private static let batchBytes = 1 << 20

  init(_ statement: Statement, batchSize: Int? = nil) throws(PGError) {
    if statement.isCopy { throw .isCopy(statement.origin.summary, on: statement.connection) }
    try statement.requireOpen()
    self.statement = statement
    self.batchSize = batchSize.map { max($0, 1) }
  }

  mutating func append(_ values: [(any PGEncodable)?]) throws(PGError) {
    let bound: BoundParameters
    do throws(PGError) { bound = try statement.encode(values) } catch { throw located(error) }
    try append(bound)
  }

  /// A row of another result: what has the parameter's type passes as it came.
  mutating func append(_ row: Row) throws(PGError) {
    let types = statement.pgParameterTypes
    guard row.count == types.count else {
      throw located(
        .parameter("the statement has \(types.count) parameters, but the row \(row.count) columns"))
    }
    guard zip(row.columns, types).allSatisfy({ $0.type == $1 }) else {
      var values: [(any PGEncodable)?] = []
      for index in 0..<row.count { values.append(try row[index]) }
      return try append(values)
    }
    var bound = BoundParameters()
    for (index, column) in row.columns.enumerated() {
      guard let bytes = row.storage.run.reader(row: row.position, column: index)?.unread else {
        bound.appendNull()
        continue
      }
      bound.append(format: column.format.rawValue) { $0.writeBytes(bytes) }
    }
    try append(bound)
  }

  mutating func append(_ parameters: BoundParameters) throws(PGError) {
    waiting.append(parameters)
    waitingBytes += parameters.values.count
    guard let batchSize else { return }
    if waiting.count >= batchSize || waitingBytes >= Self.batchBytes { try send() }
  }

  mutating func send() throws(PGError) {
    guard !waiting.isEmpty else { return }
    let batch = waiting
    (waiting, waitingBytes) = ([], 0)
    let connection = statement.connection
    let observation = connection.observe(.execute, statement.origin.summary, count: batch.count)
    do throws(PGError) { try send(batch) } catch {
      observation?.ended(.failed(error))
      throw error
    }
    observation?.ended(.completed(nil))
  }

  private mutating func send(_ batch: [BoundParameters], isAgain: Bool = false) throws(PGError) {
    let connection = statement.connection
    var exchange = ExecutionBatch(
      prepared: statement.statementID, columnCount: statement.columns.count, parameters: batch)
    do throws(PGError) { try connection.perform(&exchange, heardBy: statement) } catch {
      if !isAgain, try isRenewed(after: error, completed: exchange.completed) {
        return try send(batch, isAgain: true)
      }
      throw error.inside(.init("ROW", "\(sent + exchange.completed)"))
        .inside(statement.origin, of: connection)
    }
    sent += exchange.completed
    rowCount += exchange.rowCount
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

  mutating func finish() throws(PGError) -> Int {
    try send()
    return rowCount
  }

  private func located(_ error: PGError) -> PGError {
    error.inside(.init("ROW", "\(sent + waiting.count)"))
      .inside(statement.origin, of: statement.connection)
  }
}
