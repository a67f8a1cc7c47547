internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// Lets receivers in: connects them, and makes sure that rows may be stored there, by this run and now.
///
/// Nothing is changed at a receiver here, beside the table for the record of jobs.
final class Admission {
  private let plan: CopyPlan
  private let receivers: ReceiverSet
  private let source: SourceEnd
  private let progress: ProgressReport
  /// Which tables take part, by what tells each from every other one, and who has it.
  private var identities: [String: String] = [:]
  /// The databases where this run has the lock of its name.
  private var singlePlaces: Set<String> = []

  /// - Parameter source: It is open.
  init(
    _ plan: CopyPlan, _ receivers: ReceiverSet, from source: SourceEnd, _ progress: ProgressReport
  ) {
    (self.plan, self.receivers, self.source) = (plan, receivers, source)
    self.progress = progress
    if let identity = source.identity { identities[identity] = source.label }
  }

  /// Connects all; one that fails is out.
  func admitAll() throws(Failure) {
    for receiver in receivers { try admit(receiver) }
    leaveToOthers()
    if receivers.contains(where: { $0.state.isFailure }) { try receivers.requireTaking() }
  }

  private func admit(_ receiver: Receiver) throws(Failure) {
    guard let server = receiver.server else { return }
    progress.await(receiver.label)
    let connection: Connection
    do throws(PGError) { connection = try server.connect() } catch {
      return try receivers.drop(receiver, error, .connection)
    }
    try Interruptions.shared.check()
    receiver.address(plan.rows.table, withColumns: !plan.source.isServer)
    do throws(PGError) {
      try server.noteSystem()
      try EndGuard(connection).requireSystem(receiver.operand.system)
    } catch {
      return try receivers.drop(receiver, error, error.fault == .caller ? .negative : nil)
    }
    var (twin, isRelative): (String?, Bool) = (nil, false)
    do throws(PGError) {
      try EndGuard(connection).requireOpen(receiver.operand.isProtected)
      try lookForRemains(at: receiver, connection)
      let ledger = try ledger(of: receiver, connection)
      try server.beginStoring()
      if try isBusy(receiver, connection) { return receiver.leaveToOther(plan.running.overlap) }
      if let ledger, try isDone(receiver, ledger, connection) { return }
      twin = try noteIdentity(of: receiver)
      isRelative = try isPartOfSource(receiver, connection)
      if twin == nil, !isRelative { try checkSessions(receiver, connection) }
    } catch {
      try Interruptions.shared.check()
      return try receivers.drop(receiver, error, error.fault == .caller ? .refused : nil)
    }
    if let twin {
      throw .usage("\(receiver.label): it is the same table as that of \(twin)")
    }
    if isRelative {
      throw .usage(
        "\(receiver.label): of its table and that of \(source.label), one is a part of the other")
    }
  }

  /// Whether the table inherits from the source's, or the source's from it, as partitions do.
  private func isPartOfSource(
    _ receiver: Receiver, _ connection: Connection
  ) throws(PGError) -> Bool {
    // Numbers of tables are those of one database.
    guard let mine = receiver.identity?.split(separator: "/"),
      let other = source.identity?.split(separator: "/"), mine.dropLast() == other.dropLast(),
      let table = mine.last, let sourceTable = other.last
    else { return false }
    return try connection.query.first(
      """
      WITH RECURSIVE above(part, whole) AS (
        SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits
          WHERE inhrelid = $1::pg_catalog.text::pg_catalog.oid OR inhrelid = $2::pg_catalog.text::pg_catalog.oid
        UNION SELECT above.part, i.inhparent FROM above
          JOIN pg_catalog.pg_inherits i ON i.inhrelid = above.whole)
      SELECT EXISTS (SELECT FROM above WHERE whole = $1::pg_catalog.text::pg_catalog.oid
        OR whole = $2::pg_catalog.text::pg_catalog.oid)
      """, String(table), String(sourceTable), as: Bool.self) == true
  }

