internal import PGCommandLine
internal import PGKit

/// One `--to` and what became of it.
final class Receiver {
  /// How far it came.
  enum State: Equatable {
    /// It takes part.
    case taking
    /// It is out, with the status that this means.
    case failed(ExitStatus)
    /// Its rows are stored, or everything was written.
    case committed
    /// Some of its sessions have committed and others not.
    case partial
    /// The connection was lost while it committed, and it could not be found out what came of that.
    case unknown
    /// There was nothing to do: why.
    case skipped(String)
  }

  let number: Int
  let operand: ReceiverOperand
  /// The sessions, as many as parts are copied at a time; none for stdout and files.
  private(set) var lanes: [ServerEnd]
  private(set) var state = State.taking
  /// What it failed with.
  private(set) var failure: PGError?
  /// The table with its columns in the order of the data.
  private(set) var table = CopyTable([])
  /// The same columns with their types.
  private(set) var columns: [CopyColumn] = []
  /// What tells the table that its sessions store in from every other one.
  private(set) var identity: String?
  /// The file that it is, once it was begun.
  private var file: OutputFileReceiver?
  /// stdout, once something may have been written to it.
  private var output: StandardOutputReceiver?
  /// Where the rows go that it refuses.
  private var rejects: RejectFile?
  /// What went wrong with a file of this machine when the rows were stored already.
  private(set) var localFault: PGError?
  /// Where the job's record is kept, if it has one.
  private(set) var ledger: Ledger?
  /// Whether a run before has stored some parts, which are to be taken out.
  private(set) var isHalfDone = false
  /// The status of a run that found another one at work here.
  private(set) var overlapStatus: ExitStatus?
  /// What it has taken.
  private(set) var parts: [StoredPart] = []
  /// The sessions whose transactions are known to be committed, by their places.
  private var committedLanes: Set<Int> = []
  /// Whether a run before has left something prepared there.
  private var hasRemains = false
  /// Whether its sessions can commit together: their server has room for prepared transactions.
  private(set) var canPrepare = false
  /// How many bytes stdout has taken that are to count for nothing: they cannot be taken back.
  private(set) var delivered = 0
  /// What to do about a failure, or an end that could not be found out.
  private(set) var remedy: String?
  /// What to do about a transaction that it has prepared, and could not roll back.
  private var leftPrepared: String?
  /// How many rows it refused.
  private(set) var rejectedRows = 0
  /// How many rows were stored of those that came through a temporary table.
  private(set) var mergedRows: Int?
  /// The checksum of what it has stored.
  private(set) var checksum: RowChecksum?
  /// How long it took until it was committed, or had failed.
  private(set) var duration: Duration?
  private let start = ContinuousClock.now

  /// - Throws: ``Failure`` with status 64 if an option is malformed.
  init(
    _ operand: ReceiverOperand, number: Int, job: String?, statementLimit: Duration?
  ) throws(Failure) {
    (self.operand, self.number) = (operand, number)
    lanes = []
    if case .server(let iri) = operand.place {
      lanes = [
        try ServerEnd("receiver \(number)", iri: iri, job: job, statementLimit: statementLimit)
      ]
    }
  }

  /// The first session; `nil` for stdout and files.
  var server: ServerEnd? { lanes.first }

  /// What it is called in messages.
  var label: String {
    switch operand.place {
    case .standardStream: "stdout"
    case .file(let path): path
    case .server: lanes[0].label
    }
  }

  /// Adds a session at the same place.
  func addLane() -> ServerEnd? {
    guard let lane = server?.another() else { return nil }
    lanes.append(lane)
    return lane
  }

  /// How many rows it has stored; `nil` where it does not say.
  var rows: Int? {
    let known = parts.compactMap(\.rows)
    return known.isEmpty ? nil : known.reduce(0) { $0.addingRows($1) }
  }

  /// How many rows came through the temporary table and were neither stored nor changed one.
  var leftOutRows: Int? { mergedRows.flatMap { merged in rows.map { max($0 - merged, 0) } } }

  /// How many rows it was given: those that it refused, too.
  var givenRows: Int? { rows.map { $0.addingRows(rejectedRows) } }

  // MARK: What is stored there

