internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// The last step: from its beginning on nothing is given up any more; each receiver commits, or it is said
/// what became of it.
struct CommitSequence {
  let plan: CopyPlan
  let identity: RunIdentity
  let receivers: ReceiverSet
  let progress: ProgressReport

  /// Commits, one receiver after the other, or all or none.
  func run() throws(Failure) {
    if plan.storing.atomic, receivers.taking.count > 1 || plan.jobs > 1 {
      return try commitTogether()
    }
    for receiver in inOrder where receiver.isTaking {
      progress.await("\(receiver.label) to commit")
      if receiver.server == nil {
        receiver.publish()
      } else if receiver.lanes.count > 1, receiver.canPrepare {
        commitLanesTogether(receiver)
      } else {
        commitLanes(receiver)
      }
      let isOut = receiver.state.isFailure || receiver.state == .unknown
      if isOut, receivers.isNeeded(receiver), receivers.committed == 0 {
        try receivers.giveUp(on: receiver)
      }
    }
  }

  /// First those without which nobody commits; last the files, which are the least likely to fail.
  private var inOrder: [Receiver] {
    let servers = receivers.filter { $0.server != nil }
    return servers.filter(receivers.isNeeded) + servers.filter { !receivers.isNeeded($0) }
      + receivers.filter { $0.server == nil }
  }

  // MARK: In two phases

  private func commitTogether() throws(Failure) {
    let taking = receivers.taking
    progress.await(taking.map(\.label).joined(separator: " and ") + " to commit together")
    switch TwoPhaseCommit(taking, identity).run() {
    case .committed(let open): for receiver in taking { end(receiver, open) }
    case .refused(let receiver, let error):
      receiver.fail(error)
      try receivers.giveUp(on: receiver)
    case .unknown(let error, let lane):
      lane.report(error, hint: Self.resolving)
      for receiver in taking { receiver.lost(error, remedy: Self.resolving) }
    }
  }

  /// Commits the sessions of one receiver, all or none.
  private func commitLanesTogether(_ receiver: Receiver) {
    switch TwoPhaseCommit([receiver], identity).run() {
    case .committed(let open): end(receiver, open)
    case .refused(_, let error):
      // Not everything that a trigger may do can be prepared: NOTIFY cannot.
      let isImpossible = error.code == .featureNotSupported
      receiver.fail(
        error, hint: isImpossible ? "Without --jobs one session stores everything." : nil)
    case .unknown(let error, let lane):
      lane.report(error, hint: Self.resolving)
      receiver.lost(error, remedy: Self.resolving)
    }
  }

  private static let resolving =
    "The connection was lost in COMMIT. pg-copy resolve --to … with all receivers ends what is left prepared"
    + " as it was decided."

  /// Some prepared transactions could not be ended yet: they will be committed.
  private func end(_ receiver: Receiver, _ open: [Int: [String]]) {
    guard let names = open[receiver.number] else { return receiver.committed() }
    let error = PGError(
      code: .connectionFailure,
      message: "prepared, and to be committed: \(names.joined(separator: ", "))", fault: .transport,
      // Who is late does not try for long.
      cause: Interruptions.shared.isLate ? Interruptions.CutOff.deadline : nil)
    receiver.lost(
      error, remedy: "pg-copy resolve --to … with all receivers commits it: that was decided.")
  }

  // MARK: One after the other

  private func commitLanes(_ receiver: Receiver) {
    for (index, lane) in receiver.lanes.enumerated() {
      switch CommitOutcome(committing: lane) {
      case .committed: receiver.committed(lane: index)
      case .refused(let error):
        return index > 0 ? lostHalf(receiver, error) : receiver.fail(error)
      case .unknown(let error):
        let remedy = remedy(for: lane)
        lane.report(error, hint: "The connection was lost in COMMIT. \(remedy)")
        return receiver.lost(error, remedy: remedy)
      }
    }
    receiver.committed()
  }

  /// How to find out what became of a COMMIT that was not answered.
  private func remedy(for lane: ServerEnd) -> String {
    let asking =
      lane.transactionID.map { "SELECT pg_catalog.txid_status(\($0)) there says what became of it" }
      ?? "Look there whether the rows are stored"
    guard let job = plan.running.job else { return asking + "." }
    return asking + "; or run the same command again: the record of job \(job) is part of it."
  }

  /// Some of a receiver's sessions have committed and others not, which prepared transactions prevent.
  private func lostHalf(_ receiver: Receiver, _ error: PGError) {
    let remedy =
      "Some parts are stored and others are not. With max_prepared_transactions of at least \(plan.jobs - 1)"
      + " there, all are stored or none."
    receiver.server?.report(error, hint: remedy)
    receiver.halved(error, remedy: remedy)
  }
}