  /// Connects a receiver once more that was lost, if that is still where the rows are meant to go and nobody
  /// else is at work.
  func admitAgain(_ receiver: Receiver) throws(PGError) {
    guard let server = receiver.server else { return }
    let connection = try server.connect()
    try server.noteSystem()
    try EndGuard(connection).requireOpen(receiver.operand.isProtected)
    try server.beginStoring()
    if try isBusy(receiver, connection) {
      throw PGError(
        code: .lockNotAvailable,
        message:
          "another run with the same --single is at work there, or the session that was lost still is",
        fault: .server)
    }
    if let twin = try noteIdentity(of: receiver) {
      throw PGError(
        code: .objectNotInPrerequisiteState,
        message: "it has become the same table as that of \(twin)", fault: .server)
    }
  }

  /// Remembers which table it is that a receiver's first session stores in.
  ///
  /// - Returns: Who has the same one.
  private func noteIdentity(of receiver: Receiver) throws(PGError) -> String? {
    guard let identity = try receiver.findIdentity() else { return nil }
    guard let other = identities[identity], other != receiver.label else {
      identities[identity] = receiver.label
      return nil
    }
    return other
  }

  // MARK: Other runs

  /// Whether another run of the same name is at work there; if not, none can begin until this one ends.
  private func isBusy(_ receiver: Receiver, _ connection: Connection) throws(PGError) -> Bool {
    guard let name = plan.running.single else { return false }
    // Another receiver of this run in the same database has the lock for both.
    let place = try receiver.findIdentity()?.split(separator: "/").dropLast().joined(separator: "/")
    if let place, singlePlaces.contains(place) { return false }
    // The lock goes with the transaction that stores: a session may belong to a pooler, which keeps it.
    let isFree = try connection.query.first(
      "SELECT pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtext('pgkit.copy.single'), pg_catalog.hashtext($1))",
      name, as: Bool.self)
    if isFree == true, let place { singlePlaces.insert(place) }
    return isFree != true
  }

  /// Where another run is at work on one receiver, this one does nothing at any.
  private func leaveToOthers() {
    guard receivers.contains(where: { $0.overlapStatus != nil }) else { return }
    for receiver in receivers.taking { receiver.leaveToOther(plan.running.overlap) }
  }

  // MARK: The job's record

  /// Ends the transactions that a run of the job before has left prepared there, as that had decided, and
  /// says which are left: who waits for one of their locks is not always told so.
  private func lookForRemains(
    at receiver: Receiver, _ connection: Connection
  ) throws(PGError) {
    guard let job = plan.running.job else { return }
    let names = endDecided(try PreparedName.all(of: job, connection), at: receiver)
    if names.isEmpty { return }
    receiver.noteRemains()
    let list = names.map(\.text).joined(separator: ", ")
    Diagnostic(
      program: "\(CopyCommand.program): \(receiver.label)", severity: .warning,
      message:
        "a run of job \(job), which is committing or was killed, has prepared there: \(list)",
      details: [("HINT", "If no run is at work: \(Receiver.resolving)")]
    ).print()
  }

  /// - Returns: Those of which nobody here knows what was decided.
  private func endDecided(_ names: [PreparedName], at receiver: Receiver) -> [PreparedName] {
    guard !names.isEmpty, !plan.running.dryRun, let server = receiver.server else { return names }
    // Not their first sessions, which are to begin to store.
    let ends = receivers.compactMap { $0.server?.another() }
    defer { for end in ends { end.close() } }
    // Who cannot be reached has not decided.
    let reached = ends.filter { end in
      (try? end.connect()) != nil && (try? end.noteSystem()) != nil
    }
    let resolution = Resolution(reached, decidedAt: nil, job: plan.running.job, false)
    return names.filter { !resolution.endAsDecided($0, at: server) }
  }

