import InMemoryLogging
import Logging
import PGKit
import PGKitLogging
import PGTestCluster
import Testing

@Suite("Pool logger", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PoolLoggerTests {
  private let log = InMemoryLogHandler()

  private func pool(
    level: Logger.Level, _ options: [String] = [],
    _ change: (inout ConnectionPool.Options) -> Void = { _ in }
  ) throws -> ConnectionPool {
    var logger = Logger(label: "pool", factory: { _ in log })
    logger.logLevel = level
    var connector = Connector(
      try ConnectionIRI.parse(try TestServer.shared.get().iri(options: options)))
    connector.messageHook = { _ in true }
    connector.log(to: logger)
    var settings = ConnectionPool.Options()
    settings.maximum = 1
    settings.log(to: logger)
    change(&settings)
    return ConnectionPool(connector, settings)
  }

  private var lines: [String] {
    log.entries.map { entry in
      let fields = ["operation", "statement", "code"].compactMap {
        entry.metadata["pg.\($0)"]?.description
      }
      // Where to a connection is made differs from run to run.
      let shown = fields.first == "connect" ? ["connect"] : fields
      return (["\(entry.level)", "\(entry.message)"] + shown).joined(separator: "|")
    }
  }

  @Test("writes who has a connection, beside what the connection does")
  func life() async throws {
    let pool = try pool(level: .debug) { $0.resets = false }
    try await pool.withConnection { try await $0.execute("SELECT 1") }
    await pool.close()
    #expect(
      lines == [
        "debug|done|connect", "debug|connection made", "debug|done|execute|SELECT 1",
        "debug|connection given up: the pool is closed",
      ])
    let made = log.entries[1].metadata
    #expect(made["pg.process"]?.description == log.entries[2].metadata["pg.process"]?.description)
    #expect(Double(made["pg.duration"]?.description ?? "") ?? -1 > 0)
    #expect(made["pg.busy"]?.description == "1" && made["pg.idle"]?.description == "0")
  }

  @Test("writes every step at level trace")
  func steps() async throws {
    let pool = try pool(level: .trace) { $0.resets = false }
    let lease = try await pool.take()
    let waiter = Task { try await pool.withConnection { _ in } }
    while await pool.statistics.waiting == 0 { try await Task.sleep(for: .milliseconds(2)) }
    await lease.giveBack()
    try await waiter.value
    let steps = lines.filter { $0.hasPrefix("trace|") && !$0.contains("begins") }
    #expect(
      steps == [
        "trace|connection taken", "trace|waiting for a connection", "trace|connection given back",
        "trace|connection taken", "trace|connection given back",
      ])
    await pool.close()
  }

  @Test("warns of what somebody should look at, without an error's words")
  func warnings() async throws {
    let pool = try pool(level: .warning) { $0.patience = .seconds(5) }
    let lease = try await pool.take()
    await #expect(throws: PGError.self) { _ = try await pool.take() }
    await lease.giveBack()
    _ = try await pool.take()
    try await pool.withConnection { db in
      let process = await db.backendID
      let killer = try await AsyncConnection.open(try TestServer.shared.get().iri())
      try await killer.query("SELECT pg_terminate_backend($1)", process)
      await #expect(throws: PGError.self) {
        while true { try await db.execute("SELECT pg_sleep(0.01)") }
      }
    }
    await pool.close()
    #expect(
      lines == [
        "warning|no connection for a task|--TOE", "warning|a connection was never given back",
        "warning|connection given up: failed|57P01",
      ])
    #expect(
      log.entries[1].metadata["pg.place"]?.description.hasPrefix(
        "PGKitLoggingTests/PoolLoggerTests.swift:") == true)
    #expect(log.entries.allSatisfy { $0.metadata["pg.error"] == nil })
  }
}
