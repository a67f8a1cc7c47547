internal import PGCommandLine
internal import PGConnecting
internal import PGKit

// The data: parts of what is copied are begun on sessions that are free, and every step moves what can be
// moved at all of them, in one thread.

/// One part on its way.
final class PartRun {
  let part: CopyPart
  let lane: Int
  let transfer: CopyTransfer
  /// The receivers, in the transfer's order, and what takes the data at each.
  let members: [Receiver]
  let ends: [any CopyReceiver]
  let checked: ChecksumProducer?
  var isOver = false

  init(
    _ part: CopyPart, lane: Int, from producer: any CopyProducer,
    to ends: [any CopyReceiver], of members: [Receiver]
  ) {
    (self.part, self.lane, self.ends, self.members) = (part, lane, ends, members)
    checked = producer as? ChecksumProducer
    transfer = CopyTransfer(from: producer, to: ends)
  }

  /// Who keeps the others waiting: those that have not taken as much as may wait for them.
  var slowest: [Receiver] {
    transfer.remaining.filter { ends[$0].queuedBytes >= CopyTransfer.queueLimit }.map {
      members[$0]
    }
  }

  /// What is known of it at the source, once it has come to its end.
  var proof: PartProof {
    PartProof(
      part: part, rows: transfer.producedRowCount, bytes: transfer.total.bytes,
      checksum: checked?.checksum)
  }
}

extension CopyJob {
  /// Moves everything, and waits until all receivers have it.
  func relay() throws {
    try openLanes(laneCount)
    try move(to: receivers, laneCount: laneCount)
    try requireReceivers()
  }

  /// Moves all parts to those of the receivers that take part, until none does.
  func move(to members: [Receiver], laneCount: Int) throws {
    var waiting = parts[...]
    var runs: [PartRun] = []
    do {
      while true {
        for lane in 0..<laneCount where !runs.contains(where: { $0.lane == lane }) {
          if let part = waiting.popFirst() {
            runs.append(try begin(part, on: lane, to: members))
          }
        }
        if runs.isEmpty { break }
        try step(&runs)
        if !members.contains(where: \.isTaking) { waiting = [] }
      }
    } catch {
      for run in runs { run.transfer.fail("the copying was given up") }
      throw error
    }
  }

  /// Moves what can be moved at all parts under way, or waits a moment.
  private func step(_ runs: inout [PartRun]) throws {
    var hasMoved = false
    for (index, run) in runs.enumerated().reversed() {
      if try advance(run) { hasMoved = true }
      if run.isOver { runs.remove(at: index) }
    }
    try checkInterruption()
    progress.note(
      rows: runs.reduce(provenRows) { $0 + $1.transfer.total.messages }, bytes: bytes)
    if let held = age?.toTell() { warn(held, runs) }
    if let pause = pace?.pause { return Self.sleep(pause) }
    if hasMoved { return }
    let tick = Deadline.after(.milliseconds(100))
    do throws(CopyFault) {
      try CopyTransfer.wait(for: runs.map(\.transfer), until: tick)
    } catch { throw Failure(.localFailure, note("\(error)")) }
  }

  private func warn(_ held: Duration, _ runs: [PartRun]) {
    let time = ProgressState.short(Summary.seconds(held))
    let slow = Set(runs.flatMap(\.slowest).map(\.label)).sorted()
    let reason = slow.isEmpty ? "" : "; it waits for \(slow.joined(separator: ", "))"
    Diagnostic(
      program: "\(CopyCommand.program): \(sourceLabel)", severity: .warning,
      message: "the snapshot has been held for \(time)\(reason)",
      details: [("HINT", "Until it is over, VACUUM leaves every row there that dies.")]
    ).print()
  }

  private static func sleep(_ duration: Duration) {
    try? CopyTransfer.wait(for: [], until: .after(min(duration, .milliseconds(100))))
  }

