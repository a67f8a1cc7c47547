import MetricsTestKit
import PGKit
import PGKitServices
import Testing

/// Counters and timers, as a backend gets them.
@Suite("Meters") struct MeterTests {
  private let metrics = TestMetrics()

  private func statementDimensions(_ name: String) throws -> [(String, String)] {
    let options = try ServiceCluster.shared.connectionOptions()
    return [
      ("db.system.name", "postgresql"), ("db.namespace", "postgres"), ("db.operation.name", name),
      ("server.address", try #require(options.hostAddresses?.first ?? options.hosts?.first)),
      ("server.port", "\(try #require(options.ports?.first))"),
    ]
  }

  @Test("statements are counted and timed by OpenTelemetry's names, errors by their SQLSTATE")
  func statements() throws {
    var connector = try ServiceCluster.connector()
    connector.measure(with: metrics)
    let db = try connector.connect()
    for number in 1...5 { _ = try db.query("SELECT $1::int", number) }
    #expect(throws: PGError.self) { try db.query("SELECT 1 / $1::int", 0) }
    #expect(throws: PGError.self) { try db.query("SELECT 'x'::int") }
    #expect(throws: PGError.self) { try db.prepare("SELEC") }
    try db.execute("CREATE TEMP TABLE t (a int)")
    _ = try db.copyIn("COPY t FROM STDIN").finish()
    let invented = "DO $$ BEGIN RAISE 'no' USING ERRCODE = '22ZZZ'; END $$"
    #expect(throws: PGError.self) { try db.execute(invented) }
    for (kind, count) in [("CONNECT", 1), ("EXECUTE", 9), ("PREPARE", 1), ("COPY", 1)] {
      let dimensions = try statementDimensions(kind)
      let counter = try metrics.expectCounter("db.client.operations", dimensions)
      #expect(counter.totalValue == Int64(count), "\(kind)")
      let timer = try metrics.expectTimer("db.client.operation.duration", dimensions)
      #expect(timer.values.count == count && timer.values.allSatisfy { $0 > 0 }, "\(kind)")
    }
    // A code that nobody knows counts as its class.
    for (kind, code) in [
      ("EXECUTE", "22012"), ("EXECUTE", "22P02"), ("EXECUTE", "22000"), ("PREPARE", "42601"),
    ] {
      let counter = try metrics.expectCounter(
        "db.client.errors", statementDimensions(kind) + [("error.type", code)])
      #expect(counter.totalValue == 1, "\(kind) \(code)")
    }
  }

  @Test("a pool shows what it has, who waits, and how long")
  func pool() async throws {
    var options = ConnectionPool.Options()
    options.maximum = 1
    options.patience = .seconds(2)
    options.measure(as: "main", with: metrics)
    var connector = try ServiceCluster.connector()
    connector.messageHook = { _ in true }
    let pool = ConnectionPool(connector, options)
    let name = [("db.client.connection.pool.name", "main")]
    let label = { (name: String) in "db.client.connection.\(name)" }
    let meter = { (metric: String, more: [(String, String)]) throws in
      try metrics.expectMeter(label(metric), name + more).lastValue
    }
    var lease: ConnectionLease? = try await pool.take()
    #expect(try meter("count", [("db.client.connection.state", "used")]) == 1)
    #expect(try meter("count", [("db.client.connection.state", "idle")]) == 0)
    let waiter = Task { _ = try await pool.take() }
    while await pool.statistics.waiting == 0 { try await Task.sleep(for: .milliseconds(2)) }
    #expect(try meter("pending_requests", []) == 1)
    await #expect(throws: PGError.self) { try await waiter.value }
    #expect(try metrics.expectCounter(label("timeouts"), name).totalValue == 1)
    #expect(try meter("pending_requests", []) == 0)
    await lease?.giveBack()
    lease = nil
    #expect(try meter("count", [("db.client.connection.state", "idle")]) == 1)
    #expect(try meter("count", [("db.client.connection.state", "used")]) == 0)
    #expect(try metrics.expectTimer(label("wait_time"), name).values.count == 1)
    #expect(try metrics.expectTimer(label("create_time"), name).values.first ?? 0 > 0)
    // In use for as long as the other task has waited.
    #expect(
      try metrics.expectTimer(label("use_time"), name).values.first ?? 0 >= 1_900_000_000)
    _ = try await pool.take()
    try await pool.withConnection { _ in }
    #expect(try metrics.expectCounter(label("leaked"), name).totalValue == 1)
    await pool.close()
    #expect(
      try metrics.expectCounter(label("discarded"), name + [("reason", "close")]).totalValue == 1)
    #expect(try meter("count", [("db.client.connection.state", "idle")]) == 0)
  }
}
