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
  /// How many of them are copied at a time.
  var laneCount = 1
  /// What is known of the parts that were read to their ends.
  var proofs: [PartProof] = []
  /// How many rows those parts have: asked for at every step, and of many parts.
  var provenRows = 0
  var bytes = 0
  /// What keeps the speed below a limit.
  var pace: Pace?
  /// What warns of a snapshot that is held for long.
  var age: SnapshotAge?
  /// The name of the snapshot that all sessions read, if there is one.
  var snapshot: String?
  /// Whether the receivers were made ready for data: what was there is then taken out.
  var isBegun = false
  /// Which tables take part, by what tells each from every other one, and who has it.
  var identities: [String: String] = [:]
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
    while try mustRepeat(attempts) {
      attempts += 1
      let policy = RetryPolicy(triesAll: false)
      do { try wait(upTo: policy.longestPause(before: attempts)) } catch { throw told(error) }
      try beginAnew()
    }
    if !plan.running.dryRun { try conclude() }
  }

  /// Does everything but say what came of it.
  ///
  /// - Returns: Whether it is to be done once more.
  private func mustRepeat(_ attempts: Int) throws -> Bool {
    do { try attempt() } catch {
      guard let failure = error as? Failure, mayRepeat(after: failure, attempts) else {
        throw told(error)
      }
      failure.diagnostic?.print()
      return true
    }
    return status != .ok && mayRepeat(after: Failure(status), attempts)
  }

  private func attempt() throws {
    defer { for source in sources { source.rollback() } }
    progress.enter(.connecting)
    do {
      if plan.running.dryRun { return try dryRun() }
      Interruptions.shared.setLastWords(Summary.lastWords(of: self))
      try open()
      Interruptions.shared.setLastWords(Summary.lastWords(of: self))
      if takesPart {
        try relay()
        try settle()
        try commit()
      }
    } catch {
      for receiver in receivers { receiver.rollback(.localFailure) }
      throw error
    }
  }

  /// Opens everything, and prints what was found, also where that is why nothing can be copied.
  private func dryRun() throws {
    var obstacle: (any Error)?
    do { try open() } catch { obstacle = error }
    try checkInterruption()
    let report = Preflight(self, obstacle)
    let (text, isPossible) = (report.json, report.isPossible)
    for receiver in receivers { receiver.rollback(.ok) }
    try StandardOutput.shared.write(text + "\n")
    if let obstacle { throw obstacle }
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
    (rows, bytes, isBegun, snapshot, identities) = (plan.rows, 0, false, nil, [:])
    (parts, laneCount, proofs, provenRows) = ([], 1, [], 0)
  }

  /// Waits for a time up to this, by chance.
  ///
  /// - Throws: ``Failure`` when a signal came or time is over.
  func wait(upTo longest: Duration) throws(Failure) {
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
    Summary(self, status).print()
    if status != .ok { throw Failure(status) }
  }

  /// What is said about a run that an error has ended.
  private func told(_ error: any Error) -> any Error {
    if let output = error as? StandardOutput.Failure, output.isBrokenPipe { return error }
    let last = interruption ?? error
    if plan.reporting.summary == .json, !plan.running.dryRun {
      let failure = last as? Failure
      Summary(self, failure?.status ?? .localFailure, because: failure?.diagnostic).print()
    }
    return last
  }

  /// What ends a run that was interrupted before anything was committed.
  private var interruption: Failure? {
    guard committed == 0, !receivers.contains(where: { $0.state == .unknown }) else { return nil }
    if Interruptions.shared.signal != nil {
      return Failure(.localFailure, note("interrupted; nothing was committed"))
    }
    if Interruptions.shared.isExpired || Interruptions.shared.isLate {
      return Failure(.deadline, note("the time of --deadline is over; nothing was committed"))
    }
    return nil
  }

  /// How many have rows that stay.
  var committed: Int { receivers.count { $0.state == .committed || $0.state == .partial } }

  /// Whether there is anything left to do.
  var takesPart: Bool { receivers.contains(where: \.isTaking) }

  /// What became of those that count.
  ///
  /// One of which nobody knows whether it committed counts always.
  var status: ExitStatus {
    if receivers.contains(where: { $0.localFault != nil }) { return .localFailure }
    let done = receivers.count { $0.state == .committed || $0.isSkipped }
    let failed = receivers.filter { $0.state != .committed && !$0.isSkipped }
    if let overlap = receivers.lazy.compactMap(\.overlapStatus).first, done == receivers.count {
      return committed > 0 && overlap != .ok ? .partial : overlap
    }
    let isForgiven = failed.allSatisfy {
      $0.operand.importance == .bestEffort && $0.state.isFailure
    }
    if isForgiven, done > 0 { return .ok }
    if committed > 0 { return .partial }
    return statusOfFailures
  }

  /// The status when nothing was committed: what all receivers say, or 3 where they differ; as long as that
  /// is not known of one, the connection to it is what failed.
  var statusOfFailures: ExitStatus {
    if receivers.contains(where: { $0.state == .unknown }) { return .connection }
    let statuses = receivers.compactMap { receiver -> ExitStatus? in
      switch receiver.state {
      case .failed(let status): status
      case .taking, .committed, .partial, .skipped, .unknown: nil
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
    if receiver.state == .unknown {
      for other in receivers { other.rollback(.connection) }
      throw Failure(
        .connection,
        note("nothing else is committed: it is unknown whether \(receiver.label) is"))
    }
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