  /// Whether a part has moved.
  private func advance(_ run: PartRun) throws -> Bool {
    if pace?.pause != nil { return false }
    do throws(CopyFault) {
      switch try run.transfer.advance() {
      case .moved(let step):
        bytes += step.bytes
        pace?.note(step.bytes)
        return true
      case .waiting: return false
      case .over: break
      }
    } catch {
      try take(error, of: run)
      return true
    }
    try finish(run)
    run.isOver = true
    return true
  }

  /// Waits for a part's receivers; then all counts must agree, or nobody commits.
  private func finish(_ run: PartRun) throws {
    let transfer = run.transfer
    if transfer.remaining.isEmpty {
      transfer.fail("no receivers are left")
      return
    }
    do throws(CopyFault) { try transfer.finish() } catch { try take(error, of: run) }
    try checkInterruption()
    do throws(CopyFault) { try transfer.compareCounts() } catch {
      throw mismatch(error, run)
    }
    try note(run.proof)
    for index in transfer.remaining {
      run.members[index].parts.append(
        StoredPart(
          number: run.part.number, lane: run.lane, rows: transfer.rowCount(ofReceiver: index),
          bytes: transfer.total.bytes))
    }
  }

  /// Keeps the proof of a part; one that was read again must be what it was.
  private func note(_ proof: PartProof) throws(Failure) {
    guard let known = proofs.part(proof.part.number) else {
      proofs.append(proof)
      provenRows += proof.rows ?? 0
      return
    }
    guard known.rows == proof.rows, known.checksum == proof.checksum else {
      for receiver in receivers { receiver.rollback(.refused) }
      throw Failure(
        .refused,
        note("the source gave other rows when it was read again; nothing was committed"))
    }
  }

  private func mismatch(_ fault: CopyFault, _ run: PartRun) -> Failure {
    for receiver in receivers { receiver.rollback(.refused) }
    guard case .counts(let counts) = fault else {
      return Failure(.refused, note("\(fault); nothing was committed"))
    }
    let parts = counts.map { count in
      "\(count.index.map { run.members[$0].label } ?? sourceLabel): \(count.rows)"
    }
    let list = parts.joined(separator: ", ")
    return Failure(
      .refused, note("the counts of rows differ: \(list); nothing was committed"))
  }

  /// Drops the receivers that failed; a source or stdout that failed ends everything.
  private func take(_ fault: CopyFault, of run: PartRun) throws {
    try checkInterruption()
    switch fault {
    case .receivers(let faults):
      for fault in faults {
        let receiver = run.members[fault.index]
        if receiver.server == nil {
          run.transfer.fail("\(receiver.label) failed")
          throw localFailure(fault.error, receiver)
        }
        try drop(receiver, fault.error)
      }
    case .producer(let error):
      run.transfer.fail("the source failed: \(error.code)")
      throw sourceFailure(error)
    case .noReceivers: try requireReceivers()
    case .incomplete, .counts: throw Failure(.localFailure, note("\(fault)"))
    }
  }

  private func localFailure(_ error: PGError, _ receiver: Receiver) -> any Error {
    if let cause = error.cause, cause is Failure || cause is StandardOutput.Failure { return cause }
    return Failure(.localFailure, error.diagnostic(of: CopyCommand.program))
  }

  // MARK: Beginning a part

