internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// Reads the rows of a durable table as events, and acknowledges those that have been seen to: whose
/// lines are written, or whose commands have ended well.
///
/// It outlives sessions: what was seen to when one was lost is acknowledged in the next.
final class DurableReader {
  /// Whose rows are read.
  struct Plan: Sendable {
    let table: DurableTable
    let consumer: String
    /// The channels that are wanted; all if there are none.
    let channels: [String]
  }

  /// A row's place in the order of all rows.
  private struct Place {
    var transaction: UInt64
    var id: Int64

    static let start = Place(transaction: 0, id: 0)

    func isBefore(_ other: Place) -> Bool {
      (transaction, id) < (other.transaction, other.id)
    }

    var parameters: [String?] { ["\(transaction)", "\(id)"] }
  }

  /// An event that is not yet acknowledged.
  private struct Pending {
    let number: Int
    /// What is acknowledged with it: its row, and those after it that are not wanted.
    var place: Place
  }

  private struct Batch {
    var events: [ListenedEvent] = []
    /// The place that goes with each event.
    var places: [Place] = []
    /// The place of the last row, wanted or not.
    var end: Place?

    /// Adds a row; one that is not wanted has no channel.
    mutating func add(_ rows: RowBatch, _ row: Int) throws(PGError) {
      // Texts of a SQL_ASCII database need not be UTF-8.
      var texts: [[UInt8]?] = []
      rows.forEachValue(inRow: row) { column, value in
        if column == 2 || column == 3 { texts.append(value.map { Array($0) }) }
      }
      guard texts.count == 2 else {
        throw PGError(
          code: .protocolViolation, message: "rows of a durable table came without their payload",
          fault: .server)
      }
      let row = rows[row]
      let place = Place(
        transaction: UInt64(try row[0, as: String.self]) ?? 0, id: try row[1, as: Int64.self])
      end = place
      if let channel = texts[0] {
        events.append(
          ListenedEvent(
            channel: channel, payload: texts[1] ?? [], row: place.id,
            storedAt: try row[4, as: String?.self] ?? ""))
        places.append(place)
      } else if !places.isEmpty {
        places[places.count - 1] = place
      }
    }
  }

  /// The most rows that are read at once, and about the most bytes.
  private static let longestBatch = 500
  private static let largestBatch = 8 << 20
  /// How soon to look again while an older transaction holds rows back.
  private static let impatience = Duration.milliseconds(100)
  /// How soon to look again when nothing says that there are rows.
  private static let rest = Duration.seconds(30)

  private let plan: Plan
  private let acknowledgements: Acknowledgements
  private var channel = ""
  /// How long the server may take to answer.
  private var answerLimit = ListeningSession.longestAnswer
  private var pending: [Pending] = []
  private var lastPrinted = 0
  private var cursor = Place.start
  /// The server's timeline: another one has transactions with the same numbers.
  private var timeline = ""
  /// Up to where rows have been seen to, if that is not yet acknowledged.
  private var unacknowledged: Place?
  /// Whether rows are in hand that are not yet acknowledged.
  private(set) var isWorking = false
  /// When to look for rows without being woken.
  private(set) var nextLook = Deadline.after(.zero)

  /// - Parameter waker: Ends the session's waiting when there is something to acknowledge.
  init(_ plan: Plan, waker: WakePipe) {
    self.plan = plan
    acknowledgements = Acknowledgements(waker)
  }

  /// Whether there was nothing more to read, and all that was read has been acknowledged.
  var isResting: Bool { !isWorking && unacknowledged == nil && !nextLook.hasPassed }

  // MARK: A session begins

  /// Finds the table, makes sure that nobody else reads for the consumer, and finds its place.
  ///
  /// - Returns: The channel to listen on.
  /// - Throws: ``PGError``: the server's; 42P01 if the table is not there, 55006 if another session
  ///   reads for the consumer.
  func open(_ connection: Connection, until deadline: Deadline) throws(PGError) -> String {
    let oid = try plan.table.oid(on: connection, until: deadline)
    channel = DurableTable.wakeChannel(oid)
    try lock(oid, on: connection, until: deadline)
    let stored = try storedPlace(on: connection, until: deadline)
    try requireOwnNumbers(stored, on: connection, until: deadline)
    let found = try findTimeline(on: connection, until: deadline)
    // A standby that was promoted may lack the last transactions, and numbers its own like them: only what
    // stands in the table counts there.
    let isOther = !timeline.isEmpty && found != timeline
    timeline = found
    // Or somebody else has read on for the consumer.
    if isOther || cursor.isBefore(stored) {
      cursor = stored
      pending = []
      unacknowledged = nil
    }
    nextLook = .after(.zero)
    return channel
  }

