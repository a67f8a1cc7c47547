/// Names for prepared statements and cursors, unique within a connection, and most likely among all: behind a
/// pooler the statements of several clients may lie in one session.
struct NameSequence {
  private let token = String(UInt32.random(in: 0...UInt32.max), radix: 36)
  private var last = 0

  /// A name that this connection has not used yet.
  mutating func next(_ kind: String) -> String {
    last += 1
    return "pgkit_\(kind)_\(token)_\(last)"
  }
}
