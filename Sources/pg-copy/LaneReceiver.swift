internal import Glibc
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
  /// - Returns: Whether the server has something to say, or never will.
  func hasAnswer() -> Bool {
    if failure != nil || connection.isClosed { return true }
    do throws(PGError) {
      if queuedBytes > 0 { try sendQueued() }
      if queuedBytes > 0 { return false }
      try end()
    } catch {
      failure = error
      return true
    }
    var request = pollfd(fd: connection.fileDescriptor, events: Int16(POLLIN), revents: 0)
    return poll(&request, 1, 0) != 0
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

  func end() throws(PGError) {
    if let failure { throw failure }
    if hasEnded { return }
    hasEnded = true
    lane.note(isAtWork: true)
    try inner.end()
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
