/// A session with a server for asynchronous code: an actor with a thread of its own, on which a
/// ``Connection`` does all the work.
///
/// ```swift
/// let db = try await AsyncConnection.open("postgres://localhost/shop")
/// for try await row in try await db.rows("SELECT id, name FROM article WHERE price < $1", 10) {
///   print(try row["id", as: Int.self], try row["name", as: String.self])
/// }
/// ```
///
/// Operations of several tasks follow one another; those of other tasks wait while one is in a
/// transaction. Cancelling a task cancels its statement on the server: the operation then throws 57014,
/// and the connection can be used again. If the server does not obey within ten seconds, the session ends.
///
/// A call costs two changes of the thread, unless it is made inside ``withConnection(_:)``, which is then
/// as fast as a synchronous one.
///
/// Beside py-postgresql's DB-API 2.0: the interface that the language's users know.
public actor AsyncConnection {
  let thread: ConnectionThread
  let connection: Connection
  private var session = SessionReins(Interruption(nil), socket: -1)
  var turns = Turns()

  /// The thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    thread.asUnownedSerialExecutor()
  }

  private init(_ connector: Connector) throws(PGError) {
    thread = try ConnectionThread()
    connection = connector.connection()
  }

  // MARK: Beginning and ending

  /// Connects as ``open(_:_:)`` does for synchronous code: what the IRI does not say is filled from the
  /// environment, the service files and the password file.
  ///
  /// - Throws: ``PGError`` as `PGKit.open`; 57014 if the task is cancelled.
  public static func open(
    _ iri: String? = nil, _ overrides: ConnectionOptions = ConnectionOptions()
  ) async throws(PGError) -> AsyncConnection {
    try await connect(Connector(iri: iri, overrides))
  }

  /// Connects with exactly these options.
  ///
  /// - Throws: ``PGError`` as ``Connector/connect(until:)``; 57014 if the task is cancelled.
  public static func connect(
    _ options: ConnectionOptions, until deadline: Deadline = .never
  ) async throws(PGError) -> AsyncConnection {
    try options.requireSpokenEncoding()
    return try await connect(Connector(options), until: deadline)
  }

  /// Makes a connection of a connector.
  ///
  /// - Throws: ``PGError`` as ``Connector/connect(until:)``; 57014 if the task is cancelled.
  public static func connect(
    _ connector: Connector, until deadline: Deadline = .never
  ) async throws(PGError) -> AsyncConnection {
    if Task.isCancelled { throw .taskIsCancelled }
    let connection = try AsyncConnection(connector)
    try await connection.establish(until: deadline)
    if Task.isCancelled {
      await connection.close()
      throw .taskIsCancelled
    }
    return connection
  }

  private func establish(until deadline: Deadline) throws(PGError) {
    try connection.connect(until: deadline)
    session = SessionReins(
      connection.interruption, socket: Syscalls.duplicate(connection.fileDescriptor))
  }

  /// Ends the session.
  ///
  /// Closing a closed connection does nothing.
  public func close() { connection.close() }

  /// Whether there is no session: it has ended, by either side.
  public var isClosed: Bool { connection.isClosed }

  /// Cancels what runs here, from anywhere; cancelling the task does so by itself.
  public var interruption: Interruption { connection.interruption }

  /// Whether the session is inside a transaction block; `nil` while rows are still arriving.
  public var transactionStatus: TransactionStatus? { connection.transactionStatus }

  /// The process identifier of the server process.
  public var backendID: Int32 { connection.backendID }

  /// The server's version.
  public var serverVersion: ServerVersion { connection.serverVersion }

  // MARK: Operations

  /// Calls `body` in a task that prefers this connection's thread: calls of this connection inside it
  /// change no thread.
  ///
  /// Other code inside it runs on that thread, too, and keeps it from its connection meanwhile.
  ///
  /// - Throws: What `body` throws.
  public nonisolated func withConnection<Result: Sendable, Failure: Error>(
    _ body: @Sendable (AsyncConnection) async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    try await withTaskExecutorPreference(thread) { () async throws(Failure) -> Result in
      try await body(self)
    }
  }

  /// Does something with the synchronous connection, on its thread: everything that it can do, as one
  /// operation.
  ///
  /// - Parameter body: What is done; the connection must not leave it.
  /// - Throws: What `body` throws; ``PGError`` 57014 if the task was cancelled before.
  public func perform<Result: Sendable>(
    _ body: @Sendable (Connection) throws(PGError) -> Result
  ) async throws(PGError) -> Result {
    if turns.holder != nil { try await awaitTurn() }
    if Task.isCancelled { throw .taskIsCancelled }
    let cancellation = TaskCancellation(of: session)
    let outcome = await withTaskCancellationHandler {
      () -> Swift.Result<Result, PGError> in
      do throws(PGError) { return .success(try body(connection)) } catch {
        return .failure(error)
      }
    } onCancel: {
      cancellation.begin()
    }
    // It may meet rows that are still to come, and that the cancelled task will not take.
    if cancellation.end() { connection.running?.expectCancellation() }
    return try outcome.get()
  }

  /// Takes more of what is under way.
  ///
  /// For a task that was cancelled since it took the last it is cancelled on the server and brought to its
  /// end: whatever comes next would otherwise have to receive all of it.
  func takeMore<Result: Sendable>(
    of running: @Sendable () -> any RunningOperation,
    _ body: @Sendable (Connection) throws(PGError) -> Result
  ) async throws(PGError) -> Result {
    if Task.isCancelled {
      end(running())
      throw .taskIsCancelledAmid
    }
    return try await perform(body)
  }

  private func end(_ operation: any RunningOperation) {
    guard connection.running === operation else { return }
    operation.expectCancellation()
    // Where the server does not obey, the session ends.
    do throws(PGError) {
      try connection.interruption.cancel(within: TaskCancellation.grace)
      try connection.completeRunning(until: .after(TaskCancellation.grace))
    } catch { connection.close() }
  }

  /// Gives what `body` makes to whoever may only hold it.
  func confine<Value: AnyObject>(
    _ body: @Sendable (Connection) throws(PGError) -> Value
  ) async throws(PGError) -> Confined<Value> {
    let thread = thread
    return try await perform { connection throws(PGError) in
      Confined(try body(connection), to: thread)
    }
  }
}

extension Connector {
  /// A connector whose options an IRI and what surrounds it give.
  fileprivate init(iri: String?, _ overrides: ConnectionOptions) throws(PGError) {
    let resolved = try OptionSources().resolve(iri: iri, overrides: overrides)
    try resolved.options.requireSpokenEncoding()
    for warning in resolved.warnings {
      Messages.hook(.warning(.ignoredClientParameterWarning, warning))
    }
    self.init(resolved.options)
  }
}
