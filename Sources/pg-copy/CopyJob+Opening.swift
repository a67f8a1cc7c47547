internal import PGCommandLine
internal import PGConnecting
internal import PGKit

// Everything that comes before the first row: connections, transactions, who takes part, which columns
// travel, and in which form. Nothing is changed at a receiver here.

extension CopyJob {
  /// Connects all ends.
  func open() throws {
    let columns = try openSource()
    match = ColumnMatch(columns, of: rows, isKnown: plan.source.isServer)
    for receiver in receivers { try open(receiver) }
    leaveToOthers()
    if takesPart { try requireReceivers() }
    if !takesPart, receivers.contains(where: { $0.state.isFailure }) { try requireReceivers() }
    try matchColumns()
    try chooseFormat()
    try fitSource()
    if takesPart { try take(try cut()) }
    let snapshot = sources.first?.readingSince
    age = SnapshotAge(since: snapshot, limit: plan.reading.snapshotAge.duration)
    if takesPart { progress.begin(try estimate(), snapshot: snapshot) }
  }

  /// Connects the source, and gives its columns.
  private func openSource() throws(Failure) -> [CopyColumn] {
    guard let source = sources.first else { return [] }
    let connection: Connection
    do throws(PGError) { connection = try source.connect() } catch {
      throw sourceFailure(error, .connection)
    }
    try checkInterruption()
    do throws(PGError) { try EndGuard(connection).requireSystem(plan.reading.systemID) } catch {
      throw sourceFailure(error, error.fault == .caller ? .negative : nil)
    }
    shareEncoding(of: connection)
    let asked = plan.reading.snapshot
    let isExported = asked == "export"
    let (columns, identity) = try fromSource {
      () throws(PGError) -> ([CopyColumn], String?) in
      try source.beginReading(snapshot: isExported ? nil : asked)
      if isExported || plan.jobs > 1 { snapshot = try source.exportSnapshot() }
      // In a subtransaction a standby ends the whole session where the query would do.
      if receivers.contains(where: { $0.operand.onFault == .replay }) { try source.markReading() }
      switch rows {
      case .query(let text): return (try connection.columns(ofQuery: text), nil)
      case .table(let table), .view(let table):
        return (try connection.columns(of: table), try connection.identity(of: table))
      }
    }
    if isExported, let snapshot { source.note("snapshot \(snapshot)") }
    if let identity { identities[identity] = source.label }
    return columns
  }

  /// Servers are told the same encoding, or one would take the other's bytes for something else.
  ///
  /// The texts of a SQL_ASCII database, of which nothing is known, travel as they are.
  private func shareEncoding(of connection: Connection) {
    let servers = receivers.compactMap(\.server)
    guard let source = sources.first, !servers.isEmpty else { return }
    let isUnknown = connection.reportedSetting("server_encoding") == ServerEnd.unknownEncoding
    for server in servers + [source] {
      server.encoding = isUnknown ? ServerEnd.unknownEncoding : "UTF8"
    }
  }

  /// Connects a receiver; one that fails is out.
  private func open(_ receiver: Receiver) throws(Failure) {
    guard let server = receiver.server else { return }
    let connection: Connection
    do throws(PGError) { connection = try server.connect() } catch {
      return try drop(receiver, error, .connection)
    }
    try checkInterruption()
    receiver.table = receiver.operand.table ?? rows.table ?? CopyTable([])
    if !plan.source.isServer, receiver.table.columns.isEmpty {
      receiver.table.columns = rows.table?.columns ?? []
    }
    do throws(PGError) {
      try server.noteSystem()
      try EndGuard(connection).requireSystem(receiver.operand.system)
    } catch {
      return try drop(receiver, error, error.fault == .caller ? .negative : nil)
    }
    var twin: String?
    do throws(PGError) {
      try EndGuard(connection).requireOpen(receiver.operand.isProtected)
      try makeLedger(of: receiver, connection)
      try server.beginStoring()
      if try isBusy(connection) { return receiver.leaveToOther(plan.running.overlap) }
      if try isDone(receiver, connection) { return }
      twin = try noteIdentity(of: receiver)
      if twin == nil { try checkSessions(receiver, connection) }
    } catch {
      try checkInterruption()
      return try drop(receiver, error, error.fault == .caller ? .refused : nil)
    }
    if let twin {
      throw .usage("\(receiver.label): it is the same table as that of \(twin)")
    }
  }

  /// Remembers which table it is that a receiver's first session stores in.
  ///
  /// - Returns: Who has the same one.
  func noteIdentity(of receiver: Receiver) throws(PGError) -> String? {
    guard let server = receiver.server else { return nil }
    let identity = try server.session().identity(of: receiver.table)
    receiver.identity = identity
    guard let other = identities[identity], other != receiver.label else {
      identities[identity] = receiver.label
      return nil
    }
    return other
  }

  /// Whether another run of the same name is at work there; if not, none can begin until this one ends.
  func isBusy(_ connection: Connection) throws(PGError) -> Bool {
    guard let name = plan.running.single else { return false }
    // The lock goes with the transaction that stores: a session may belong to a pooler, which keeps it.
    let isFree = try connection.query.first(
      "SELECT pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtext('pgkit.copy.single'), pg_catalog.hashtext($1))",
      name, as: Bool.self)
    return isFree != true
  }

  /// Where another run is at work on one receiver, this one does nothing at any.
  private func leaveToOthers() {
    guard receivers.contains(where: { $0.overlapStatus != nil }) else { return }
    for receiver in receivers where receiver.isTaking {
      receiver.leaveToOther(plan.running.overlap)
    }
  }

