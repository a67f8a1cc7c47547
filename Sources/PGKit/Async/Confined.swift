/// Something that only a connection's thread may touch, wherever its holder goes.
///
/// It is also let go of there: what ends with it talks to the connection.
final class Confined<Value: AnyObject>: @unchecked Sendable {
  /// To be touched on the thread alone.
  let value: Value
  private let thread: ConnectionThread

  init(_ value: Value, to thread: ConnectionThread) {
    self.value = value
    self.thread = thread
  }

  deinit { thread.queue.append(.release(.init(object: value))) }
}
