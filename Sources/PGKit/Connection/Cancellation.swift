/// A handle that cancels what runs on a connection, from any thread.
///
/// In py-postgresql: `connection.interrupt()`.
public struct Interruption: Sendable {
  /// A session, and the way to its server.
  struct Target: Sendable {
    let login: Login
    let key: BackendKeyData?
    let encrypted: Bool
  }

  /// `nil` where there is no session.
  private let target: Target?

  init(_ target: Target?) { self.target = target }

  /// Asks the server to cancel what runs, and waits until it has taken note.
  ///
  /// The request travels on a connection of its own, protected as the session's own is: the same
  /// TLS, the same checks. It is harmless when nothing runs; but whether it came too late can only be
  /// seen from what becomes of the statement (57014 or its result).
  ///
  /// - Parameter limit: The longest time to spend on it.
  /// - Throws: ``PGError`` if the request could not be delivered.
  public func cancel(within limit: Duration = .seconds(10)) throws(PGError) {
    try cancel(until: .after(limit))
  }

  func cancel(until deadline: Deadline) throws(PGError) {
    guard let target else {
      throw .connectionDoesNotExist("there is no connection on which something could be cancelled")
    }
    guard let key = target.key else {
      throw .operation("the server gave no key for cancelling what runs on this connection")
    }
    let stream = try target.login.openStream(encrypted: target.encrypted, until: deadline)
    defer { stream.close() }
    var request = ByteWriter()
    CancelRequest(key: key).encode(into: &request)
    let link = Link(stream: stream)
    try link.send(request.bytes, until: deadline)
    // There is no answer. The end of the stream says that the signal has been sent; before it, the
    // request might still overtake the connection's next statement.
    do throws(PGError) { _ = try link.receiveByte(until: deadline) } catch {
      if error.isTimeout { throw error }
    }
  }
}
