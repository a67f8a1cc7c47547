import Synchronization

/// Keeps a connection from beginning anything more, from any thread: whoever cancels an operation of
/// several steps cannot know in which of them the server is.
final class Halt: Sendable {
  private let flag = Atomic(false)

  /// Whether it does so now.
  var isSet: Bool {
    get { flag.load(ordering: .relaxed) }
    set { flag.store(newValue, ordering: .relaxed) }
  }
}
