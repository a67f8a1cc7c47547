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
        RetryPolicy(triesAll: false).sleep(before: attempts, until: .never)
        try checkInterruption()
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
      _ = try server.connect()
      try server.beginStoring()
      try prepare(receiver)
    } catch {
      try checkInterruption()
      return receiver.fail(error, error.fault == .server ? nil : .connection)
    }
    try move(to: [receiver], laneCount: 1)
  }
}
