import PGKit
import PGTestCluster
import Synchronization
import Testing

/// Transactions of asynchronous connections.
@Suite(
  "Async transactions", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct AsyncTransactionTests {
  private let db: AsyncConnection
  private let table = "async_t_\(UInt32.random(in: 0...UInt32.max))"

  init() async throws {
    db = try await AsyncConnection.open(try TestServer.shared.get().iri())
    try await db.execute("CREATE TEMP TABLE \(table) (n int)")
  }

  private var count: Int {
    get async throws { try await db.first("SELECT count(*) FROM \(table)", as: Int.self) ?? -1 }
  }

  @Test("a transaction commits when its body returns and is rolled back when it throws")
  func ends() async throws {
    struct Boom: Error {}
    let table = table
    try await db.withTransaction { db in try await db.execute("INSERT INTO \(table) VALUES (1)") }
    await #expect(throws: Boom.self) {
      try await db.withTransaction { db in
        try await db.execute("INSERT INTO \(table) VALUES (2)")
        throw Boom()
      }
    }
    try await db.withTransaction { db in
      await #expect(throws: Boom.self) {
        try await db.withTransaction { db in
          try await db.execute("INSERT INTO \(table) VALUES (3)")
          throw Boom()
        }
      }
      try await db.execute("INSERT INTO \(table) VALUES (4)")
    }
    #expect(try await count == 2)
    let error = await #expect(throws: PGError.self) {
      try await db.withTransaction { db in
        _ = try? await db.execute("SELECT 1 / 0")
      }
    }
    #expect(error?.code == .inFailedSqlTransaction)
    #expect(try await count == 2)
  }

  @Test("other tasks wait until it ends; its own children are part of it")
  func turns() async throws {
    let (db, table) = (db, table)
    let (inside, outside) = (
      AsyncStream.makeStream(of: Void.self), AsyncStream.makeStream(of: Int.self)
    )
    let transaction = Task {
      try await db.withTransaction { db in
        try await db.execute("INSERT INTO \(table) VALUES (1)")
        inside.continuation.yield()
        async let child: Void = db.execute("INSERT INTO \(table) VALUES (2)")
        try await child
        try await Task.sleep(for: .milliseconds(100))
        try await db.execute("INSERT INTO \(table) VALUES (3)")
      }
    }
    for await _ in inside.stream { break }
    for _ in 0..<5 {
      Task {
        outside.continuation.yield(
          try await db.first("SELECT count(*) FROM \(table)", as: Int.self) ?? -1)
      }
    }
    var seen: [Int] = []
    for await count in outside.stream {
      seen.append(count)
      if seen.count == 5 { break }
    }
    #expect(seen == [3, 3, 3, 3, 3], "none of them saw the middle")
    try await transaction.value
  }

  @Test("one who waits for a transaction's end and is cancelled goes away")
  func cancelledWaiter() async throws {
    let (db, table) = (db, table)
    try await db.withTransaction { db in
      let outsider = Task.detached {
        try await db.execute("INSERT INTO \(table) VALUES (1)")
      }
      try await Task.sleep(for: .milliseconds(50))
      outsider.cancel()
      let error = await #expect(throws: PGError.self) { try await outsider.value }
      #expect(error?.code == .queryCanceled)
    }
    #expect(try await count == 0)
  }

  @Test("a cancelled task's transaction is rolled back, and the connection goes on")
  func cancelledBody() async throws {
    let (db, table) = (db, table)
    let process = await db.backendID
    let task = Task {
      try await db.withTransaction { db in
        try await db.execute("INSERT INTO \(table) VALUES (1)")
        try await db.execute("SELECT pg_sleep(60)")
      }
    }
    try await TestServer.shared.get().waitUntilSleeps(process)
    task.cancel()
    let error = await #expect(throws: PGError.self) { try await task.value }
    #expect(error?.code == .queryCanceled)
    #expect(await db.transactionStatus == .idle)
    #expect(try await count == 0)
  }

  @Test("transactions of two connections inside each other do not wait for themselves")
  func nested() async throws {
    let other = try await AsyncConnection.open(try TestServer.shared.get().iri())
    let (db, table) = (db, table)
    let sum = try await db.withTransaction { db in
      try await db.execute("INSERT INTO \(table) VALUES (1)")
      return try await other.withTransaction { other in
        try await db.withTransaction { db in
          _ = try await other.query("SELECT 1")
          return try await db.first("SELECT sum(n) FROM \(table)", as: Int.self)
        }
      }
    }
    #expect(sum == 1)
  }

  @Test("what is not worth another attempt has one, what is has as many as were asked for")
  func attempts() async throws {
    let db = db
    let count = Count()
    for (message, expected) in [("40001", 3), ("40P01", 3), ("23505", 1)] {
      let error = await #expect(throws: PGError.self) {
        try await db.withRetryingTransaction(attempts: 3) { db in
          count.increase()
          try await db.execute("DO $$ BEGIN RAISE SQLSTATE '\(message)'; END $$")
        }
      }
      #expect(error?.code.description == message)
      #expect(count.take() == expected, "\(message)")
    }
    struct Boom: Error {}
    await #expect(throws: Boom.self) {
      try await db.withRetryingTransaction { _ in
        count.increase()
        throw Boom()
      }
    }
    #expect(count.take() == 1)
    let nested = await #expect(throws: PGError.self) {
      try await db.withTransaction { db in try await db.withRetryingTransaction { _ in } }
    }
    #expect(nested?.code == .operationError)
    #expect(await db.transactionStatus == .idle)
  }

  @Test("serialization failures are tried again")
  func retries() async throws {
    let server = try TestServer.shared.get()
    let shared = "async_retry_\(UInt32.random(in: 0...UInt32.max))"
    try await db.execute("CREATE TABLE \(shared) AS SELECT 0 AS n")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let db = try await AsyncConnection.open(server.iri())
          for _ in 0..<5 {
            try await db.withRetryingTransaction(attempts: 100) { db in
              let n = try await db.first("SELECT n FROM \(shared)", as: Int.self) ?? 0
              try await db.query("UPDATE \(shared) SET n = $1", n + 1)
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await db.first("SELECT n FROM \(shared)", as: Int.self) == 20)
    try await db.execute("DROP TABLE \(shared)")
  }
}

private final class Count: Sendable {
  private let number = Mutex(0)
  func increase() { number.withLock { $0 += 1 } }

  func take() -> Int {
    number.withLock { number in
      defer { number = 0 }
      return number
    }
  }
}
