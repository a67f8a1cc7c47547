/// Statements and cursors whose Swift values are gone, to be closed at the next chance.
///
/// A finalizer must not talk to the server: it runs wherever the last reference goes away, perhaps in
/// the middle of another conversation. So it leaves a note here. In py-postgresql: the connection's
/// garbage list.
final class DiscardQueue {
  private var objects: [NamedObject] = []
  /// Whether there are none; asked before every operation, so it is kept ready.
  private(set) var isEmpty = true

  /// Notes that `object` is not needed any more.
  func append(_ object: NamedObject) {
    objects.append(object)
    isEmpty = false
  }

  /// Hands over what has been noted.
  func takeAll() -> [NamedObject] {
    defer { (objects, isEmpty) = ([], true) }
    return objects
  }
}
