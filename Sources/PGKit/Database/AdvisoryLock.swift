import PGErrorCodes

/// Advisory locks of a session: one or many, taken and given back as one.
///
/// ```swift
/// let lock = AdvisoryLock(db, 42, .pair(1, 2))
/// try lock.withLock { … }
/// ```
///
/// It is re-entrant: what was acquired several times must be released as often, and only the first and
/// the last of these talk to the server. (py-postgresql's unlocks at every release.) The locks belong
/// to the session: a rollback leaves them, and they go with the connection. Those of a transaction are
/// taken by ``Transaction/lock(_:mode:)``.
///
/// Where a network loses everything, either side knows of it when it has tried something: until then
/// ``isLocked`` stays true here, and there nobody else gets the lock. How long that is at most, is said by
/// `tcp_user_timeout` and `keepalives_idle`, `keepalives_interval` and `keepalives_count` of the connection,
/// and by the server's settings `tcp_keepalives_idle`, `tcp_keepalives_interval`, `tcp_keepalives_count`
/// and `tcp_user_timeout`, which a session may set: left alone they mean two hours. One that waits for a
/// lock there ends only when it has it, or by `client_connection_check_interval`.
///
/// A lock that is let go of without being released is unlocked before the connection's next operation.
///
/// In py-postgresql: `postgresql.alock.ALock`, `ExclusiveLock` and `ShareLock`. Source: PostgreSQL
/// manual, "Advisory Lock Functions".
public final class AdvisoryLock {
  /// What others may hold at the same time.
  public enum Mode: String, Sendable, CaseIterable {
    /// Nothing.
    case exclusive
    /// Shares.
    case share
  }

  /// A lock's name; one number and two numbers never name the same lock.
  public enum Identifier: Sendable, Hashable, ExpressibleByIntegerLiteral {
    /// One 64-bit number.
    case number(Int64)
    /// Two 32-bit numbers.
    case pair(Int32, Int32)

    /// One 64-bit number.
    public init(integerLiteral value: Int64) { self = .number(value) }
  }

  /// Whose locks they are.
  public let connection: Connection
  /// What others may hold at the same time.
  public let mode: Mode
  /// The locks in the order in which they are acquired; they are released the other way round.
  public let identifiers: [Identifier]
  private var count = 0
  /// The session's generation in which they were acquired: a reset takes them away.
  private var generation = 0

  /// Makes a lock that is not held yet.
  ///
  /// - Parameters:
  ///   - connection: The session that is to hold it.
  ///   - mode: Whether others may share it.
  ///   - identifiers: Any number, also with repetitions.
  public convenience init(
    _ connection: Connection, mode: Mode = .exclusive, _ identifiers: Identifier...
  ) {
    self.init(connection, mode: mode, identifiers)
  }

  /// Makes a lock that is not held yet.
  public init(_ connection: Connection, mode: Mode = .exclusive, _ identifiers: [Identifier]) {
    self.connection = connection
    self.mode = mode
    self.identifiers = identifiers
  }

  deinit {
    if isLocked { Self.unlockLater(calls("unlock"), on: connection) }
  }

  /// Whether it is held; `false` once the connection was closed, lost or reset.
  ///
  /// A connection that the server has ended is known to be lost when something was tried on it.
  ///
  /// In py-postgresql: `locked()`.
  public var isLocked: Bool {
    count > 0 && !connection.isClosed && generation == connection.generation
  }

  /// Acquires all of the locks, or none.
  ///
  /// Where it fails in the middle, what had been acquired is given back.
  ///
  /// - Parameter blocking: Whether to wait for locks that others hold.
  /// - Returns: Whether it is held now: always, if it may wait.
  /// - Throws: ``PGError``: the server's, as 40P01 for a deadlock and 57014 if the waiting was
  ///   cancelled; `--OPE` if the lock was lost when the session was reset.
  @discardableResult
  public func acquire(blocking: Bool = true) throws(PGError) -> Bool {
    if count > 0 {
      try requireHeld()
    } else {
      try connection.becomeIdle()
      generation = connection.generation
      guard try acquireAll(blocking: blocking) else { return false }
    }
    count += 1
    return true
  }

  /// Releases it; at the last release the locks are unlocked.
  ///
  /// Where the connection is lost there is nothing to unlock, and inside a failed transaction block the
  /// locks are unlocked when that ends.
  ///
  /// - Throws: ``PGError``: `--OPE` if it is not held, or if somebody has unlocked it behind its back; the
  ///   server's, as 57014 where it was cancelled: the rest is then unlocked before the next statement.
  public func release() throws(PGError) {
    guard count > 0 else { throw .operation("the advisory lock is not held") }
    let wasLocked = isLocked
    count -= 1
    guard count == 0, wasLocked else { return }
    try connection.becomeIdle()
    if connection.transactionStatus == .failed {
      return Self.unlockLater(calls("unlock"), on: connection)
    }
    var rest = calls("unlock")
    var missing: [String] = []
    do throws(PGError) {
      while let call = rest.last {
        if try !connection.isTrue(call) { missing.append(call) }
        rest.removeLast()
      }
    } catch {
      // Nobody may release it once more: what is still locked is unlocked when the session is used next.
      if !connection.isClosed { Self.unlockLater(rest, on: connection) }
      throw error
    }
    if !missing.isEmpty {
      throw .operation(
        "the advisory lock was lost while it was held: \(missing.joined(separator: ", ")) found none",
        hint: "something else on this connection has unlocked it")
    }
  }

