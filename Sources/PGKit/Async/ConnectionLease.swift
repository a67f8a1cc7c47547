import PGErrorCodes
import Synchronization

/// A connection that was taken from a ``ConnectionPool``.
///
/// One that nobody has given back goes back when the last reference to it goes away. Where it was taken
/// is told to the connector's message hook, and otherwise to ``Messages/hook``.
public final class ConnectionLease: Sendable {
  /// The connection: until it is given back, and for whoever has the lease.
  public let connection: AsyncConnection
  private let entry: ConnectionPool.Entry
  private let pool: ConnectionPool
  private let begin = ContinuousClock.now
  private let file: StaticString
  private let line: UInt
  private let isOut = Mutex(true)

  init(_ pool: ConnectionPool, _ entry: ConnectionPool.Entry, _ file: StaticString, _ line: UInt) {
    self.pool = pool
    self.entry = entry
    connection = entry.connection.lend()
    self.file = file
    self.line = line
  }

  /// Gives the connection back, also in a task that was cancelled.
  ///
  /// What still runs on it for who had it is cancelled, and whatever they try with it is refused (`--OPE`).
  /// Giving it back twice does nothing.
  public func giveBack() async {
    guard takeBack() else { return }
    connection.revoke()
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
    connection.revoke()
    let (pool, entry, begin, place) = (pool, entry, begin, "\(file):\(line)")
    Task {
      await pool.hearLeak(of: entry, at: place)
      await pool.giveBack(entry, since: begin)
    }
  }
}
