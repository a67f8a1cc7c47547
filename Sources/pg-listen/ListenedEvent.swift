internal import PGKit

/// What is printed, or handed to a command: a notification, or a row of a durable table.
struct ListenedEvent: Sendable {
  /// Where it comes from.
  enum Origin: Sendable {
    /// The server process of the session that notified.
    case process(Int32)
    /// A row, and when it was stored.
    case row(id: Int64, storedAt: String)
  }

  let channel: String
  /// The payload as it was sent: UTF-8, except of a SQL_ASCII database.
  let payload: [UInt8]
  let origin: Origin
  /// How many events it stands for.
  var count = 1

  init(_ notification: NotificationBytes) {
    channel = String(decoding: notification.channel, as: UTF8.self)
    payload = Array(notification.payload)
    origin = .process(notification.processID)
  }

  init(channel: [UInt8], payload: [UInt8], row id: Int64, storedAt: String) {
    self.channel = String(decoding: channel, as: UTF8.self)
    self.payload = payload
    origin = .row(id: id, storedAt: storedAt)
  }
}

/// Which notifications of a session are printed.
struct WantedNotifications {
  /// The only session whose events are wanted, if there is one.
  var sender: Int32?
  /// The session whose events are not.
  var leftOut: Int32?
  /// The channel that is the program's own.
  let hidden: [UInt8]

  /// Whether one is.
  func contains(_ notification: NotificationBytes) -> Bool {
    if let sender, notification.processID != sender { return false }
    if let leftOut, notification.processID == leftOut { return false }
    return notification.channel.count != hidden.count || !notification.channel.elementsEqual(hidden)
  }
}

/// An event with its number among those of its source.
struct NumberedEvent: Sendable {
  var event: ListenedEvent
  let number: Int
  let source: String
}
