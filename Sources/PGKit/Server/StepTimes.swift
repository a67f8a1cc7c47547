internal import Synchronization

/// How long the steps of something took, one after the other.
public final class StepTimes: Sendable {
  /// One step.
  public struct Step: Sendable, Hashable {
    /// What was done.
    public let name: String
    /// How long it took.
    public let duration: Duration
  }

  private struct State {
    var steps: [Step] = []
    var last: ContinuousClock.Instant
  }

  private let state: Mutex<State>

  /// Begins to measure.
  init() { state = Mutex(State(last: .now)) }

  /// Ends a step that began when the last one ended.
  func end(_ name: String) {
    state.withLock { state in
      let now = ContinuousClock.now
      state.steps.append(Step(name: name, duration: now - state.last))
      state.last = now
    }
  }

  /// What was between the last step and now belongs to none.
  func skip() { state.withLock { $0.last = .now } }

  /// The steps so far.
  public var steps: [Step] { state.withLock { $0.steps } }
}
