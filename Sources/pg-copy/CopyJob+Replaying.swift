internal import PGCommandLine
internal import PGConnecting
internal import PGKit

// A receiver whose connection was lost is given everything once more, from the snapshot that is still
// held: so it ends with the same rows as the others.

extension CopyJob {
  /// Whether a receiver that failed is to be given everything once more.
  func mayReplay(_ receiver: Receiver) -> Bool {
    guard receiver.operand.onFault == .replay, case .failed(let status) = receiver.state,
      plan.source.isServer
    else { return false }
    return status == .connection || receiver.failure?.isSafeToRetry == true
  }

  /// How often a receiver is tried again.
  private static let replayLimit = 3

  /// Gives the receivers that failed and may be tried again everything once more.
  func replayFailed() throws {
    for receiver in receivers where mayReplay(receiver) {
      var attempts = 0
      while mayReplay(receiver), attempts < Self.replayLimit {
        attempts += 1
        try wait(upTo: RetryPolicy(triesAll: false).longestPause(before: attempts))
        receiver.server?.note("from the beginning, attempt \(attempts)")
        try replay(receiver)
      }
      if receiver.isTaking { continue }
      if isNeeded(receiver) { try giveUp(on: receiver) }
    }
  }

  private func replay(_ receiver: Receiver) throws {
    receiver.rejoin()
    guard let server = receiver.server, let source = sources.first else { return }
    try fromSource { () throws(PGError) in try source.beginReadingAgain() }
    do throws(PGError) {
      let connection = try server.connect()
      try admitAgain(receiver, server, connection)
      try prepare(receiver)
    } catch {
      try checkInterruption()
      return receiver.fail(error, error.fault == .server ? nil : .connection)
    }
    try move(to: [receiver], laneCount: 1)
  }
  /// Begins to store there, if that is still where the rows are meant to go and nobody else is at work.
  private func admitAgain(
    _ receiver: Receiver, _ server: ServerEnd, _ connection: Connection
  ) throws(PGError) {
    try server.noteSystem()
    try EndGuard(connection).requireOpen(receiver.operand.isProtected)
    try server.beginStoring()
    if try isBusy(connection) {
      throw PGError(
        code: .lockNotAvailable,
        message:
          "another run with the same --single is at work there, or the session that was lost still is",
        fault: .server)
    }
    if let twin = try noteIdentity(of: receiver) {
      throw PGError(
        code: .objectNotInPrerequisiteState,
        message: "it has become the same table as that of \(twin)", fault: .server)
    }
  }
}