  /// Makes the record of the job where there is none, in a transaction of its own.
  private func makeLedger(of receiver: Receiver, _ connection: Connection) throws(PGError) {
    guard let job = plan.running.job, !plan.running.dryRun else { return }
    receiver.ledger = try Ledger(
      job: job, every: plan.running.every?.duration, target: receiver.table,
      source: "\(sources.first?.place ?? sourceLabel) \(plan.command.rows)", connection)
  }

  /// Whether the job has been done there for this time.
  private func isDone(_ receiver: Receiver, _ connection: Connection) throws(PGError) -> Bool {
    guard let job = plan.running.job, let ledger = receiver.ledger else { return false }
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
      receiver.isHalfDone = plan.storing.replace != nil
      if receiver.isHalfDone { return false }
      throw PGError(
        code: .objectNotInPrerequisiteState,
        message: "of job \(job), \(parts) of \(all) parts are stored already, by run \(run)",
        fault: .server,
        hint:
          "pg-copy resolve ends what a run that was killed has left prepared; --replace delete begins anew; "
          + "or take those rows out, and the run's from pgkit.copy_ledger")
    }
  }

  /// Makes sure that its sessions can do together what is asked of them.
  private func checkSessions(_ receiver: Receiver, _ connection: Connection) throws(PGError) {
    // Sessions that have temporary tables cannot be prepared.
    if plan.jobs > 1, plan.storing.onConflict == nil {
      receiver.canPrepare = try TwoPhaseCommit.hasRoom(connection, for: plan.jobs - 1)
    }
    guard plan.storing.atomic, receivers.count * plan.jobs > 1 else { return }
    try TwoPhaseCommit.checkCapacity(
      connection, needed: receiver.number == 1 ? plan.jobs - 1 : plan.jobs)
  }

  // MARK: Columns and format

  private func matchColumns() throws(Failure) {
    var own: [Int: [CopyColumn]] = [:]
    for receiver in receivers where receiver.isTaking && receiver.server != nil {
      do throws(PGError) {
        own[receiver.number] = try receiver.lanes[0].session().columns(of: receiver.table)
      } catch { try drop(receiver, error) }
    }
    match.leaveOutGenerated(at: Array(own.values))
    for receiver in receivers where receiver.isTaking {
      guard let columns = own[receiver.number] else { continue }
      do throws(ColumnMatch.Problem) {
        receiver.columns = try match.columns(
          at: columns, isListed: !receiver.table.columns.isEmpty,
          named: receiver.table.path.joined(separator: "."))
        receiver.table.columns = receiver.columns.map(\.name)
      } catch {
        let refusal = PGError(
          code: .undefinedColumn, message: error.message, fault: .caller, hint: error.hint)
        try drop(receiver, refusal, .refused)
      }
    }
    if !receivers.contains(where: { $0.isSkipped }) { try requireReceivers() }
  }

  /// Binary is faster, but both ends must agree on every column's type; text always goes.
  private func chooseFormat() throws(Failure) {
    switch plan.command.format {
    case .text: format = .text
    case .csv: format = .csv
    case .binary: format = .binary
    case .auto: format = isBinarySafe ? .binary : .text
    }
  }

  private var isBinarySafe: Bool {
    guard plan.isAmongServers, plan.storing.rejects == nil else { return false }
    let major = sources.first?.majorVersion
    return receivers.filter(\.isTaking).allSatisfy { receiver in
      receiver.server?.majorVersion == major && match.isBinarySafe(at: receiver.columns)
    }
  }

  /// Gives the source the columns that travel, and finds out how its rows can be had.
  private func fitSource() throws(Failure) {
    guard let source = sources.first, var table = rows.table, let travelling = match.travelling
    else { return }
    table.columns = travelling.map(\.name)
    rows = try fromSource { () throws(PGError) in
      try source.session().resolve(.table(table))
    }
  }

  // MARK: Parts

  /// Takes what is copied in these parts, as many at a time as the receivers can.
  private func take(_ parts: [CopyPart]) throws(Failure) {
    self.parts = parts
    laneCount = max(1, min(plan.jobs, parts.count))
    guard laneCount > 1, plan.storing.replace == .delete else { return }
    for receiver in receivers where receiver.isTaking {
      guard let server = receiver.server else { continue }
      do throws(PGError) {
        guard let key = try key(of: receiver.table, try server.session()) else { continue }
        laneCount = 1
        if plan.reporting.quiet { continue }
        server.note(
          "one session stores everything: others would wait for it to end with each row of the key \(key) "
            + "that it takes out")
      } catch { try drop(receiver, error) }
    }
    try requireReceivers()
  }

  /// The name of an index that lets each key be there once; `nil` if there is none.
  private func key(of table: CopyTable, _ connection: Connection) throws(PGError) -> String? {
    try connection.query.first(
      """
      SELECT indexrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index
      WHERE indrelid = $1::pg_catalog.text::pg_catalog.regclass AND (indisunique OR indisexclusion)
      ORDER BY 1 LIMIT 1
      """, try table.quotedName(), as: String.self)
  }

  /// How much there is, as far as the server can say without looking.
  private func estimate() throws(Failure) -> SourceEstimate? {
    guard let source = sources.first, case .table(let table) = rows else { return nil }
    return try fromSource { () throws(PGError) in
      try SourceEstimate(table, source.session())
    }
  }
}
