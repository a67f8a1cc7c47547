internal import PGCommandLine
internal import PGConnecting
internal import PGKit

// Between the last row and the last COMMIT: everything that may still fail is done before the first
// receiver commits.

extension CopyJob {
  /// Has every receiver store what it was given, and proves it.
  func settle() throws {
    try replayFailed()
    for receiver in receivers where receiver.isTaking { try settle(receiver) }
    for receiver in receivers where !receiver.isTaking && receiver.state.isFailure {
      if isNeeded(receiver) { try giveUp(on: receiver) }
    }
    try requireReceivers()
  }

  private func settle(_ receiver: Receiver) throws {
    guard receiver.server != nil else { return }
    do throws(PGError) {
      if let answer = plan.storing.onConflict {
        var stored = 0
        for lane in receiver.lanes {
          stored += try ConflictStaging.merge(receiver, answer, try lane.session())
        }
        receiver.mergedRows = stored
      }
      if plan.storing.verify {
        progress.enter(.verifying)
        try Verification(receiver, format, proofs).run(isMerged: plan.storing.onConflict != nil)
      }
      try record(receiver)
      for lane in receiver.lanes {
        _ = try lane.noteTransactionID()
        // What is checked only in the end must not fail when other sessions have committed.
        if receiver.lanes.count > 1 { try lane.session().execute("SET CONSTRAINTS ALL IMMEDIATE") }
        try lane.liftStatementLimit()
      }
    } catch {
      try checkInterruption()
      try drop(receiver, error)
    }
    try checkInterruption()
  }

  /// Puts each part on record, in the transaction that stores it.
  private func record(_ receiver: Receiver) throws(PGError) {
    guard let ledger = receiver.ledger else { return }
    for part in receiver.parts {
      let merged = receiver.parts.count == 1 ? receiver.mergedRows : nil
      try ledger.write(
        .init(
          run: identity.run, part: part.number, parts: receiver.parts.count,
          rows: merged ?? part.rows ?? 0, bytes: part.bytes,
          checksum: part.checksum?.description, snapshot: snapshot),
        try receiver.lanes[part.lane].session())
    }
  }
}
