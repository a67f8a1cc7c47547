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
    if let error = running.takeUnheard() { connection.warnOfUnheard(error) }
  }

  /// The next batch, or `nil` after the last.
  ///
  /// - Throws: ``PGError``: the server's, or `--OPE` if what was left was too much to keep.
  public func next() throws(PGError) -> RowBatch? { try running.next(on: connection) }

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

/// A statement under way, as the connection and whoever takes its rows both hold it.
final class RunningExecution: RunningOperation {
  private enum Phase { case running, finished, kept, forgotten }

  /// What had arrived when another operation began, and the error that came behind it.
  private var kept: KeptResults<RowBatch>?
  private var isWanted = true

  #if !DEBUG
    @exclusivity(unchecked)  // as the link's session
  #endif
  private var exchange: Execution
  private var phase = Phase.running
  let origin: ErrorOrigin.Creator
  private var unheard: PGError?
  private var observation: Observation?
  /// How the columns come that the server describes only now: all in this format.
  private let describedFormat: PGFormat
  private var statementOrCursor: (any MessageHearer)?
  /// The same, once nobody takes the rows: the connection must not keep what keeps the connection.
  private weak var formerHearer: (any MessageHearer)?
  private let deadline: Deadline
  private(set) var columns: ColumnList?
  /// The prepared statement and its parameters, to run it anew if its result has changed since it was
  /// prepared; `nil` once something of it has come.
  var source: (statement: Statement, values: [(any PGEncodable)?])?

  init(
    _ exchange: Execution, columns: ColumnList?, describedFormat: PGFormat = .text,
    origin: ErrorOrigin.Creator, hearer: (any MessageHearer)? = nil,
    observation: Observation?, deadline: Deadline = .never
  ) {
    self.observation = observation
    self.deadline = deadline
    statementOrCursor = hearer
    self.exchange = exchange
    self.columns = columns
    self.describedFormat = describedFormat
    self.origin = origin
  }

  var tag: CommandTag? { exchange.tag }

  var hearer: (any MessageHearer)? { statementOrCursor ?? formerHearer }

  /// Sends the statement.
  func begin(on connection: Connection) throws(PGError) {
    do throws(PGError) {
      try connection.begin(&exchange)
      connection.running = self
    } catch { throw failed(error, on: connection) }
    do throws(PGError) { try connection.link.flush(until: deadline) } catch {
      throw failed(connection.link.settle(error, &exchange), on: connection)
    }
  }

  /// Nobody is left to take the rows.
  func forget() {
    isWanted = false
    unheard = kept?.failure
    kept = nil
    source = nil
    formerHearer = statementOrCursor
    statementOrCursor = nil
    if phase == .kept { phase = .forgotten }
  }

  func takeUnheard() -> PGError? {
    defer { unheard = nil }
    return unheard
  }

  /// Runs to the end, there being nothing to take.
  func finish(on connection: Connection) throws(PGError) {
    while try next(on: connection) != nil {}
  }

  /// The first row, with the rest dropped as it arrives.
  func first(on connection: Connection) throws(PGError) -> Row? {
    var row: Row?
    while let batch = try next(on: connection) {
      if row == nil { row = batch.first }
    }
    return row
  }

  func next(on connection: Connection) throws(PGError) -> RowBatch? {
    try connection.link.requireNoDelivery()
    switch phase {
    case .finished: return nil
    case .forgotten: throw .operation("the rows were closed")
    case .kept: return try nextKept()
    case .running: break
    }
    connection.hearer = hearer
    defer { connection.hearer = nil }
    do throws(PGError) {
      return try pump(on: connection)
    } catch {
      if try isRenewed(after: error, on: connection) { return try next(on: connection) }
      throw failed(error, on: connection)
    }
  }

  /// Runs the statement once more if its plan was too old for its tables.
  ///
  /// Inside a block the error has spoilt the transaction, so there it stands.
  private func isRenewed(
    after error: PGError, on connection: Connection
  ) throws(PGError) -> Bool {
    guard let (statement, values) = source, error.isStalePlan,
      connection.transactionStatus == .idle
    else { return false }
    source = nil
    connection.running = nil
    try statement.renew()
    exchange = statement.execution(try statement.bind(values))
    columns = statement.columnList
    try begin(on: connection)
    return true
  }

  /// Tells the observer, once.
  private func ended(_ outcome: ObservedOperation.Outcome) {
    observation?.ended(outcome)
    observation = nil
  }

  private func nextKept() throws(PGError) -> RowBatch? {
    if let batch = try kept?.next() { return batch }
    phase = .finished
    return nil
  }

  private func pump(on connection: Connection) throws(PGError) -> RowBatch? {
    while true {
      switch try connection.link.pump(&exchange, until: deadline) {
      case .rows(let run):
        source = nil
        return RowBatch(run, columns: describe())
      case .finished:
        source = nil
        _ = describe()
        phase = .finished
        connection.running = nil
        ended(.completed(tag))
        return nil
      case .delivered:
        // A COPY … TO STDOUT that was run as a query: its data has no rows.
        throw .operation("the statement copies its rows out", hint: "use copyOut(_:)")
      case .copyData, .needsBytes: continue
      }
    }
  }

  func complete(on link: Link) throws(PGError) {
    guard phase == .running else { return }
    let kept = isWanted ? KeptResults<RowBatch>(link.keptBudget) : nil
    self.kept = kept
    phase = isWanted ? .kept : .forgotten
    do throws(PGError) {
      while true {
        switch try link.pump(&exchange) {
        case .rows(let run):
          kept?.append(RowBatch(run, columns: describe()), size: run.memorySize)
        case .finished:
          _ = describe()
          ended(.leftUnread)
          return
        case .copyData, .delivered, .needsBytes: continue
        }
      }
    } catch {
      ended(.failed(error))
      // What went wrong with the rows is told to whoever takes them; a broken connection to everybody.
      kept?.end(with: error.inside(origin))
      if !isWanted { unheard = error }
      if error.fault != .server || error.fields?.isFatal == true { throw error }
    }
  }

  private func describe() -> ColumnList {
    if let columns { return columns }
    let fields = exchange.columns ?? []
    let list = ColumnList(fields.map { Column($0, format: describedFormat) })
    columns = list
    return list
  }

  private func failed(_ error: PGError, on connection: Connection) -> PGError {
    // The caller's mistake leaves the exchange under way; whatever comes next brings it to its end.
    if case .busy = connection.link.session.state, error.fault == .caller {
      return error.inside(origin, of: connection)
    }
    phase = .finished
    if connection.running === self { connection.running = nil }
    ended(.failed(error))
    return error.inside(origin, of: connection)
  }
}

extension PGError {
  /// Whether a prepared statement gives other columns now than when it was prepared.
  ///
  /// The code says only that something is not supported; the server's routine says what, whatever its
  /// language.
  fileprivate var isStalePlan: Bool {
    code == .featureNotSupported && fields?[.routine] == "RevalidateCachedQuery"
  }
}
