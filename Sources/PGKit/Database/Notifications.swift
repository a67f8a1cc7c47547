/// The notifications of a connection, one after the other, with idle events between them if wanted.
///
/// In py-postgresql: the iterator that `db.iternotifies(timeout)` gives.
public final class Notifications {
  /// What it gives.
  public enum Event: Sendable, Hashable {
    /// A channel was notified.
    case notification(PGNotification)
    /// Nothing has come for as long as the timeout says.
    case idle
  }

  private let connection: Connection
  private let timeout: Duration?
  private var taken: [PGNotification] = []
  private var position = 0
  private var isOver = false

  init(_ connection: Connection, timeout: Duration?) {
    self.connection = connection
    self.timeout = timeout
  }

  /// The next event, waiting for it; `nil` when the connection was closed or lost or, with a timeout of
  /// zero, when there is nothing more.
  ///
  /// After `nil` the next operation on the connection says why it was lost.
  ///
  /// - Throws: ``PGError`` 53000, once, when more than 64 MiB waited to be taken and the oldest were
  ///   dropped.
  public func next() throws(PGError) -> Event? {
    if position == taken.count {
      guard try take() else { return isOver ? nil : .idle }
    }
    defer { position += 1 }
    return .notification(taken[position])
  }

  /// Hands every event to `body`, until there are no more or it throws.
  public func forEach(_ body: (Event) throws -> Void) throws {
    while let event = try next() { try body(event) }
  }

  /// Takes what has come, or comes in time; whether that was anything.
  private func take() throws(PGError) -> Bool {
    if isOver { return false }
    (taken, position) = ([], 0)
    var dropped = 0
    do throws(PGError) {
      let deadline = timeout.map { Deadline.after($0) } ?? .never
      let batch = try connection.notificationBatch(until: deadline)
      taken = Array(batch)
      dropped = batch.dropped
    } catch {
      guard connection.isClosed else { throw error }
      isOver = true
      return false
    }
    // What was kept comes next.
    if dropped > 0 { throw .droppedNotifications(dropped) }
    if taken.isEmpty, let timeout, timeout <= .zero { isOver = true }
    return !taken.isEmpty
  }
}

extension Connection {
  /// The notifications that arrive.
  ///
  /// - Parameter timeout: After how long without any there is an ``Notifications/Event/idle``; zero takes
  ///   what has come already and ends, `nil` waits for ever.
  ///
  /// In py-postgresql: `db.iternotifies(timeout)`.
  public func notifications(timeout: Duration? = nil) -> Notifications {
    Notifications(self, timeout: timeout)
  }
}
