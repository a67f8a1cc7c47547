internal import Synchronization

/// What sources have begun and must bring to its end before the program ends: rows that are not yet
/// acknowledged, commands of `--on-ready`.
final class WorkInHand: Sendable {
  private let count = Mutex(0)
  /// Wakes who waits for the end.
  private let waker: WakePipe

  init(_ waker: WakePipe) { self.waker = waker }

  /// Some has begun.
  func begins() { count.withLock { $0 += 1 } }

  /// Some has come to its end.
  func ends() {
    count.withLock { $0 -= 1 }
    waker.wake()
  }

  /// Whether there is none.
  var isDone: Bool { count.withLock { $0 == 0 } }
}
