internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit
internal import Synchronization

/// One source: a session that listens, made again whenever it is lost, on a thread of its own, so that
/// a server that does not answer holds up nobody else's events.
///
/// Whatever was missed meanwhile is told by a `gap` line, which comes before the first event after it.
final class SourceThread: Sendable {
  /// What it listens to and how.
  struct Plan: Sendable {
    /// Where; `nil` is left to the environment.
    let iri: String?
    let channels: [String]
    let heartbeat: Heartbeat?
    let retry: RetryPolicy
    /// How long the first connection is tried for; `nil` is once.
    let firstWait: Duration?
    /// How long it may be without a connection.
    let maximumDowntime: Duration?
    let hook: ReadyHook
    /// The only session whose events are wanted.
    var sender: Int32?
    /// Whether what the program itself notifies is left out.
    var leavesOutOwn = false
    /// The table whose rows are the events, instead of notifications.
    var durable: DurableReader.Plan?

    /// The name that the server's administrator sees, as long as the server lets names be.
    var name: String {
      let what = durable?.table.name ?? channels.joined(separator: ",")
      var name = "\(ListenCommand.program):\(what)"
      while name.utf8.count > 63 { name.removeLast() }
      return name
    }
  }

  private struct Status {
    var isListening = false
    var source: String?
    var count = 0
    var losses = 0
  }

  /// What is still printed when time is over: about as many events as the buffers of a socket hold.
  ///
  /// More than that arrived too late, and must not keep a program from ending.
  private static let lateLimit = 100_000

  /// How many seconds a host may take to connect to again, unless the options say otherwise: one that
  /// does not answer may be another one by the next attempt.
  private static let connectSeconds = 10

  /// Which of the sources it is.
  let number: Int
  private let plan: Plan
  /// What messages call it, if there are others.
  private let label: String?
  private let stream: EventStream
  private let announcement: Announcement
  private let waker = WakePipe()
  private let status = Mutex(Status())

  /// - Parameter isAlone: Whether there is no other source.
  init(
    _ number: Int, _ plan: Plan, isAlone: Bool, _ stream: EventStream,
    _ announcement: Announcement
  ) {
    self.number = number
    label = isAlone ? nil : "source \(number + 1)"
    self.plan = plan
    self.stream = stream
    self.announcement = announcement
  }

  /// Whether there is a session now.
  var isListening: Bool { status.withLock { $0.isListening } }

  /// What a line about it says, in the middle of the run.
  var summary: String {
    let status = status.withLock { $0 }
    let state = status.isListening ? "listening" : "not connected"
    let name = status.source ?? "source \(number + 1)"
    return [
      "\(name): \(state)", ListenCommand.counted(status.count, "event"),
      "connection lost \(ListenCommand.counted(status.losses, "time"))",
    ].joined(separator: ", ")
  }

  /// Begins.
  func start() {
    DetachedThread.start { [self] in
      do { try run() } catch { stream.finish(.failed(error)) }
      leave()
    }
  }

  /// Ends its waiting, so that it sees what it is asked.
  func wake() { waker.wake() }

  private func run() throws {
    let reader = plan.durable.map { DurableReader($0, waker: waker) }
    var session = try first(reader)
    var count = 0
    try begin(session, &count)
    var recovery = Recovery()
    while true {
      let loss = try listen(on: session, reader, &count)
      // A server that says why is heard at once; otherwise nothing may have come for a while.
      let downAt =
        loss.error.fault == .server ? WallClock.now() : WallClock.text(of: session.lastSign)
      show(session.takeLeftover(), of: session, &count)
      leave()
      // What was printed is acknowledged in the next session.
      if stream.outcome != nil, reader?.isWorking != true { return }
      note("lost the connection: \(loss.error.message)", code: loss.error.code)
      if isSteady(session, recovery) { recovery = Recovery() }
      session = try again(after: loss, reader, &recovery)
      let gap = Gap(
        downAt: downAt, upAt: WallClock.now(), reason: loss.reason, lastNumber: count,
        isComplete: reader != nil)
      stream.printLoss { ControlLine.append(gap, of: "\(session.source)", to: &$0) }
      status.withLock { $0.losses += 1 }
      try begin(session, &count)
    }
  }

