internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// Moves the data: parts are begun on sessions that are free, and every step moves what can be moved at all
/// of them, in one thread.
///
/// It keeps what is proven of the parts that came to their ends.
final class Relay {
  private let receivers: ReceiverSet
  private let source: SourceEnd
  private let opener: PartOpener
  private let parts: [CopyPart]
  private let progress: ProgressReport
  /// What is known of the parts that were read to their ends.
  private(set) var proofs: [PartProof] = []
  /// How many rows those parts have: asked for at every step, and of many parts.
  private var provenRows = 0
  /// How much the source has given, whatever became of it.
  private(set) var bytes = 0
  /// What keeps the speed below a limit.
  private var pace: Pace?
  /// What warns of a snapshot that is held for long.
  private var age: SnapshotAge?
  /// Whether nothing has moved for a while.
  private var isStalled = false
  /// How long nothing moves until it is said who is waited for.
  private static let patience = Duration.milliseconds(100)

  init(
    _ cargo: Cargo, from source: SourceEnd, to receivers: ReceiverSet, by opener: PartOpener,
    _ reading: ReadingFlags, _ progress: ProgressReport
  ) {
    (self.source, self.receivers, self.opener) = (source, receivers, opener)
    (parts, self.progress) = (cargo.parts, progress)
    pace = reading.rate.map { Pace(bytesPerSecond: $0.bytesPerSecond) }
    age = SnapshotAge(since: source.readingSince, limit: reading.snapshotAge.duration)
  }

