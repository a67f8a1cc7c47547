import Synchronization

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
/// transaction or a copy. Cancelling a task cancels its statement on the server: the operation then throws
/// 57014, and the connection can be used again. If the server does not obey within ten seconds, the session
/// ends.
///
/// A call costs two changes of the thread, unless it is made inside ``withConnection(_:)``; there a round
/// trip takes up to a tenth more than a synchronous one.
///
/// Beside py-postgresql's DB-API 2.0: the interface that the language's users know.
public actor AsyncConnection {
  let thread: ConnectionThread
  /// Shared with whoever else has the session, one after the other.
  private nonisolated let confined: Confined<Connection>
  nonisolated let reins: SessionReins
  /// Whether the session was lent, and is somebody else's now.
  private nonisolated let isRevoked = Atomic(false)
  /// What the connector and its category have brought.
  private var fittings: Fittings?
  var turns = Turns()
  /// In which of the thread's jobs the last operation was.
  private var lastJob = 0
  /// The tasks that are inside ``withConnection(_:)``; one may be several times.
  private var stays: [Stay] = []
  /// What has arrived and nobody has taken.
  nonisolated let shelf = NotificationShelf()
  /// Whether a task watches the socket for notifications.
  var isWatched = false
  /// Those who wait for what it sees.
  var watchers = WaitingLine<Void, Void>()
  /// Rows under way whose statement only reads, as far as its text says.
  private weak var reading: (any RunningOperation)?

  var connection: Connection { confined.value }

  /// The thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    thread.asUnownedSerialExecutor()
  }

  private init(_ connector: Connector) throws(PGError) {
    thread = try ConnectionThread()
    let connection = connector.connection()
    reins = SessionReins(halting: connection.halt)
    connection.reins = reins.socket
    confined = Confined(connection, to: thread)
  }

  private init(sharing other: AsyncConnection) {
    thread = other.thread
    reins = other.reins
    confined = other.confined
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
    let reins = connection.reins
    let failure = await withTaskCancellationHandler {
      await connection.establish(until: deadline)
    } onCancel: {
      reins.socket.end()
    }
    if Task.isCancelled {
      await connection.close()
      throw .taskIsCancelled
    }
    if let failure { throw failure }
    return connection
  }

  private func establish(until deadline: Deadline) -> PGError? {
    do throws(PGError) { try connection.connect(until: deadline) } catch { return error }
    reins.interruption = connection.interruption
    fittings = Fittings(connection)
    return nil
  }

  /// Ends the session; another task's operation that is under way is cancelled.
  ///
  /// Closing a closed connection does nothing.
  public nonisolated func close() async {
    guard !isGivenBack else { return }
    reins.cancel(nil)
    await closeAfterOthers()
  }

  private func closeAfterOthers() { connection.close() }

  /// Whether there is no session: it has ended, by either side; or it was a pool's, and was given back.
  public var isClosed: Bool { isGivenBack || connection.isClosed }

  /// Cancels what runs here, from anywhere; cancelling the task does so by itself.
  public nonisolated var interruption: Interruption {
    isGivenBack ? Interruption(nil) : reins.interruption
  }

  /// Whether the session is inside a transaction block; `nil` while rows are still arriving.
  public var transactionStatus: TransactionStatus? { connection.transactionStatus }

  /// The process identifier of the server process.
  public var backendID: Int32 { connection.backendID }

  /// The server's version.
  public var serverVersion: ServerVersion { connection.serverVersion }

  // MARK: Operations

  /// Calls `body` on this connection's thread, in a task that prefers it: calls of this connection inside it
  /// change no thread.
  ///
  /// Other code inside it runs on that thread, too, and keeps it from its connection meanwhile.
  ///
  /// - Throws: What `body` throws.
  public func withConnection<Result: Sendable, Failure: Error>(
    _ body: nonisolated(nonsending) @Sendable (AsyncConnection) async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    let number = reins.draw()
    withUnsafeCurrentTask { task in
      if let task { stays.append(Stay(task: task, number: number)) }
    }
    defer { stays.removeAll { $0.number == number } }
    // Heard once for all operations of the task.
    let outcome = await withTaskCancellationHandler {
      await withTaskExecutorPreference(thread) { () -> Swift.Result<Result, Failure> in
        do throws(Failure) { return .success(try await body(self)) } catch {
          return .failure(error)
        }
      }
    } onCancel: {
      reins.cancel(partOf: number)
    }
    return try outcome.get()
  }

  /// The number of the current task's stay in ``withConnection(_:)``; that of the innermost, and of none that
  /// another task has, as one that it has started.
  private var stay: UInt64? {
    if stays.isEmpty { return nil }
    return withUnsafeCurrentTask { task in stays.last { $0.task == task }?.number }
  }

  /// Does something with the synchronous connection, on its thread: everything that it can do, as one
  /// operation.
  ///
  /// - Parameter body: What is done; the connection must not leave it.
  /// - Throws: What `body` throws; ``PGError`` 57014 if the task was cancelled before.
  public func perform<Result: Sendable>(
    _ body: @Sendable (Connection) throws(PGError) -> Result
  ) async throws(PGError) -> Result {
    // What goes on here from one operation to the next, without leaving, lets others come in between.
    if thread.queue.isAwaited(after: lastJob) { await Task.yield() }
    while true {
      if Task.isCancelled { throw .taskIsCancelled }
      if let stay, turns.mayUse { return try perform(body, as: reins.draw(), partOf: stay) }
      let turn = turns.mayUse ? nil : try await takeClaim()
      defer { if let turn { turns.end(turn) } }
      let number = reins.draw()
      let outcome = await withTaskCancellationHandler {
        () -> Swift.Result<Result, PGError>? in
        // Others may have come in between, also on the way to here.
        guard turn != nil || turns.mayUse else { return nil }
        do throws(PGError) { return .success(try perform(body, as: number)) } catch {
          return .failure(error)
        }
      } onCancel: {
        reins.cancel(number)
      }
      if let outcome { return try outcome.get() }
    }
  }

  private func perform<Result>(
    _ body: (Connection) throws(PGError) -> Result, as number: UInt64, partOf stay: UInt64 = 0
  ) throws(PGError) -> Result {
    lastJob = thread.queue.jobUnderWay
    if connection.running != nil { dropUnwanted() }
    reins.begin(number, partOf: stay)
    // It may meet rows that are still to come, and that the cancelled task will not take.
    defer { if reins.finish() { connection.running?.expectCancellation() } }
    // Asked after it has begun: whoever cancels it, or takes the session back, does so before.
    if Task.isCancelled { throw .taskIsCancelled }
    try requireLease()
    return try body(connection)
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
      if !isGivenBack, connection.running === running() { cutRunning(after: .zero) }
      throw .taskIsCancelledAmid
    }
    return try await perform(body)
  }

  /// How much time is given to what nobody wants, before it is cancelled: most of it has little left.
  private static let leniency = Duration.milliseconds(20)

  /// Brings what runs to its end, by cancelling it if it is not there soon; what does not obey loses the
  /// session.
  func cutRunning(after patience: Duration = leniency) {
    connection.running?.expectCancellation()
    finish(after: patience) { connection throws(PGError) in
      try connection.completeRunning()
    }
  }

  /// Does something for which nobody wants to wait: what is not done soon is cancelled, and at last ends
  /// with the session.
  func finish(
    after patience: Duration = leniency, _ body: (Connection) throws(PGError) -> Void
  ) {
    let number = reins.draw()
    reins.begin(number)
    reins.cancel(number, after: patience)
    // What went wrong first is what is told; a session that is lost ends all by itself.
    try? body(connection)
    _ = reins.finish()
  }

  /// Cuts rows short that nobody can take any more, if that undoes nothing.
  func dropUnwanted() {
    guard let running = connection.running, !running.isWanted, mayCut(running) else { return }
    cutRunning()
  }

  /// Whether cancelling an operation leaves everything as it is: outside of a transaction block, of which
  /// it would be the end, and for a statement that only reads.
  private func mayCut(_ running: any RunningOperation) -> Bool {
    running === reading && !connection.link.session.beganInBlock
  }

  /// The rows that `body` asks for, of a statement with this text, where that is known.
  func chunks(
    of sql: String?, _ body: @Sendable (Connection) throws(PGError) -> Chunks
  ) async throws(PGError) -> AsyncChunks {
    let confined = try await confine(body)
    reading = sql.map(SQL.onlyReads) == true ? confined.value.running : nil
    return AsyncChunks(self, confined)
  }

  /// Drops what is still to come of rows, if they are under way and that undoes nothing.
  func drop(_ rows: Confined<Chunks>) {
    guard !isGivenBack, let running = connection.running, running === rows.value.running,
      mayCut(running)
    else { return }
    rows.value.running.forget()
    cutRunning()
  }

  // MARK: Lending

  /// The same session for somebody who has it for a time.
  nonisolated func lend() -> AsyncConnection { AsyncConnection(sharing: self) }

  /// Ends the time of who had the session: what runs for them is cancelled, what they begin is refused.
  nonisolated func revoke() {
    isRevoked.store(true, ordering: .releasing)
    reins.cancel(nil)
  }

  /// Undoes what somebody has left in the session who had it.
  func makeReady(_ resets: Bool, by deadline: Deadline) async throws(PGError) {
    // What nobody asks for any more could go on for ever.
    if connection.running != nil { cutRunning(after: .zero) }
    fittings?.restore(to: connection)
    try await perform { connection throws(PGError) in
      guard resets else { return try connection.leaveBlock(by: deadline) }
      try connection.reset(by: deadline)
      connection.forgetNotifications()
      guard let category = connection.connector.category else { return }
      // It brings its own again.
      connection.messageHook = nil
      connection.traceHandler = nil
      connection.observer = connection.connector.observer
      try category.initialize(connection)
    }
  }

  nonisolated var isGivenBack: Bool { isRevoked.load(ordering: .acquiring) }

  /// - Throws: ``PGError`` `--OPE` if the session is somebody else's now.
  nonisolated func requireLease() throws(PGError) {
    if isGivenBack { throw .givenBack }
  }

  /// Ends the session from outside, whatever its thread does.
  nonisolated func abandon() {
    reins.socket.end()
    Task { await closeAfterOthers() }
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

/// A task's time inside ``AsyncConnection/withConnection(_:)``, in which its cancellation is heard.
private struct Stay {
  /// Asked for nothing: whether it is the current one is all that matters.
  let task: UnsafeCurrentTask
  let number: UInt64
}

/// What is set on a connection for all who have it, one after the other.
private struct Fittings {
  private let messageHook: MessageHook?
  private let traceHandler: ((String) -> Void)?
  private let observer: (any ConnectionObserver)?
  private let codecs: TypeRegistry.Codecs

  init(_ connection: Connection) {
    messageHook = connection.messageHook
    traceHandler = connection.traceHandler
    observer = connection.observer
    codecs = connection.types.broughtCodecs
  }

  func restore(to connection: Connection) {
    connection.messageHook = messageHook
    connection.traceHandler = traceHandler
    connection.observer = observer
    connection.types.restore(codecs)
  }
}

extension PGError {
  /// Somebody uses what was a pool's, and is somebody else's now.
  @inline(never)
  fileprivate static var givenBack: PGError {
    .operation(
      "the connection was given back to its pool", hint: "Take one for as long as it is used.")
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
