import Synchronization

/// Notifications that have arrived on a connection and that nobody has taken yet, by channel.
///
/// It is asked without a change of the thread.
final class NotificationShelf: Sendable {
  /// Notifications of one channel, each with its place among all.
  private struct Row {
    var items: [(place: Int, notification: PGNotification)] = []
    var taken = 0

    var first: (place: Int, notification: PGNotification)? {
      taken < items.count ? items[taken] : nil
    }

    mutating func removeFirst() {
      taken += 1
      // Now and then, so that each costs little.
      if taken * 2 > items.count {
        items.removeFirst(taken)
        taken = 0
      }
    }
  }

  private struct State {
    var rows: [String: Row] = [:]
    var last = 0
    var size = 0
    var dropped = 0

    /// The channel, of these or of all, whose first notification came first.
    func earliest(of channels: Set<String>) -> String? {
      let candidates = channels.isEmpty ? Array(rows.keys) : channels.filter { rows[$0] != nil }
      return candidates.min { rows[$0]?.first?.place ?? 0 < rows[$1]?.first?.place ?? 0 }
    }

    mutating func takeFirst(of channel: String) -> PGNotification? {
      guard let first = rows[channel]?.first else { return nil }
      rows[channel]?.removeFirst()
      if rows[channel]?.first == nil { rows[channel] = nil }
      size -= NotificationShelf.size(of: first.notification)
      return first.notification
    }
  }

  private let state = Mutex(State())

  private static func size(of notification: PGNotification) -> Int {
    MemoryLayout<PGNotification>.stride + notification.channel.utf8.count
      + notification.payload.utf8.count + (notification.rawPayload?.count ?? 0)
  }

  /// Puts some behind those that are there; of more than ``Unsolicited/notificationLimit`` the oldest are
  /// dropped.
  func put(_ notifications: [PGNotification]) {
    if notifications.isEmpty { return }
    state.withLock { state in
      for notification in notifications {
        state.last += 1
        state.rows[notification.channel, default: Row()].items.append((state.last, notification))
        state.size += Self.size(of: notification)
      }
      while state.size > Unsolicited.notificationLimit, let channel = state.earliest(of: []) {
        _ = state.takeFirst(of: channel)
        state.dropped += 1
      }
    }
  }

  /// Whether there is something to take from some channels, or from any if none is named: a notification, or
  /// the news that some were dropped.
  func has(_ channels: Set<String>) -> Bool {
    state.withLock { $0.dropped > 0 || $0.earliest(of: channels) != nil }
  }

  /// The oldest of some channels, or of all if none is named.
  ///
  /// - Throws: ``PGError`` 53000, once, when some were dropped.
  func take(from channels: Set<String>) throws(PGError) -> PGNotification? {
    let (notification, dropped) = state.withLock { state -> (PGNotification?, Int) in
      if state.dropped > 0 {
        defer { state.dropped = 0 }
        return (nil, state.dropped)
      }
      return (state.earliest(of: channels).flatMap { state.takeFirst(of: $0) }, 0)
    }
    if dropped > 0 { throw .droppedNotifications(dropped) }
    return notification
  }
}
