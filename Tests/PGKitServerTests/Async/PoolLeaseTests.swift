import Dispatch
import Foundation
import PGKit
import PGTestCluster
import Synchronization
import Testing

/// What becomes of a connection when its holder has given it back, and has not.
@Suite("Pool leases", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PoolLeaseTests {
  private let server: TestServer

  init() throws { server = try TestServer.shared.get() }

  private func pool(
    _ change: (inout ConnectionPool.Options) -> Void = { _ in }
  ) throws -> ConnectionPool {
    var options = ConnectionPool.Options()
    options.maximum = 1
    options.patience = .seconds(120)
    change(&options)
    return ConnectionPool(Connector(try ConnectionIRI.parse(server.iri())), options)
  }

  private func expectRefusal(
    _ body: @Sendable () async throws -> Void, location: SourceLocation = #_sourceLocation
  ) async {
    let error = await #expect(throws: PGError.self, sourceLocation: location) { try await body() }
    #expect(error?.code == .operationError, sourceLocation: location)
  }

  @Test("a connection that was given back does nothing any more for who had it")
  func givenBack() async throws {
    let pool = try pool()
    let (old, rows, statement) = try await pool.withConnection { db in
      let statement = try await db.prepare("SELECT 1")
      let rows = try await db.rows("SELECT i, repeat('x', 1000) FROM generate_series(1, 100000) i")
      _ = try await rows.chunks.next()
      return (db, rows, statement)
    }
    let sum = try await pool.withConnection { db in
      try await db.execute("BEGIN; CREATE TEMP TABLE escape (n int); INSERT INTO escape VALUES (1)")
      await expectRefusal { try await old.execute("ROLLBACK") }
      await expectRefusal { for try await _ in rows {} }
      await expectRefusal { try await statement() }
      await expectRefusal { try await old.withTransaction { _ in } }
      await expectRefusal { _ = try await old.listen("escape") }
      await old.close()
      #expect(await old.isClosed)
      try await db.execute("INSERT INTO escape VALUES (2); COMMIT")
      return try await db.first("SELECT sum(n) FROM escape", as: Int.self)
    }
    #expect(sum == 3)
    #expect(await pool.statistics.made == 1)
    await pool.close()
  }

  @Test("a transaction that outlives its lease is rolled back, and nobody waits for it")
  func transaction() async throws {
    let pool = try pool()
    let (begun, over) = (Signal(), Signal())
    let begin = ContinuousClock.now
    let (process, left) = try await pool.withConnection { db in
      try await db.execute("CREATE TEMP TABLE mark (n int)")
      let left = Task {
        try await db.withTransaction { db in
          begun.give()
          await over.wait()
          try await db.execute("SELECT 1")
        }
      }
      await begun.wait()
      return (await db.backendID, left)
    }
    let next = try await pool.withConnection { db in
      #expect(await db.transactionStatus == .idle)
      return try await db.first("SELECT pg_backend_pid()", as: Int32.self)
    }
    #expect(next == process)
    #expect(ContinuousClock.now - begin < .seconds(60))
    over.give()
    await expectRefusal { try await left.value }
    await pool.close()
  }

  @Test("a statement that outlives its lease is cancelled")
  func statement() async throws {
    let pool = try pool()
    let begin = ContinuousClock.now
    // Not in withConnection: there this task, too, would need the thread that the statement keeps.
    let lease = try await pool.take()
    let (db, process) = (lease.connection, await lease.connection.backendID)
    let left = Task { try await db.execute("SELECT pg_sleep(60)") }
    try await server.waitUntilSleeps(process)
    await lease.giveBack()
    let next = try await pool.withConnection {
      try await $0.first("SELECT pg_backend_pid()", as: Int32.self)
    }
    #expect(next == process)
    #expect(ContinuousClock.now - begin < .seconds(50))
    let error = await #expect(throws: PGError.self) { try await left.value }
    #expect(error?.code == .queryCanceled)
    await pool.close()
  }

  @Test("a connection whose thread somebody keeps is given up when its time is over")
  func keptThread() async throws {
    let pool = try pool { $0.patience = .seconds(40) }
    let begun = Signal()
    // The thread is kept until the test has seen another connection: no clock need tell which came first.
    let seen = DispatchSemaphore(value: 0)
    let lease = try await pool.take()
    let db = lease.connection
    let left = Task {
      try await db.perform { _ in
        begun.give()
        seen.wait()
      }
    }
    defer { seen.signal() }
    await begun.wait()
    let returning = Task { await lease.giveBack() }
    #expect(try await pool.withConnection { try await $0.first("SELECT 1", as: Int.self) } == 1)
    await returning.value
    #expect(await pool.statistics.discarded == 1)
    seen.signal()
    try await left.value
    await pool.close()
  }

  /// Another reading of `int4`.
  private struct Odd: PGEncodable, PGDecodable, Hashable {
    let number: Int32
    func encodingFormat(for type: PGType) -> PGFormat? { number.encodingFormat(for: type) }

    func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
      try number.encodeBinary(as: type, into: &writer)
    }

    func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
      try number.encodeText(as: type, into: &writer)
    }

    static func accepts(_ type: PGType, _ format: PGFormat) -> Bool { Int32.accepts(type, format) }

    init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
      number = try Int32(binary: &reader, as: type)
    }

    init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
      number = try Int32(text: &reader, as: type)
    }
  }

  @Test("codecs and notifications of one borrower are none of the next one's")
  func leftovers() async throws {
    let pool = try pool()
    let other = try await AsyncConnection.open(server.iri())
    let channel = "pool_\(UInt32.random(in: 0...UInt32.max))"
    try await pool.withConnection { db in
      _ = try await db.listen(channel)
      try await other.execute("NOTIFY \(channel), 'secret'")
      _ = try await db.first("SELECT 1", as: Int.self)
      try await db.perform { $0.types.register(Odd.self, for: TypeOID(rawValue: 23)) }
    }
    try await pool.withConnection { db in
      let all = try await db.listen()
      let heard = Task {
        for try await notification in all { return notification.payload }
        return "the end"
      }
      let value = try await db.prepare("SELECT 5")().first?[0]
      if case .custom = value { Issue.record("it is another's type") }
      // Time for what should not be there.
      try await Task.sleep(for: .milliseconds(200))
      heard.cancel()
      let result = await heard.result
      #expect(throws: PGError.self) { try result.get() }
      let news = try await db.listen(channel)
      try await other.execute("NOTIFY \(channel), 'mine'")
      for try await notification in news {
        #expect(notification.payload == "mine")
        break
      }
    }
    await pool.close()
  }

  @Test("without resetting nobody's hooks, codecs and observers stay either")
  func hooks() async throws {
    let pool = try pool { $0.resets = false }
    try await pool.withConnection { db in
      try await db.perform { connection in
        connection.messageHook = { _ in true }
        connection.traceHandler = { _ in }
        connection.observer = Deaf()
        connection.types.register(Odd.self, for: TypeOID(rawValue: 23))
      }
    }
    try await pool.withConnection { db in
      let isClean = try await db.perform {
        $0.messageHook == nil && $0.traceHandler == nil && $0.observer == nil
      }
      #expect(isClean)
      let value = try await db.prepare("SELECT 5")().first?[0]
      if case .custom = value { Issue.record("it is another's type") }
    }
    await pool.close()
  }

  private struct Deaf: ConnectionObserver {
    let wantsParameters = false
    func began(_ operation: ObservedOperation) {}
    func ended(
      _ operation: ObservedOperation, after duration: Duration,
      _ outcome: ObservedOperation.Outcome
    ) {}
  }

  @Test("a pool that may have no connections says so at once")
  func noConnections() async throws {
    let pool = try pool {
      $0.maximum = 0
      $0.patience = .seconds(60)
    }
    let begin = ContinuousClock.now
    let error = await #expect(throws: PGError.self) { _ = try await pool.take() }
    #expect(error?.code == .clientParameterError)
    #expect(ContinuousClock.now - begin < .seconds(50))
  }

  private final class Supply: PoolObserver {
    let counts = Mutex<[Int]>([])

    func heard(_ event: PoolEvent, _ statistics: ConnectionPool.Statistics) {
      if case .discarded(_, .age) = event { counts.withLock { $0.append(statistics.idle) } }
    }
  }

  @Test("connections that are too old are replaced one by one, the new one first")
  func aging() async throws {
    let supply = Supply()
    let pool = try pool {
      $0.maximum = 4
      $0.minimum = 3
      $0.lifetime = .milliseconds(300)
      $0.addObserver(supply)
    }
    let service = Task { await pool.run() }
    for _ in 0..<3000 where supply.counts.withLock({ $0.count }) < 6 {
      try await Task.sleep(for: .milliseconds(20))
    }
    service.cancel()
    await service.value
    let counts = supply.counts.withLock { $0 }
    #expect(counts.count >= 6 && counts.allSatisfy { $0 >= 3 }, "\(counts)")
  }
}
