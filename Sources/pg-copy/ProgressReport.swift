internal import Glibc
internal import PGCommandLine
internal import Synchronization

/// How far a run is: a bar on a terminal, lines of JSON where they are asked for, one line at SIGUSR1.
final class ProgressReport {
  private struct State {
    var rows = 0
    var bytes = 0
    var expectedRows: Int?
  }

  private let state = Shared()
  private let flags: ReportingFlags
  private let identity: RunIdentity
  private let start = ContinuousClock.now
  private var next: ContinuousClock.Instant
  private let showsBar: Bool
  private var hasBar = false

  /// How often the bar is drawn.
  private static let barInterval = Duration.milliseconds(200)
  private static let barWidth = 24

  /// What the thread that hears of signals sees, too.
  private final class Shared: Sendable {
    let value = Mutex(State())
  }

  init(_ flags: ReportingFlags, _ identity: RunIdentity) {
    (self.flags, self.identity) = (flags, identity)
    next = start
    showsBar = flags.progress == nil && !flags.quiet && isatty(STDERR_FILENO) == 1
    next = start + (flags.progress?.duration ?? Self.barInterval)
  }

  /// The copying begins.
  func begin(_ estimate: SourceEstimate?) {
    state.value.withLock { $0.expectedRows = estimate?.rows }
    let (shared, start, identity) = (state, start, identity)
    StatusSignal.shared.answer {
      let state = shared.value.withLock { $0 }
      return Self.words(state, start) + " (job \(identity.job), run \(identity.run))"
    }
  }

  /// Hears how far it is.
  func note(rows: Int, bytes: Int) {
    state.value.withLock { ($0.rows, $0.bytes) = (rows, bytes) }
    guard showsBar || flags.progress != nil else { return }
    let now = ContinuousClock.now
    guard now >= next else { return }
    next = now + (flags.progress?.duration ?? Self.barInterval)
    let state = state.value.withLock { $0 }
    if showsBar { draw(state) } else { StandardError.print(json(state)) }
  }

  /// Takes the bar away.
  func end() {
    if hasBar { write("\r\u{1B}[K") }
    hasBar = false
  }

  private func draw(_ state: State) {
    hasBar = true
    var bar = ""
    if let expected = state.expectedRows, expected > 0 {
      let share = min(Double(state.rows) / Double(expected), 1)
      let full = Int(share * Double(Self.barWidth))
      bar =
        "[" + String(repeating: "#", count: full)
        + String(repeating: ".", count: Self.barWidth - full) + "] about \(Int(share * 100)) %, "
    }
    write("\r\u{1B}[K" + bar + Self.words(state, start))
  }

  private func write(_ text: String) {
    var text = text
    text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  private static func words(_ state: State, _ start: ContinuousClock.Instant) -> String {
    let seconds = max(Summary.seconds(ContinuousClock.now - start), 0.001)
    let speed = Double(state.bytes) / seconds / 1e6
    return "\(state.rows) rows, \(state.bytes) bytes, \(Summary.decimal(speed)) MB/s"
  }

  private func json(_ state: State) -> String {
    let seconds = Summary.seconds(ContinuousClock.now - start)
    let expected = state.expectedRows.map { ",\"estimated_rows\":\($0)" } ?? ""
    return """
      {"event":"progress","job":\(JSONText.quoted(identity.job)),"run":"\(identity.run)",\
      "rows":\(state.rows),"bytes":\(state.bytes)\(expected),"seconds":\(Summary.decimal(seconds))}
      """
  }
}
