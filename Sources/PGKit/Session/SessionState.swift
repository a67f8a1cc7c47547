/// Where a session stands.
enum SessionState {
  /// The startup packet has been sent, or will be; nobody has been let in yet.
  case starting
  /// The server waits for something to do.
  case idle(TransactionStatus)
  /// An exchange is under way.
  case busy
  /// The session is over, for this reason.
  case failed(PGError)
  /// The session was ended by us.
  case closed
}
