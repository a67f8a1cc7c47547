internal import PGCommandLine
internal import Synchronization

/// How far the run is, for whoever asks with SIGUSR1.
final class Progress: Sendable {
  /// The process's only one.
  static let shared = Progress()

  private struct State {
    var statements = 0
    var name = ""
    var line = 0
    var rows = 0
  }

  private let state = Mutex(State())
  private let start = ContinuousClock.now

  private init() {}

  /// Begins to answer.
  func answer() {
    StatusSignal.shared.answer { Progress.shared.description }
  }

  /// Notes that a statement begins.
  func begin(_ statement: ScriptStatement) {
    state.withLock {
      $0.statements += 1
      ($0.name, $0.line) = (statement.script.name, statement.piece.line)
    }
  }

  /// Notes that rows were printed.
  func printed(_ count: Int) { state.withLock { $0.rows += count } }

  private var description: String {
    let state = state.withLock { $0 }
    let time = "\((ContinuousClock.now - start).components.seconds) s"
    if state.statements == 0 { return "connecting, \(time)" }
    return "statement \(state.statements) (\(state.name):\(state.line)) runs, "
      + "rows printed: \(state.rows), \(time)"
  }
}
