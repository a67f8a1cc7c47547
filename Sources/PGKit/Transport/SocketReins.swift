import Synchronization

/// What ends a connection's socket from any thread: the one that is open now, and any that would follow.
///
/// The socket itself is shut down, not another descriptor of it: one that lived longer than the session
/// would keep the server from noticing that nobody is there any more.
final class SocketReins: Sendable {
  private struct State {
    var descriptor: Int32 = -1
    var isEnded = false
  }

  private let state = Mutex(State())

  /// Whether there is to be no socket any more.
  var isEnded: Bool { state.withLock { $0.isEnded } }

  /// Takes hold of a socket that was just opened.
  func hold(_ descriptor: Int32) { state.withLock { $0.descriptor = descriptor } }

  /// Lets go of a socket whose descriptor is about to be closed, and may then be another file's.
  func letGo(of descriptor: Int32) {
    state.withLock { state in
      if state.descriptor == descriptor { state.descriptor = -1 }
    }
  }

  /// Ends the session, or the attempt to begin one: whoever waits for it hears that it is lost.
  func end() {
    state.withLock { state in
      state.isEnded = true
      if state.descriptor >= 0 { Syscalls.shutDown(state.descriptor) }
    }
  }
}
