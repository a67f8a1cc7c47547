// A server must not be able to fill a client's memory with what nobody has asked for. So everything
// here has a limit, in bytes where the server decides how long a thing is. What is beyond it is
// dropped, the oldest first, and counted.

/// What a server may say at any time: notices, notifications, settings that changed.
struct Unsolicited {
  /// The most settings that are remembered; PostgreSQL 18 reports sixteen.
  static let parameterLimit = 1_000
  /// The most that waiting notifications may take, in bytes.
  static let notificationLimit = 64 << 20
  /// The most that waiting notices may take.
  static let noticeLimit = 16 << 20

  /// The server's settings as it reports them.
  private(set) var parameters: [String: String] = [:]
  private var notifications = NotificationQueue(limit: notificationLimit)
  private(set) var notices = BoundedQueue<ServerMessage>(limit: noticeLimit) {
    $0.fields.reduce(0) { $0 + $1.value.utf8.count }
  }

  /// Takes `message` if it is one of these.
  mutating func accept(_ message: BackendMessage) -> Bool {
    switch message {
    case .parameterStatus(let status): remember(status)
    case .noticeResponse(let notice): notices.append(notice)
    default: return false
    }
    return true
  }

  /// Takes a notification.
  mutating func accept(_ event: NotificationResponse) { notifications.append(event) }

  var hasNotifications: Bool { !notifications.isEmpty }
  var hasNotices: Bool { !notices.isEmpty }
  /// How many notifications had to be dropped since this was last asked.
  mutating func takeDroppedNotifications() -> Int { notifications.takeDropped() }

  /// Hands over the notifications received so far.
  mutating func takeNotifications() -> NotificationRun { notifications.takeAll() }

  /// Hands over the notices received so far.
  mutating func takeNotices() -> [ServerMessage] { notices.takeAll() }

  private mutating func remember(_ status: ParameterStatus) {
    guard parameters.count < Self.parameterLimit || parameters[status.name] != nil else { return }
    parameters[status.name] = status.value
  }
}