  /// Runs `body` with the locks held, and releases them on every way out.
  ///
  /// - Throws: What `body` throws; ``PGError`` as ``acquire(blocking:)`` and ``release()``.
  ///
  /// In py-postgresql: `with lock:`.
  public func withLock<Result>(_ body: () throws -> Result) throws -> Result {
    try acquire()
    let result: Result
    do { result = try body() } catch {
      // What went wrong first is what is told.
      try? release()
      throw error
    }
    try release()
    return result
  }

  private func requireHeld() throws(PGError) {
    try connection.requireOpen()
    if generation != connection.generation {
      throw .operation(
        "the advisory lock was lost when the session was reset",
        hint: "release it as often as it was acquired, and acquire it again")
    }
  }

  /// One statement for each, so that whatever fails it is known what is held.
  private func acquireAll(blocking: Bool) throws(PGError) -> Bool {
    var held = 0
    do throws(PGError) {
      for call in calls(blocking ? "lock" : "try_lock") {
        if blocking {
          try connection.execute("SELECT \(call)")
        } else if try !connection.isTrue(call) {
          try giveBack(held)
          return false
        }
        held += 1
      }
    } catch {
      try? giveBack(held)
      throw error
    }
    return true
  }

  private func giveBack(_ held: Int) throws(PGError) {
    guard held > 0, !connection.isClosed else { return }
    let calls = Array(calls("unlock").prefix(held))
    if connection.transactionStatus == .failed {
      return Self.unlockLater(calls, on: connection)
    }
    try Self.unlock(calls, on: connection)
  }

  private func calls(_ verb: String) -> [String] {
    identifiers.map { $0.call(verb, mode, inTransaction: false) }
  }

  private static func unlock(_ calls: [String], on connection: Connection) throws(PGError) {
    guard !calls.isEmpty else { return }
    try connection.execute("SELECT " + calls.reversed().joined(separator: ", "))
  }

  private static func unlockLater(_ calls: [String], on connection: Connection) {
    connection.postpone(complaint: "an advisory lock could not be unlocked") {
      (connection) throws(PGError) in try unlock(calls, on: connection)
    }
  }
}

extension AdvisoryLock.Identifier {
  /// A call of one of the server's functions with this identifier.
  ///
  /// In quotes, because a minus sign before the smallest number would stand before one too large.
  func call(_ verb: String, _ mode: AdvisoryLock.Mode, inTransaction: Bool) -> String {
    let isTry = verb.hasPrefix("try_")
    let name = [
      "pg_catalog.pg", isTry ? "_try" : "", "_advisory", inTransaction ? "_xact" : "",
      "_\(isTry ? String(verb.dropFirst(4)) : verb)", mode == .share ? "_shared" : "",
    ].joined()
    return switch self {
    case .number(let number): "\(name)('\(number)'::pg_catalog.int8)"
    case .pair(let first, let second):
      "\(name)('\(first)'::pg_catalog.int4, '\(second)'::pg_catalog.int4)"
    }
  }
}

extension Transaction {
  /// Takes advisory locks until the transaction ends, waiting for those that others hold.
  ///
  /// The server releases them by itself, and no earlier: when the block ends, or is rolled back to a
  /// savepoint from before.
  ///
  /// - Throws: ``PGError``: `--OPE` if the transaction is not open; the server's.
  ///
  /// Source: PostgreSQL manual, `pg_advisory_xact_lock`.
  public func lock(
    _ identifiers: AdvisoryLock.Identifier..., mode: AdvisoryLock.Mode = .exclusive
  ) throws(PGError) {
    try requireOpen()
    for identifier in identifiers {
      try connection.execute("SELECT \(identifier.call("lock", mode, inTransaction: true))")
    }
  }

  /// Takes advisory locks until the transaction ends, all of them or none, without waiting.
  ///
  /// - Returns: Whether they are held now.
  /// - Throws: ``PGError`` as ``lock(_:mode:)``.
  ///
  /// Source: PostgreSQL manual, `pg_try_advisory_xact_lock`.
  public func tryLock(
    _ identifiers: AdvisoryLock.Identifier..., mode: AdvisoryLock.Mode = .exclusive
  ) throws(PGError) -> Bool {
    try requireOpen()
    let calls = identifiers.map { $0.call("try_lock", mode, inTransaction: true) }
    if calls.count == 1 { return try connection.isTrue(calls[0]) }
    // Nothing else gives back a transaction's locks.
    let part = connection.transaction()
    try part.start()
    do throws(PGError) {
      for call in calls where try !connection.isTrue(call) {
        try part.rollback()
        return false
      }
    } catch {
      if part.state == .open { try? part.rollback() }
      throw error
    }
    try part.commit()
    return true
  }

  private func requireOpen() throws(PGError) {
    guard state == .open else {
      throw .operation("a transaction's advisory locks can be taken only while it is open")
    }
  }
}

extension Connection {
  /// The answer of a function of the server that says yes or no.
  fileprivate func isTrue(_ call: String) throws(PGError) -> Bool {
    try query.text("SELECT \(call)").first()?[0, as: Bool.self] ?? false
  }
}