  /// The record of the job, which is made where there is none, in a transaction of its own.
  private func ledger(
    of receiver: Receiver, _ connection: Connection
  ) throws(PGError) -> Ledger? {
    guard let job = plan.running.job, !plan.running.dryRun else { return nil }
    let ledger = try Ledger(
      job: job, every: plan.running.every?.duration, target: receiver.table,
      source: "\(source.placeName) \(plan.request.rows)", connection)
    receiver.keepRecord(in: ledger)
    return ledger
  }

  /// Whether the job has been done there for this time.
  private func isDone(
    _ receiver: Receiver, _ ledger: Ledger, _ connection: Connection
  ) throws(PGError) -> Bool {
    let job = ledger.job
    let record = try ledger.look(connection)
    if record.missed > 0, let server = receiver.server {
      let times = record.missed == 1 ? "once" : "\(record.missed) times"
      server.note("job \(job) was not done \(times) before")
    }
    switch record.state {
    case .open: return false
    case .done:
      receiver.skip("already done")
      return true
    case .half(let run, let parts, let all):
      // What is there is taken out with its record.
      if plan.storing.replace != nil {
        receiver.beginAnewInRecord()
        return false
      }
      throw PGError(
        code: .objectNotInPrerequisiteState,
        message: "of job \(job), \(parts) of \(all) parts are stored already, by run \(run)",
        fault: .server,
        hint:
          "pg-copy resolve ends what a run that was killed has left prepared; --replace delete begins anew; "
          + "or take those rows out, and the run's from pgkit.copy_ledger")
    }
  }

  // MARK: Sessions

  /// Makes sure that its sessions can do together what is asked of them.
  private func checkSessions(_ receiver: Receiver, _ connection: Connection) throws(PGError) {
    // Sessions that have temporary tables cannot be prepared.
    if plan.jobs > 1, plan.storing.onConflict == nil {
      receiver.note(canPrepare: try TwoPhaseCommit.hasRoom(connection, for: plan.jobs - 1))
    }
    guard plan.storing.atomic, receivers.count * plan.jobs > 1 else { return }
    try TwoPhaseCommit.checkCapacity(
      connection, needed: receiver.number == 1 ? plan.jobs - 1 : plan.jobs)
  }

  /// Opens the sessions that parts at the same time need beyond the first ones.
  func openSessions(_ count: Int) throws(Failure) {
    try source.openSessions(count)
    for receiver in receivers.taking {
      while receiver.isTaking, receiver.lanes.count < count, let lane = receiver.addLane() {
        do throws(PGError) {
          _ = try lane.connect()
          try lane.noteSystem()
          try lane.beginStoring()
          try requireSameTable(as: receiver, lane)
        } catch { try receivers.drop(receiver, error, error.fault == .server ? nil : .connection) }
      }
      if receiver.isTaking, receiver.lanes.count > 1, !receiver.canPrepare {
        warnOfHalves(receiver)
      }
    }
    try receivers.requireTaking()
  }

  /// Makes sure that a session has come to the same server as the first one: behind one name there may be
  /// several.
  private func requireSameTable(as receiver: Receiver, _ lane: ServerEnd) throws(PGError) {
    guard try lane.session().identity(of: receiver.table) != receiver.identity else { return }
    throw PGError(
      code: .connectionFailure, message: "a second session has come to another server",
      fault: .transport, hint: "without --jobs one session stores everything")
  }

  private func warnOfHalves(_ receiver: Receiver) {
    if plan.reporting.quiet { return }
    let count = receiver.lanes.count
    let remedy =
      plan.storing.onConflict == nil
      ? "With max_prepared_transactions of at least \(plan.jobs - 1) there, all are stored or none."
      : "Without --jobs, all are stored or none."
    Diagnostic(
      program: "\(CopyCommand.program): \(receiver.label)", severity: .warning,
      message: "\(count) sessions commit one after the other: if the server is lost meanwhile, "
        + "some parts are stored and others not",
      details: [("HINT", remedy)]
    ).print()
  }
}