  /// Opens what parts at the same time need beyond the first sessions.
  private func openLanes(_ count: Int) throws(Failure) {
    while sources.count < count, let first = sources.first {
      let source = first.another()
      try fromSource { () throws(PGError) in
        _ = try source.connect()
        sources.append(source)
        try source.beginReading(snapshot: snapshot)
      }
    }
    for receiver in receivers where receiver.isTaking {
      while receiver.isTaking, receiver.lanes.count < count, let lane = receiver.addLane() {
        do throws(PGError) {
          _ = try lane.connect()
          try lane.noteSystem()
          try lane.beginStoring()
          try requireSameTable(as: receiver, lane)
        } catch { try drop(receiver, error, error.fault == .server ? nil : .connection) }
      }
      if receiver.isTaking, receiver.lanes.count > 1, !receiver.canPrepare {
        warnOfHalves(receiver)
      }
    }
    try requireReceivers()
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

  /// Begins to read a part, and then to store it.
  private func begin(
    _ part: CopyPart, on lane: Int, to takers: [Receiver]
  ) throws -> PartRun {
    var producer = try producer(of: part.source, on: lane)
    // Nothing that destroys is done before the source has shown that it gives something.
    if !isBegun {
      do throws(PGError) { producer = try BegunProducer(producer) } catch {
        try checkInterruption()
        throw sourceFailure(error)
      }
    }
    if plan.storing.verify { producer = ChecksumProducer(producer, format) }
    var members: [Receiver] = []
    var ends: [any CopyReceiver] = []
    do {
      if !isBegun { try prepareReceivers() }
      for receiver in takers where receiver.isTaking {
        do throws(PGError) {
          ends.append(try end(of: receiver, on: lane))
          members.append(receiver)
        } catch {
          try checkInterruption()
          if receiver.server == nil { throw localFailure(error, receiver) }
          try drop(receiver, error)
        }
      }
      try requireReceivers()
    } catch {
      for end in ends { end.fail("the copying was given up") }
      producer.stop()
      throw error
    }
    return PartRun(part, lane: lane, from: producer, to: ends, of: members)
  }

  private func producer(of part: CopySource, on lane: Int) throws(Failure) -> any CopyProducer {
    switch plan.source {
    case .standardStream: return LocalProducer.standardInput(endsAtMarker: someoneStopsAtMarker)
    case .file(let path):
      do throws(PGError) {
        return try LocalProducer.file(path, endsAtMarker: someoneStopsAtMarker)
      } catch { throw Failure(.localFailure, error.diagnostic(of: CopyCommand.program)) }
    case .server:
      return try fromSource { () throws(PGError) in
        let sql = try part.copyOut(format, encoding: plan.command.encoding)
        return try StatementProducer(try sources[lane].session(), sql)
      }
    }
  }

  /// Whether a receiver takes a line `\.` for the end of the data.
  private var someoneStopsAtMarker: Bool {
    switch format {
    case .text: true
    case .csv: receivers.contains { ($0.server?.majorVersion ?? 18) < 18 }
    case .binary: false
    }
  }

  /// What takes the data at a receiver.
  func end(of receiver: Receiver, on lane: Int) throws(PGError) -> any CopyReceiver {
    switch receiver.operand.place {
    case .standardStream: return StandardOutputReceiver()
    case .file(let path):
      let file = try OutputFileReceiver(path)
      receiver.file = file
      return file
    case .server: break
    }
    let connection = try receiver.lanes[lane].session()
    let table = plan.storing.onConflict == nil ? receiver.table : ConflictStaging.table(receiver)
    let encoding = plan.source.isServer ? nil : plan.command.encoding
    if let rejects = plan.storing.rejects {
      let file = try RejectFile(rejects)
      receiver.rejects = file
      return try RejectingReceiver(
        connection, table, format, encoding: encoding, into: file,
        most: plan.storing.rejectLimit, receiver: receiver)
    }
    let sql = try table.copyIn(format, encoding: encoding, isFrozen: plan.storing.freeze)
    return try StatementReceiver(connection, sql)
  }

  /// Makes the receivers ready: takes out what is there, if that is wanted.
  private func prepareReceivers() throws(Failure) {
    isBegun = true
    for receiver in receivers where receiver.isTaking && receiver.server != nil {
      do throws(PGError) { try prepare(receiver) } catch {
        try checkInterruption()
        try drop(receiver, error)
      }
    }
  }

  func prepare(_ receiver: Receiver) throws(PGError) {
    let connection = try receiver.lanes[0].session()
    let name = try receiver.table.quotedName()
    switch plan.storing.replace {
    case .truncate: try connection.execute("TRUNCATE \(name)")
    case .delete: try connection.execute("DELETE FROM \(name)")
    case nil: break
    }
    if receiver.isHalfDone { try receiver.ledger?.forget(connection) }
    if plan.storing.onConflict != nil {
      for lane in receiver.lanes { try ConflictStaging.create(receiver, try lane.session()) }
    }
  }
}
