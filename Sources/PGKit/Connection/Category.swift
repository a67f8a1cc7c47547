/// What makes a connection ready for a purpose, when it has just been established.
///
/// ``LibraryCategory`` binds query libraries.
///
/// In py-postgresql: `postgresql.api.Category`.
public protocol Category: Sendable {
  /// Makes `connection` ready.
  ///
  /// - Throws: ``PGError``; then the connection is closed, and was never there for its user.
  func initialize(_ connection: Connection) throws(PGError)
}
