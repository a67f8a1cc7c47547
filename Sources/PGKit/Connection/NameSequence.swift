/// Names for prepared statements and cursors, unique within a connection.
struct NameSequence {
  private var last = 0

  /// A name that this connection has not used yet.
  mutating func next(_ kind: String) -> String {
    last += 1
    return "pgkit_\(kind)_\(last)"
  }
}