  /// Moves all parts to those of the receivers that take part, until none does.
  func move(to members: some Sequence<Receiver>, laneCount: Int) throws {
    var waiting = parts[...]
    var runs: [PartRun] = []
    do {
      while true {
        for lane in 0..<laneCount where !runs.contains(where: { $0.lane == lane }) {
          if let part = waiting.popFirst() {
            runs.append(try opener.begin(part, on: lane, to: members))
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

  /// What became of a part in a step.
  private enum Advance { case waits, moved, over }

  /// Moves what can be moved at all parts under way, or waits a moment.
  private func step(_ runs: inout [PartRun]) throws {
    var hasMoved = false
    for (index, run) in runs.enumerated().reversed() {
      let advance = try advance(run)
      if advance != .waits { hasMoved = true }
      if advance == .over { runs.remove(at: index) }
    }
    try Interruptions.shared.check()
    progress.note(
      rows: runs.reduce(provenRows) { $0.addingRows($1.transfer.total.messages) }, bytes: bytes)
    if let held = age?.toTell() { warn(held, runs) }
    if let pause = pace?.pause { return Self.sleep(pause) }
    if hasMoved { return noteMoving() }
    let unanswered = runs.filter(\.isEnding).map { $0.unanswered() }
    // An answer that came since is all that was waited for.
    if unanswered.contains(where: \.isEmpty) { return }
    let beginning = ContinuousClock.now
    do throws(CopyFault) {
      try CopyTransfer.wait(
        for: runs.filter { !$0.isEnding }.map(\.transfer), until: .after(Self.patience),
        orFor: unanswered.flatMap { $0 })
    } catch { throw Failure(.localFailure, .own("\(error)")) }
    if !isStalled, ContinuousClock.now - beginning >= Self.patience {
      isStalled = true
      let slow = slowest(runs)
      progress.await(slow.isEmpty ? source.label : slow.joined(separator: ", "))
    }
  }

  private func noteMoving() {
    if isStalled { progress.await(nil) }
    isStalled = false
  }

  /// Who keeps the others waiting; nobody where it is the source.
  private func slowest(_ runs: [PartRun]) -> [String] {
    Set(runs.flatMap(\.slowest).map(\.label)).sorted()
  }

  private func warn(_ held: Duration, _ runs: [PartRun]) {
    let time = ProgressState.short(Summary.seconds(held))
    let slow = slowest(runs)
    let reason = slow.isEmpty ? "" : "; it waits for \(slow.joined(separator: ", "))"
    Diagnostic(
      program: "\(CopyCommand.program): \(source.label)", severity: .warning,
      message: "the snapshot has been held for \(time)\(reason)",
      details: [("HINT", "Until it is over, VACUUM leaves every row there that dies.")]
    ).print()
  }

  private static func sleep(_ duration: Duration) {
    try? CopyTransfer.wait(for: [], until: .after(min(duration, .milliseconds(100))))
  }

  private func advance(_ run: PartRun) throws -> Advance {
    if run.isEnding { return try advanceEnd(of: run) }
    if pace?.pause != nil { return .waits }
    let before = run.transfer.total.bytes
    // Also where a receiver failed with it: it may have taken some of it.
    defer { note(moved: run.transfer.total.bytes - before) }
    do throws(CopyFault) {
      switch try run.transfer.advance() {
      case .moved: return .moved
      case .waiting: return .waits
      case .over: break
      }
    } catch {
      try take(error, of: run)
      return .moved
    }
    run.end()
    return try advanceEnd(of: run)
  }

  private func note(moved count: Int) {
    bytes += count
    pace?.note(count)
  }

  /// Brings a part to its end once its receivers have something to say.
  private func advanceEnd(of run: PartRun) throws -> Advance {
    guard run.unanswered().isEmpty else { return .waits }
    try finish(run)
    return .over
  }

  /// Waits for a part's receivers; then all counts must agree, or nobody commits.
  private func finish(_ run: PartRun) throws {
    let transfer = run.transfer
    if transfer.remaining.isEmpty {
      transfer.fail("no receivers are left")
      return
    }
    progress.await(
      transfer.remaining.map { run.members[$0].label }.joined(separator: ", ") + " to take the last"
    )
    do throws(CopyFault) { try transfer.finish() } catch { try take(error, of: run) }
    progress.await(nil)
    try Interruptions.shared.check()
    do throws(CopyFault) { try transfer.compareCounts() } catch {
      throw mismatch(error, run)
    }
    try note(run.proof)
    run.noteStored()
  }

  /// Keeps the proof of a part; one that was read again must be what it was.
  private func note(_ proof: PartProof) throws(Failure) {
    guard let known = proofs.part(proof.part.number) else {
      proofs.append(proof)
      provenRows = provenRows.addingRows(proof.rows ?? 0)
      return
    }
    guard known.rows == proof.rows, known.checksum == proof.checksum else {
      receivers.rollback(.refused)
      throw Failure(
        .refused,
        .ofData("the source gave other rows when it was read again; nothing was committed"))
    }
  }

  private func mismatch(_ fault: CopyFault, _ run: PartRun) -> Failure {
    receivers.rollback(.refused)
    guard case .counts(let counts) = fault else {
      return Failure(.refused, .ofData("\(fault); nothing was committed"))
    }
    let parts = counts.map { count in
      "\(count.index.map { run.members[$0].label } ?? source.label): \(count.rows)"
    }
    let list = parts.joined(separator: ", ")
    let place = run.part.place.map { " in \($0)" } ?? ""
    return Failure(
      .refused, .ofData("the counts of rows differ\(place): \(list); nothing was committed"))
  }

  /// Drops the receivers that failed; a source or stdout that failed ends everything.
  private func take(_ fault: CopyFault, of run: PartRun) throws {
    try Interruptions.shared.check()
    switch fault {
    case .receivers(let faults):
      for fault in faults {
        let receiver = run.members[fault.index]
        do { try receivers.dropEnd(receiver, fault.error, context: run.part.place) } catch {
          run.transfer.fail("\(receiver.label) failed")
          throw error
        }
      }
    case .producer(let error):
      run.transfer.fail("the source failed: \(error.code)")
      throw source.failure(error, context: run.part.place)
    case .noReceivers: try receivers.requireTaking()
    case .incomplete, .counts: throw Failure(.localFailure, .own("\(fault)"))
    }
  }
}
