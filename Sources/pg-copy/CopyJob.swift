internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// What one run of pg-copy does: connect all ends, relay, compare, commit, report.
///
/// What belongs to a step is in the file named after it.
final class CopyJob {
  let plan: CopyPlan
  let identity: RunIdentity
  let receivers: [Receiver]
  let progress: ProgressReport
  /// The sessions that read, as many as parts are copied at a time; none for stdin and files.
  var sources: [ServerEnd] = []
  /// What is copied, with the columns that travel.
  var rows: CopySource
  var format = CopyFormat.text
  var match = ColumnMatch([], of: .query(""), isKnown: false)
  /// What it is cut into, in the order of the numbers.
  var parts: [CopyPart] = []
  /// What is known of the parts that were read to their ends.
  var proofs: [PartProof] = []
  var bytes = 0
  /// What keeps the speed below a limit.
  var pace: Pace?
  /// What warns of a snapshot that is held for long.
  var age: SnapshotAge?
  /// The name of the snapshot that all sessions read, if there is one.
  var snapshot: String?
  /// Whether the receivers were made ready for data: what was there is then taken out.
  var isBegun = false
  private var hasConcluded = false
  let start = ContinuousClock.now

  /// Makes the job of a plan.
  ///
  /// - Throws: ``Failure`` with status 64.
  init(_ plan: CopyPlan) throws(Failure) {
    self.plan = plan
    rows = plan.rows
    identity = RunIdentity(job: plan.running.job)
    var receivers: [Receiver] = []
    for (index, operand) in plan.receivers.enumerated() {
      let receiver = try Receiver(operand, number: index + 1, job: plan.running.job)
      receiver.server?.statementLimit = plan.running.deadline?.duration
      receivers.append(receiver)
    }
    self.receivers = receivers
    progress = ProgressReport(plan.reporting, identity)
    pace = plan.reading.rate.map { Pace(bytesPerSecond: $0.bytesPerSecond) }
    sources = try Self.sources(of: plan)
  }

  private static func sources(of plan: CopyPlan) throws(Failure) -> [ServerEnd] {
    guard case .server(let iri) = plan.source else { return [] }
    let source = try ServerEnd("source", iri: iri, job: plan.running.job)
    source.statementLimit = plan.running.deadline?.duration
    return [source]
  }

  /// Runs it.
  ///
  /// - Throws: ``Failure`` or ``StandardOutput/Failure``.
  func run() throws {
    defer { progress.end() }
    if let splay = plan.running.splay {
      progress.enter(.waiting)
      do { try wait(upTo: splay.duration) } catch { throw told(error) }
    }
    var attempts = 0
    while true {
      do { return try attempt() } catch {
        guard let failure = error as? Failure, mayRepeat(after: failure, attempts) else {
          throw told(error)
        }
        failure.diagnostic?.print()
        attempts += 1
        RetryPolicy(triesAll: false).sleep(before: attempts, until: .never)
        try beginAnew()
      }
    }
  }

  private func attempt() throws {
    defer { for source in sources { source.rollback() } }
    progress.enter(.connecting)
    do {
      try open()
      if plan.running.dryRun { return try finishDryRun() }
      if takesPart {
        try relay()
        try settle()
        try commit()
      }
      try conclude()
    } catch {
      for receiver in receivers { receiver.rollback(.localFailure) }
      throw error
    }
  }

  private func finishDryRun() throws {
    let report = Preflight(self)
    let (text, isPossible) = (report.json, report.isPossible)
    for receiver in receivers { receiver.rollback(.ok) }
    try StandardOutput.shared.write(text + "\n")
    if !isPossible { throw Failure(.refused) }
  }

  // MARK: Again

  private func mayRepeat(after failure: Failure, _ attempts: Int) -> Bool {
    attempts < plan.running.retry && mayPass(failure) && committed == 0
      && Interruptions.shared.signal == nil && !Interruptions.shared.isExpired
      && !receivers.contains { $0.state == .unknown }
  }

  /// Whether a failure can be another one next time: the connection was lost, or the server had the
  /// transaction give way, as a standby does whose primary has cleaned up.
  private func mayPass(_ failure: Failure) -> Bool {
    failure.status == .connection || failure.diagnostic?.code?.classCharacters == "40"
  }

  private func beginAnew() throws(Failure) {
    sources = try Self.sources(of: plan)
    for receiver in receivers { receiver.rejoin() }
    (rows, bytes, isBegun, snapshot) = (plan.rows, 0, false, nil)
    (parts, proofs) = ([], [])
  }

  private func wait(upTo longest: Duration) throws(Failure) {
    let (seconds, attoseconds) = longest.components
    let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    let end = Deadline.after(.milliseconds(Int64.random(in: 0...max(milliseconds, 0))))
    while !end.hasPassed {
      try checkInterruption()
      _ = poll(nil, 0, min(end.pollTimeout, 100))
    }
  }

