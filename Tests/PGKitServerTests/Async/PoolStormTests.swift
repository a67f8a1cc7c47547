import Foundation
import PGKit
import PGTestCluster
import Synchronization
import Testing

/// Many tasks, few connections, and a server that restarts: on a cluster of their own.
@Suite("Pool storm", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PoolStormTests {
  private static let workers = 200
  private static let connections = 8
  /// What is acknowledged is written before, whatever becomes of the server.
  private static let settings: [ConnectionOptions.Setting] = [
    .init("synchronous_commit", "on"), .init("dynamic_shared_memory_type", "mmap"),
  ]

  /// What became of what was asked for.
  private struct Tally {
    /// Tickets whose row was acknowledged.
    var stored: [Int] = []
    var cancelled = 0
    var lost = 0
    var codes: [String: Int] = [:]
    var finished = 0
    var restarts = 0
  }

  /// How long: a number of rounds for each worker, because where other tests hold the threads each takes
  /// its time; seconds where `make soak` asks for them.
  private struct Length {
    let rounds: Int
    let end: ContinuousClock.Instant?

    init() {
      let environment = ProcessInfo.processInfo.environment
      let seconds = environment["PGKIT_STORM_SECONDS"].flatMap { Int($0) }
      end = seconds.map { ContinuousClock.now + .seconds($0) }
      rounds = environment["PGKIT_STORM_ROUNDS"].flatMap { Int($0) } ?? (end == nil ? 2 : .max)
    }

    func isOver(_ round: Int) -> Bool { round >= rounds || end.map { .now >= $0 } ?? false }
  }

  private final class Storm: Sendable {
    let pool: ConnectionPool
    let length = Length()
    let tally = Mutex(Tally())
    init(_ pool: ConnectionPool) { self.pool = pool }

    var isOver: Bool { tally.withLock { $0.finished == workers } }

    /// One task of many: asks again and again, now and then slowly, and is cancelled now and then.
    func work(_ worker: Int) async {
      // A round is over when there was an answer; while the server is away there is none.
      var (round, number) = (0, 0)
      while !length.isOver(round) {
        let ticket = worker * 10_000_000 + number
        let task = Task { try await ask(ticket) }
        if number % 5 == worker % 5 {
          try? await Task.sleep(for: .microseconds(Int.random(in: 0...20_000)))
          task.cancel()
        }
        if hear(of: ticket, await task.result) {
          round += 1
        } else {
          try? await Task.sleep(for: .milliseconds(50))
        }
        number += 1
      }
      tally.withLock { $0.finished += 1 }
    }

    private func ask(_ ticket: Int) async throws -> Int {
      try await pool.withConnection { db in
        switch ticket % 11 {
        case 0: try await db.execute("SELECT pg_sleep(0.02)")
        case 1:
          // Rows that nobody takes.
          for try await _ in try await db.rows("SELECT generate_series(1, 1000000000)") { break }
        case 2: try await db.execute("BEGIN; CREATE TEMP TABLE left_behind (a int)")
        default: break
        }
        if ticket % 11 == 2 { try await db.execute("ROLLBACK") }
        let stored = try await db.first(
          "INSERT INTO ticket VALUES ($1) RETURNING number", ticket, as: Int.self)
        return stored ?? -1
      }
    }

    /// What a task may hear that is cancelled, or whose server goes away or is not there yet.
    private static let expected: Set<SQLState> = [
      .queryCanceled, .adminShutdown, .crashShutdown, .cannotConnectNow, .connectionFailure,
      .sqlclientUnableToEstablishSqlconnection,
    ]

    private func hear(of ticket: Int, _ result: Result<Int, any Error>) -> Bool {
      switch result {
      case .success(let answer):
        #expect(answer == ticket, "an answer to somebody else")
        tally.withLock { $0.stored.append(ticket) }
        return true
      case .failure(let error):
        guard let error = error as? PGError else {
          Issue.record("\(error)")
          return true
        }
        #expect(Self.expected.contains(error.code), "\(error)")
        return tally.withLock { tally in
          tally.codes["\(error.code)", default: 0] += 1
          if error.code == .queryCanceled { tally.cancelled += 1 } else { tally.lost += 1 }
          return error.code == .queryCanceled
        }
      }
    }

    /// Restarts the server until the storm is over: by turns it lets the sessions go, and does not.
    func restart(_ temporary: TemporaryCluster) async throws {
      let cluster = temporary.cluster
      var options = Cluster.StartOptions()
      options.user = TemporaryCluster.superuser
      options.settings = TemporaryCluster.testSettings + PoolStormTests.settings
      options.socketDirectory = temporary.directory
      options.logFile = temporary.logFile
      var isFirst = true
      while !isOver {
        try await Task.sleep(for: .milliseconds(isFirst ? 300 : Int.random(in: 1000...4000)))
        let isGentle = tally.withLock { $0.restarts % 2 == 0 }
        let mode: Cluster.ShutdownMode = isGentle ? .fast : .immediate
        let settled = options
        try await onThread { try cluster.restart(mode, settled) }
        tally.withLock { $0.restarts += 1 }
        isFirst = false
      }
    }
  }

  @Test("leaves every connection idle, and loses and doubles nothing")
  func storm() async throws {
    let cluster = try await onThread {
      var making = TemporaryCluster.Options()
      making.settings = Self.settings
      return try TemporaryCluster(installation: nil, making)
    }
    var options = ConnectionPool.Options()
    options.maximum = Self.connections
    options.trialAfter = .zero
    options.patience = .seconds(900)
    var connector = Connector(try ConnectionIRI.parse(cluster.iri()))
    // What the server says when it goes.
    connector.messageHook = { _ in true }
    let pool = ConnectionPool(connector, options)
    try await pool.withConnection { try await $0.execute("CREATE TABLE ticket (number int8)") }
    let storm = Storm(pool)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await storm.restart(cluster) }
      for worker in 0..<Self.workers { group.addTask { await storm.work(worker) } }
      try await group.waitForAll()
    }
    let tally = storm.tally.withLock { $0 }
    print(
      "pool storm: \(tally.stored.count) stored, \(tally.cancelled) cancelled, \(tally.lost) lost, "
        + "\(tally.restarts) restarts; \(tally.codes)")
    #expect(tally.stored.count > Self.workers, "\(tally.codes)")
    #expect(tally.restarts > 0 && tally.cancelled > 0)
    try await expectCalm(pool)
    try await expectEachOnce(tally.stored, pool)
    await pool.close()
    try await onThread { try cluster.close() }
  }

  /// Every connection is in the pool, and none in the middle of anything.
  private func expectCalm(_ pool: ConnectionPool) async throws {
    let statistics = await pool.statistics
    #expect(statistics.busy == 0 && statistics.waiting == 0, "\(statistics)")
    #expect(statistics.idle <= Self.connections, "\(statistics)")
    #expect(statistics.made - statistics.discarded == statistics.idle, "\(statistics)")
    var leases: [ConnectionLease] = []
    for _ in 0..<Self.connections {
      let lease = try await pool.take()
      #expect(await lease.connection.transactionStatus == .idle)
      leases.append(lease)
    }
    let sessions = try await leases[0].connection.first(
      """
      SELECT count(*) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND state = 'idle' AND pid <> pg_backend_pid()
      """, as: Int.self)
    #expect(sessions == Self.connections - 1)
    for lease in leases { await lease.giveBack() }
  }

  /// Every acknowledged row is there, and no row is there twice.
  private func expectEachOnce(_ stored: [Int], _ pool: ConnectionPool) async throws {
    let rows = try await pool.withConnection { db in
      try await db.query("SELECT number FROM ticket").map { try $0[0, as: Int.self] }
    }
    let numbers = Set(rows)
    #expect(numbers.count == rows.count, "\(rows.count - numbers.count) tickets are there twice")
    #expect(Set(stored).count == stored.count)
    let missing = stored.filter { !numbers.contains($0) }
    #expect(missing.isEmpty, "\(missing.count) acknowledged tickets are missing")
  }
}

/// Does what takes its time on a thread that no task needs.
private func onThread<Result: Sendable>(
  _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
  }
}
