import Foundation
import PGKit
import PGTestCluster
import Synchronization
import Testing

/// "postgresql.alock", with the scenarios of its tests.
@Suite(
  "Advisory locks", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct AdvisoryLockTests {
  private let server: TestServer
  private let db: Connection
  private let other: Connection
  /// Numbers that no other test has.
  private let first = AdvisoryLock.Identifier.number(.random(in: .min...(.max)))
  private let second = AdvisoryLock.Identifier.pair(
    .random(in: .min...(.max)), .random(in: .min...(.max)))

  init() throws {
    server = try TestServer.shared.get()
    db = try server.connect()
    other = try server.connect()
  }

  /// How many advisory locks a session holds or waits for.
  private func count(_ connection: Connection) throws -> Int {
    try server.connect().query(
      "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = $1",
      connection.backendID)[0][0, as: Int.self]
  }

  @Test("two sessions, two locks: what one has the other cannot have, and no more are there")
  func exclusion() throws {
    let mine = AdvisoryLock(db, first, second)
    let theirs = AdvisoryLock(other, first, second)
    try mine.acquire()
    #expect(mine.isLocked)
    #expect(try count(db) == 2)
    #expect(try !theirs.acquire(blocking: false))
    #expect(!theirs.isLocked)
    #expect(try count(other) == 0)
    try mine.release()
    #expect(!mine.isLocked)
    #expect(try count(db) == 0)
    #expect(try theirs.acquire(blocking: false))
    #expect(try count(other) == 2)
    try theirs.release()
  }

  @Test("a release that the server breaks off leaves nothing locked behind")
  func brokenRelease() throws {
    let cluster = try TemporaryCluster(installation: nil, TemporaryCluster.Options())
    let iri = try cluster.iri(scheme: "postgres")
    let (owner, db) = (try PGKit.open(iri), try PGKit.open(iri))
    try owner.execute("CREATE ROLE holder")
    try db.execute("SET ROLE holder")
    let lock = AdvisoryLock(db, .number(1), .pair(2, 3), .number(4))
    try lock.acquire()
    let unlocking = "EXECUTE ON FUNCTION pg_advisory_unlock(int, int)"
    try owner.execute("REVOKE \(unlocking) FROM public")
    let error = #expect(throws: PGError.self) { try lock.release() }
    #expect(error?.code == .insufficientPrivilege)
    #expect(!lock.isLocked)
    try owner.execute("GRANT \(unlocking) TO public")
    try db.execute("SELECT 1")
    let held = try owner.query.first(
      "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", as: Int.self)
    #expect(held == 0)
    for session in [owner, db] { session.close() }
    try cluster.close()
  }

  @Test("waits for what another session has")
  func blocking() throws {
    let mine = AdvisoryLock(db, first)
    try mine.acquire()
    let (iri, wanted) = (server.iri(), first)
    let answer = Answer()
    // A thread of its own: it waits, and tasks must not.
    let isDone = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      let lock = (try? PGKit.open(iri)).map { AdvisoryLock($0, wanted) }
      let isHeld = (try? lock?.acquire()) == true && lock?.isLocked == true
      answer.value.withLock { $0 = isHeld }
      isDone.signal()
    }
    try server.waitUntilRuns(matching: "%pg_advisory_lock('\(number(first))'%")
    #expect(answer.value.withLock { $0 } == nil)
    try mine.release()
    isDone.wait()
    #expect(answer.value.withLock { $0 } == true)
  }

  private final class Answer: Sendable {
    let value = Mutex<Bool?>(nil)
  }

  private func number(_ identifier: AdvisoryLock.Identifier) -> Int64 {
    if case .number(let number) = identifier { number } else { 0 }
  }

  @Test("shares go with shares, and not with exclusive locks")
  func shares() throws {
    let mine = AdvisoryLock(db, mode: .share, first, second)
    let theirs = AdvisoryLock(other, mode: .share, second, first)
    try mine.acquire()
    try theirs.acquire()
    #expect(try !AdvisoryLock(other, first).acquire(blocking: false))
    #expect(theirs.isLocked)
    try mine.release()
    #expect(try AdvisoryLock(other, first).acquire(blocking: false))
    try theirs.release()
  }

  @Test("many identifiers of both kinds, some of them twice, free up one by one")
  func many() throws {
    let base = Int64.random(in: 1...1 << 60)
    let list: [AdvisoryLock.Identifier] =
      (0..<4).map { .number(base + $0) } + (0..<4).map { .pair(Int32($0), 7_001) }
      + [.number(base), .pair(0, 7_001), .number(.min)]
    let share = AdvisoryLock(db, mode: .share, list)
    let exclusive = [AdvisoryLock(db, list), AdvisoryLock(db, Array(list.prefix(4)))]
    try share.acquire()
    for lock in exclusive { try lock.acquire() }
    #expect(try !AdvisoryLock(other, list).acquire(blocking: false))
    #expect(try !AdvisoryLock(other, mode: .share, list).acquire(blocking: false))
    try exclusive[0].release()
    // The second one holds the first four still.
    #expect(try !AdvisoryLock(other, mode: .share, list[3]).acquire(blocking: false))
    let free = AdvisoryLock(other, mode: .share, list[4])
    #expect(try free.acquire(blocking: false))
    try exclusive[1].release()
    for identifier in list {
      let one = AdvisoryLock(other, mode: .share, identifier)
      #expect(try one.acquire(blocking: false))
      try one.release()
      #expect(try !AdvisoryLock(other, identifier).acquire(blocking: false))
    }
    try share.release()
    try free.release()
    #expect(try count(db) == 0)
    #expect(try AdvisoryLock(other, list).acquire(blocking: false))
  }

  @Test("where the last of them cannot be had, the ones before it are given back")
  func partial() throws {
    let blocker = AdvisoryLock(other, second)
    try blocker.acquire()
    let lock = AdvisoryLock(db, first, first, second)
    #expect(try !lock.acquire(blocking: false))
    #expect(try count(db) == 0)
    try db.execute("SET lock_timeout = '50ms'")
    let error = #expect(throws: PGError.self) { try lock.acquire() }
    #expect(error?.code == .lockNotAvailable)
    #expect(!lock.isLocked)
    #expect(try count(db) == 0)
    try blocker.release()
    #expect(try lock.acquire())
  }

  @Test("what fails inside a transaction block is given back when that ends")
  func failedBlock() throws {
    try AdvisoryLock(other, second).withLock {
      try db.execute("SET lock_timeout = '50ms'")
      #expect(throws: PGError.self) {
        try db.withTransaction { _ in try AdvisoryLock(db, first, second).acquire() }
      }
      try db.execute("SELECT 1")
      #expect(try count(db) == 0)
    }
    let lock = AdvisoryLock(db, first)
    #expect(throws: PGError.self) {
      try db.withTransaction { _ in try lock.withLock { try db.execute("SELECT 1/0") } }
    }
    #expect(!lock.isLocked)
    try db.execute("SELECT 1")
    #expect(try count(db) == 0)
  }

  @Test("acquired twice and released once it is still held, by the server too")
  func reentrant() throws {
    let lock = AdvisoryLock(db, first)
    try lock.acquire()
    #expect(try lock.acquire(blocking: false))
    try lock.release()
    #expect(lock.isLocked)
    #expect(try !AdvisoryLock(other, first).acquire(blocking: false))
    try lock.release()
    #expect(!lock.isLocked)
    #expect(try AdvisoryLock(other, first).acquire(blocking: false))
  }

  @Test("a lock that is not held cannot be released")
  func notHeld() throws {
    let lock = AdvisoryLock(db, first)
    let error = #expect(throws: PGError.self) { try lock.release() }
    #expect(error?.code == .operationError)
    try lock.withLock { #expect(lock.isLocked) }
    #expect(throws: PGError.self) { try lock.release() }
  }

  @Test("no identifiers at all are a lock that is always had")
  func none() throws {
    let lock = AdvisoryLock(db, [])
    try lock.withLock { () throws in
      #expect(lock.isLocked)
      #expect(try count(db) == 0)
    }
    #expect(!lock.isLocked)
  }

  @Test("survives a rollback, and is released on every way out of its scope")
  func scope() throws {
    let lock = AdvisoryLock(db, first)
    try db.execute("BEGIN")
    try lock.acquire()
    try db.execute("ROLLBACK")
    #expect(lock.isLocked)
    #expect(try count(db) == 1)
    try lock.release()
    struct Wrong: Error {}
    #expect(throws: Wrong.self) { try lock.withLock { throw Wrong() } }
    #expect(try count(db) == 0)
  }

  @Test("one that was let go of is unlocked before the next operation")
  func abandoned() throws {
    do {
      let lock = AdvisoryLock(db, first, second)
      try lock.acquire()
    }
    try db.execute("SELECT 1")
    #expect(try count(db) == 0)
  }

  @Test("is not held any more when its connection was closed, and releasing only counts")
  func closed() throws {
    let lock = AdvisoryLock(db, first)
    try lock.withLock {
      db.close()
      #expect(!lock.isLocked)
    }
    #expect(throws: PGError.self) { try lock.release() }
    let error = #expect(throws: PGError.self) { try lock.acquire() }
    #expect(error?.code == .connectionDoesNotExist)
    #expect(throws: PGError.self) { try AdvisoryLock(Connector(.init()).connection(), 1).acquire() }
  }

  @Test("is not held any more when the server has ended the session")
  func terminated() throws {
    let lock = AdvisoryLock(db, first)
    try lock.acquire()
    try other.query("SELECT pg_terminate_backend($1, 5000)", db.backendID)
    let error = #expect(throws: PGError.self) { try db.execute("SELECT 1") }
    #expect(error?.code == .adminShutdown)
    #expect(!lock.isLocked)
    #expect(throws: PGError.self) { try lock.acquire() }
    try lock.release()
    #expect(try AdvisoryLock(other, first).acquire(blocking: false))
  }

  @Test("a reset takes it, which is not taken for holding it")
  func reset() throws {
    let lock = AdvisoryLock(db, first)
    try lock.acquire()
    try db.reset()
    #expect(!lock.isLocked)
    #expect(throws: PGError.self) { try lock.acquire() }
    try lock.release()
    try lock.acquire()
    #expect(try count(db) == 1)
  }

  @Test("says so when something else has unlocked it")
  func unlockedBehind() throws {
    let lock = AdvisoryLock(db, first, second)
    try lock.acquire()
    try db.execute("SELECT pg_advisory_unlock_all()")
    let error = #expect(throws: PGError.self) { try lock.release() }
    #expect(error?.message.contains("was lost while it was held") == true)
  }

  // MARK: Of a transaction

  @Test("a transaction's locks last until it ends")
  func transaction() throws {
    for ending in ["COMMIT", "ROLLBACK"] {
      let transaction = db.transaction()
      try transaction.start()
      try transaction.lock(first, second)
      #expect(try count(db) == 2)
      #expect(try !AdvisoryLock(other, mode: .share, second).acquire(blocking: false))
      if ending == "COMMIT" { try transaction.commit() } else { try transaction.rollback() }
      #expect(try count(db) == 0)
    }
    #expect(throws: PGError.self) { try db.transaction().lock(first) }
  }

  @Test("a transaction's locks are tried for all together")
  func transactionTry() throws {
    let blocker = AdvisoryLock(other, mode: .share, second)
    try blocker.acquire()
    try db.withTransaction { transaction in
      #expect(try !transaction.tryLock(first, second))
      #expect(try count(db) == 0)
      #expect(try !transaction.tryLock(second))
      #expect(try transaction.tryLock(first, second, mode: .share))
      #expect(try count(db) == 2)
      try db.execute("SELECT 1")
    }
    #expect(try count(db) == 0)
  }
}
