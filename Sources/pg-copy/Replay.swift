internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// Gives a receiver whose connection was lost everything once more, from the snapshot that is still held: so
/// it ends with the same rows as the others.
struct Replay {
  /// How often a receiver is tried again.
  private static let limit = 3

  let receivers: ReceiverSet
  let source: SourceEnd
  let admission: Admission
  let opener: PartOpener
  let relay: Relay

  /// Does so with all that failed and may be tried again.
  func run() throws {
    for receiver in receivers where receivers.mayReplay(receiver) {
      var attempts = 0
      while receivers.mayReplay(receiver), attempts < Self.limit {
        attempts += 1
        let pause = RetryPolicy(triesAll: false).longestPause(before: attempts)
        try Interruptions.shared.wait(upTo: pause)
        receiver.server?.note("from the beginning, attempt \(attempts)")
        try replay(receiver)
      }
      if receiver.isTaking { continue }
      if receivers.isNeeded(receiver) { try receivers.giveUp(on: receiver) }
    }
  }

  private func replay(_ receiver: Receiver) throws {
    receiver.rejoin()
    try source.beginReadingAgain()
    do throws(PGError) {
      try admission.admitAgain(receiver)
      try opener.prepare(receiver)
    } catch {
      try Interruptions.shared.check()
      return receiver.fail(error, error.fault == .server ? nil : .connection)
    }
    try relay.move(to: [receiver], laneCount: 1)
  }
}
