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

  init(_ response: NotificationResponse) {
    channel = String(decoding: response.channel, as: UTF8.self)
    processID = response.processID
    if let text = String(validating: response.payload, as: UTF8.self) {
      payload = text
      rawPayload = nil
    } else {
      payload = String(decoding: response.payload, as: UTF8.self)
      rawPayload = response.payload
    }
  }
}

extension Connection {
  /// Begins to listen on channels, whose names are taken exactly as they are.
  ///
  /// Notifications sent after this returns are received (outside a transaction block).
  ///
  /// - Throws: ``PGError``: the server's; `--OPE` for a name with a zero byte.
  ///
  /// In py-postgresql: `db.listen(*channels)`.
  public func listen(_ channels: String...) throws(PGError) { try listen(channels) }

  /// Begins to listen on channels.
  public func listen(_ channels: [String]) throws(PGError) {
    try execute(Self.commands("LISTEN", channels))
  }

  /// Ends listening on channels.
  ///
  /// In py-postgresql: `db.unlisten(*channels)`.
  public func unlisten(_ channels: String...) throws(PGError) {
    try execute(Self.commands("UNLISTEN", channels))
  }

  private static func commands(_ verb: String, _ channels: [String]) throws(PGError) -> String {
    var commands: [String] = []
    for channel in channels { commands.append("\(verb) \(try SQL.quoteIdentifier(channel))") }
    return commands.joined(separator: "; ")
  }

  /// The notifications that have arrived, waiting for the first until `deadline` if there is none.
  ///
  /// Empty when the deadline passed first, or `other`, a descriptor, became readable.
  ///
  /// - Throws: ``PGError`` when the connection is lost.
  ///
  /// In py-postgresql: one step of `db.iternotifies(timeout)`.
  public func notifications(
    until deadline: Deadline, orReadable other: Int32? = nil
  ) throws(PGError) -> [PGNotification] {
    try abandonRunning()
    if isClosed { throw .connectionDoesNotExist("the connection is closed") }
    while true {
      let events = link.session.unsolicited.takeNotifications()
      if !events.isEmpty { return events.map { PGNotification($0) } }
      guard try link.listen(until: deadline, alsoReading: other) else { return [] }
    }
  }
}
