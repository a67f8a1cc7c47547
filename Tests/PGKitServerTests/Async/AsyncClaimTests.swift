import Foundation
import PGKit
import PGTestCluster
import Testing

/// Who may use a connection while one task has it for itself.
@Suite("Async claims", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct AsyncClaimTests {
  private let server: TestServer
  private let db: AsyncConnection
  /// Known before anything keeps the connection's thread.
  private let process: Int32
  private let table = "async_c_\(UInt32.random(in: 0...UInt32.max))"

  init() async throws {
    server = try TestServer.shared.get()
    db = try await AsyncConnection.open(server.iri())
    process = await db.backendID
    try await db.execute("CREATE TEMP TABLE \(table) (n int)")
  }

  private var rows: [Int] {
    get async throws {
      try await db.query("SELECT n FROM \(table) ORDER BY n").map { try $0[0, as: Int.self] }
    }
  }

  @Test("a child's transaction that fails takes nothing of its sibling's along")
  func failingChild() async throws {
    let (table, begun) = (table, Signal())
    try await db.withTransaction { db in
      async let first: Void = db.withTransaction { db in
        try await db.execute("INSERT INTO \(table) VALUES (1)")
        begun.give()
        // Time in which the other's must not begin.
        try await Task.sleep(for: .milliseconds(300))
        throw Boom()
      }
      await begun.wait()
      try await db.withTransaction { db in
        try await db.execute("INSERT INTO \(table) VALUES (2)")
      }
      do {
        try await first
        Issue.record("it has failed")
      } catch is Boom {}
    }
    #expect(try await rows == [2])
  }

  @Test("a child's transaction that ends leaves its sibling's as it is")
  func endingChild() async throws {
    let (table, begun) = (table, Signal())
    try await db.withTransaction { db in
      async let first: Void = db.withTransaction { db in
        try await db.execute("INSERT INTO \(table) VALUES (1)")
        begun.give()
        try await Task.sleep(for: .milliseconds(200))
      }
      await begun.wait()
      do {
        try await db.withTransaction { db in
          try await db.execute("INSERT INTO \(table) VALUES (2)")
          try await Task.sleep(for: .milliseconds(400))
          throw Boom()
        }
      } catch is Boom {}
      try await first
      try await db.execute("INSERT INTO \(table) VALUES (3)")
    }
    #expect(try await rows == [1, 3])
  }

  @Test("what a transaction has left running outside of it is refused when it is over")
  func outliving() async throws {
    let (table, begun, over) = (table, Signal(), Signal())
    let left = Shared<Task<Void, any Error>?>(nil)
    await #expect(throws: Boom.self) {
      try await db.withTransaction { db in
        let task = Task {
          try await db.withTransaction { db in
            begun.give()
            await over.wait()
            try await db.execute("INSERT INTO \(table) VALUES (1)")
          }
        }
        left.change { $0 = task }
        await begun.wait()
        throw Boom()
      }
    }
    over.give()
    let error = await #expect(throws: PGError.self) { try await left.value?.value }
    #expect(error?.code == .operationError)
    #expect(try await rows == [])
    #expect(await db.transactionStatus == .idle)
  }

  @Test("who waits comes before the one who asks again")
  func order() async throws {
    let (db, begun) = (db, Signal())
    let order = Shared<[String]>([])
    let first = Task {
      try await db.withConnection { db in
        try await db.withTransaction { _ in
          begun.give()
          try await Task.sleep(for: .milliseconds(500))
        }
        try await db.withTransaction { _ in order.change { $0.append("again") } }
      }
    }
    await begun.wait()
    let second = Task { try await db.withTransaction { _ in order.change { $0.append("waited") } } }
    try await first.value
    try await second.value
    #expect(order.value == ["waited", "again"])
  }

  @Test("another task's query waits until a copy's data is complete")
  func copying() async throws {
    let (db, table, begun) = (db, table, Signal())
    let copy = Task {
      try await db.copyIn("COPY \(table) FROM STDIN") { stream in
        try await stream.write(Array("1\n".utf8))
        begun.give()
        try await Task.sleep(for: .milliseconds(300))
        try await stream.write(Array("2\n".utf8))
      }
    }
    await begun.wait()
    let count = try await db.first("SELECT count(*) FROM \(table)", as: Int.self)
    #expect(try await copy.value == 2)
    #expect(count == 2)
  }

  @Test("a COMMIT that takes its time is cancelled with its task, and nothing is stored")
  func commit() async throws {
    let (db, table) = (db, table)
    try await db.execute(
      """
      CREATE FUNCTION pg_temp.slow() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN PERFORM pg_sleep(30); RETURN NULL; END';
      CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON \(table) DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION pg_temp.slow()
      """)
    let task = Task {
      try await db.withTransaction { db in
        try await db.execute("INSERT INTO \(table) VALUES (1)")
      }
    }
    try await server.waitUntilSleeps(process)
    let begin = ContinuousClock.now
    task.cancel()
    let error = await #expect(throws: PGError.self) { try await task.value }
    #expect(error?.code == .queryCanceled)
    #expect(ContinuousClock.now - begin < .seconds(20))
    #expect(try await rows == [])
    #expect(await db.transactionStatus == .idle)
  }

  @Test("a server that does not answer is not waited for when a cancelled task rolls back")
  func silentServer() async throws {
    let (db, begun) = (db, Signal())
    let task = Task {
      try await db.withTransaction { db in
        try await db.execute("SELECT 1")
        begun.give()
        try await Task.sleep(for: .seconds(600))
      }
    }
    await begun.wait()
    #expect(kill(process, SIGSTOP) == 0)
    defer {
      kill(process, SIGCONT)
      kill(process, SIGTERM)
    }
    let begin = ContinuousClock.now
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(ContinuousClock.now - begin < .seconds(40))
    #expect(await db.isClosed)
  }

  @Test("a body that throws does not wait for rows that it has not taken")
  func untakenRows() async throws {
    let begin = ContinuousClock.now
    await #expect(throws: Boom.self) {
      try await db.withTransaction { db in
        for try await _ in try await db.rows("SELECT generate_series(1, 100000000)") {
          throw Boom()
        }
      }
    }
    #expect(ContinuousClock.now - begin < .seconds(10))
    #expect(await db.transactionStatus == .idle)
  }

  @Test("a copy whose sender fails does not wait for what the server does with its data")
  func failingCopy() async throws {
    let (db, table) = (db, table)
    try await db.execute(
      """
      CREATE FUNCTION pg_temp.slow() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN PERFORM pg_sleep(30); RETURN NEW; END';
      CREATE TRIGGER slow BEFORE INSERT ON \(table) FOR EACH ROW EXECUTE FUNCTION pg_temp.slow()
      """)
    let begin = ContinuousClock.now
    let (server, process) = (server, process)
    await #expect(throws: Boom.self) {
      try await db.copyIn("COPY \(table) FROM STDIN") { stream in
        // More than is gathered before it is sent.
        try await stream.write(Array(repeating: Array("1\n".utf8), count: 300_000).flatMap(\.self))
        try await server.waitUntilSleeps(process)
        throw Boom()
      }
    }
    #expect(ContinuousClock.now - begin < .seconds(20))
    #expect(await db.transactionStatus == .idle)
  }

  @Test("a transaction that is to be repeated, cancelled between two attempts, throws 57014")
  func retrying() async throws {
    let (db, tried) = (db, Signal())
    let task = Task {
      try await db.withRetryingTransaction(attempts: 1_000_000) { db in
        tried.give()
        try await db.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
      }
    }
    for _ in 0..<10 { await tried.wait() }
    task.cancel()
    let error = await #expect(throws: PGError.self) { try await task.value }
    #expect(error?.code == .queryCanceled)
  }
}
