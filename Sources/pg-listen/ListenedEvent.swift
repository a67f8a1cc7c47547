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
  let payload: String
  /// The payload's bytes where they are not UTF-8.
  let rawPayload: [UInt8]?
  let origin: Origin
  /// How many events it stands for.
  var count = 1

  init(_ notification: PGNotification) {
    channel = notification.channel
    payload = notification.payload
    rawPayload = notification.rawPayload
    origin = .process(notification.processID)
  }

  init(channel: String, payload: String, row id: Int64, storedAt: String) {
    self.channel = channel
    self.payload = payload
    rawPayload = nil
    origin = .row(id: id, storedAt: storedAt)
  }

  /// The payload as the session sent it.
  var bytes: [UInt8] { rawPayload ?? Array(payload.utf8) }
}

/// An event with its number among those of its source.
struct NumberedEvent: Sendable {
  var event: ListenedEvent
  let number: Int
  let source: String
}
