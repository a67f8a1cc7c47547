/// Hears what a ``ConnectionPool`` does: for logs and gauges.
///
/// It is called in the middle of the pool's work, so it should be quick. What the connections do is heard
/// by their connector's ``ConnectionObserver``.
public protocol PoolObserver: Sendable {
  /// Hears of an event.
  ///
  /// - Parameters:
  ///   - event: What has happened.
  ///   - statistics: What the pool has, after it.
  func heard(_ event: PoolEvent, _ statistics: ConnectionPool.Statistics)
}

/// Something that happens in a ``ConnectionPool``.
///
/// Connections are named by their server process (``AsyncConnection/backendID``).
public enum PoolEvent: Sendable {
  /// Why a connection was given up.
  public enum Reason: Sendable {
    /// It has had its time (``ConnectionPool/Options/lifetime``).
    case age
    /// It is lost, or would not be brought back to its beginning.
    case failure(PGError)
    /// The pool is closed.
    case close
  }

  /// A connection was made, which took so long.
  case made(process: Int32, after: Duration)
  /// None could be made.
  case refused(PGError, after: Duration)
  /// A task waits, because all are in use.
  case waits
  /// A task has got a connection, so long after it asked.
  case lent(process: Int32, after: Duration)
  /// A task has got none: it waited too long, was cancelled, or none could be made.
  case denied(PGError, after: Duration)
  /// A connection came back after so much time in use, and is ready for the next task.
  case returned(process: Int32, after: Duration)
  /// A connection was given up.
  case discarded(process: Int32, Reason)
  /// Nobody gave a connection back that was taken at a place in a source file.
  case leaked(process: Int32, place: String)
}

/// Several observers, each of which hears everything.
struct PoolObservers: PoolObserver {
  let all: [any PoolObserver]

  func heard(_ event: PoolEvent, _ statistics: ConnectionPool.Statistics) {
    for observer in all { observer.heard(event, statistics) }
  }
}

extension ConnectionPool.Options {
  /// Has another observer hear what the pool does, besides those that do already.
  public mutating func addObserver(_ observer: any PoolObserver) {
    switch self.observer {
    case nil: self.observer = observer
    case let several as PoolObservers:
      self.observer = PoolObservers(all: several.all + [observer])
    case let one?: self.observer = PoolObservers(all: [one, observer])
    }
  }
}
