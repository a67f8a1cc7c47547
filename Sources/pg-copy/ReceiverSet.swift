internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// All receivers of a run, in the order of the command line, and what follows for the others when one of
/// them fails.
struct ReceiverSet: Sequence {
  private let receivers: [Receiver]
  /// Whether all commit or none.
  private let isAtomic: Bool
  /// Whether the rows can be had once more.
  private let canReplay: Bool

  /// - Throws: ``Failure`` with status 64 if an option is malformed.
  init(_ plan: CopyPlan) throws(Failure) {
    var receivers: [Receiver] = []
    for (index, operand) in plan.receivers.enumerated() {
      receivers.append(
        try Receiver(
          operand, number: index + 1, job: plan.running.job,
          statementLimit: plan.running.deadline?.duration))
    }
    self.receivers = receivers
    (isAtomic, canReplay) = (plan.storing.atomic, plan.source.isServer)
  }

  func makeIterator() -> [Receiver].Iterator { receivers.makeIterator() }
  var count: Int { receivers.count }

  /// Those that take part.
  var taking: [Receiver] { filter(\.isTaking) }
  /// Those of them that are servers.
  var takingServers: [Receiver] { filter { $0.isTaking && $0.server != nil } }
  /// Whether there is anything left to do.
  var takesPart: Bool { contains(where: \.isTaking) }

  // MARK: Failures

  /// Takes a receiver out that failed.
  ///
  /// - Parameters:
  ///   - hint: What to do about it.
  ///   - context: What it was about.
  /// - Throws: ``Failure`` if nobody is to commit then, or nobody is left.
  func drop(
    _ receiver: Receiver, _ error: PGError, _ status: ExitStatus? = nil, hint: String? = nil,
    context: String? = nil
  ) throws(Failure) {
    guard receiver.isTaking else { return }
    if Interruptions.shared.isInterrupted { throw Failure(.localFailure) }
    receiver.fail(error, status, hint: hint, context: context)
    if isNeeded(receiver), !mayReplay(receiver) { try giveUp(on: receiver) }
  }

  /// Takes a receiver out that failed while data went there.
  ///
  /// - Parameter context: What data.
  /// - Throws: as ``drop(_:_:_:hint:context:)``; what stdout or a file failed with if nobody commits without
  ///   it.
  func dropEnd(_ receiver: Receiver, _ error: PGError, context: String?) throws {
    if receiver.server == nil, isNeeded(receiver) { throw error.localFailure }
    try drop(receiver, error, receiver.server == nil ? .localFailure : nil, context: context)
  }

  /// Whether nobody commits without it.
  func isNeeded(_ receiver: Receiver) -> Bool {
    receiver.operand.importance == .required || receiver.operand.onFault == .abort || isAtomic
  }

  /// Whether a receiver that failed is to be given everything once more.
  func mayReplay(_ receiver: Receiver) -> Bool {
    // The data was not made for one whose columns nobody knew.
    guard receiver.operand.onFault == .replay, case .failed(let status) = receiver.state, canReplay,
      !receiver.columns.isEmpty
    else { return false }
    return status == .connection || receiver.failure?.isSafeToRetry == true
  }

  /// - Throws: ``Failure``, always.
  func giveUp(on receiver: Receiver) throws(Failure) {
    if receiver.state == .unknown {
      rollback(statusOfUnknown)
      throw Failure(
        statusOfUnknown,
        .own("nothing else is committed: it is unknown whether \(receiver.label) is"))
    }
    let status: ExitStatus =
      if case .failed(let status) = receiver.state { status } else { .refused }
    rollback(status)
    throw Failure(status, .own("without \(receiver.label) nothing is committed"))
  }

  /// - Throws: ``Failure`` if nobody takes part any more, or will again.
  func requireTaking() throws(Failure) {
    if !takesPart, !contains(where: mayReplay) { throw Failure(statusOfFailures) }
  }

  /// Rolls back what the others have taken, because of the run as a whole.
  ///
  /// Servers first: whoever reads stdout may take his time.
  func rollback(_ status: ExitStatus) {
    for receiver in self where receiver.server != nil { receiver.rollback(status) }
    for receiver in self { receiver.rollback(status) }
  }

  /// Has all take part again, as if they had not before.
  func beginAnew() { for receiver in self { receiver.beginAnew() } }

  // MARK: The end

  /// How many have rows that stay.
  var committed: Int { count { $0.state == .committed || $0.state == .partial } }

  /// Whether nobody knows of one whether it committed.
  var hasUnknown: Bool { contains { $0.state == .unknown } }

  /// What became of those that count.
  ///
  /// One of which nobody knows whether it committed counts always.
  var status: ExitStatus {
    if contains(where: { $0.localFault != nil }) { return .localFailure }
    let done = count { $0.state == .committed || $0.isSkipped }
    let failed = filter { $0.state != .committed && !$0.isSkipped }
    if let overlap = lazy.compactMap(\.overlapStatus).first, done == count {
      return committed > 0 && overlap != .ok ? .partial : overlap
    }
    let isForgiven = failed.allSatisfy {
      // That every byte of stdout was accepted is what the status 0 says.
      $0.operand.importance == .bestEffort && $0.state.isFailure
        && $0.operand.place != .standardStream
    }
    if isForgiven, done > 0 { return .ok }
    if committed > 0 { return .partial }
    return statusOfFailures
  }

  /// The status where it is not known of one whether it committed: the connection to it is what failed,
  /// unless it was cut off because time was over.
  private var statusOfUnknown: ExitStatus {
    contains { $0.state == .unknown && $0.failure?.status == .deadline } ? .deadline : .connection
  }

  /// The status when nothing is known to be committed: what all receivers say, or 3 where they differ.
  private var statusOfFailures: ExitStatus {
    if hasUnknown { return statusOfUnknown }
    let statuses = compactMap { receiver -> ExitStatus? in
      switch receiver.state {
      case .failed(let status): status
      case .taking, .committed, .partial, .skipped, .unknown: nil
      }
    }
    if statuses.contains(.localFailure) { return .localFailure }
    let first = statuses.first ?? .refused
    return statuses.allSatisfy { $0 == first } ? first : .refused
  }
}
