/// An operation that hands its results over bit by bit and so outlives the call that began it.
protocol RunningOperation: AnyObject {
  /// Who hears its messages before the connection does.
  var hearer: (any MessageHearer)? { get }
  /// Runs to its end, because another operation is to begin: keeps what is wanted and has room, drops
  /// the rest.
  func complete(on link: Link) throws(PGError)
  /// Hands over the error that ended it, if nobody is left who could be told by taking its results.
  func takeUnheard() -> PGError?
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
}

extension Connection {
  /// Runs a whole exchange whose rows, if any come, interest nobody.
  func perform<E: Exchange & ~Copyable>(
    _ exchange: inout E, until deadline: Deadline = .never
  ) throws(PGError) {
    try begin(&exchange)
    try link.finish(&exchange, until: deadline)
  }

  /// Opens an exchange, after the operation that still runs has been brought to its end.
  func begin<E: Exchange & ~Copyable>(_ exchange: inout E) throws(PGError) {
    try completeRunning()
    if !discarded.isEmpty { try closeDiscarded() }
    if !postponed.isEmpty { try runPostponed() }
    try link.session.begin(&exchange)
  }

  /// Brings the operation under way to its end; if it failed and nobody takes its results any more,
  /// there is a warning.
  func completeRunning() throws(PGError) {
    guard let operation = try completeRunningSilently(), let error = operation.takeUnheard() else {
      return
    }
    warnOfUnheard(error)
  }

  /// Brings the operation under way to its end, and gives it.
  @discardableResult
  func completeRunningSilently() throws(PGError) -> (any RunningOperation)? {
    try link.requireNoDelivery()
    guard let operation = running else { return nil }
    running = nil
    hearer = operation.hearer
    defer { hearer = nil }
    try operation.complete(on: link)
    return operation
  }

  /// An error must not be lost because nobody asked for the rows in front of it.
  func warnOfUnheard(_ error: PGError) {
    deliver(.warning(error.code, "a statement whose rows nobody took had failed: \(error.message)"))
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
  }

  /// What was postponed is not wanted any more.
  func forgetPostponed() { postponed = [] }

  private func runPostponed() throws(PGError) {
    guard case .idle(let status) = link.session.state, status != .failed else { return }
    let list = postponed
    postponed = []
    for work in list {
      do throws(PGError) { try work.run(self) } catch {
        if isClosed { throw error }
        deliver(.warning(error.code, "\(work.complaint): \(error.message)"))
      }
    }
  }

  private func closeDiscarded() throws(PGError) {
    guard case .idle = link.session.state else { return }
    var closing = CloseNamed(discarded.takeAll())
    try link.perform(&closing)
  }
}
