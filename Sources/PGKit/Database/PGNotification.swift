/// An event of NOTIFY.
///
/// In py-postgresql: the triple that `iternotifies` gives.
public struct PGNotification: Sendable, Hashable {
  /// The channel.
  public let channel: String
  /// The payload; empty if none was given, which the protocol cannot tell apart.
  public let payload: String
  /// The payload's bytes where they are not UTF-8 (a SQL_ASCII database); `payload` is then repaired.
  public let rawPayload: [UInt8]?
  /// The server process of the session that notified.
  public let processID: Int32

  init(_ bytes: NotificationBytes) {
    processID = bytes.processID
    channel = String(decoding: bytes.channel, as: UTF8.self)
    var reader = ByteReader(bytes.payload)
    if let text = reader.readText() {
      (payload, rawPayload) = (text, nil)
    } else {
      payload = String(decoding: bytes.payload, as: UTF8.self)
      rawPayload = Array(bytes.payload)
    }
  }
}

extension Connection {
  /// Begins to listen on channels, whose names are taken exactly as they are.
  ///
  /// Notifications sent after this returns are received (outside a transaction block).
  ///
  /// - Throws: ``PGError``: `--PIO` for a name with a NUL, else the server's: 42601 for an empty
  ///   name, 25006 where it is a standby.
  ///
  /// In py-postgresql: `db.listen(*channels)`.
  public func listen(_ channels: String...) throws(PGError) { try listen(channels) }

  /// Begins to listen on channels: on all of them, or on none if the server refuses one.
  ///
  /// - Parameters:
  ///   - channels: Their names, exactly as they are.
  ///   - deadline: When the server must have answered; the session is over if it has not.
  public func listen(
    _ channels: [String], until deadline: Deadline = .never
  ) throws(PGError) {
    try execute(Self.commands("LISTEN", channels), until: deadline)
  }

  /// Ends listening on channels.
  ///
  /// In py-postgresql: `db.unlisten(*channels)`.
  public func unlisten(_ channels: String...) throws(PGError) { try unlisten(channels) }

  /// Ends listening on channels.
  public func unlisten(_ channels: [String]) throws(PGError) {
    try execute(Self.commands("UNLISTEN", channels))
  }

  /// The channels that this session listens on, in order.
  ///
  /// In py-postgresql: `db.listening_channels()`.
  public func listeningChannels() throws(PGError) -> [String] {
    try query.column("SELECT pg_catalog.pg_listening_channels() ORDER BY 1", as: String.self)
      .collect()
  }

  /// Notifies everybody who listens on a channel.
  ///
  /// - Parameters:
  ///   - channel: The channel's name, exactly as it is.
  ///   - payload: At most 7999 bytes; an empty one is the same as none.
  /// - Throws: ``PGError``: the server's, 22023 for a payload that is too long.
  public func notify(_ channel: String, payload: String = "") throws(PGError) {
    try notify([(channel, payload)])
  }

  /// Notifies on several channels, in order, all in one transaction.
  ///
  /// In py-postgresql: `db.notify('one', ('two', 'payload'))`.
  public func notify(
    _ events: [(channel: String, payload: String)]
  ) throws(PGError) {
    var commands: [String] = []
    var shown: [String] = []
    for event in events {
      let payload = try SQL.quoteLiteral(
        event.payload, standardConformingStrings: hasConformingStrings)
      let channel = try Self.quoted(event.channel)
      commands.append("NOTIFY \(channel), \(payload)")
      shown.append("NOTIFY \(channel)")
    }
    // What is told of an error, or to an observer, has no values.
    if !commands.isEmpty {
      try run(
        commands.joined(separator: "; "), shownAs: .statement(shown.joined(separator: "; ")))
    }
  }

  /// - Throws: ``PGError`` `--PIO` for a name that the server would cut, and take for another one.
  private static func quoted(_ channel: String) throws(PGError) -> String {
    guard channel.utf8.count <= longestName else {
      throw .parameter("a channel's name is longer than \(longestName) bytes: \"\(channel)\"")
    }
    return try SQL.quoteIdentifier(channel)
  }

  /// Source: PostgreSQL manual, "Identifiers and Key Words".
  private static let longestName = 63

  private static func commands(_ verb: String, _ channels: [String]) throws(PGError) -> String {
    var commands: [String] = []
    for channel in channels { commands.append("\(verb) \(try quoted(channel))") }
    return commands.joined(separator: "; ")
  }

