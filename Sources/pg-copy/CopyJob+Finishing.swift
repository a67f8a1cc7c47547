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
      if plan.storing.verify { try verify(receiver) }
      try receiver.ledger?.write(
        .init(
          run: identity.run, rows: receiver.mergedRows ?? receiver.rows ?? 0, bytes: bytes,
          checksum: receiver.checksum?.description, snapshot: snapshot),
        try receiver.lanes[0].session())
      for lane in receiver.lanes {
        _ = try lane.noteTransactionID()
        // What is checked only in the end must not fail when other sessions have committed.
        if receiver.lanes.count > 1 { try lane.session().execute("SET CONSTRAINTS ALL IMMEDIATE") }
      }
    } catch {
      try checkInterruption()
      try drop(receiver, error)
    }
    try checkInterruption()
  }

  private func verify(_ receiver: Receiver) throws(PGError) {
    let stored = try Verification.checksum(of: receiver, format)
    receiver.checksum = stored
    guard stored == sourceChecksum else {
      let expected = sourceChecksum.map { "\($0) (\($0.count) rows)" } ?? "nothing"
      throw PGError(
        code: .dataException,
        message:
          "what was stored is not what was read: \(stored) (\(stored.count) rows) instead of \(expected)",
        fault: .server,
        hint:
          "a trigger, a rule or a column of another type may change values; or leave --verify out")
    }
  }

  // MARK: Again

  /// Whether a receiver that failed is to be given everything once more.
  func mayReplay(_ receiver: Receiver) -> Bool {
    guard receiver.operand.onFault == .replay, case .failed(let status) = receiver.state,
      plan.source.isServer
    else { return false }
    return status == .connection || receiver.failure?.isSafeToRetry == true
  }

  /// How often a receiver is tried again.
  private static let replayLimit = 3

  /// Gives the receivers that failed and may be tried again everything once more, from the snapshot that
  /// is still held.
  private func replayFailed() throws {
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
    receiver.rows = nil
    guard let server = receiver.server, let source = sources.first else { return }
    try fromSource { () throws(PGError) in try source.beginReadingAgain() }
    let transfer: CopyTransfer
    let checked: ChecksumProducer
    do throws(PGError) {
      _ = try server.connect()
      try server.beginStoring()
      try prepare(receiver)
      let end = try end(of: receiver, on: 0)
      do throws(PGError) {
        let sql = try rows.copyOut(format, encoding: plan.command.encoding)
        checked = ChecksumProducer(try StatementProducer(try source.session(), sql), format)
        transfer = CopyTransfer(from: checked, to: [end])
      } catch {
        end.fail("the source failed")
        throw error
      }
    } catch {
      try checkInterruption()
      return receiver.fail(error, error.fault == .server ? nil : .connection)
    }
    do throws(CopyFault) { try transfer.run() } catch {
      try checkInterruption()
      switch error {
      case .receivers(let faults): if let fault = faults.first { receiver.fail(fault.error) }
      case .producer(let error): throw sourceFailure(error)
      default: throw Failure(.refused, note("\(receiver.label): \(error)"))
      }
      return
    }
    receiver.rows = transfer.rowCount(ofReceiver: 0)
    sourceRows = sourceRows ?? transfer.producedRowCount
    sourceChecksum = sourceChecksum ?? checked.checksum
    if receiver.rows != sourceRows {
      throw Failure(
        .refused,
        note(
          "\(receiver.label) has \(receiver.rows ?? -1) rows and the others \(sourceRows ?? -1); nothing was committed"
        ))
    }
  }

  // MARK: Commit

  /// Commits, one receiver after the other, or all or none.
  func commit() throws(Failure) {
    try checkInterruption()
    guard Interruptions.shared.beginLastStep() else { throw Failure(.localFailure) }
    if plan.storing.atomic, receivers.count(where: \.isTaking) > 1 || plan.jobs > 1 {
      return try TwoPhaseCommit(self).run()
    }
    for receiver in receivers where receiver.isTaking { commit(receiver) }
  }

  private func commit(_ receiver: Receiver) {
    for (index, lane) in receiver.lanes.enumerated() {
      switch CommitOutcome(committing: lane) {
      case .committed: continue
      case .refused(let error):
        if index > 0 { return lostHalf(receiver, error) }
        return receiver.fail(error)
      case .unknown(let error):
        lane.report(
          error, hint: "The connection was lost in COMMIT: look whether the rows are there.")
        return receiver.lost(error)
      }
    }
    receiver.committed()
  }

  /// Some of a receiver's sessions have committed and others not, which only --atomic can prevent.
  private func lostHalf(_ receiver: Receiver, _ error: PGError) {
    receiver.server?.report(
      error, hint: "Some parts are stored and others are not. --atomic stores all or none.")
    receiver.lost(error)
  }
}
