import PGErrorCodes

/// An operation that hands its results over bit by bit and so outlives the call that began it.
protocol RunningOperation: AnyObject {
  /// Who hears its messages before the connection does.
  var hearer: (any MessageHearer)? { get }
  /// Runs to its end, because another operation is to begin: keeps what is wanted and has room, drops
  /// the rest.
  func complete(on connection: Connection, until deadline: Deadline) throws(PGError)
  /// Hands over the error that ended it, if nobody is left who could be told by taking its results.
  func takeUnheard() -> PGError?
  /// Hears that the server was asked to cancel it: that it did is no news to anybody.
  func expectCancellation()
  /// Whether anybody may still take its results.
  var isWanted: Bool { get }
}

/// Something to be done later.
struct PostponedWork {
  /// What a warning says if it could not be done.
  let complaint: String
  let run: (Connection) throws(PGError) -> Void
}

extension RunningOperation {
  /// Nobody.
  var hearer: (any MessageHearer)? { nil }

  /// None.
  func takeUnheard() -> PGError? { nil }

  /// Keeps no error that could be news.
  func expectCancellation() {}

  /// Until it is complete.
  var isWanted: Bool { true }
}

extension Connection {
  /// Runs a whole exchange whose rows, if any come, interest nobody.
  func perform<E: Exchange & ~Copyable>(
    _ exchange: inout E, heardBy hearer: (any MessageHearer)? = nil,
    until deadline: Deadline = .never
  ) throws(PGError) {
    try perform(&exchange, heardBy: hearer, until: deadline) { _ in }
  }

  /// Runs a whole exchange whose rows, if any come, are lent to `rows` as they arrive.
  func perform<E: Exchange & ~Copyable>(
    _ exchange: inout E, heardBy hearer: (any MessageHearer)?, until deadline: Deadline = .never,
    rows: (RowRun) -> Void
  ) throws(PGError) {
    try begin(&exchange, until: deadline)
    self.hearer = hearer
    defer { self.hearer = nil }
    while true {
      switch try link.pump(&exchange, until: deadline) {
      case .finished: return
      case .rows(let run): rows(run)
      case .copyData, .delivered, .needsBytes: continue
      }
    }
  }

  /// Runs a text, of which the observer hears, and says of an error where it happened.
  ///
  /// - Returns: What the text's last statement says of itself.
  @discardableResult
  func run(
    _ sql: String, shownAs creator: ErrorOrigin.Creator? = nil,
    heardBy hearer: (any MessageHearer)? = nil, until deadline: Deadline = .never
  ) throws(PGError) -> CommandTag? {
    var exchange = SimpleQuery(sql)
    // What is not to be seen in a report is not to be seen in a log.
    let isRenamed = creator?.label == ErrorOrigin.Creator.statementLabel
    let observation = observe(.execute, isRenamed ? creator?.summary ?? sql : sql)
    do throws(PGError) { try perform(&exchange, heardBy: hearer, until: deadline) } catch {
      // What came before the failure may have been committed.
      heed(exchange)
      observation?.ended(.failed(error))
      throw error.inside(creator ?? .statement(sql), of: self)
    }
    heed(exchange)
    observation?.ended(.completed(exchange.tag))
    return exchange.tag
  }

  /// Forgets what is known of types if a statement may have changed it.
  func heed(_ exchange: some StatementExchange) {
    if !types.isEmpty, exchange.mayAlterTypes { types.forget() }
  }

  /// Opens an exchange, after what must come first: the operation that still runs is brought to its end,
  /// and what was left for later is done.
  func begin<E: Exchange & ~Copyable>(
    _ exchange: inout E, until deadline: Deadline = .never
  ) throws(PGError) {
    if running == nil { try link.requireNoDelivery() } else { try completeRunning(until: deadline) }
    if !discarded.isEmpty { try closeDiscarded(until: deadline) }
    // Before what waits to be done, which must not be lost.
    if halt.isSet { throw .taskIsCancelledAmid }
    if hasChores {
      try runPostponed()
      deliverNotes()
      hasChores = !postponed.isEmpty
    }
    try link.session.begin(&exchange)
  }

  /// Brings the operation under way to its end; if it failed and nobody takes its results any more,
  /// there is a warning.
  func completeRunning(until deadline: Deadline = .never) throws(PGError) {
    let operation = try completeRunningSilently(until: deadline)
    if let error = operation?.takeUnheard() { noteUnheard(error) }
  }

  /// Brings the operation under way to its end, and gives it.
  @discardableResult
  func completeRunningSilently(
    until deadline: Deadline = .never
  ) throws(PGError) -> (any RunningOperation)? {
    try link.requireNoDelivery()
    guard let operation = running else { return nil }
    running = nil
    hearer = operation.hearer
    defer { hearer = nil }
    try operation.complete(on: self, until: deadline)
    return operation
  }

  /// An error must not be lost because nobody asked for the rows in front of it: there will be a warning.
  ///
  /// Not at once: this may be called by a finalizer, wherever the last reference goes away.
  func noteUnheard(_ error: PGError) {
    notes.append(
      .warning(error.code, "a statement that nobody waited for has failed: \(error.message)"))
    hasChores = true
  }

  private func deliverNotes() {
    let list = notes
    notes = []
    for note in list { deliver(note) }
  }

  /// Makes sure that the session is open and nothing is under way, so that its state can be asked.
  func becomeIdle() throws(PGError) {
    try completeRunning()
    try requireOpen()
  }

  /// - Throws: ``PGError``: why the session is over.
  func requireOpen() throws(PGError) {
    switch link.session.state {
    case .failed(let reason): throw reason
    case .closed: throw .connectionDoesNotExist("the connection is closed")
    case .starting, .idle, .busy: break
    }
  }

  /// Has `work` done at the next chance outside a failed transaction block, where the server would
  /// refuse it.
  ///
  /// If it cannot be done then, that is a warning, not an error of the operation that it precedes.
  func postpone(
    complaint: String, _ work: @escaping (Connection) throws(PGError) -> Void
  ) {
    postponed.append(PostponedWork(complaint: complaint, run: work))
    hasChores = true
  }

  /// What was postponed is not wanted any more.
  func forgetPostponed() { postponed = [] }

  private func runPostponed() throws(PGError) {
    guard !postponed.isEmpty, case .idle(let status) = link.session.state, status != .failed else {
      return
    }
    let list = postponed
    postponed = []
    for work in list {
      do throws(PGError) { try work.run(self) } catch {
        if isClosed { throw error }
        deliver(.warning(error.code, "\(work.complaint): \(error.message)"))
      }
    }
  }

  private func closeDiscarded(until deadline: Deadline) throws(PGError) {
    guard case .idle = link.session.state else { return }
    var closing = CloseNamed(discarded.takeAll())
    try link.perform(&closing, until: deadline)
  }
}

extension PGError {
  /// An operation was cancelled between two parts of what it takes.
  @inline(never)
  static var taskIsCancelledAmid: PGError {
    PGError(
      code: .queryCanceled, message: "the operation was cancelled before it was complete",
      fault: .caller)
  }
}