  /// Names its table: that of its operand, or else the one that is copied from.
  ///
  /// - Parameter withColumns: Whether the columns are listed there that the source's name lists, because the
  ///   source has none of its own.
  func address(_ source: CopyTable?, withColumns: Bool) {
    table = operand.table ?? source ?? CopyTable([])
    if withColumns, table.columns.isEmpty { table.columns = source?.columns ?? [] }
  }

  /// Asks its server what tells the table from every other one; `nil` for stdout and files.
  func findIdentity() throws(PGError) -> String? {
    guard let server else { return nil }
    let found = try server.session().identity(of: table)
    identity = found
    return found
  }

  /// Takes the data in these columns.
  func take(_ columns: [CopyColumn]) {
    self.columns = columns
    table.columns = columns.map(\.name)
  }

  /// Has its job's record there.
  func keepRecord(in ledger: Ledger) { self.ledger = ledger }

  /// Has parts of a run before, which are to be taken out with their record.
  func beginAnewInRecord() { isHalfDone = true }

  /// Hears that a run before has left something prepared there.
  func noteRemains() { hasRemains = true }

  /// Hears whether its sessions can commit together.
  func note(canPrepare: Bool) { self.canPrepare = canPrepare }

  /// Is this file.
  func publishes(_ file: OutputFileReceiver) { self.file = file }

  /// Is stdout.
  func writes(to output: StandardOutputReceiver) { self.output = output }

  /// Has the rows that it refuses in this file.
  func publishes(_ rejects: RejectFile) { self.rejects = rejects }

  /// Has taken a part.
  func stored(_ part: StoredPart) { parts.append(part) }

  /// Has refused so many rows by now.
  func refused(_ rows: Int) { rejectedRows = rows }

  /// Has stored or changed so many of the rows that came through a temporary table.
  func merged(_ rows: Int) { mergedRows = rows }

  /// Gives back what it was given, by this sum.
  func verified(_ sum: RowChecksum) { checksum = sum }

  /// Has stored this of a part.
  func verified(_ sum: RowChecksum, ofPartAt index: Int) { parts[index].checksum = sum }

  // MARK: What becomes of it

  /// Whether it takes part.
  var isTaking: Bool { state == .taking }

  /// Drops it: says why, and rolls back.
  ///
  /// - Parameters:
  ///   - hint: What to do about it.
  ///   - context: What it was about.
  func fail(
    _ error: PGError, _ status: ExitStatus? = nil, hint: String? = nil, context: String? = nil
  ) {
    guard state == .taking else { return }
    let blockers = error.code == .lockNotAvailable ? blockers() : nil
    remedy = hint ?? adviceOnRemains(error, blockers) ?? adviceOnSessions(error, blockers)
    let others = (blockers ?? []).filter { !isOwn($0) }.map(\.description)
    let hints = others + [remedy].compactMap { $0 }
    server?.report(
      error, hint: hints.isEmpty ? nil : hints.joined(separator: "\n"), context: context)
    if server == nil { error.localDiagnostic.print() }
    leave(.failed(status ?? error.status), error)
  }

  /// Rolls back what it has taken, because of another end.
  func rollback(_ status: ExitStatus) {
    if state == .taking { leave(.failed(status), nil) }
  }

  /// Has nothing to do.
  func skip(_ reason: String) { leave(.skipped(reason), nil) }

  /// Has nothing to do, because another run is at work.
  func leaveToOther(_ answer: Overlap) {
    overlapStatus = answer == .skip ? .ok : .deadline
    skip(Self.isRunningReason)
  }

  /// Has the rows of one of its sessions.
  func committed(lane: Int) { committedLanes.insert(lane) }

  /// Has a prepared transaction left that will be rolled back, and holds its locks until then.
  func leave(prepared name: PreparedName) {
    leftPrepared =
      "The prepared transaction \(name.text) is left, with its locks: \(Self.resolving)"
  }

  /// Has its rows.
  func committed() {
    leave(.committed, nil, rollingBack: false)
    publishRejects()
  }

  /// Gives a file its name, which is how it commits.
  func publish() {
    do throws(PGError) {
      try file?.publish()
      committed()
    } catch { fail(error, .localFailure) }
  }

  /// The rows that were refused are to be had when the others are stored.
  private func publishRejects() {
    do throws(PGError) { try rejects?.publish() } catch {
      localFault = error
      server?.report(error, hint: "The rows that were accepted are stored.")
    }
  }

