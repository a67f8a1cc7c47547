import Synchronization

/// Keeps a connection from beginning anything more, from any thread: whoever cancels an operation of
/// several steps cannot know in which of them the server is.
final class Halt: Sendable {
  /// Whether it does so now.
  let isSet = Atomic(false)
}
