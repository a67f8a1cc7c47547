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
      var isOver = false
      var start = ContinuousClock.now
      var snapshot: ContinuousClock.Instant?
    }

    private let times = Mutex(Times())

    var state: ProgressState {
      times.withLock { state(of: $0) }
    }

    private func state(of times: Times) -> ProgressState {
      var state = times.state
      state.elapsed = .now - times.start
      state.snapshotAge = times.snapshot.map { .now - $0 }
      // While it is written to, nobody comes round to say so.
      if StandardOutput.shared.isStalled { state.awaited = "stdout" }
      return state
    }

    func change(_ body: (inout ProgressState) -> Void) { times.withLock { body(&$0.state) } }

    /// Prints a line, unless it is over: nothing may come behind the summary.
    func print(_ line: (ProgressState) -> String) -> Bool {
      times.withLock { times in
        if times.isOver { return false }
        StandardError.print(line(state(of: times)))
        return true
      }
    }

    func end() { times.withLock { $0.isOver = true } }

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

  /// Begins to print lines of JSON where they are asked for, also while the run waits for a server.
  func start() {
    guard let interval = flags.progress?.duration else { return }
    let (shared, identity) = (shared, identity)
    let milliseconds = CInt(clamping: interval.wholeMilliseconds)
    DetachedThread.start {
      repeat { _ = poll(nil, 0, milliseconds) } while shared.print { Self.json($0, identity) }
    }
  }

  /// From now on the run is at this, and waits for nothing but this.
  func enter(_ phase: ProgressState.Phase, awaiting end: String? = nil) {
    shared.change { ($0.phase, $0.awaited) = (phase, end) }
  }

  /// Nothing has moved yet in this attempt.
  func beginAnew() { shared.change { ($0.rows, $0.bytes) = (0, 0) } }

  /// From now on the run waits for this; `nil` as long as something moves.
  func await(_ end: String?) { shared.change { $0.awaited = end } }

  /// The copying begins.
  ///
  /// - Parameter snapshot: Since when the source's snapshot has been held, if there is one.
  func begin(_ estimate: SourceEstimate?, snapshot: ContinuousClock.Instant?) {
    shared.change { ($0.phase, $0.expectedRows, $0.awaited) = (.copying, estimate?.rows, nil) }
    shared.begin(snapshot: snapshot)
    if showsBar { draw() }
    next = .now + Self.barInterval
  }

  /// Hears how far it is.
  func note(rows: Int, bytes: Int) {
    shared.change { ($0.rows, $0.bytes) = (rows, bytes) }
    guard showsBar else { return }
    let now = ContinuousClock.now
    guard now >= next else { return }
    next = now + Self.barInterval
    draw()
  }

  /// How much has moved by now, for any thread.
  var movedBytes: @Sendable () -> Int { { [shared] in shared.state.bytes } }

  /// Says nothing more, and takes the bar away.
  func end() {
    shared.end()
    if showsBar { StandardError.removeLine() }
  }

  /// The last column stays free: some terminals go to the next line behind it.
  private func draw() {
    let line = ProgressLine(shared.state).text(width: StandardError.columns - 1)
    StandardError.show(line: line)
  }

  private static func json(_ state: ProgressState, _ identity: RunIdentity) -> String {
    let expected = state.expectedRows.map { ",\"estimated_rows\":\($0)" } ?? ""
    let left =
      state.secondsLeft.map { ",\"estimated_seconds_left\":\(Summary.decimal($0))" } ?? ""
    let age =
      state.snapshotAge.map { ",\"snapshot_seconds\":\(Summary.decimal(Summary.seconds($0)))" }
      ?? ""
    let awaited = state.awaited.map { ",\"waiting_for\":\(JSONText.quoted($0))" } ?? ""
    return """
      {"event":"progress","job":\(JSONText.quoted(identity.job)),"run":"\(identity.run)",\
      "state":"\(state.phase)","rows":\(state.rows),"bytes":\(state.bytes)\(expected)\(left)\(age)\(awaited),\
      "seconds":\(Summary.decimal(Summary.seconds(state.elapsed)))}
      """
  }
}
