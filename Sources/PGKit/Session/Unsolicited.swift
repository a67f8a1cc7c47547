/// What a server may say at any time: notices, notifications, settings that changed.
struct Unsolicited {
  /// The longest queue of messages that nobody has asked for yet; beyond it the oldest are dropped
  /// and counted, because a server must not be able to fill a client's memory.
  static let queueLimit = 1 << 20

  /// The server's settings as it reports them.
  private(set) var parameters: [String: String] = [:]
  private(set) var notifications: [NotificationResponse] = []
  private(set) var notices: [ServerMessage] = []
  /// How many notifications had to be dropped.
  private(set) var droppedNotifications = 0

  /// Takes `message` if it is one of these.
  mutating func accept(_ message: BackendMessage) -> Bool {
    switch message {
    case .parameterStatus(let status): parameters[status.name] = status.value
    case .noticeResponse(let notice): append(notice)
    case .notificationResponse(let event): append(event)
    default: return false
    }
    return true
  }

  var hasNotifications: Bool { !notifications.isEmpty }
  var hasNotices: Bool { !notices.isEmpty }

  /// Hands over the notifications received so far.
  mutating func takeNotifications() -> [NotificationResponse] {
    defer { notifications = [] }
    return notifications
  }

  /// Hands over the notices received so far.
  mutating func takeNotices() -> [ServerMessage] {
    defer { notices = [] }
    return notices
  }

  private mutating func append(_ event: NotificationResponse) {
    if notifications.count >= Self.queueLimit {
      notifications.removeFirst(Self.queueLimit / 2)
      droppedNotifications += Self.queueLimit / 2
    }
    notifications.append(event)
  }

  private mutating func append(_ notice: ServerMessage) {
    if notices.count >= Self.queueLimit / 64 { notices.removeFirst(Self.queueLimit / 128) }
    notices.append(notice)
  }
}
