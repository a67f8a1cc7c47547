import Glibc
import PGKit
import PGTestCluster
import Testing

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

  @Test(
    "the tool is killed when one session has decided: the others are committed, and the job is done",
    arguments: ["resolve", "the same command again"])
  func killed(remedy: String) throws {
    let (scene, waiting) = try scene(prepared: 4)
    let running = try scene.start(arguments(scene, waiting))
    let preparing = try scene.wait(for: "PREPARE TRANSACTION%", in: "SyncRep")
    try scene.db.query("SELECT pg_cancel_backend($1)", preparing)
    let committing = try scene.wait(for: "COMMIT", in: "SyncRep")
    running.signal(SIGKILL)
    _ = try running.wait()
    try scene.db.query("SELECT pg_cancel_backend($1)", committing)
    for _ in 0..<500 where try scene.rows(1) == 0 { usleep(10_000) }
    // What is there for the moment is a half; nobody can take it for the whole.
    let half = try scene.rows(1)
    #expect(half > 0 && half < 5000)
    if remedy == "resolve" {
      let resolved = try scene.program.run(["resolve", "--to", scene.iri, "--job", "half"])
      #expect(resolved.end == .exit(0), "\(resolved.errors)")
      #expect(resolved.output.contains(#""decision":"commit""#), "\(resolved.output)")
      #expect(try scene.isEqual(1))
    }
    let again = try scene.copy(arguments(scene, scene.iri))
    #expect(again.end == .exit(0), "\(again.errors)")
    #expect(try scene.summary(again).statuses == ["skipped"])
    #expect(try scene.isEqual(1))
  }

  @Test(
    "what a trigger does may not be prepared: then nothing is stored, and it is said how it can be")
  func notPreparable() throws {
    let (scene, _) = try scene(prepared: 4)
    try scene.db.execute(
      """
      CREATE FUNCTION \(scene.name)_f() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN PERFORM pg_notify('news', NEW.id::text); RETURN NULL; END$$;
      CREATE TRIGGER t AFTER INSERT ON \(scene.name)_1 FOR EACH ROW WHEN (NEW.id % 100 = 0)
        EXECUTE FUNCTION \(scene.name)_f()
      """)
    let outcome = try scene.copy(scene.to(1) + ["--jobs", "2"])
    #expect(outcome.end == .exit(3), "\(outcome.errors)")
    #expect(outcome.errors.contains("0A000"))
    #expect(outcome.errors.contains("HINT: Without --jobs one session stores everything."))
    #expect(try scene.rows(1) == 0)
    #expect(try scene.ask("SELECT count(*) FROM pg_prepared_xacts", as: Int.self) == 0)
    #expect(try scene.copy(scene.to(1) + ["--split", "2"]).end == .exit(0))
    #expect(try scene.isEqual(1))
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

  @Test("what a server does at the end of a part keeps no other session from going on")
  func endsTogether() throws {
    let cluster = try CopyCluster(settings: [.init("max_prepared_transactions", "10")])
    defer { cluster.close() }
    let scene = try CopyFixture(iri: try cluster.iri(), rowCount: 20_000)
    try scene.db.execute(
      """
      CREATE TABLE naps(beginning timestamptz, ending timestamptz);
      CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE beginning timestamptz := clock_timestamp();
        BEGIN RAISE WARNING 'this takes a while';
          PERFORM pg_sleep(2); INSERT INTO naps VALUES (beginning, clock_timestamp()); RETURN NULL; END $$;
      CREATE TRIGGER nap AFTER INSERT ON \(scene.name)_1 FOR EACH STATEMENT EXECUTE FUNCTION nap()
      """)
    let outcome = try scene.copy(
      scene.to(1) + scene.to(2) + ["--jobs", "2", "--verify", "--progress", "100ms"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try scene.isEqual(1))
    #expect(try scene.isEqual(2))
    let areTogether = try scene.ask(
      "SELECT count(*) = 2 AND max(beginning) < min(ending) FROM naps", as: Bool.self)
    #expect(areTogether == true, "one slept after the other")
    #expect(outcome.errors.contains("\"waiting_for\":\"receiver 1 ("))
  }

  @Test("a session that works on the end of its part is not waited for when nobody commits")
  func givenUpAtTheEnd() throws {
    let cluster = try CopyCluster(settings: [.init("max_prepared_transactions", "10")])
    defer { cluster.close() }
    let scene = try CopyFixture(iri: try cluster.iri(), rowCount: 20_000)
    try scene.db.execute(
      """
      CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF EXISTS (SELECT FROM fresh WHERE id = 1) THEN PERFORM pg_sleep(120);
          ELSE PERFORM pg_sleep(1); RAISE EXCEPTION 'not these'; END IF;
          RETURN NULL;
        END $$;
      CREATE TRIGGER nap AFTER INSERT ON \(scene.name)_1 REFERENCING NEW TABLE AS fresh
        FOR EACH STATEMENT EXECUTE FUNCTION nap()
      """)
    let start = ContinuousClock.now
    let outcome = try scene.copy(scene.to(1) + scene.to(2, ";required") + ["--jobs", "2"])
    #expect(outcome.end == .exit(5), "\(outcome.errors)")
    #expect(outcome.errors.contains("not these"), "\(outcome.errors)")
    #expect(ContinuousClock.now - start < .seconds(30))
    let sleepers = try scene.ask(
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'", as: Int.self)
    #expect(sleepers == 0)
    #expect(try scene.rows(1) == 0)
    #expect(try scene.isEqual(2))
  }
}
