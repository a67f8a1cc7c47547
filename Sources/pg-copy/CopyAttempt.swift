internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// One attempt at a run: opens the ends, relays, settles and commits.
///
/// What an attempt has found out, read and begun is its own, so that nothing of it is left in the next one;
/// the receivers are the run's.
final class CopyAttempt {
  private let plan: CopyPlan
  private let identity: RunIdentity
  private let receivers: ReceiverSet
  private let progress: ProgressReport
  /// Whether there was one before, which has said what is to be said once.
  private let isRepeated: Bool
  private let source: SourceEnd
  private var cargo: Cargo
  /// What moves the data, once it is known what travels.
  private var relay: Relay?

  /// - Throws: ``Failure`` with status 64.
  init(
    _ plan: CopyPlan, _ identity: RunIdentity, _ receivers: ReceiverSet, _ progress: ProgressReport,
    isRepeated: Bool = false
  ) throws(Failure) {
    (self.plan, self.identity, self.receivers) = (plan, identity, receivers)
    (self.progress, self.isRepeated) = (progress, isRepeated)
    source = try SourceEnd(plan)
    cargo = Cargo(plan)
  }

  /// Does it all.
  ///
  /// - Parameter opened: Is called when it is known what travels, and nothing has yet.
  func run(opened: () -> Void) throws {
    defer { source.rollback() }
    do {
      let admission = try open()
      opened()
      if receivers.takesPart { try carryOut(admission) }
    } catch {
      receivers.rollback(.localFailure)
      throw error
    }
  }

  /// Opens everything, and prints what was found, also where that is why nothing can be copied.
  func dryRun() throws {
    defer { source.rollback() }
    var obstacle: (any Error)?
    do { _ = try open() } catch { obstacle = error }
    do { try Interruptions.shared.check() } catch {
      receivers.rollback(.localFailure)
      throw error
    }
    let report = Preflight(cargo, source, receivers, obstacle)
    let (text, isPossible) = (report.json, report.isPossible)
    receivers.rollback(.ok)
    try StandardOutput.shared.write(text + "\n")
    if let obstacle { throw obstacle }
    if !isPossible { throw Failure(.refused) }
  }

  /// Everything that comes before the first row: connections, transactions, who takes part, which columns
  /// travel, and in which form.
  private func open() throws(Failure) -> Admission {
    progress.beginAnew()
    progress.enter(.connecting, awaiting: source.label)
    let columns = try source.open(plan.rows, for: receivers)
    let admission = Admission(plan, receivers, from: source, progress)
    try admission.admitAll()
    try cargo.pack(columns, from: source, to: receivers)
    if receivers.takesPart {
      let estimate = try estimate()
      if let heirs = estimate?.heirs, heirs > 0 { warn(of: heirs) }
      progress.begin(estimate, snapshot: source.readingSince)
    }
    return admission
  }

  /// Says that the rows of the tables that inherit from the source's are not copied.
  private func warn(of heirs: Int) {
    guard !plan.reporting.quiet, !isRepeated, let table = plan.rows.table else { return }
    let name = (try? table.quotedName()) ?? ""
    Diagnostic(
      program: "\(CopyCommand.program): \(source.label)", severity: .warning,
      message: SourceEstimate.remark(on: heirs, of: table),
      details: [
        (
          "HINT",
          "A query copies all: 'SELECT * FROM \(name)', with ;table=NAME behind the IRI of --to. "
            + "A query of ONLY that table copies what this does, and without this warning."
        )
      ]
    ).print()
  }

  /// How much there is, as far as the server can say without looking.
  private func estimate() throws(Failure) -> SourceEstimate? {
    guard case .table(let table) = cargo.rows else { return nil }
    return try source.ask { (connection) throws(PGError) in
      try SourceEstimate(table, connection)
    }
  }

  private func carryOut(_ admission: Admission) throws {
    let opener = PartOpener(plan, receivers, from: source, cargo.format, progress)
    let relay = Relay(cargo, from: source, to: receivers, by: opener, plan.reading, progress)
    self.relay = relay
    try admission.openSessions(cargo.laneCount)
    try relay.move(to: receivers, laneCount: cargo.laneCount)
    try receivers.requireTaking()
    let replay = Replay(
      receivers: receivers, source: source, admission: admission, opener: opener, relay: relay)
    try replay.run()
    try Settlement(
      plan: plan, identity: identity, receivers: receivers, snapshot: source.snapshot,
      format: cargo.format, proofs: relay.proofs, progress: progress,
      timeZone: source.server?.connection?.reportedSetting("TimeZone")
    ).run()
    try Interruptions.shared.check()
    guard Interruptions.shared.beginLastStep() else { throw Failure(.localFailure) }
    progress.enter(.committing)
    try CommitSequence(
      plan: plan, identity: identity, receivers: receivers, progress: progress
    ).run()
  }

  /// What is known of it by now.
  func record(since start: ContinuousClock.Instant) -> RunRecord {
    RunRecord(
      identity: identity, start: start, source: source.label, snapshot: source.snapshot,
      format: cargo.format, partCount: cargo.parts.count, proofs: relay?.proofs ?? [],
      bytes: relay?.bytes ?? 0, receivers: receivers)
  }
}
