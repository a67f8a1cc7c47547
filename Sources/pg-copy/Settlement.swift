internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// What is between the last row and the last COMMIT: everything that may still fail is done before the first
/// receiver commits.
struct Settlement {
  let plan: CopyPlan
  let identity: RunIdentity
  let receivers: ReceiverSet
  /// The name of the snapshot that was read, if it has one.
  let snapshot: String?
  let format: CopyFormat
  let proofs: [PartProof]
  let progress: ProgressReport
  /// In which zone the source has written its times; `nil` if it is no server.
  let timeZone: String?

  /// Has every receiver store what it was given, and proves it.
  func run() throws(Failure) {
    for receiver in receivers.takingServers { try settle(receiver) }
    for receiver in receivers where !receiver.isTaking && receiver.state.isFailure {
      if receivers.isNeeded(receiver) { try receivers.giveUp(on: receiver) }
    }
    try receivers.requireTaking()
  }

  private func settle(_ receiver: Receiver) throws(Failure) {
    do throws(PGError) {
      progress.await(receiver.label)
      if let answer = plan.storing.onConflict {
        progress.enter(.merging, awaiting: receiver.label)
        try merge(receiver, answer)
      }
      if plan.storing.verify {
        progress.enter(.verifying, awaiting: receiver.label)
        try Verification(receiver, format, proofs, timeZone: timeZone)
          .run(isMerged: plan.storing.onConflict != nil)
      }
      try record(receiver)
      for lane in receiver.lanes {
        _ = try lane.noteTransactionID()
        // What is checked only in the end must not fail when other sessions have committed.
        if receiver.lanes.count > 1 { try lane.session().execute("SET CONSTRAINTS ALL IMMEDIATE") }
        try lane.liftStatementLimit()
      }
    } catch {
      try Interruptions.shared.check()
      try receivers.drop(receiver, error, hint: advice(error))
    }
    try Interruptions.shared.check()
  }

  /// What to do where a row is to be changed twice by one statement.
  private func advice(_ error: PGError) -> String? {
    guard plan.storing.onConflict == .update, error.code == .cardinalityViolation else {
      return nil
    }
    return
      "One key is twice in what is copied: have the source give each once, or take --on-conflict nothing."
  }

  private func merge(_ receiver: Receiver, _ answer: ConflictAnswer) throws(PGError) {
    var (stored, takesAll) = (0, true)
    for lane in receiver.lanes {
      let merge = try ConflictStaging.merge(receiver, answer, try lane.session())
      stored = stored.addingRows(merge.rows)
      takesAll = takesAll && merge.takesAll
    }
    receiver.merged(stored)
    if takesAll, let leftOut = receiver.leftOutRows, leftOut > 0 {
      warn(of: leftOut, leftOutBy: receiver)
    }
  }

  /// Says that rows were dropped on their way from the temporary table, which no count of COPY's tells.
  private func warn(of rows: Int, leftOutBy receiver: Receiver) {
    Diagnostic(
      program: "\(CopyCommand.program): \(receiver.label)", severity: .warning,
      message: "\(rows) of \(receiver.rows ?? 0) rows were neither stored nor did they change one",
      details: [
        (
          "HINT",
          "A trigger that returns NULL, or a rule of the table, drops them; --verify refuses that."
        )
      ]
    ).print()
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
