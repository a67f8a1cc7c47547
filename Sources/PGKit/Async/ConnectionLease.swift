import PGErrorCodes
import Synchronization

/// A connection that was taken from a ``ConnectionPool``.
///
/// One that nobody has given back goes back when the last reference to it goes away. Where it was taken
/// is told to the connector's message hook, and otherwise to ``Messages/hook``.
public final class ConnectionLease: Sendable {
  /// The connection.
  public var connection: AsyncConnection { entry.connection }
  private let entry: ConnectionPool.Entry
  private let pool: ConnectionPool
  private let begin = ContinuousClock.now
  private let file: StaticString
  private let line: UInt
  private let isOut = Mutex(true)

  init(_ pool: ConnectionPool, _ entry: ConnectionPool.Entry, _ file: StaticString, _ line: UInt) {
    self.pool = pool
    self.entry = entry
    self.file = file
    self.line = line
  }

  /// Gives the connection back, also in a task that was cancelled.
  ///
  /// Giving it back twice does nothing.
  public func giveBack() async {
    guard takeBack() else { return }
    let (pool, entry, begin) = (pool, entry, begin)
    // A task of its own, which is not cancelled.
    await Task { await pool.giveBack(entry, since: begin) }.value
  }

  private func takeBack() -> Bool {
    isOut.withLock { isOut in
      defer { isOut = false }
      return isOut
    }
  }

  deinit {
    guard takeBack() else { return }
    let (pool, entry, begin, place) = (pool, entry, begin, "\(file):\(line)")
    Task {
      await pool.hearLeak(of: entry, at: place)
      await pool.giveBack(entry, since: begin)
    }
  }
}
