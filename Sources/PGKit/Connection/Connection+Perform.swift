/// An operation that hands its results over bit by bit and so outlives the call that began it.
protocol RunningOperation: AnyObject {
  /// Runs to its end, dropping what nobody took.
  func abandon(on link: Link) throws(PGError)
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
    try link.session.begin(&exchange)
  }

  /// Brings the operation under way to its end, dropping what is left of it.
  func abandonRunning() throws(PGError) {
    guard let operation = running else { return }
    running = nil
    try operation.abandon(on: link)
  }

  private func closeDiscarded() throws(PGError) {
    guard case .idle = link.session.state else { return }
    var closing = CloseNamed(discarded.takeAll())
    try link.perform(&closing)
  }
}