  /// The notifications that have arrived, waiting for the first until `deadline` if there is none.
  ///
  /// What the server sent before a connection was lost is given first; the next call tells why it
  /// was lost. Where an operation is under way, its results are received and kept first, which the
  /// deadline has no say in.
  ///
  /// - Parameters:
  ///   - deadline: How long to wait; once it has passed, only what is there already is taken.
  ///   - other: A descriptor that ends the waiting when it can be read.
  ///   - output: A descriptor that ends the waiting when nobody reads any more what is written to it.
  /// - Returns: At least one; none when the deadline passed first, or a descriptor ended the waiting.
  /// - Throws: ``PGError`` when the connection is lost; 53000, once, when more than 64 MiB waited to be
  ///   taken and the oldest were dropped.
  ///
  /// In py-postgresql: one step of `db.iternotifies(timeout)`.
  public func notifications(
    until deadline: Deadline, orReadable other: Int32? = nil, orHungUp output: Int32? = nil
  ) throws(PGError) -> [PGNotification] {
    try receiveNotifications(until: deadline, orReadable: other, orHungUp: output)
    return try takeReceivedNotifications()
  }

  /// Those that were received already, whatever else is under way.
  ///
  /// - Throws: ``PGError`` 53000, once, when the oldest were dropped.
  func takeReceivedNotifications() throws(PGError) -> [PGNotification] {
    let dropped = link.session.unsolicited.takeDroppedNotifications()
    if dropped > 0 { throw .droppedNotifications(dropped) }
    return Array(takeNotifications())
  }

  /// Forgets those that were received already.
  func forgetNotifications() { _ = takeNotifications() }

  /// The notifications that have arrived, as the server sent them: for programs that pass them on.
  ///
  /// When the oldest had to be dropped there is no error: the batch says how many are missing before it.
  ///
  /// - Parameters:
  ///   - deadline: How long to wait, as for ``notifications(until:orReadable:orHungUp:)``.
  ///   - other: A descriptor that ends the waiting when it can be read.
  ///   - output: A descriptor that ends the waiting when nobody reads any more what is written to it.
  /// - Returns: At least one; none when the deadline passed first, or a descriptor ended the waiting.
  /// - Throws: ``PGError`` when the connection is lost.
  public func notificationBatch(
    until deadline: Deadline, orReadable other: Int32? = nil, orHungUp output: Int32? = nil
  ) throws(PGError) -> NotificationBatch {
    try receiveNotifications(until: deadline, orReadable: other, orHungUp: output)
    return takeNotifications()
  }

  /// Receives what has arrived, and keeps it until it is asked for: who is busy with something else does
  /// not hold up the server's queue.
  ///
  /// Of more than 64 MiB the oldest are dropped, and counted.
  ///
  /// - Throws: ``PGError`` when the connection is lost; what is kept can still be taken.
  public func keepNotifications() throws(PGError) {
    try completeRunning()
    try requireOpen()
    _ = try link.listen(until: .after(.zero))
  }

  /// Waits until there are some, or something else ends the waiting.
  private func receiveNotifications(
    until deadline: Deadline, orReadable other: Int32?, orHungUp output: Int32?
  ) throws(PGError) {
    try completeRunning()
    if link.session.unsolicited.hasNotifications { return }
    try requireOpen()
    while true {
      let isLast = deadline.hasPassed
      let goesOn = try keepingNotifications { () throws(PGError) in
        try link.listen(until: deadline, alsoReading: other, orHangUpOf: output)
      }
      if link.session.unsolicited.hasNotifications || !goesOn || isLast { return }
    }
  }

  private func takeNotifications() -> NotificationBatch {
    let dropped = link.session.unsolicited.takeDroppedNotifications()
    return NotificationBatch(link.session.unsolicited.takeNotifications(), dropped: dropped)
  }

  /// Puts an error off while there are notifications that came before it.
  private func keepingNotifications(
    _ body: () throws(PGError) -> Bool
  ) throws(PGError) -> Bool {
    do throws(PGError) { return try body() } catch {
      guard link.session.unsolicited.hasNotifications else { throw error }
      return false
    }
  }
}

extension PGError {
  /// The oldest notifications were not taken in time.
  static func droppedNotifications(_ count: Int) -> PGError {
    PGError(
      code: .insufficientResources,
      message: "\(count) notifications were dropped: they were not taken in time", fault: .caller,
      hint: "take notifications at least now and then while listening")
  }
}
