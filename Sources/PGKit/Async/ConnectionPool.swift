import PGErrorCodes

/// Connections for many tasks: made when they are needed, used again, never more than a limit.
///
/// ```swift
/// let pool = ConnectionPool(Connector(options))
/// let names = try await pool.withConnection { db in
///   try await db.query("SELECT name FROM article").map { try $0[0, as: String.self] }
/// }
/// ```
///
/// Whoever comes when all are in use waits, first come, first served, and not for ever. What a task leaves
/// behind in its session is undone before the next one gets it: what still runs is cancelled, what is open
/// rolled back, what was set is reset, and the connector's ``Category`` makes it ready again. A connection
/// that fails while it waits for work is replaced without anybody's noticing; why none can be made is
/// told at once to those who asked for one.
///
/// ``run()`` keeps connections ready, and is what a service runs: of swift-service-lifecycle it is
/// `pool.service`, in the library `PGKitServices`.
public actor ConnectionPool {
  /// How a pool works.
  public struct Options: Sendable {
    /// How many connections there are at most; without any, whoever asks for one is refused (`-*000`).
    public var maximum = 8
    /// How many are kept ready while ``ConnectionPool/run()`` runs.
    public var minimum = 0
    /// How long a task waits for a connection at most, and for one to be made.
    ///
    /// Half of it is the time in which a connection must be ready again when it comes back, or answer when
    /// it is tried, before it is given up.
    public var patience = Duration.seconds(30)
    /// After how long without work a connection is tried before it is given away.
    ///
    /// What the server has said meanwhile is heard in any case, so that one is not given away whose end
    /// is known.
    public var trialAfter = Duration.seconds(30)
    /// After how long a connection is replaced by another one, or up to a tenth earlier, so that those
    /// which were made together do not go together; `nil` is never.
    public var lifetime: Duration? = .seconds(3600)
    /// Whether sessions are brought back to their beginning between two tasks (``Connection/reset()``);
    /// otherwise only what is open of a transaction is rolled back.
    ///
    /// Hooks, handlers, observers and codecs that a task has brought go in any case.
    public var resets = true
    /// Hears what the pool does.
    public var observer: (any PoolObserver)?

    /// Makes the default options.
    public init() {}
  }

  /// What a pool has at a moment, and has had.
  public struct Statistics: Sendable, Hashable {
    /// Connections that wait for work.
    public var idle = 0
    /// Connections that are in use, or being made or tried.
    public var busy = 0
    /// Tasks that wait for one.
    public var waiting = 0
    /// How many were made so far.
    public var made = 0
    /// How many of those were given up: broken, or too old.
    public var discarded = 0
    /// How many tasks have waited too long.
    public var late = 0
  }

  /// A connection of the pool.
  struct Entry: Sendable {
    let connection: AsyncConnection
    let process: Int32
    /// When it is too old; `nil` is never.
    let end: ContinuousClock.Instant?
    var idleSince: ContinuousClock.Instant
  }

  /// What ends a task's wait, or makes it needless.
  private enum Answer: Sendable {
    /// One that somebody has just given back.
    case connection(Entry)
    /// One that has waited for work.
    case idle(Entry)
    /// It may make one.
    case room
    case late
    case cancelled
    case closed
  }

  private let connector: Connector
  /// How it works.
  public nonisolated let options: Options
  private var idle: [Entry] = []
  /// How many there are, being made included.
  private var count = 0
  private var waiters = WaitingLine<Void, Answer>()
  private var tally = Statistics()
  private var isClosed = false

  /// How often ``run()`` looks after the connections.
  private static let round = Duration.seconds(1)

  /// Makes a pool; connections are made when they are asked for.
  public init(_ connector: Connector, _ options: Options = Options()) {
    self.connector = connector
    self.options = options
  }

  /// What it has, and has had.
  public var statistics: Statistics {
    var result = tally
    result.idle = idle.count
    result.busy = count - idle.count
    result.waiting = waiters.count
    return result
  }

  // MARK: Using

  /// Lends a connection to `body`, in a task that prefers the connection's thread.
  ///
  /// - Throws: What `body` throws; ``PGError`` as ``take(file:line:)``.
  public nonisolated func withConnection<Result: Sendable>(
    file: StaticString = #fileID, line: UInt = #line,
    _ body: nonisolated(nonsending) @Sendable (AsyncConnection) async throws -> Result
  ) async throws -> Result {
    let lease = try await take(file: file, line: line)
    let result: Result
    do { result = try await lease.connection.withConnection(body) } catch {
      await lease.giveBack()
      throw error
    }
    await lease.giveBack()
    return result
  }

  /// Takes a connection, to be given back with ``ConnectionLease/giveBack()``.
  ///
  /// - Throws: ``PGError`` `--TOE` after ``Options/patience``; why no connection can be made; 08003 once
  ///   the pool is closed; 57014 if the task is cancelled.
  public func take(
    file: StaticString = #fileID, line: UInt = #line
  ) async throws(PGError) -> ConnectionLease {
    let begin = ContinuousClock.now
    do throws(PGError) {
      let entry = try await entry(until: begin + options.patience)
      tell(.lent(process: entry.process, after: .now - begin))
      return ConnectionLease(self, entry, file, line)
    } catch {
      tell(.denied(error, after: .now - begin))
      throw error
    }
  }

  private func entry(until deadline: ContinuousClock.Instant) async throws(PGError) -> Entry {
    if options.maximum <= 0, !isClosed {
      throw .option("the pool may have no connections: its maximum is \(options.maximum)")
    }
    let answer = if let answer = immediateAnswer() { answer } else { await answer(until: deadline) }
    switch answer {
    case .idle(let entry):
      guard let reason = await flaw(of: entry, until: deadline) else { return entry }
      // Its place goes to another one for the same task: nobody who came later has a claim on it.
      await give(up: entry, reason)
      return try await make(until: deadline)
    case .connection(let entry): return entry
    case .room: return try await make(until: deadline)
    case .cancelled: throw .taskIsCancelled
    case .closed: throw Self.closed
    case .late:
      tally.late += 1
      throw PGError(
        code: .connectTimeoutError,
        message: "no connection of the pool became free within \(options.patience): "
          + "all \(options.maximum) are in use, and \(waiters.count) more tasks wait",
        fault: .caller, hint: "Use connections shorter, or allow for more.", isSafeToRetry: true)
    }
  }

  private static var closed: PGError { .connectionDoesNotExist("the pool is closed") }

  private func answer(until deadline: ContinuousClock.Instant) async -> Answer {
    let number = waiters.draw()
    let alarm = Task {
      try? await Task.sleep(until: deadline, clock: .continuous)
      if !Task.isCancelled { self.call(number, .late) }
    }
    defer { alarm.cancel() }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // Others may have come in between since somebody looked: one that came back then is for nobody, and
        // an alarm that rang then was for nobody.
        if let answer = immediateAnswer() {
          continuation.resume(returning: answer)
        } else if .now >= deadline {
          continuation.resume(returning: .late)
        } else {
          waiters.append(number, (), continuation)
          tell(.waits)
        }
      }
    } onCancel: {
      Task { await self.call(number, .cancelled) }
    }
  }

  /// What one has who need not wait at all.
  private func immediateAnswer() -> Answer? {
    if Task.isCancelled { return .cancelled }
    if isClosed { return .closed }
    // Whoever waits already comes first.
    guard waiters.isEmpty else { return nil }
    if let entry = idle.popLast() { return .idle(entry) }
    guard count < options.maximum else { return nil }
    count += 1
    return .room
  }

  /// Ends one task's wait, if it still waits.
  private func call(_ number: Int, _ answer: Answer) { waiters.call(number, answer) }

  /// Makes a connection; its place is counted already.
  private func make(until deadline: ContinuousClock.Instant) async throws(PGError) -> Entry {
    let begin = ContinuousClock.now
    do throws(PGError) {
      if isClosed { throw Self.closed }
      let connection = try await AsyncConnection.connect(
        connector, until: Deadline(instant: deadline))
      tally.made += 1
      let entry = Entry(
        connection: connection, process: await connection.backendID, end: newEnd, idleSince: .now)
      tell(.made(process: entry.process, after: .now - begin))
      return entry
    } catch {
      leavePlace()
      tell(.refused(error, after: .now - begin))
      throw error
    }
  }

  /// When a connection that is made now is too old.
  private var newEnd: ContinuousClock.Instant? {
    options.lifetime.map { .now + $0 * Double.random(in: 0.9...1) }
  }

  /// A connection is no more: whoever waits longest may make another.
  private func leavePlace() {
    if isClosed || !waiters.callFirst(.room) { count -= 1 }
  }

  /// Closes a connection, and keeps its place.
  private func give(up entry: Entry, _ reason: PoolEvent.Reason) async {
    // Its thread may be kept by who had it.
    var isKept = if case .failure(let error) = reason { error.isTimeout } else { false }
    if !isKept {
      let failure = await wait(until: .now + options.patience / 2) {
        await entry.connection.close()
      }
      isKept = failure != nil
    }
    if isKept { entry.connection.abandon() }
    tally.discarded += 1
    tell(.discarded(process: entry.process, reason))
  }

  private func discard(_ entry: Entry, _ reason: PoolEvent.Reason) async {
    await give(up: entry, reason)
    leavePlace()
  }

  private func isTooOld(_ entry: Entry) -> Bool {
    entry.end.map { .now > $0 } ?? false
  }

  /// Why a connection that has waited for work cannot be given away; `nil` if it can.
  private func flaw(
    of entry: Entry, until deadline: ContinuousClock.Instant
  ) async -> PoolEvent.Reason? {
    if isTooOld(entry) { return .age }
    let now = ContinuousClock.now
    let isTried = now - entry.idleSince >= options.trialAfter
    // Half the time that there is, so that another one can be made if this one says nothing.
    let limit = now + (deadline - now) / 2
    let failure = await wait(until: limit) { () async throws(PGError) in
      try await entry.connection.perform { connection throws(PGError) in
        // Why the server ended the session, or only that it did, has arrived long ago.
        try connection.keepNotifications()
        if isTried { try connection.execute("SELECT 1", until: Deadline(instant: limit)) }
      }
    }
    return failure.map(PoolEvent.Reason.failure)
  }

  /// Waits for what a connection does, as long as there is time: whatever its thread does meanwhile.
  ///
  /// - Returns: Why it was not done.
  private nonisolated func wait(
    until deadline: ContinuousClock.Instant,
    for body: @escaping @Sendable () async throws(PGError) -> Void
  ) async -> PGError? {
    let (results, end) = AsyncStream.makeStream(of: PGError?.self)
    // Tasks of their own, which are not cancelled: that its task was says nothing of a connection.
    let alarm = Task {
      try? await Task.sleep(until: deadline, clock: .continuous)
      if !Task.isCancelled { end.yield(.timedOut(connecting: false)) }
    }
    defer { alarm.cancel() }
    Task {
      do throws(PGError) {
        try await body()
        end.yield(nil)
      } catch { end.yield(error) }
    }
    for await result in results { return result }
    // The task that waits was cancelled, and does not care.
    return nil
  }

  // MARK: Giving back

  /// Takes a connection back, made ready for the next task.
  func giveBack(_ entry: Entry, since begin: ContinuousClock.Instant) async {
    if isClosed { return await discard(entry, .close) }
    if isTooOld(entry) { return await discard(entry, .age) }
    let deadline = ContinuousClock.now + options.patience / 2
    let failure = await wait(until: deadline) { [options] () async throws(PGError) in
      try await entry.connection.makeReady(options.resets, by: Deadline(instant: deadline))
    }
    if let failure { return await discard(entry, .failure(failure)) }
    // It may have been closed meanwhile.
    if isClosed { return await discard(entry, .close) }
    add(entry)
    tell(.returned(process: entry.process, after: .now - begin))
  }

  /// Gives a connection to whoever waits longest, or keeps it.
  private func add(_ entry: Entry) {
    var entry = entry
    entry.idleSince = .now
    if !waiters.callFirst(.connection(entry)) { idle.append(entry) }
  }

  /// Says where a connection was taken that nobody has given back.
  func hearLeak(of entry: Entry, at place: String) {
    tell(.leaked(process: entry.process, place: place))
    let message = ServerMessage.warning(
      .driverWarning,
      "a connection that was taken from the pool at \(place) was never given back")
    if connector.messageHook?(message) != true { Messages.hook(message) }
  }

  private func tell(_ event: @autoclosure () -> PoolEvent) {
    options.observer?.heard(event(), statistics)
  }

  // MARK: A service's life

  /// Keeps ``Options/minimum`` connections ready, and replaces those that are too old, until the task is
  /// cancelled; then closes the pool.
  public func run() async {
    while !Task.isCancelled, !isClosed {
      await replaceOld()
      await fill()
      try? await Task.sleep(for: Self.round)
    }
    await close()
  }

  /// One by one, and the new one first where there is room for both.
  private func replaceOld() async {
    for old in idle.filter(isTooOld) where !isClosed && !Task.isCancelled {
      let isMissed = count <= min(options.minimum, options.maximum)
      if isMissed, count < options.maximum {
        count += 1
        // Where none can be had an old one is better than none.
        guard let entry = try? await make(until: .now + options.patience) else { return }
        if isClosed { return await discard(entry, .close) }
        add(entry)
      }
      // It may have been taken meanwhile.
      guard let index = idle.firstIndex(where: { $0.connection === old.connection }) else {
        continue
      }
      await discard(idle.remove(at: index), .age)
      await fill()
    }
  }

  /// Failures are told to those who ask for connections.
  private func fill() async {
    while count < min(options.minimum, options.maximum), !isClosed, !Task.isCancelled {
      count += 1
      guard let entry = try? await make(until: ContinuousClock.now + options.patience) else {
        return
      }
      if isClosed { return await discard(entry, .close) }
      add(entry)
    }
  }

  /// Ends all sessions: those in use when they are given back.
  ///
  /// Whoever waits gets 08003. Closing twice does nothing.
  public func close() async {
    isClosed = true
    waiters.callAll(.closed)
    let entries = idle
    idle = []
    for entry in entries { await discard(entry, .close) }
  }
}