  private func lock(
    _ oid: String, on connection: Connection, until deadline: Deadline
  ) throws(PGError) {
    let name = "\(DurableTable.wakeChannel(oid)):\(plan.consumer)"
    let answer = try connection.query.text(
      "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0))", [name],
      until: deadline
    ).collect()
    if try answer.first?[0, as: Bool.self] == true { return }
    throw PGError(
      code: .objectInUse,
      message: "another session reads \(plan.table.name) for consumer \"\(plan.consumer)\"",
      fault: .server,
      hint: "see which: \(ListenCommand.program) durable status … '\(plan.table.name)'")
  }

  private func storedPlace(
    on connection: Connection, until deadline: Deadline
  ) throws(PGError) -> Place {
    let consumers = plan.table.consumers
    _ = try connection.query.text(
      "INSERT INTO \(consumers) (consumer) VALUES ($1) ON CONFLICT DO NOTHING", [plan.consumer],
      until: deadline
    ).collect()
    let found = try connection.query.text(
      "SELECT xid::text, id FROM \(consumers) WHERE consumer = $1", [plan.consumer],
      until: deadline
    ).collect()
    guard let row = found.first else { return .start }
    return Place(
      transaction: UInt64(try row[0, as: String.self]) ?? 0, id: try row[1, as: Int64.self])
  }

  private func findTimeline(
    on connection: Connection, until deadline: Deadline
  ) throws(PGError) -> String {
    // The name of a WAL file begins with it; everybody may ask for that.
    let answer = try connection.query.text(
      "SELECT left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8)",
      until: deadline
    ).collect()
    return try answer.first?[0, as: String.self] ?? ""
  }

  /// Makes sure that places are numbers of this server's transactions: those that were restored from
  /// another one may lie in the future, and rows would wait for it in silence.
  private func requireOwnNumbers(
    _ stored: Place, on connection: Connection, until deadline: Deadline
  ) throws(PGError) {
    let answer = try connection.query.text(
      """
      SELECT $1::text::pg_catalog.xid8 >= horizon
        OR EXISTS (SELECT FROM \(plan.table.name) WHERE xid >= horizon)
      FROM pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) AS horizon
      """, ["\(stored.transaction)"], until: deadline
    ).collect()
    guard try answer.first?[0, as: Bool.self] == true else { return }
    throw PGError(
      code: .objectNotInPrerequisiteState,
      message: "\(plan.table.name) has numbers of transactions that this server has not come to: "
        + "it was restored from another one", fault: .server,
      hint: "renumber it, as \(ListenCommand.program) durable install '\(plan.table.name)' says")
  }

  /// Whether a notification says that there may be rows.
  func takes(_ notification: PGNotification) -> Bool {
    guard notification.channel == channel else { return false }
    nextLook = .after(.zero)
    return true
  }

  // MARK: Rows

  /// Acknowledges what has been seen to, and hands over more when everything has been.
  ///
  /// - Throws: ``ListeningSession/Loss`` when the session is lost; ``Failure`` with status 3 when the
  ///   server refuses.
  func advance(
    _ session: ListeningSession, _ stream: EventStream, number: inout Int
  ) throws {
    answerLimit = session.answerLimit
    // Before it is seen what has been acknowledged: nothing comes after that.
    let isOver = stream.children?.isOver == true
    do throws(PGError) {
      repeat {
        settle(stream)
        try acknowledge(on: session.connection)
        guard pending.isEmpty, stream.outcome == nil, nextLook.hasPassed else { break }
      } while try handOver(session, stream, number: &number)
    } catch {
      if session.connection.isClosed || error.fault == .transport {
        session.connection.close()
        throw ListeningSession.Loss(error)
      }
      throw error.failure(of: ListenCommand.program, status: .refused, location: "--durable")
    }
    if pending.isEmpty || isOver, unacknowledged == nil, isWorking {
      isWorking = false
      stream.work.ends()
    }
  }

