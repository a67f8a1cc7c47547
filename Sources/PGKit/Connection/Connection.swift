import PGErrorCodes

/// A session with a server.
///
/// Used by one thread at a time; ``interruption`` alone may be handed to other threads. One
/// operation runs at a time: rows that are still arriving when another one begins are kept, up to a
/// limit, for whoever still asks for them.
///
/// It can be connected once. When it is closed or lost, or could not be established, everything throws
/// ``SQLState/connectionDoesNotExist`` or why it was lost; a new one is made by ``clone()``.
///
/// What can be done with a connection is declared beside each noun: statements and queries in
/// Statements, transactions, settings and notifications in Database.
///
/// In py-postgresql: `postgresql.api.Connection`.
public final class Connection {
  /// What made this connection and can make another one like it.
  public let connector: Connector
  /// Where the server listens; `nil` before there is a session.
  public private(set) var endpoint: Endpoint?
  /// Cancels what runs here, from any thread.
  ///
  /// Take it when the session has begun: one taken before can cancel nothing.
  public private(set) var interruption = Interruption(nil)
  private(set) var link = Link.none("the connection is not established: connect() does that")
  /// What may end its sockets from another thread; it must be there before they are.
  var reins: SocketReins?
  /// What keeps it from beginning anything more.
  let halt = Halt()
  /// An operation whose rows or data have not all been taken yet.
  var running: (any RunningOperation)?
  var names = NameSequence()
  /// How many times the session was brought back to its beginning, which takes its statements along.
  var generation = 0
  /// What is known here of types that not every server has, and the codecs that a program brought.
  public let types = TypeRegistry()
  let discarded = DiscardQueue()
  /// Whether there may be some of the following, for the next operation to see to first.
  var hasChores = false
  /// Warnings of our own that wait for the next operation.
  var notes: [ServerMessage] = []
  /// What waits for the end of a failed transaction block.
  var postponed: [PostponedWork] = []
  /// The process that serves this session.
  private var backendKey: BackendKeyData?
  /// Whether it was to be established before.
  private var wasTried = false
  /// What floors above keep with a connection: one object for each of their types.
  var attachments: [ObjectIdentifier: AnyObject] = [:]

  /// Hears what this connection does; in the beginning the connector's.
  public var observer: (any ConnectionObserver)? {
    didSet { isObserved = observer != nil }
  }
  /// Whether there is an observer, which is asked of every operation.
  private(set) var isObserved = false

  init(_ connector: Connector) {
    self.connector = connector
    observer = connector.observer
    isObserved = observer != nil
  }

  deinit { close() }

  /// Establishes the connection, to the first suitable server, and initializes its category.
  ///
  /// Does nothing if it is established. A failure is final.
  ///
  /// - Throws: ``PGError``, as ``Connector/connect(until:)``; 08003 if it has ended, or could not be
  ///   established, before.
  ///
  /// In py-postgresql: `db.connect()`.
  public func connect(until deadline: Deadline = .never) throws(PGError) {
    if wasTried {
      if isClosed {
        throw .connectionDoesNotExist("a connection can be established only once: make a new one")
      }
      return
    }
    wasTried = true
    let observation = observe(.connect, connector.creator.summary)
    do throws(PGError) {
      do throws(PGError) { try connector.establish(self, until: deadline) } catch {
        throw error.inside(connector.creator)
      }
      try connector.category?.initialize(self)
    } catch {
      abandon(because: "the connection could not be established: \(error.message)")
      observation?.ended(.failed(error))
      throw error
    }
    observation?.established(backendID, endpoint)
    observation?.ended(.completed(nil))
  }

  /// Takes over a session that has just begun.
  func adopt(_ session: BegunSession) {
    link = session.link
    link.traceHandler = traceHandler
    link.noticeHandler = { [weak self] message in self?.deliver(message) }
    endpoint = session.endpoint
    backendKey = session.backendKey
    interruption = session.interruption
    types.serverMajor = UInt16(clamping: serverVersion.major)
  }

  /// Lets go of a session that is not what was wanted, or of none; from now on there is none because of
  /// `reason`.
  func abandon(because reason: String) {
    link.close()
    link = .none(reason)
    (endpoint, backendKey, interruption) = (nil, nil, Interruption(nil))
  }

  /// Whether there is no session: it has ended, by either side, or has not begun.
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
  /// What may hear the messages of the operation under way before the connection does.
  var hearer: (any MessageHearer)?

  /// Hears of every message that is sent or received, as a line in the format of libpq's `PQtrace`.
  ///
  /// Passwords, keys and proofs are left out; statements and values are not. It must not use this connection,
  /// except to close it: whatever it tries fails with `--OPE`.
  public var traceHandler: ((String) -> Void)? {
    didSet { link.traceHandler = traceHandler }
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

  private var hearers: [any MessageHearer] {
    Array(
      sequence(state: hearer) { next in
        defer { next = next?.nextHearer }
        return next
      })
  }

  /// Hands a message along the chain until somebody deals with it.
  func deliver(_ message: ServerMessage) {
    var message = message
    message.origin = ErrorOrigin(hearers.map(\.origin) + creators)
    link.isDelivering = true
    defer { link.isDelivering = false }
    for hearer in hearers where hearer.messageHook?(message) == true { return }
    if messageHook?(message) == true || connector.messageHook?(message) == true { return }
    Messages.hook(message)
  }
}
