import Foundation
import PGKit
import PGTestCluster
import Synchronization
import Testing

/// What a pool does about connections that are not as they were.
@Suite("Pool health", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PoolHealthTests {
  private let server: TestServer

  init() throws { server = try TestServer.shared.get() }

  private func pool(
    _ connector: Connector? = nil, _ change: (inout ConnectionPool.Options) -> Void = { _ in }
  ) throws -> ConnectionPool {
    var options = ConnectionPool.Options()
    options.maximum = 1
    change(&options)
    return ConnectionPool(try connector ?? self.connector(), options)
  }

  private func connector() throws -> Connector {
    Connector(try ConnectionIRI.parse(server.iri()))
  }

  private func waitUntilGone(_ process: Int32) async throws {
    let db = try await AsyncConnection.open(server.iri())
    for _ in 0..<6000 {
      let count = try await db.first(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = $1", process, as: Int.self)
      if count == 0 { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("the server process \(process) does not end")
  }

  @Test("a connection whose end the server has told is replaced, however short it was idle")
  func told() async throws {
    let pool = try pool()
    let victim = try await pool.withConnection { await $0.backendID }
    let killer = try await AsyncConnection.open(server.iri())
    try await killer.query("SELECT pg_terminate_backend($1)", victim)
    try await waitUntilGone(victim)
    let next = try await pool.withConnection { db in
      try await db.first("SELECT pg_backend_pid()", as: Int32.self)
    }
    #expect(next != nil && next != victim)
    #expect(await pool.statistics.discarded == 1)
    await pool.close()
  }

  @Test("a connection that says nothing after idleness is replaced in half the time there is")
  func silent() async throws {
    let pool = try pool {
      $0.trialAfter = .zero
      // Other tests may have all the threads for a while in the half that is left.
      $0.patience = .seconds(40)
    }
    let victim = try await pool.withConnection { await $0.backendID }
    #expect(kill(victim, SIGSTOP) == 0)
    defer { kill(victim, SIGCONT) }
    let begin = ContinuousClock.now
    let next = try await pool.withConnection { await $0.backendID }
    #expect(next != victim)
    #expect(ContinuousClock.now - begin >= .milliseconds(19_900))
    await pool.close()
  }

  @Test("one that came in time for a trial that fails does not go behind those who came later")
  func place() async throws {
    let pool = try pool {
      $0.trialAfter = .zero
      $0.patience = .seconds(20)
    }
    let victim = try await pool.withConnection { await $0.backendID }
    #expect(kill(victim, SIGSTOP) == 0)
    let order = Order()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<3 {
        group.addTask {
          try await pool.withConnection { _ in order.append(number) }
        }
        while await pool.statistics.waiting < number { try await Task.sleep(for: .milliseconds(2)) }
        if number == 0 { try await Task.sleep(for: .milliseconds(100)) }
      }
      // The trial fails: SIGTERM is heard as soon as it goes on.
      kill(victim, SIGTERM)
      kill(victim, SIGCONT)
      try await group.waitForAll()
    }
    #expect(order.numbers == [0, 1, 2])
    await pool.close()
  }

  @Test("what a task has left running is cancelled when its connection comes back")
  func running() async throws {
    let pool = try pool()
    let first = try await pool.withConnection { db in
      for try await _ in try await db.rows("SELECT generate_series(1, 1000000000)") { break }
      return await db.backendID
    }
    let next = try await pool.withConnection { db in
      try await db.first("SELECT pg_backend_pid()", as: Int32.self)
    }
    #expect(next == first)
    await pool.close()
  }

  @Test("without resetting only what is open is rolled back")
  func noReset() async throws {
    let pool = try pool { $0.resets = false }
    try await pool.withConnection { db in
      try await db.execute("SET work_mem = '77MB'")
      try await db.execute("BEGIN")
    }
    let (setting, status) = try await pool.withConnection { db in
      (try await db.first("SHOW work_mem", as: String.self), await db.transactionStatus)
    }
    #expect(setting == "77MB" && status == .idle)
    await pool.close()
  }

  private struct Purpose: PGKit.Category {
    func initialize(_ connection: Connection) throws(PGError) {
      try connection.execute("SET search_path = purpose")
    }
  }

  @Test("a connection is made ready by its category again, and hears nobody's hooks any more")
  func category() async throws {
    var connector = try connector()
    connector.category = Purpose()
    let pool = try pool(connector)
    let first = try await pool.withConnection { db in
      try await db.perform { connection throws(PGError) in
        connection.messageHook = { _ in true }
        connection.traceHandler = { _ in }
        try connection.execute("SET search_path = elsewhere")
        return connection.backendID
      }
    }
    let (second, path, isClean) = try await pool.withConnection { db in
      (
        await db.backendID, try await db.first("SHOW search_path", as: String.self),
        try await db.perform { $0.messageHook == nil && $0.traceHandler == nil }
      )
    }
    #expect(first == second && path == "purpose" && isClean)
    await pool.close()
  }

  @Test("those who wait when the pool is closed are told; what is in use ends when it comes back")
  func closing() async throws {
    let pool = try pool()
    let lease = try await pool.take()
    let waiter = Task { _ = try await pool.take() }
    while await pool.statistics.waiting == 0 { try await Task.sleep(for: .milliseconds(2)) }
    await pool.close()
    let error = await #expect(throws: PGError.self) { try await waiter.value }
    #expect(error?.code == .connectionDoesNotExist)
    #expect(try await lease.connection.first("SELECT 1", as: Int.self) == 1)
    await lease.giveBack()
    #expect(await lease.connection.isClosed)
    let statistics = await pool.statistics
    #expect(statistics.busy == 0 && statistics.idle == 0 && statistics.discarded == 1)
  }

  private final class Order: Sendable {
    private let list = Mutex<[Int]>([])
    var numbers: [Int] { list.withLock { $0 } }
    func append(_ number: Int) { list.withLock { $0.append(number) } }
  }

  private final class Events: PoolObserver {
    private let list = Mutex<[(String, ConnectionPool.Statistics)]>([])
    var all: [(String, ConnectionPool.Statistics)] { list.withLock { $0 } }
    var names: [String] { all.map(\.0) }

    func heard(_ event: PoolEvent, _ statistics: ConnectionPool.Statistics) {
      // The case's name alone.
      let name = "\(event)".prefix { $0 != "(" }
      list.withLock { $0.append((String(name), statistics)) }
    }
  }

  @Test("an observer hears of every step, with what the pool has after it")
  func observer() async throws {
    let (events, others) = (Events(), Events())
    let pool = try pool {
      $0.addObserver(events)
      $0.addObserver(others)
      $0.lifetime = nil
    }
    let lease = try await pool.take()
    let waiter = Task { try await pool.withConnection { _ in } }
    while await pool.statistics.waiting == 0 { try await Task.sleep(for: .milliseconds(2)) }
    await lease.giveBack()
    try await waiter.value
    await pool.close()
    _ = try? await pool.take()
    #expect(
      events.names == [
        "made", "lent", "waits", "returned", "lent", "returned", "discarded", "denied",
      ])
    #expect(events.names == others.names)
    let (waits, last) = (events.all[2].1, events.all[7].1)
    #expect(waits.busy == 1 && waits.waiting == 1 && waits.idle == 0 && waits.made == 1)
    #expect(last.busy == 0 && last.idle == 0 && last.discarded == 1)
  }
}
