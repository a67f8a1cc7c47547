import Glibc
import PGKit
import PGTestCluster
import Testing

/// What is proved of every part of a copy, and what becomes of the parts together.
@Suite("pg-copy, proof", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgCopyProofTests {
  @Test(
    "every part has its rows, bytes and checksum, at the source and at each receiver",
    arguments: [["--format", "text"], ["--format", "binary", "--jobs", "3"]])
  func parts(how: [String]) throws {
    let scene = try CopyFixture(rowCount: 5000)
    let outcome = try scene.copy(
      scene.to(1) + scene.to(2) + ["--split", "6", "--verify", "--summary", "json"] + how)
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    let summary = try scene.summary(outcome)
    #expect(summary.parts.map(\.part) == [1, 2, 3, 4, 5, 6])
    #expect(summary.parts.reduce(0) { $0 + ($1.rows ?? 0) } == 5000)
    #expect(summary.parts.reduce(0) { $0 + $1.bytes } == summary.bytes)
    #expect(Set(summary.parts.map(\.checksum)).count == 6)
    #expect(summary.parts[0].first_block == 0)
    for (part, next) in zip(summary.parts, summary.parts.dropFirst()) {
      #expect(part.next_block == next.first_block)
      // What the parts say is what the table has in those blocks.
      let rows = try scene.ask(
        """
        SELECT count(*) FROM \(scene.name) WHERE ctid >= '(\(part.first_block ?? -1),0)'
          AND ctid < '(\(part.next_block ?? -1),0)'
        """, as: Int.self)
      #expect(part.rows == rows)
    }
    #expect(summary.parts[5].next_block == nil)
    for receiver in summary.receivers {
      #expect(receiver.checksum == summary.checksum)
      #expect(receiver.bytes == summary.bytes)
      #expect(receiver.parts.map(\.checksum) == summary.parts.map(\.checksum))
      #expect(receiver.parts.map(\.rows) == summary.parts.map(\.rows))
      #expect(receiver.parts.allSatisfy { $0.status == "committed" })
    }
  }

  @Test("without --verify the parts have their rows and bytes, and no checksum")
  func counts() throws {
    let scene = try CopyFixture()
    let outcome = try scene.copy(scene.to(1) + ["--split", "2", "--summary", "json"])
    let summary = try scene.summary(outcome)
    #expect(summary.parts.count == 2)
    #expect(summary.receivers[0].parts.map(\.bytes) == summary.parts.map(\.bytes))
    #expect(summary.parts.allSatisfy { $0.checksum == nil && $0.bytes > 0 })
    let whole = try scene.summary(try scene.copy(scene.to(2) + ["--summary", "json"]))
    #expect(whole.parts.map(\.rows) == [1000])
    #expect(whole.parts[0].first_block == nil)
  }

  @Test(
    "the part in which a value was changed on its way is named, and nothing is committed",
    arguments: [["--format", "text"], ["--format", "binary"], ["--jobs", "2"]])
  func changed(how: [String]) throws {
    let scene = try CopyFixture(rowCount: 5000)
    try scene.db.execute(
      """
      CREATE FUNCTION \(scene.name)_f() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN IF NEW.id = 2500 THEN NEW.name = 'row 25OO'; END IF; RETURN NEW; END$$;
      CREATE TRIGGER t BEFORE INSERT ON \(scene.name)_1 FOR EACH ROW
        EXECUTE FUNCTION \(scene.name)_f()
      """)
    let outcome = try scene.copy(
      scene.to(1) + scene.to(2) + ["--split", "5", "--verify", "--summary", "json"] + how)
    #expect(outcome.end == .exit(5), "\(outcome.errors)")
    let summary = try scene.summary(outcome)
    let block = try scene.ask(
      "SELECT (ctid::text::point)[0]::int FROM \(scene.name) WHERE id = 2500", as: Int.self)
    let part = try #require(
      summary.parts.last { ($0.first_block ?? 0) <= (block ?? -1) }?.part)
    #expect(outcome.errors.contains("what was stored of part \(part) is not what was read"))
    #expect(summary.statuses == ["rolled_back", "committed"])
    #expect(summary.receivers[0].rows == 0)
    #expect(try scene.rows(1) == 0)
    #expect(try scene.isEqual(2))
  }

  @Test("a row that a trigger adds is found as well")
  func added() throws {
    let scene = try CopyFixture()
    try scene.db.execute(
      """
      CREATE FUNCTION \(scene.name)_f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        IF NEW.id = 7 THEN INSERT INTO \(scene.name)_1 VALUES (-7, 'more'); END IF;
        RETURN NULL; END$$;
      CREATE TRIGGER t AFTER INSERT ON \(scene.name)_1 FOR EACH ROW
        EXECUTE FUNCTION \(scene.name)_f()
      """)
    let outcome = try scene.copy(scene.to(1) + ["--verify"])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("what was stored is not what was read"))
    #expect(try scene.rows(1) == 0)
  }

  @Test("rows that are frozen, merged, of no columns, or none at all are proved, too")
  func otherRows() throws {
    let scene = try CopyFixture()
    let ways: [(Int, [String])] = [
      (1, ["--replace", "truncate", "--freeze"]), (2, ["--on-conflict", "update", "--split", "3"]),
      (3, ["--format", "text", "--split", "3"]),
    ]
    try scene.db.execute("INSERT INTO \(scene.name)_2 VALUES (7, 'mine')")
    for (number, how) in ways {
      let outcome = try scene.copy(scene.to(number) + ["--verify", "--summary", "json"] + how)
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      let summary = try scene.summary(outcome)
      #expect(summary.checksum != nil)
      #expect(summary.receivers[0].checksum == summary.checksum)
      #expect(try scene.isEqual(number))
    }
    try scene.db.execute(
      """
      CREATE TABLE \(scene.name)_e(); CREATE TABLE \(scene.name)_f();
      INSERT INTO \(scene.name)_e DEFAULT VALUES; INSERT INTO \(scene.name)_e DEFAULT VALUES
      """)
    let none = try scene.program.run(
      [scene.iri, "\(scene.name)_e", "--to", "\(scene.iri);table=\(scene.name)_f", "--verify"])
    #expect(none.end == .exit(0), "\(none.errors)")
    let empty = try scene.copy(
      scene.to(1) + ["--verify", "--format", "binary", "--replace", "delete"],
      "SELECT * FROM \(scene.name) WHERE false")
    #expect(empty.end == .exit(0), "\(empty.errors)")
    #expect(try scene.rows(1) == 0)
    try scene.db.execute("DROP TABLE \(scene.name)_e, \(scene.name)_f")
  }
}

