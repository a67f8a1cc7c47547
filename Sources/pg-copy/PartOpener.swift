internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// Begins parts: has the source read one and the receivers store it.
///
/// Before the first one the receivers are made ready: what is there is taken out, if that is wanted, but not
/// before the source has shown that it gives something.
final class PartOpener {
  private let plan: CopyPlan
  private let receivers: ReceiverSet
  private let source: SourceEnd
  private let format: CopyFormat
  private let progress: ProgressReport
  /// Whether the receivers were made ready for data.
  private var isBegun = false

  init(
    _ plan: CopyPlan, _ receivers: ReceiverSet, from source: SourceEnd, _ format: CopyFormat,
    _ progress: ProgressReport
  ) {
    (self.plan, self.receivers, self.source, self.format) = (plan, receivers, source, format)
    self.progress = progress
  }

  /// Begins to read a part, and then to store it.
  ///
  /// - Parameters:
  ///   - lane: The place of the sessions that do it.
  ///   - takers: Who gets it, as far as they take part.
  func begin(_ part: CopyPart, on lane: Int, to takers: some Sequence<Receiver>) throws -> PartRun {
    var producer = try source.producer(
      of: part.source, format, by: lane, endsAtMarker: someoneStopsAtMarker)
    progress.enter(.copying, awaiting: source.label)
    if !isBegun {
      let begun: BegunProducer
      do throws(PGError) { begun = try BegunProducer(producer) } catch {
        try Interruptions.shared.check()
        throw source.failure(error)
      }
      try requireSomething(of: begun)
      producer = begun
    }
    if plan.storing.verify { producer = ChecksumProducer(producer, format) }
    var members: [Receiver] = []
    var ends: [any CopyReceiver] = []
    do {
      if !isBegun { try prepareAll() }
      for receiver in takers where receiver.isTaking {
        progress.enter(.copying, awaiting: "\(receiver.label) to begin")
        do throws(PGError) {
          ends.append(try end(of: receiver, on: lane))
          members.append(receiver)
        } catch {
          try Interruptions.shared.check()
          try receivers.dropEnd(receiver, error, context: part.place)
        }
      }
      try receivers.requireTaking()
      progress.await(nil)
    } catch {
      for end in ends { end.fail("the copying was given up") }
      producer.stop()
      throw error
    }
    return PartRun(part, lane: lane, from: producer, to: ends, of: members)
  }

  /// Makes sure that no table is emptied because nothing came: a server says that a table has no rows, but
  /// of a pipe nobody knows whether its other end has worked.
  private func requireSomething(of begun: BegunProducer) throws(Failure) {
    guard begun.isEmpty, !plan.source.isServer, let replace = plan.storing.replace else { return }
    throw Failure(
      .refused,
      .own(
        "\(source.label) gave nothing, not a byte: --replace \(replace.rawValue) has taken nothing out; "
          + "a table that is to be empty can be emptied with psql"))
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
  private func end(of receiver: Receiver, on lane: Int) throws(PGError) -> any CopyReceiver {
    switch receiver.operand.place {
    case .standardStream:
      // A machine that waits for the summary is told of a reader who has gone, too.
      let output = StandardOutputReceiver(
        endsWithReader: receivers.isNeeded(receiver) && plan.reporting.summary != .json)
      receiver.writes(to: output)
      return output
    case .file(let path):
      let file = try OutputFileReceiver(path)
      receiver.publishes(file)
      return file
    case .server: break
    }
    let connection = try receiver.lanes[lane].session()
    let table = plan.storing.onConflict == nil ? receiver.table : ConflictStaging.table(receiver)
    let encoding = plan.source.isServer ? nil : plan.request.encoding
    if let rejects = plan.storing.rejects {
      let file = try RejectFile(rejects)
      receiver.publishes(file)
      return try RejectingReceiver(
        connection, table, format, encoding: encoding, into: file,
        most: plan.storing.rejectLimit, receiver: receiver)
    }
    let sql = try table.copyIn(format, encoding: encoding, isFrozen: plan.storing.freeze)
    return receiver.lanes.count > 1
      ? try LaneReceiver(receiver.lanes[lane], sql) : try StatementReceiver(connection, sql)
  }

  private func prepareAll() throws(Failure) {
    isBegun = true
    for receiver in receivers.takingServers {
      let work = plan.storing.replace.map { " to \($0.rawValue) what is there" } ?? ""
      progress.enter(.preparing, awaiting: receiver.label + work)
      do throws(PGError) { try prepare(receiver) } catch {
        try Interruptions.shared.check()
        try receivers.drop(receiver, error)
      }
    }
  }

  /// Makes a receiver ready for data: takes out what is there, if that is wanted.
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
