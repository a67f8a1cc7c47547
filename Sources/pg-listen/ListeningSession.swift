internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// A session that listens: made, watched, and asked now and then whether notifications still arrive.
///
/// There is never a transaction open in it, because one would keep the server's queue from being
/// trimmed.
final class ListeningSession {
  /// Why a session is over, or could not begin.
  struct Loss: Error {
    let error: PGError
    /// What a `gap` line says.
    let reason: String

    init(_ error: PGError) {
      self.error = error
      reason = "\(error.code) \(error.code.definition?.condition ?? error.message)"
    }

    init(heartbeat error: PGError) {
      self.error = .heartbeatFailed(error)
      reason = "heartbeat: \(error.message)"
    }
  }

  /// How long the server may take to answer before the session listens.
  private static let setupLimit = Duration.seconds(30)
  /// How long it may take to answer where no heartbeat says so.
  static let longestAnswer = Duration.seconds(60)

  let connection: Connection
  /// Where it listens.
  let source: EventSource
  private let heartbeat: Heartbeat?
  private var nextHeartbeat: Deadline
  private let heartbeatName: String
  /// A channel that nobody else knows: what is sent there must come back.
  let heartbeatChannel: [UInt8]
  private var warnedUsage = 0
  /// When it began to listen.
  let beginning = ContinuousClock.now
  /// When it is last known that all that had been notified had arrived.
  private(set) var lastSign = WallClock.time()
  /// What had come when the heartbeat failed.
  private var leftover = NotificationBatch()

  /// Connects and begins to listen: when this returns, LISTEN is committed.
  ///
  /// - Parameter reader: What reads a durable table here: it says what is listened on then.
  /// - Throws: ``Loss``.
  init(
    _ options: ConnectionOptions, channels: [String], heartbeat: Heartbeat?,
    reader: DurableReader?, until deadline: Deadline
  ) throws(Loss) {
    self.heartbeat = heartbeat
    heartbeatName = "pg_listen_\(UInt64.random(in: 0...(.max)))"
    heartbeatChannel = Array(heartbeatName.utf8)
    nextHeartbeat = heartbeat.map { .after($0.interval) } ?? .never
    do throws(PGError) {
      connection = try Connecting(program: ListenCommand.program)
        .session(Self.watched(options), until: deadline)
      source = EventSource(connection)
      let deadline = deadline.earlier(.after(Self.setupLimit))
      try Self.requireOwnServer(connection, until: deadline)
      if connection.serverVersion.major >= 14 {
        try connection.execute("SET idle_session_timeout = 0", until: deadline)
      }
      if reader != nil { try connection.execute(Self.watchedByServer, until: deadline) }
      let names =
        try reader.map { reader throws(PGError) in
          [try reader.open(connection, until: deadline)]
        } ?? channels
      let more = heartbeat == nil ? [] : [heartbeatName]
      try connection.listen(names + more, until: deadline)
      lastSign = WallClock.time()
    } catch { throw Loss(error.explained(for: "listen")) }
  }

  /// A peer that is gone without a word is noticed in half a minute, unless the options say otherwise.
  private static func watched(_ options: ConnectionOptions) -> ConnectionOptions {
    var options = options
    options.keepalivesIdle = options.keepalivesIdle ?? 10
    options.keepalivesInterval = options.keepalivesInterval ?? 10
    options.keepalivesCount = options.keepalivesCount ?? 3
    options.tcpUserTimeout = options.tcpUserTimeout ?? 30_000
    return options
  }

  /// Has the server notice soon that this client is gone, whose place for a consumer it holds.
  private static let watchedByServer = """
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
    SET tcp_user_timeout = 30000
    """

  /// Refuses a pooler, behind which notifications do not arrive.
  ///
  /// They go to a server's process. Behind a pooler that is not the one which the login was answered
  /// for, and may be another one for each statement.
  private static func requireOwnServer(
    _ connection: Connection, until deadline: Deadline
  ) throws(PGError) {
    let answer = try connection.query
      .text("SELECT pg_catalog.pg_backend_pid()", until: deadline).collect()
    let process = try answer.first?[0, as: Int32.self] ?? 0
    guard connection.backendID != 0, process != connection.backendID else { return }
    throw PGError(
      code: .featureNotSupported,
      message: "this is a connection pooler, not a server: it gave its clients process number "
        + "\(connection.backendID), and a server's process \(process) answers",
      fault: .caller, hint: "Connect to the server itself: a pooler loses LISTEN without an error.")
  }

  /// How long the server may take to answer what it is asked between heartbeats.
  var answerLimit: Duration { heartbeat.map { $0.interval + $0.limit } ?? Self.longestAnswer }

  /// Receives what has arrived, for later; whether the session is still there.
  func keepsNotifications() -> Bool {
    do throws(PGError) { try connection.keepNotifications() } catch { return !connection.isClosed }
    return true
  }

  /// The events that have arrived, waiting for the first until `other` can be read; heartbeats may be
  /// among them.
  ///
  /// - Parameters:
  ///   - deadline: When the waiting ends in any case.
  ///   - isAlive: Called when it is time for a heartbeat, and notifications do arrive.
  /// - Throws: ``Loss`` when the session is over or its heartbeat did not come back.
  func events(
    orReadable other: CInt, until deadline: Deadline = .never, _ isAlive: () -> Void
  ) throws(Loss) -> NotificationBatch {
    var events = NotificationBatch()
    do throws(PGError) {
      events = try connection.notificationBatch(
        until: nextHeartbeat.earlier(deadline), orReadable: other)
    } catch {
      if connection.isClosed { throw Loss(error) }
      warn(error)
    }
    if !events.isEmpty { lastSign = WallClock.time() }
    if let heartbeat, nextHeartbeat.hasPassed {
      // What has just come is as good as a heartbeat, which would have to wait for its turn in a flood.
      let isFlood = !events.isEmpty
      let limit = isFlood ? answerLimit : heartbeat.limit
      let hasComeBack = isFlood ? true : try beat(within: limit, &events)
      if hasComeBack { isAlive() }
      try watchQueue(within: limit, &events)
      nextHeartbeat = .after(heartbeat.interval)
    }
    return events
  }