  /// Nobody knows.
  func lost(_ error: PGError, remedy: String) {
    self.remedy = remedy
    leave(.unknown, error)
    publishRejects()
  }

  /// Some of its sessions have committed, and another one could not.
  func halved(_ error: PGError, remedy: String) {
    self.remedy = remedy
    leave(.partial, error)
  }

  /// Takes part again, as if it had not before.
  func beginAnew() {
    rejoin()
    (table, columns, identity) = (CopyTable([]), [], nil)
    (file, output, rejects, ledger) = (nil, nil, nil, nil)
    (isHalfDone, canPrepare, overlapStatus, committedLanes) = (false, false, nil, [])
    hasRemains = false
    (localFault, delivered) = (nil, 0)
  }

  /// Takes part again with the same columns, from the first row on, with new sessions.
  func rejoin() {
    lanes = lanes.prefix(1).map { $0.another() }
    (state, failure, duration, remedy, leftPrepared) = (.taking, nil, nil, nil, nil)
    (parts, checksum, mergedRows, rejectedRows) = ([], nil, nil, 0)
  }

  private func leave(_ end: State, _ error: PGError?, rollingBack: Bool = true) {
    if rollingBack {
      for lane in lanes { lane.rollback() }
      file?.fail("")
      rejects?.remove()
      if let output { delivered = output.settle() }
    } else {
      lanes.forEach { $0.close() }
    }
    (state, failure, duration) = (end, error, ContinuousClock.now - start)
    remedy = remedy ?? leftPrepared
  }

  /// What became of a part.
  func state(of part: StoredPart) -> State {
    if committedLanes.contains(part.lane) { return .committed }
    return state == .partial ? .failed(.refused) : state
  }

  /// Who holds the table that could not be locked; `nil` where the server does not say.
  private func blockers() -> [LockHolder]? {
    server.flatMap { try? LockHolder.holders(of: table, at: $0) }
  }

  /// Whether it is one of the sessions that store here.
  private func isOwn(_ holder: LockHolder) -> Bool {
    lanes.contains { $0.connection.map { Int($0.backendID) } == holder.process }
  }

  /// What to do where a run that was killed has left its transaction.
  ///
  /// - Parameter blockers: Who holds the table, after a wait for a lock that took too long.
  private func adviceOnRemains(_ error: PGError, _ blockers: [LockHolder]?) -> String? {
    guard error.code == .lockNotAvailable else { return nil }
    return hasRemains || blockers?.contains(where: \.isOfProgram) == true ? Self.resolving : nil
  }

  /// The same, before anything waits for it.
  static let resolving =
    "pg-copy resolve, with --to of all receivers of that run, ends what it has left prepared."

  /// What to do where sessions that store here wait for each other, and the server has ended that.
  ///
  /// - Parameter blockers: Who holds the table, after a wait for a lock that took too long.
  private func adviceOnSessions(_ error: PGError, _ blockers: [LockHolder]?) -> String? {
    guard lanes.count > 1 else { return nil }
    // Where nobody else holds the table they are left; where both were ended, nobody holds it any more.
    let isMutual =
      error.code == .deadlockDetected
      || error.code == .lockNotAvailable && blockers?.allSatisfy(isOwn) == true
    guard isMutual else { return nil }
    return
      "Two sessions of --jobs \(error.code == .deadlockDetected ? "wait" : "seem to wait") for each other, "
      + "most often because one key is twice in what is copied; --jobs 1 has a single one."
  }
}

extension Receiver {
  /// Why a run has nothing to do where another one is at work.
  static let isRunningReason = "already running"

  /// Whether there was nothing to do.
  var isSkipped: Bool { state.isSkip }

  /// What became of it, in one word for machines.
  var word: String {
    guard delivered > 0, state.isFailure else { return state.word }
    return output?.isComplete == true ? "delivered" : "partial"
  }

  /// Why there was nothing to do.
  var skipReason: String? { if case .skipped(let reason) = state { reason } else { nil } }
}

extension Receiver.State {
  var isSkip: Bool { if case .skipped = self { true } else { false } }
  var isFailure: Bool { if case .failed = self { true } else { false } }
}
