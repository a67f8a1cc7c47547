/// The notifications of many connections, waited for at once, in one thread.
///
/// ```swift
/// let listener = NotificationListener([one, two], timeout: .seconds(10))
/// while let event = try listener.next() {
///   switch event {
///   case .notifications(let connection, let list): …
///   case .idle: …                 // the moment for what is to be done now and then
///   case .lost(let lost): listener.add(try lost.connection.clone()) …
///   }
/// }
/// ```
///
/// It listens on nothing by itself: that is ``Connection/listen(_:)``'s, before or while it runs.
/// Connections may be added and removed between two events, and used, too: what arrives meanwhile
/// is kept.
///
/// In py-postgresql: `postgresql.notifyman.NotificationManager`.
public final class NotificationListener {
  /// A connection that has failed, and why.
  public struct Lost {
    /// The connection.
    public let connection: Connection
    /// Why.
    public let error: PGError
  }

  /// What it gives.
  public enum Event {
    /// Channels of a connection were notified.
    case notifications(Connection, [PGNotification])
    /// So many notifications of a connection were not taken in time and are missing here: more than
    /// 64 MiB waited, and the oldest were dropped.
    case dropped(Connection, Int)
    /// A connection was closed or has failed. It is in the ``NotificationListener/garbage`` now.
    case lost(Lost)
    /// The time given by ``NotificationListener/timeout`` has passed since the last such event.
    case idle
  }

  /// How often there is an ``Event/idle``, which never comes before notifications that were there when it
  /// became due; `nil` is never, and with zero what has come already is given and then there is an end.
  ///
  /// In py-postgresql: `settimeout()`, `gettimeout()`.
  public var timeout: Duration? {
    didSet { idleTime = nil }
  }
  /// The connections that are listened to.
  public private(set) var connections: [Connection] = []
  /// The connections that were closed or have failed, in this order; take them out as you like.
  public var garbage: [Lost] = []
  private var events: [Event] = []
  private var position = 0
  /// When the next idle event is due.
  private var idleTime: Deadline?
  /// Whether what was there when it became due has been taken.
  private var hasLooked = false

  /// Makes a listener.
  public init(_ connections: [Connection], timeout: Duration? = nil) {
    self.timeout = timeout
    for connection in connections { add(connection) }
  }

  /// Listens to a connection as well; to one that it listens to already nothing happens.
  public func add(_ connection: Connection) {
    if !connections.contains(where: { $0 === connection }) { connections.append(connection) }
  }

  /// Listens to a connection no more; what of it had been received already still comes.
  public func remove(_ connection: Connection) {
    connections.removeAll { $0 === connection }
  }

  /// The next event, waiting for it.
  ///
  /// - Returns: `nil` when there is no connection left or, with a timeout of zero, nothing more; it may
  ///   be asked again after that.
  ///
  /// - Throws: ``PGError`` if the system cannot wait, or an operation under way on a connection cannot be
  ///   brought to its end.
  public func next() throws(PGError) -> Event? {
    while true {
      if position < events.count { return takeNext() }
      guard !connections.isEmpty else { return nil }
      let end = self.end
      if let timeout, timeout > .zero, end.hasPassed, hasLooked {
        (idleTime, hasLooked) = (.after(timeout), false)
        return .idle
      }
      hasLooked = end.hasPassed
      (events, position) = (try wait(until: end), 0)
      if events.isEmpty, timeout.map({ $0 <= .zero }) == true { return nil }
    }
  }

  /// Hands every event to `body`, until there are no more or it throws.
  public func forEach(_ body: (Event) throws -> Void) throws {
    while let event = try next() { try body(event) }
  }

  private func takeNext() -> Event {
    defer { position += 1 }
    return events[position]
  }

  /// How long to wait for something.
  private var end: Deadline {
    guard let timeout else { return .never }
    if timeout <= .zero { return .after(.zero) }
    if let idleTime { return idleTime }
    let first = Deadline.after(timeout)
    idleTime = first
    return first
  }

  /// What all connections have received, waiting for the first of it; never ``Event/idle``.
  ///
  /// This is one step, for programs that wait for other things, too.
  ///
  /// - Parameters:
  ///   - deadline: How long to wait; once it has passed, only what is there already is taken.
  ///   - watches: Descriptors that end the waiting when they are ready.
  /// - Returns: The news of each connection, what was dropped of it first; none when something else
  ///   ended the waiting.
  /// - Throws: ``PGError`` as ``next()``.
  public func wait(
    until deadline: Deadline, orFor watches: [DescriptorWatch] = []
  ) throws(PGError) -> [Event] {
    var events = Array(self.events.dropFirst(position))
    (self.events, position) = ([], 0)
    if !events.isEmpty { return events }
    events = try take(from: connections.filter(\.mayHoldNotifications))
    if !events.isEmpty { return events }
    repeat {
      let listened = connections
      let sockets = listened.map { DescriptorWatch($0.fileDescriptor, .readable) }
      let ready = try Syscalls.wait(forAny: sockets + watches, until: deadline)
      events = try take(from: zip(listened, ready).filter(\.1).map(\.0))
      if ready.dropFirst(listened.count).contains(true) { break }
    } while events.isEmpty && !deadline.hasPassed
    return events
  }

  private func take(from ready: [Connection]) throws(PGError) -> [Event] {
    var events: [Event] = []
    var fault: PGError?
    for connection in ready {
      do throws(PGError) {
        let batch = try connection.notificationBatch(until: .after(.zero))
        if batch.dropped > 0 { events.append(.dropped(connection, batch.dropped)) }
        if !batch.isEmpty { events.append(.notifications(connection, Array(batch))) }
      } catch {
        guard connection.isClosed else {
          fault = error
          continue
        }
        remove(connection)
        let lost = Lost(connection: connection, error: error)
        garbage.append(lost)
        events.append(.lost(lost))
      }
    }
    if let fault {
      // What others have received is not lost by one's fault.
      (self.events, position) = (events, 0)
      throw fault
    }
    return events
  }
}

extension Connection {
  /// Whether there may be notifications, or the news of its end, that waiting for the socket would not
  /// show: received already, or read ahead by TLS.
  fileprivate var mayHoldNotifications: Bool {
    isClosed || isEncrypted || running != nil || link.session.unsolicited.hasNotifications
      || link.session.inbox.buffer.count > 0
  }
}
