import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// Whoever is killed, and when: each receiver has all rows or none, and the status and the summary say
/// which.
@Suite("pg-copy, kills", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgCopyKillTests {
  /// How far the rows are when somebody is killed.
  enum Moment: String, CaseIterable, Sendable { case beforeTheFirst, halfway, afterTheLast }

  private let scene: CopyFixture

  init() throws { scene = try CopyFixture() }

  /// Rows that stop for a long time at that moment.
  private func query(_ moment: Moment) -> String {
    let sleep = "SELECT 0, 'never' WHERE pg_sleep(30)::text = 'never'"
    func rows(_ first: Int, _ last: Int) -> String {
      "SELECT i, 'row ' || i FROM generate_series(\(first), \(last)) AS i"
    }
    return switch moment {
    case .beforeTheFirst: "\(sleep) UNION ALL \(rows(1, 1000))"
    case .halfway: "\(rows(1, 50_000)) UNION ALL \(sleep) UNION ALL \(rows(50_001, 100_000))"
    case .afterTheLast: "\(rows(1, 100_000)) UNION ALL \(sleep)"
    }
  }

  /// Waits until the source sleeps, and gives its process.
  private func waitForSleep() throws -> Int32 {
    for _ in 0..<2000 {
      let rows = try scene.db.query(
        """
        SELECT pid FROM pg_stat_activity WHERE application_name = 'pg-copy'
          AND wait_event = 'PgSleep' AND query LIKE 'COPY (SELECT%'
          AND datname = current_database() AND query LIKE $1
        """, "%\(marker)%")
      if rows.count > 0 { return try rows[0][0, as: Int32.self] }
      usleep(5_000)
    }
    throw BuiltProgram.Fault(description: "the source does not sleep")
  }

  private var marker: String { "-- \(scene.name)" }

  @Test("the source is killed", arguments: Moment.allCases)
  func source(moment: Moment) throws {
    let running = try scene.start(
      scene.to(1) + scene.to(2) + ["--summary", "json"], query(moment) + " " + marker)
    try scene.terminate(try waitForSleep())
    let outcome = try running.wait()
    #expect(outcome.end == .exit(2), "\(outcome.errors)")
    #expect(outcome.errors.contains("57P01"))
    #expect(try scene.summary(outcome).statuses == ["rolled_back", "rolled_back"])
    for number in 1...2 { #expect(try scene.rows(number) == 0) }
  }

  @Test(
    "one of three receivers is killed: it has nothing, the others everything",
    arguments: Moment.allCases, [1, 2, 3])
  func receiver(moment: Moment, number: Int) throws {
    // The rows wait for a lock of the test's instead of sleeping, so that they go on afterwards.
    let key = Int32.random(in: 1...Int32.max)
    try scene.db.execute("SELECT pg_advisory_lock(\(key))")
    let text = query(moment).replacing("pg_sleep(30)", with: "pg_advisory_xact_lock_shared(\(key))")
    let running = try scene.start(
      scene.to(1) + scene.to(2) + scene.to(3) + ["--summary", "json", "--job", scene.name],
      text + " " + marker)
    for _ in 0..<2000 {
      let waits = try scene.db.query.first(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND query LIKE $1",
        "%\(marker)%", as: Int.self)
      if waits == 1 { break }
      usleep(5_000)
    }
    let pattern = moment == .beforeTheFirst ? "%attrelid%" : "COPY \"\(scene.name)_\(number)\"%"
    if moment == .beforeTheFirst {
      // All receivers wait in their transactions, in the order in which they came.
      let processes = try scene.db.query(
        """
        SELECT pid FROM pg_stat_activity WHERE application_name = 'pg-copy:\(scene.name)'
          AND state = 'idle in transaction' AND backend_start > (SELECT backend_start
          FROM pg_stat_activity WHERE query LIKE $1) ORDER BY backend_start LIMIT 3
        """, "%\(marker)%")
      try #require(processes.count == 3)
      try scene.terminate(try processes[number - 1][0, as: Int32.self])
    } else {
      try scene.terminate(try scene.wait(for: pattern, state: "%"))
    }
    try scene.db.execute("SELECT pg_advisory_unlock(\(key))")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(5), "\(outcome.errors)")
    let statuses = try scene.summary(outcome).statuses
    #expect(statuses == (1...3).map { $0 == number ? "rolled_back" : "committed" })
    let count = moment == .beforeTheFirst ? 1000 : 100_000
    for (index, status) in statuses.enumerated() {
      #expect(try scene.rows(index + 1) == (status == "committed" ? count : 0))
    }
  }

  @Test(
    "the tool is killed: nobody has anything, and running it again completes",
    arguments: Moment.allCases)
  func tool(moment: Moment) throws {
    let running = try scene.start(
      scene.to(1) + scene.to(2) + ["--job", scene.name], query(moment) + " " + marker)
    let name = "pg-copy:\(scene.name)"
    for _ in 0..<2000 {
      let sleeping = try scene.db.query.first(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND wait_event = 'PgSleep'",
        name, as: Int.self)
      if sleeping == 1 { break }
      usleep(5_000)
    }
    running.signal(SIGKILL)
    #expect(try running.wait().end == .signal(SIGKILL))
    for _ in 0..<500 {
      let left = try scene.db.query.first(
        """
        SELECT count(*) FROM pg_stat_activity WHERE application_name = $1
          AND query NOT LIKE 'COPY (SELECT%'
        """, name, as: Int.self)
      if left == 0 { break }
      usleep(10_000)
    }
    for number in 1...2 { #expect(try scene.rows(number) == 0) }
    let again = try scene.copy(scene.to(1) + scene.to(2) + ["--job", scene.name])
    #expect(again.end == .exit(0), "\(again.errors)")
    for number in 1...2 { #expect(try scene.isEqual(number)) }
  }

  @Test("a trigger that raises at the last row costs one receiver its rows")
  func raised() throws {
    try scene.db.execute(
      """
      CREATE FUNCTION \(scene.name)_f() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN IF NEW.id = 1000 THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END$$;
      CREATE TRIGGER t BEFORE INSERT ON \(scene.name)_1 FOR EACH ROW
        EXECUTE FUNCTION \(scene.name)_f()
      """)
    let outcome = try scene.copy(scene.to(1) + scene.to(2))
    #expect(outcome.end == .exit(5))
    #expect(outcome.errors.contains("P0001"))
    #expect(try scene.rows(1) == 0)
    #expect(try scene.isEqual(2))
  }
}
