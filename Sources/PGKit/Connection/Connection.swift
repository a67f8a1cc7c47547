import PGErrorCodes

/// A session with a server.
///
/// Used by one thread at a time; ``interruption`` alone may be handed to other threads. One
/// operation runs at a time: beginning another one while rows are still arriving drops the rest of
/// them, and whoever still asks for them is told so.
///
/// What can be done with a connection is declared beside each noun: statements and queries in
/// Statements, transactions, settings and notifications in Database.
///
/// In py-postgresql: `postgresql.api.Connection`.
public final class Connection {
  /// What made this connection and can make another one like it.
  public internal(set) var connector: Connector
  /// Where the server listens.
  public let endpoint: Endpoint
  /// Cancels what runs here, from any thread.
  public let interruption: Interruption
  let link: Link
  /// An operation whose rows or data have not all been taken yet.
  var running: (any RunningOperation)?
  var names = NameSequence()
  let discarded = DiscardQueue()
  /// What waits for the end of a failed transaction block.
  var postponed: [PostponedWork] = []
  /// The process that serves this session.
  let backendKey: BackendKeyData?

  init(
    connector: Connector, endpoint: Endpoint, link: Link, backendKey: BackendKeyData?,
    interruption: Interruption
  ) {
    self.connector = connector
    self.endpoint = endpoint
    self.link = link
    self.backendKey = backendKey
    self.interruption = interruption
    link.noticeHandler = { [weak self] message in self?.deliver(message) }
  }

  deinit { close() }

  /// Whether the session is over, ended by either side.
  public var isClosed: Bool {
    switch link.session.state {
    case .closed, .failed: true
    default: false
    }
  }

  /// Ends the session.
  ///
  /// Closing a closed connection does nothing.
  public func close() {
    if isClosed { return }
    running = nil
    link.close()
  }

  /// Hears notices and warnings as they arrive, in the middle of the operation that they belong to, if
  /// that operation's cursor and statement do not deal with them.
  ///
  /// It must not use this connection, except to close it: whatever it tries fails with `--OPE`.
  ///
  /// In py-postgresql: `db.msghook`.
  public var messageHook: MessageHook?
  /// What may hear the messages of the operation under way before the connection does, in order.
  var hearers: [any MessageHearer] = []

  /// Hears of every message that is sent or received, as a line in the format of libpq's `PQtrace`.
  ///
  /// Passwords, keys and proofs are left out; statements and values are not.
  public var traceHandler: ((String) -> Void)? {
    get { link.traceHandler }
    set { link.traceHandler = newValue }
  }

  /// Whether the session is inside a transaction block; `nil` while an operation runs.
  public var transactionStatus: TransactionStatus? {
    if case .idle(let status) = link.session.state { return status }
    return nil
  }

  /// The process identifier of the server process, as `pg_backend_pid()` gives it; 0 if the server
  /// did not say.
  public var backendID: Int32 { backendKey?.processID ?? 0 }

  /// What protects the session: `ssl`, or `nil` for nothing.
  public var security: String? { isEncrypted ? "ssl" : nil }

  /// Whether the session is inside TLS.
  public var isEncrypted: Bool { link.stream is TLSStream }

  /// The descriptor, for waiting on it with `poll`.
  public var fileDescriptor: Int32 { link.stream.descriptor }

  /// A setting that the server reports by itself, such as `server_version` or `TimeZone`.
  public func reportedSetting(_ name: String) -> String? {
    link.session.unsolicited.parameters[name]
  }

  /// Whether a backslash in a plain string is only a backslash.
  var hasConformingStrings: Bool { reportedSetting("standard_conforming_strings") != "off" }

  /// The server's version.
  public var serverVersion: ServerVersion {
    ServerVersion(reportedSetting("server_version") ?? "") ?? ServerVersion(major: 0, minor: 0)
  }

  /// Hands a message along the chain until somebody deals with it.
  func deliver(_ message: ServerMessage) {
    for hearer in hearers {
      if hearer.messageHook?(message) == true { return }
    }
    if messageHook?(message) == true || connector.messageHook?(message) == true { return }
    Messages.hook(message)
  }
}
