internal import Synchronization

/// Asks sources to take what has arrived, before it is judged whether time is over.
final class LastCall: Sendable {
  private let undecided = Mutex<Set<Int>>([])
  /// Wakes who waits for the answers.
  private let waker: WakePipe

  init(_ waker: WakePipe) { self.waker = waker }

  /// Asks these sources, and nobody else any more.
  func ask(_ sources: Set<Int>) { undecided.withLock { $0 = sources } }

  /// Whether a source is asked.
  func isAsking(_ source: Int) -> Bool { undecided.withLock { $0.contains(source) } }

  /// A source has taken what had arrived, or never will.
  func isAnswered(by source: Int) {
    _ = undecided.withLock { $0.remove(source) }
    waker.wake()
  }

  /// Whether all that were asked have answered.
  var haveAllAnswered: Bool { undecided.withLock { $0.isEmpty } }
}