/// What becomes of parts that several sessions store.
@Suite(
  "pg-copy, sessions that commit",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
final class PgCopySessionTests {
  private var clusters: [CopyCluster] = []

  deinit { for cluster in clusters { cluster.close() } }

  /// A server whose COMMIT waits for a standby that is not there, if the session asks for that.
  private func scene(prepared: Int) throws -> (CopyFixture, waiting: String) {
    let cluster = try CopyCluster(settings: [
      .init("max_prepared_transactions", "\(prepared)"), .init("synchronous_commit", "local"),
      .init("synchronous_standby_names", "nobody"), .init("wal_level", "replica"),
      .init("max_wal_senders", "2"),
    ])
    clusters.append(cluster)
    let scene = try CopyFixture(iri: try cluster.iri(), rowCount: 5000)
    // The ledger's table is made by a session that waits for nobody.
    #expect(try scene.copy(scene.to(2) + ["--job", "before"]).end == .exit(0))
    return (scene, try cluster.iri("postgres", "-c synchronous_commit=on"))
  }

  private func arguments(_ scene: CopyFixture, _ iri: String) -> [String] {
    [
      "--to", "\(iri);table=\(scene.name)_1", "--jobs", "2", "--job", "half", "--summary", "json",
    ]
  }

  /// Kills the session that has not committed while another one commits, and lets that one go on.
  private func killOther(_ scene: CopyFixture, while statement: String) throws {
    let first = try scene.wait(for: statement, in: "SyncRep")
    let others = try scene.db.query(
      """
      SELECT pid FROM pg_stat_activity WHERE application_name = 'pg-copy:half' AND pid <> $1
        AND query LIKE 'SET CONSTRAINTS%' AND state LIKE 'idle%'
      """, first)
    try #require(others.count == 1)
    try scene.terminate(try others[0][0, as: Int32.self])
    // A wait that is cancelled is over, and what it stood behind is done.
    try scene.db.query("SELECT pg_cancel_backend($1)", first)
  }

  @Test("the sessions of a receiver commit all or none where they can be prepared")
  func together() throws {
    let (scene, waiting) = try scene(prepared: 4)
    let running = try scene.start(arguments(scene, waiting))
    try killOther(scene, while: "PREPARE TRANSACTION%")
    let last = try scene.wait(for: "ROLLBACK PREPARED%", in: "SyncRep")
    try scene.db.query("SELECT pg_cancel_backend($1)", last)
    let outcome = try running.wait()
    #expect(outcome.end == .exit(2), "\(outcome.errors)")
    #expect(try scene.summary(outcome).statuses == ["rolled_back"])
    #expect(try scene.rows(1) == 0)
    #expect(try scene.ask("SELECT count(*) FROM pg_prepared_xacts", as: Int.self) == 0)
    let again = try scene.copy(arguments(scene, scene.iri))
    #expect(again.end == .exit(0), "\(again.errors)")
    #expect(try scene.isEqual(1))
    let record = try scene.db.query(
      "SELECT part, parts, rows FROM pgkit.copy_ledger WHERE job = 'half' ORDER BY part")
    #expect(try record.map { try $0[0, as: Int.self] } == [1, 2])
    #expect(try record.map { try $0[2, as: Int.self] }.reduce(0, +) == 5000)
  }

  @Test("where they cannot, what is stored of a half is told part by part, and is on record")
  func half() throws {
    let (scene, waiting) = try scene(prepared: 0)
    let running = try scene.start(arguments(scene, waiting))
    try killOther(scene, while: "COMMIT")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(5), "\(outcome.errors)")
    let receiver = try scene.summary(outcome).receivers[0]
    #expect(receiver.status == "partial")
    #expect(receiver.parts.map(\.status) == ["committed", "rolled_back"])
    #expect(receiver.rows == receiver.parts[0].rows)
    #expect(receiver.remedy?.contains("max_prepared_transactions of at least 1") == true)
    #expect(try scene.rows(1) == receiver.rows)
    let again = try scene.copy(arguments(scene, scene.iri))
    #expect(again.end == .exit(3))
    #expect(again.errors.contains("1 of 2 parts are stored already, by run "), "\(again.errors)")
    #expect(try scene.rows(1) == receiver.rows)
    let anew = try scene.copy(arguments(scene, scene.iri) + ["--replace", "delete"])
    #expect(anew.end == .exit(0), "\(anew.errors)")
    #expect(try scene.isEqual(1))
    #expect(try scene.summary(try scene.copy(arguments(scene, scene.iri))).statuses == ["skipped"])
  }
}
