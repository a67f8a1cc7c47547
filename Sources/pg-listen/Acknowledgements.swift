internal import Synchronization

/// The events of a source that have been seen to, each of which may come to its end before an earlier
/// one does.
final class Acknowledgements: Sendable {
  private struct State {
    /// All up to this one have been seen to.
    var last = 0
    /// Those beyond it.
    var others: Set<Int> = []
  }

  private let state = Mutex(State())
  private let waker: WakePipe

  /// - Parameter waker: Wakes who waits for the next.
  init(_ waker: WakePipe) { self.waker = waker }

  /// The number of the last event up to which all have been seen to.
  var last: Int { state.withLock { $0.last } }

  /// An event has been seen to.
  func add(_ number: Int) {
    state.withLock { state in
      state.others.insert(number)
      while state.others.remove(state.last + 1) != nil { state.last += 1 }
    }
    waker.wake()
  }

  /// A command has ended without that: whoever waits sees whether there are more to wait for.
  func wake() { waker.wake() }

  /// All events up to one have been seen to.
  func add(upTo number: Int) {
    state.withLock { state in
      state.last = max(state.last, number)
      state.others = state.others.filter { $0 > state.last }
    }
  }
}