  /// Prints what is wanted of the notifications of a session.
  private func show(
    _ notifications: NotificationBatch, of session: ListeningSession, _ count: inout Int
  ) {
    if notifications.isEmpty || plan.durable != nil { return }
    if notifications.dropped > 0 {
      stream.printDropped(notifications.dropped, of: session.source.description)
    }
    let wanted = WantedNotifications(
      sender: plan.sender, leftOut: plan.leavesOutOwn ? session.connection.backendID : nil,
      hidden: session.heartbeatChannel)
    stream.print(notifications, wanted, of: session.source.description, number: &count)
    status.withLock { $0.count = count }
  }

  /// Not listening any more, or not yet: nobody waits for an answer.
  private func leave() {
    status.withLock { $0.isListening = false }
    stream.lastCall.isAnswered(by: number)
  }

  /// Announces a session, and shows what is to be shown before its first event.
  private func begin(_ session: ListeningSession, _ count: inout Int) throws {
    let source = "\(session.source)"
    status.withLock { ($0.isListening, $0.source) = (true, source) }
    stream.printControl { ControlLine.appendReady(source, to: &$0) }
    if stream.outcome != nil { return }
    try plan.hook.run(on: session, source: source, stream)
    try announcement.listens(number, source)
    stream.waker.wake()
  }

  /// Prints events until the session is lost.
  private func listen(
    on session: ListeningSession, _ reader: DurableReader?, _ count: inout Int
  ) throws -> ListeningSession.Loss {
    do {
      while true {
        let events = try session.events(
          orReadable: waker.descriptor, until: reader?.nextLook ?? .never
        ) { announcement.isAlive(number) }
        waker.clear()
        if let reader {
          try advance(reader, session, events, &count)
        } else {
          show(events, of: session, &count)
        }
        if stream.lastCall.isAsking(number), reader?.isResting != false {
          try answer(session, reader, &count)
        }
      }
    } catch let loss as ListeningSession.Loss { return loss }
  }

  private func advance(
    _ reader: DurableReader, _ session: ListeningSession, _ events: NotificationBatch,
    _ count: inout Int
  ) throws {
    for event in events { _ = reader.takes(event) }
    try reader.advance(session, stream, number: &count)
    let printed = count
    status.withLock { $0.count = printed }
  }

  private func answer(
    _ session: ListeningSession, _ reader: DurableReader?, _ count: inout Int
  ) throws {
    var late = 0
    while late < Self.lateLimit, stream.outcome == nil {
      let events = try session.arrived()
      if let reader { try advance(reader, session, events, &count) }
      if events.isEmpty { break }
      late += events.count
      show(events, of: session, &count)
    }
    stream.lastCall.isAnswered(by: number)
  }

  // MARK: Connecting

  private func attempt(
    _ reader: DurableReader?, isFirst: Bool, until deadline: Deadline
  ) throws -> ListeningSession {
    // Read again each time: a password, a service or an address may have changed.
    var options: ConnectionOptions
    do throws(Failure) {
      options = try Connecting(program: ListenCommand.program).options(iri: plan.iri)
    } catch {
      // What was there when it began may be away for a moment.
      if isFirst { throw error }
      throw ListeningSession.Loss(.unreadableOptions(error))
    }
    if options.fallbackApplicationName == ListenCommand.program {
      options.fallbackApplicationName = plan.name
    }
    if !isFirst { options.connectTimeout = options.connectTimeout ?? Self.connectSeconds }
    return try ListeningSession(
      options, channels: plan.channels, heartbeat: plan.heartbeat, reader: reader,
      until: deadline)
  }

