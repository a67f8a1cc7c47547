internal import PGKit

/// A session that stores a part beside others.
///
/// What its server does when it has all of the data, as looking up the keys that rows refer to, may take as
/// long as the copying: meanwhile the other sessions go on.
final class LaneReceiver: CopyReceiver {
  private let lane: ServerEnd
  private let connection: Connection
  private let inner: StatementReceiver
  private var hasEnded = false
  /// What it failed with when nobody was there to hear it.
  private var failure: PGError?

  /// Begins the statement.
  ///
  /// - Throws: ``PGError``: the server's.
  init(_ lane: ServerEnd, _ sql: String) throws(PGError) {
    self.lane = lane
    connection = try lane.session()
    inner = try StatementReceiver(connection, sql)
  }

  /// Brings the data to its end as far as that can be done without waiting.
  ///
  /// - Returns: Whether the server has said what it made of the data, or never will.
  func hasAnswer() -> Bool {
    if failure != nil || connection.isClosed { return true }
    noteEnd()
    do throws(PGError) { return try inner.endWithoutWaiting() } catch {
      failure = error
      return true
    }
  }

  func write(_ piece: CopyPiece) throws(PGError) { try inner.write(piece) }
  func enqueue(_ piece: CopyPiece) throws(PGError) { try inner.enqueue(piece) }
  func sendQueued() throws(PGError) {
    if let failure { throw failure }
    try inner.sendQueued()
  }
  var queuedBytes: Int { inner.queuedBytes }
  var watches: [DescriptorWatch] { inner.watches }
  var takesJoinedRows: Bool { inner.takesJoinedRows }
  func joinOthers() { inner.joinOthers() }

  func end() throws(PGError) {
    if let failure { throw failure }
    if hasEnded { return }
    noteEnd()
    try inner.end()
  }

  private func noteEnd() {
    if !hasEnded { lane.note(isAtWork: true) }
    hasEnded = true
  }

  func finish() throws(PGError) -> Int? {
    defer { lane.note(isAtWork: false) }
    if let failure { throw failure }
    return try inner.finish()
  }

  func fail(_ reason: String) {
    lane.cancelWork()
    inner.fail(reason)
  }
}