  /// Finds out what has been seen to.
  private func settle(_ stream: EventStream) {
    if stream.children == nil, !stream.isWaiting { acknowledgements.add(upTo: lastPrinted) }
    let last = acknowledgements.last
    let count = pending.prefix { $0.number <= last }.count
    guard count > 0 else { return }
    unacknowledged = pending[count - 1].place
    pending.removeFirst(count)
  }

  private func acknowledge(on connection: Connection) throws(PGError) {
    guard let place = unacknowledged else { return }
    _ = try connection.query.text(
      """
      UPDATE \(plan.table.consumers)
      SET xid = $2::text::pg_catalog.xid8, id = $3, acknowledged_at = pg_catalog.now()
      WHERE consumer = $1 AND (xid, id) < ($2::text::pg_catalog.xid8, $3)
      """, [plan.consumer] + place.parameters, until: .after(answerLimit)
    ).collect()
    unacknowledged = nil
  }

  /// Reads rows and hands them over.
  ///
  /// - Returns: Whether there may be more.
  private func handOver(
    _ session: ListeningSession, _ stream: EventStream, number: inout Int
  ) throws(PGError) -> Bool {
    let batch = try read(on: session.connection)
    guard let end = batch.end else {
      let isHeldBack = try hasMore(on: session.connection)
      nextLook = .after(isHeldBack ? Self.impatience : Self.rest)
      return false
    }
    if !batch.events.isEmpty, !isWorking {
      isWorking = true
      stream.work.begins()
    }
    let before = number
    let taken = stream.print(
      batch.events, of: "\(session.source)", number: &number, acknowledgements: acknowledgements)
    for (index, place) in batch.places.prefix(taken).enumerated() {
      pending.append(Pending(number: before + index + 1, place: place))
    }
    lastPrinted = before + taken
    if taken == batch.events.count {
      cursor = end
      if batch.events.isEmpty { unacknowledged = end }
    }
    return true
  }

  private func read(on connection: Connection) throws(PGError) -> Batch {
    // An oldest transaction that still runs may add rows before those of younger ones.
    let wanted = plan.channels.isEmpty ? "true" : "channel = ANY($3::pg_catalog.text[])"
    let channels = plan.channels.isEmpty ? [] : [PGArray(plan.channels).description]
    let chunks = try connection.query.text(
      """
      SELECT xid::text AS number, id, CASE WHEN wanted THEN channel END, CASE WHEN wanted THEN payload END,
        pg_catalog.to_char(stored_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
      FROM (
        SELECT *, pg_catalog.sum(CASE WHEN wanted THEN pg_catalog.octet_length(payload) ELSE 0 END)
            OVER (ORDER BY xid, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS size
        FROM (
          SELECT xid, id, channel::text, payload::text, stored_at, \(wanted) AS wanted
          FROM \(plan.table.name)
          WHERE (xid, id) > ($1::text::pg_catalog.xid8, $2)
            AND xid < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())
          ORDER BY xid, id LIMIT \(Self.longestBatch)
        ) AS next
      ) AS sized
      WHERE size IS NULL OR size < \(Self.largestBatch)
      ORDER BY sized.xid, sized.id
      """, cursor.parameters + channels, until: .after(answerLimit))
    var batch = Batch()
    while let rows = try chunks.next() {
      for row in rows.indices { try batch.add(rows, row) }
    }
    return batch
  }

  /// Whether there are rows that an older transaction holds back.
  private func hasMore(on connection: Connection) throws(PGError) -> Bool {
    let answer = try connection.query.text(
      """
      SELECT EXISTS (SELECT FROM \(plan.table.name)
        WHERE (xid, id) > ($1::text::pg_catalog.xid8, $2))
      """, cursor.parameters, until: .after(answerLimit)
    ).collect()
    return try answer.first?[0, as: Bool.self] ?? false
  }
}