  private func first(_ reader: DurableReader?) throws -> ListeningSession {
    let lastTry = plan.firstWait.map { Deadline.after($0) } ?? .after(.zero)
    var attempts = 0
    var former: PGError?
    while true {
      // Once is until the options' own connect_timeout.
      let end = plan.firstWait == nil ? .never : lastTry
      do {
        return try attempt(reader, isFirst: true, until: end)
      } catch let loss as ListeningSession.Loss {
        guard !lastTry.hasPassed, mayComeToListen(after: loss.error) else {
          throw Self.failure(Self.reason(loss.error, former), isFirst: true)
        }
        attempts += 1
        note("attempt \(attempts) failed: \(loss.error.message)", code: loss.error.code)
        former = loss.error
        plan.retry.sleep(before: attempts, until: lastTry)
        if lastTry.hasPassed { throw Self.failure(loss.error, isFirst: true) }
      }
    }
  }

  /// What a first connection failed of may pass; a table that is missing is to be made by somebody.
  private func mayComeToListen(after error: PGError) -> Bool {
    if plan.retry.triesAll { return true }
    return error.code.classCharacters != "42" && plan.retry.mayTryAgain(after: error)
  }

  /// Why there is no session: what the attempt before said, if the last one was only cut short.
  private static func reason(_ last: PGError, _ former: PGError?) -> PGError {
    last.fault == .transport ? former ?? last : last
  }

  /// How connecting again goes, until a session has lived for a while.
  private struct Recovery {
    var attempts = 0
    /// When it must have come to its end.
    var end: Deadline?
  }

  /// The least that a session must have lived for its loss to be news.
  private static let shortLife = Duration.seconds(1)

  /// Whether a session has lived long enough for its loss to be news.
  ///
  /// One that is lost at once, again and again, is like none; and nobody is to wait for much longer than
  /// the last session has lived.
  private func isSteady(_ session: ListeningSession, _ recovery: Recovery) -> Bool {
    let pause = max(plan.retry.longestPause(before: recovery.attempts), Self.shortLife)
    return session.beginning.duration(to: .now) >= min(pause, plan.maximumDowntime ?? pause)
  }

  private func again(
    after loss: ListeningSession.Loss, _ reader: DurableReader?, _ recovery: inout Recovery
  ) throws -> ListeningSession {
    if plan.maximumDowntime == .zero { throw Self.failure(loss.error, isFirst: false) }
    let end = recovery.end ?? plan.maximumDowntime.map { Deadline.after($0) } ?? .never
    recovery.end = end
    var former = loss.error
    while true {
      if end.hasPassed { throw Self.failure(former, isFirst: false) }
      plan.retry.sleep(before: recovery.attempts, until: end)
      if end.hasPassed { throw Self.failure(former, isFirst: false) }
      recovery.attempts += 1
      do {
        return try attempt(reader, isFirst: false, until: end)
      } catch let failed as ListeningSession.Loss {
        guard !end.hasPassed, plan.retry.mayTryAgain(after: failed.error) else {
          throw Self.failure(Self.reason(failed.error, former), isFirst: false)
        }
        former = failed.error
        note(
          "attempt \(recovery.attempts) failed: \(failed.error.message)", code: failed.error.code)
      }
    }
  }

  /// A server that cannot listen refuses; everything else that keeps us from listening is a matter of
  /// the connection.
  private static func failure(_ error: PGError, isFirst: Bool) -> Failure {
    let program = ListenCommand.program
    switch error.code {
    case .readOnlySqlTransaction, .featureNotSupported:
      return error.failure(of: program, status: .refused)
    default:
      if isFirst, error.fault == .server, error.fields?.isFatal != true {
        return error.failure(of: program)
      }
      if isFirst, error.fault == .caller { return error.failure(of: program) }
      let place = error.origin.creators.last { $0.label == "HOST" }?.summary
      return error.failure(of: program, status: .connection, location: place)
    }
  }

  private func note(_ text: String, code: SQLState) {
    let name = label.map { status.withLock(\.source) ?? $0 }
    Diagnostic(program: ListenCommand.program, code: code, message: text, location: name).print()
  }
}

extension PGError {
  /// The options could not be read again, as where a service file is away.
  fileprivate static func unreadableOptions(_ failure: Failure) -> PGError {
    let diagnostic = failure.diagnostic
    return PGError(
      code: .sqlclientUnableToEstablishSqlconnection,
      message: diagnostic?.message ?? "the options of the connection cannot be read",
      fault: .transport, hint: diagnostic?.details.first { $0.label == "HINT" }?.text)
  }
}
