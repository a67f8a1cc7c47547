/// An operation that hands its results over bit by bit and so outlives the call that began it.
protocol RunningOperation: AnyObject {
  /// Runs to its end, because another operation is to begin: keeps what is wanted and has room, drops
  /// the rest.
  func abandon(on link: Link) throws(PGError)
}

/// Something to be done later.
struct PostponedWork {
  let run: () throws(PGError) -> Void
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
    try abandonRunning()
    if !discarded.isEmpty { try closeDiscarded() }
    if !postponed.isEmpty { try runPostponed() }
    try link.session.begin(&exchange)
  }

  /// Brings the operation under way to its end, dropping what is left of it.
  func abandonRunning() throws(PGError) {
    guard let operation = running else { return }
    running = nil
    try operation.abandon(on: link)
  }

  /// Makes sure that the session is open and nothing is under way, so that its state can be asked.
  func becomeIdle() throws(PGError) {
    try abandonRunning()
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
  func postpone(_ work: @escaping () throws(PGError) -> Void) { postponed.append(.init(run: work)) }

  /// What was postponed is not wanted any more.
  func forgetPostponed() { postponed = [] }

  private func runPostponed() throws(PGError) {
    guard case .idle(let status) = link.session.state, status != .failed else { return }
    let list = postponed
    postponed = []
    for work in list { try work.run() }
  }

  private func closeDiscarded() throws(PGError) {
    guard case .idle = link.session.state else { return }
    var closing = CloseNamed(discarded.takeAll())
    try link.perform(&closing)
  }
}