  // MARK: The end

  /// The last line, and the status.
  private func conclude() throws {
    let status = status
    hasConcluded = true
    Summary(self, status).print()
    if status != .ok { throw Failure(status) }
  }

  /// What is said about a run that an error has ended.
  private func told(_ error: any Error) -> any Error {
    if let output = error as? StandardOutput.Failure, output.isBrokenPipe { return error }
    let last = interruption ?? error
    if plan.reporting.summary == .json, !hasConcluded {
      Summary(self, (last as? Failure)?.status ?? .localFailure).print()
    }
    return last
  }

  /// What ends a run that was interrupted before anything was committed.
  private var interruption: Failure? {
    guard committed == 0, !receivers.contains(where: { $0.state == .unknown }) else { return nil }
    if Interruptions.shared.signal != nil {
      return Failure(.localFailure, note("interrupted; nothing was committed"))
    }
    if Interruptions.shared.isExpired {
      return Failure(.deadline, note("the time of --deadline is over; nothing was committed"))
    }
    return nil
  }

  /// How many have rows that stay.
  var committed: Int { receivers.count { $0.state == .committed || $0.state == .partial } }

  /// Whether there is anything left to do.
  var takesPart: Bool { receivers.contains(where: \.isTaking) }

  /// What became of those that count.
  var status: ExitStatus {
    let done = receivers.count { $0.state == .committed || $0.isSkipped }
    let failed = receivers.filter { $0.state != .committed && !$0.isSkipped }
    if let overlap = receivers.lazy.compactMap(\.overlapStatus).first, done == receivers.count {
      return committed > 0 && overlap != .ok ? .partial : overlap
    }
    if failed.allSatisfy({ $0.operand.importance == .bestEffort }), done > 0 { return .ok }
    if committed > 0 { return .partial }
    return statusOfFailures
  }

  /// The status when nothing was committed: what all receivers say, or 3 where they differ.
  var statusOfFailures: ExitStatus {
    let statuses = receivers.compactMap { receiver -> ExitStatus? in
      switch receiver.state {
      case .failed(let status): status
      case .unknown: .connection
      case .taking, .committed, .partial, .skipped: nil
      }
    }
    if statuses.contains(.localFailure) { return .localFailure }
    let first = statuses.first ?? .refused
    return statuses.allSatisfy { $0 == first } ? first : .refused
  }

  // MARK: Failures

  /// Takes a receiver out that failed.
  ///
  /// - Throws: ``Failure`` if nobody is to commit then, or nobody is left.
  func drop(
    _ receiver: Receiver, _ error: PGError, _ status: ExitStatus? = nil
  ) throws(Failure) {
    guard receiver.isTaking else { return }
    if Interruptions.shared.signal != nil || Interruptions.shared.isExpired {
      throw Failure(.localFailure)
    }
    receiver.fail(error, status)
    if isNeeded(receiver), !mayReplay(receiver) { try giveUp(on: receiver) }
  }

  /// Whether nobody commits without it.
  func isNeeded(_ receiver: Receiver) -> Bool {
    receiver.operand.importance == .required || receiver.operand.onFault == .abort
      || plan.storing.atomic
  }

  /// - Throws: ``Failure``, always.
  func giveUp(on receiver: Receiver) throws(Failure) {
    let status: ExitStatus =
      if case .failed(let status) = receiver.state { status } else { .refused }
    for other in receivers { other.rollback(status) }
    throw Failure(status, note("without \(receiver.label) nothing is committed"))
  }

  func requireReceivers() throws(Failure) {
    if !takesPart, !receivers.contains(where: { mayReplay($0) }) {
      throw Failure(statusOfFailures)
    }
  }

  /// - Throws: ``Failure`` when a signal came or time is over; what it says is put in place by
  ///   ``run()``.
  func checkInterruption() throws(Failure) {
    if Interruptions.shared.signal != nil { throw Failure(.localFailure) }
    if Interruptions.shared.isExpired { throw Failure(.deadline) }
  }

  func fromSource<Result>(
    _ body: () throws(PGError) -> Result
  ) throws(Failure) -> Result {
    do throws(PGError) { return try body() } catch { throw sourceFailure(error) }
  }

  func sourceFailure(_ error: PGError, _ status: ExitStatus? = nil) -> Failure {
    if let failure = error.cause as? Failure { return failure }
    let speaker = "\(CopyCommand.program): \(sourceLabel)"
    return Failure(status ?? error.status, error.diagnostic(of: speaker))
  }

  var sourceLabel: String {
    switch plan.source {
    case .standardStream: "stdin"
    case .file(let path): path
    case .server: sources.first?.label ?? "source"
    }
  }

  func note(_ text: String) -> Diagnostic {
    Diagnostic(program: CopyCommand.program, message: text)
  }
}
