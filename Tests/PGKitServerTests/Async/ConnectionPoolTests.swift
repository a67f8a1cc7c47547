import Foundation
import PGKit
import PGTestCluster
import Synchronization
import Testing

/// The pool, on the server that tests share.
@Suite(
  "Connection pools", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ConnectionPoolTests {
  private let server: TestServer

  init() throws { server = try TestServer.shared.get() }

  private func pool(
    _ change: (inout ConnectionPool.Options) -> Void = { _ in }
  ) throws -> ConnectionPool {
    var options = ConnectionPool.Options()
    // Where nobody asks how long one waits: other tests may have all the threads for a while.
    options.patience = .seconds(600)
    change(&options)
    return ConnectionPool(Connector(try ConnectionIRI.parse(server.iri())), options)
  }

  @Test("many tasks share few connections, and none is in the middle of anything afterwards")
  func sharing() async throws {
    let pool = try pool { $0.maximum = 3 }
    let sum = try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 1...60 {
        group.addTask {
          try await pool.withConnection { db in
            try await db.first("SELECT $1::int", number, as: Int.self) ?? 0
          }
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(sum == 1830)
    let statistics = await pool.statistics
    #expect(statistics.made <= 3 && statistics.made == statistics.idle)
    #expect(statistics.busy == 0 && statistics.waiting == 0)
    await pool.close()
    let error = await #expect(throws: PGError.self) { try await pool.withConnection { _ in } }
    #expect(error?.code == .connectionDoesNotExist)
  }

  @Test("nobody waits for ever")
  func waiting() async throws {
    let pool = try pool {
      $0.maximum = 1
      $0.patience = .seconds(3)
    }
    let lease = try await pool.take()
    let begin = ContinuousClock.now
    let error = await #expect(throws: PGError.self) { _ = try await pool.take() }
    #expect(error?.isTimeout == true && error?.message.contains("all 1 are in use") == true)
    #expect(ContinuousClock.now - begin >= .milliseconds(2900))
    #expect(await pool.statistics.late == 1)
    await lease.giveBack()
    await pool.close()
  }

  @Test("those who wait come in turn")
  func order() async throws {
    let pool = try pool {
      $0.maximum = 1
      $0.patience = .seconds(300)
    }
    let lease = try await pool.take()
    let order = Order()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<4 {
        group.addTask {
          try await pool.withConnection { _ in order.append(number) }
        }
        try await wait(for: pool) { $0.waiting == number + 1 }
      }
      await lease.giveBack()
      try await group.waitForAll()
    }
    #expect(order.numbers == [0, 1, 2, 3])
    await pool.close()
  }

  private func wait(
    for pool: ConnectionPool, until condition: (ConnectionPool.Statistics) -> Bool
  ) async throws {
    for _ in 0..<20_000 {
      if condition(await pool.statistics) { return }
      try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("what is waited for does not come: \(await pool.statistics)")
  }

  @Test("a cancelled waiter goes away and takes no place along")
  func cancelledWaiter() async throws {
    let pool = try pool {
      $0.maximum = 1
      $0.patience = .seconds(300)
    }
    let lease = try await pool.take()
    let waiter = Task { _ = try await pool.take() }
    try await wait(for: pool) { $0.waiting == 1 }
    waiter.cancel()
    let error = await #expect(throws: PGError.self) { try await waiter.value }
    #expect(error?.code == .queryCanceled)
    await lease.giveBack()
    #expect(try await pool.withConnection { try await $0.first("SELECT 1", as: Int.self) } == 1)
    await pool.close()
  }

  @Test("what a task leaves in its session is undone")
  func resets() async throws {
    let pool = try pool { $0.maximum = 1 }
    let first = try await pool.withConnection { db in
      try await db.execute("SET work_mem = '77MB'; CREATE TEMP TABLE left_behind (a int); BEGIN")
      return await db.backendID
    }
    let (second, setting, table) = try await pool.withConnection { db in
      (
        await db.backendID, try await db.first("SHOW work_mem", as: String.self),
        try await db.first("SELECT to_regclass('left_behind')::text", as: String?.self) ?? nil
      )
    }
    #expect(first == second && setting != "77MB" && table == nil)
    await pool.close()
  }

  @Test("a task that throws, or is cancelled, gives its connection back")
  func failures() async throws {
    let pool = try pool { $0.maximum = 1 }
    await #expect(throws: PGError.self) {
      try await pool.withConnection { try await $0.execute("boom") }
    }
    let process = try await pool.withConnection { await $0.backendID }
    let slow = Task {
      try await pool.withConnection { try await $0.execute("SELECT pg_sleep(60)") }
    }
    try await server.waitUntilSleeps(process)
    slow.cancel()
    await #expect(throws: PGError.self) { try await slow.value }
    #expect(try await pool.withConnection { try await $0.first("SELECT 1", as: Int.self) } == 1)
    #expect(await pool.statistics.idle == 1)
    await pool.close()
  }

  @Test("broken and old connections are replaced; the reason why none can be made is told")
  func replacement() async throws {
    let pool = try pool {
      $0.maximum = 2
      $0.trialAfter = .zero
    }
    let killer = try await AsyncConnection.open(server.iri())
    let victim = try await pool.withConnection { await $0.backendID }
    try await killer.query("SELECT pg_terminate_backend($1)", victim)
    let next = try await pool.withConnection { await $0.backendID }
    #expect(next != victim)
    #expect(await pool.statistics.discarded == 1)
    await pool.close()

    let aging = try self.pool { $0.lifetime = .zero }
    let first = try await aging.withConnection { await $0.backendID }
    #expect(try await aging.withConnection { await $0.backendID } != first)
    await aging.close()

    var options = try ConnectionIRI.parse(server.iri())
    options.database = "no such database"
    let wrong = ConnectionPool(Connector(options))
    let begin = ContinuousClock.now
    let error = await #expect(throws: PGError.self) { try await wrong.withConnection { _ in } }
    #expect(error?.code == .invalidCatalogName)
    #expect(ContinuousClock.now - begin < .seconds(60))
    #expect(await wrong.statistics.busy == 0)
  }

  @Test("a lease that nobody gives back goes back by itself, and it is said where it was taken")
  func leak() async throws {
    let said = Said()
    var connector = Connector(try ConnectionIRI.parse(server.iri()))
    connector.messageHook = { message in
      said.append(message.message)
      return true
    }
    var options = ConnectionPool.Options()
    options.maximum = 1
    let pool = ConnectionPool(connector, options)
    _ = try await pool.take()
    let line = #line - 1
    #expect(try await pool.withConnection { try await $0.first("SELECT 1", as: Int.self) } == 1)
    #expect(
      said.lines == [
        "a connection that was taken from the pool at "
          + "PGKitServerTests/ConnectionPoolTests.swift:\(line) was never given back"
      ])
    await pool.close()
  }

  @Test("run keeps connections ready until its task is cancelled, and closes the pool")
  func service() async throws {
    let pool = try pool { $0.minimum = 2 }
    let service = Task { await pool.run() }
    for _ in 0..<1000 where await pool.statistics.idle < 2 {
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(await pool.statistics.idle == 2)
    service.cancel()
    await service.value
    #expect(await pool.statistics.idle == 0)
    await #expect(throws: PGError.self) { _ = try await pool.take() }
  }
}

private final class Said: Sendable {
  private let list = Mutex<[String]>([])
  var lines: [String] { list.withLock { $0 } }
  func append(_ line: String) { list.withLock { $0.append(line) } }
}

private final class Order: Sendable {
  private let list = Mutex<[Int]>([])
  var numbers: [Int] { list.withLock { $0 } }
  func append(_ number: Int) { list.withLock { $0.append(number) } }
}
