internal import Glibc
internal import PGCommandLine
internal import Synchronization

/// How far a run is: a bar on a terminal, lines of JSON where they are asked for, one line at SIGUSR1.
final class ProgressReport {
  private let shared = Shared()
  private let flags: ReportingFlags
  private let identity: RunIdentity
  private var next: ContinuousClock.Instant
  private let showsBar: Bool

  /// How often the bar is drawn.
  private static let barInterval = Duration.milliseconds(200)

  /// What the thread that hears of signals sees, too.
  private final class Shared: Sendable {
    private struct Times {
      var state = ProgressState()
      var start = ContinuousClock.now
      var snapshot: ContinuousClock.Instant?
    }

    private let times = Mutex(Times())

    var state: ProgressState {
      times.withLock { times in
        var state = times.state
        state.elapsed = .now - times.start
        state.snapshotAge = times.snapshot.map { .now - $0 }
        return state
      }
    }

    func change(_ body: (inout ProgressState) -> Void) { times.withLock { body(&$0.state) } }

    func begin(snapshot: ContinuousClock.Instant?) {
      times.withLock { ($0.start, $0.snapshot) = (.now, snapshot) }
    }
  }

  init(_ flags: ReportingFlags, _ identity: RunIdentity) {
    (self.flags, self.identity) = (flags, identity)
    showsBar = flags.progress == nil && !flags.quiet && StandardError.showsLines
    next = .now
    let shared = shared
    StatusSignal.shared.answer {
      shared.state.words + " (job \(identity.job), run \(identity.run))"
    }
  }

  /// From now on the run is at this.
  func enter(_ phase: ProgressState.Phase) { shared.change { $0.phase = phase } }

  /// The copying begins.
  ///
  /// - Parameter snapshot: Since when the source's snapshot has been held, if there is one.
  func begin(_ estimate: SourceEstimate?, snapshot: ContinuousClock.Instant?) {
    shared.change { ($0.phase, $0.expectedRows) = (.copying, estimate?.rows) }
    shared.begin(snapshot: snapshot)
    if showsBar { draw() }
    next = .now + interval
  }

  /// Hears how far it is.
  func note(rows: Int, bytes: Int) {
    shared.change { ($0.rows, $0.bytes) = (rows, bytes) }
    guard showsBar || flags.progress != nil else { return }
    let now = ContinuousClock.now
    guard now >= next else { return }
    next = now + interval
    if showsBar { draw() } else { StandardError.print(json(shared.state)) }
  }

  /// Takes the bar away.
  func end() { if showsBar { StandardError.removeLine() } }

  private var interval: Duration { flags.progress?.duration ?? Self.barInterval }

  /// The last column stays free: some terminals go to the next line behind it.
  private func draw() {
    let line = ProgressLine(shared.state).text(width: StandardError.columns - 1)
    StandardError.show(line: line)
  }

  private func json(_ state: ProgressState) -> String {
    let expected = state.expectedRows.map { ",\"estimated_rows\":\($0)" } ?? ""
    let left =
      state.secondsLeft.map { ",\"estimated_seconds_left\":\(Summary.decimal($0))" } ?? ""
    let age =
      state.snapshotAge.map { ",\"snapshot_seconds\":\(Summary.decimal(Summary.seconds($0)))" }
      ?? ""
    return """
      {"event":"progress","job":\(JSONText.quoted(identity.job)),"run":"\(identity.run)",\
      "state":"\(state.phase)","rows":\(state.rows),"bytes":\(state.bytes)\(expected)\(left)\(age),\
      "seconds":\(Summary.decimal(Summary.seconds(state.elapsed)))}
      """
  }
}