  /// What has arrived already.
  ///
  /// - Throws: ``Loss`` when the session is over.
  func arrived() throws(Loss) -> NotificationBatch {
    do throws(PGError) { return try connection.notificationBatch(until: .after(.zero)) } catch {
      if connection.isClosed { throw Loss(error) }
      warn(error)
      return NotificationBatch()
    }
  }

  /// Sends a notification to itself and waits for it.
  ///
  /// - Parameter events: Takes what came meanwhile.
  /// - Returns: Whether it came back: not if the server refuses to notify, as when its queue is full.
  private func beat(
    within limit: Duration, _ events: inout NotificationBatch
  ) throws(Loss) -> Bool {
    let deadline = Deadline.after(limit)
    return try asking(&events) { (events) throws(PGError) in
      let begin = WallClock.time()
      try connection.execute("NOTIFY \(heartbeatName)", until: deadline)
      while true {
        let next = try connection.notificationBatch(until: deadline)
        events.append(contentsOf: next)
        if next.contains(where: { $0.channel == heartbeatName }) { break }
        if deadline.hasPassed { throw .timedOutNotification(limit) }
      }
      lastSign = begin
    }
  }

  private func watchQueue(
    within limit: Duration, _ events: inout NotificationBatch
  ) throws(Loss) {
    let deadline = Deadline.after(limit)
    _ = try asking(&events) { (_) throws(PGError) in try watchQueue(until: deadline) }
  }

  /// Asks the server something.
  ///
  /// - Returns: Whether it did not refuse; the session is well in either case.
  /// - Throws: ``Loss``; what came before is not lost.
  private func asking(
    _ events: inout NotificationBatch, _ body: (inout NotificationBatch) throws(PGError) -> Void
  ) throws(Loss) -> Bool {
    do throws(PGError) {
      try body(&events)
      return true
    } catch {
      if !connection.isClosed, error.fault == .server {
        warn(error)
        return false
      }
      if let last = try? connection.notificationBatch(until: .after(.zero)) {
        events.append(contentsOf: last)
      }
      leftover = events
      connection.close()
      // A server that ends the session says why.
      throw error.fault == .server ? Loss(error) : Loss(heartbeat: error)
    }
  }

  /// Hands over what had come when the session was found to be lost.
  func takeLeftover() -> NotificationBatch {
    defer { leftover = NotificationBatch() }
    return leftover
  }

  /// The shares of the queue at which there is a warning, in percent.
  private static let usageLimits = [10, 50]

  /// Warns when the server's queue fills: when it is full, nobody can notify any more.
  private func watchQueue(until deadline: Deadline) throws(PGError) {
    let answer = try connection.query.text(
      "SELECT (pg_catalog.pg_notification_queue_usage() * 100)::pg_catalog.int4", until: deadline
    ).collect()
    let usage = try answer.first?[0, as: Int.self] ?? 0
    let level = Self.usageLimits.last { usage >= $0 } ?? 0
    defer { warnedUsage = level }
    guard level > warnedUsage else { return }
    let oldest = try connection.query.text(
      """
      SELECT pid::text || ', since ' || xact_start || ': ' || coalesce(left(query, 200), '')
      FROM pg_catalog.pg_stat_activity
      WHERE xact_start IS NOT NULL AND pid <> pg_catalog.pg_backend_pid()
      ORDER BY xact_start LIMIT 1
      """, until: deadline
    ).collect()
    let culprit: String? = try oldest.first?[0, as: String?.self] ?? nil
    Diagnostic(
      program: ListenCommand.program, severity: .warning,
      message: "\(usage) % of the server's notification queue is in use", location: "\(source)",
      details: culprit.map { [("DETAIL", "The oldest transaction is that of process \($0)")] } ?? []
    ).print()
  }

  private func warn(_ error: PGError) {
    let diagnostic = error.diagnostic(of: ListenCommand.program, location: "\(source)")
    diagnostic.print()
  }
}

/// How often to make sure that notifications arrive, and how soon one must be back.
struct Heartbeat: Sendable {
  let interval: Duration
  let limit: Duration
}

extension PGError {
  /// The same, with a hint if it is a standby that refuses to listen or to notify.
  func explained(for act: String) -> PGError {
    guard code == .readOnlySqlTransaction, hint == nil else { return self }
    return PGError(
      code: code, message: message, fault: fault,
      hint: "A standby cannot \(act): connect to its primary (target_session_attrs=primary).",
      fields: fields)
  }

  /// A session whose heartbeat failed is lost, whatever its question ran into.
  fileprivate static func heartbeatFailed(_ error: PGError) -> PGError {
    PGError(
      code: .connectionFailure, message: "the heartbeat failed: \(error.message)", fault: .transport
    )
  }

  fileprivate static func timedOutNotification(_ limit: Duration) -> PGError {
    PGError(
      code: .queryCanceled, message: "a notification did not come back within \(limit)",
      fault: .transport)
  }
}
