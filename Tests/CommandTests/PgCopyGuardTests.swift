import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What keeps rows from where they are not meant for, and a copy from lasting for ever.
@Suite("pg-copy, guards", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgCopyGuardTests {
  private let scene: CopyFixture

  init() throws { scene = try CopyFixture() }

  @Test("the source and each receiver must be of the cluster that is named")
  func system() throws {
    let own = try #require(
      try scene.ask("SELECT system_identifier::text FROM pg_control_system()", as: String.self))
    let other = "7000000000000000001"
    let right = try scene.copy(scene.to(1, ";system=\(own)") + ["--expect-system-id", own])
    #expect(right.end == .exit(0), "\(right.errors)")
    let source = try scene.copy(
      scene.to(2) + ["--expect-system-id", other, "--replace", "truncate"])
    #expect(source.end == .exit(6))
    #expect(source.errors.contains("pg-copy: source ("))
    #expect(source.errors.contains("the server is of cluster \(own), and not of \(other)"))
    let one = try scene.copy(
      scene.to(2, ";system=\(other)") + scene.to(3, ";system=\(own)") + ["--summary", "json"])
    #expect(one.end == .exit(5))
    #expect(try scene.summary(one).statuses == ["rolled_back", "committed"])
    let needed = try scene.copy(scene.to(2, ";system=\(other);required") + scene.to(1))
    #expect(needed.end == .exit(6), "\(needed.errors)")
    #expect(try scene.copy(scene.to(2, ";system=\(other)")).end == .exit(6))
    #expect(try scene.rows(2) == 0)
    for wrong in [";system=x", ";system=-1", ";system=", ";protected=1"] {
      #expect(try scene.copy(scene.to(2, wrong)).end == .exit(64))
    }
    #expect(try scene.copy(["--to", "-;system=1"]).end == .exit(64))
    #expect(try scene.copy(scene.to(2) + ["--expect-system-id", "x"]).end == .exit(64))
  }

  @Test("a database that is protected takes rows only from who says that it is meant")
  func protected() throws {
    let cluster = try CopyCluster()
    defer { cluster.close() }
    let db = try cluster.connect()
    try db.execute(
      """
      CREATE TABLE t(id int, name text); INSERT INTO t VALUES (-1, 'precious');
      ALTER DATABASE postgres SET pgkit.protected = 'on'
      """)
    let to = try "\(cluster.iri());table=t"
    for more in [[], ["--replace", "truncate"], ["--job", "j"]] {
      let outcome = try scene.copy(["--to", to] + more)
      #expect(outcome.end == .exit(3))
      #expect(outcome.errors.contains("protected by its setting pgkit.protected"))
      #expect(outcome.errors.contains("HINT: --to 'IRI;protected'"))
    }
    #expect(try db.query.first("SELECT name FROM t", as: String.self) == "precious")
    let hasLedger = try db.query.first(
      "SELECT to_regclass('pgkit.copy_ledger') IS NOT NULL", as: Bool.self)
    #expect(hasLedger == false)
    // Reading is always allowed, and so is what is meant.
    let source = try scene.program.run([
      try cluster.iri(), "t", "--to", "\(scene.iri);table=\(scene.name)_1",
    ])
    #expect(source.end == .exit(0), "\(source.errors)")
    let meant = try scene.copy(["--to", to + ";protected"])
    #expect(meant.end == .exit(0), "\(meant.errors)")
    #expect(try db.query.first("SELECT count(*) FROM t", as: Int.self) == 1001)
    try db.execute("ALTER DATABASE postgres SET pgkit.protected = 'off'")
    #expect(try scene.copy(["--to", to]).end == .exit(0))
    db.close()
  }

  @Test("with --deadline the servers end by themselves what nobody can tell them to end")
  func statementTimeout() throws {
    let query = "SELECT 1, current_setting('statement_timeout')"
    #expect(try scene.copy(scene.to(1) + ["--deadline", "40s"], query).end == .exit(0))
    #expect(try scene.ask("SELECT name FROM \(scene.name)_1", as: String.self) == "40s")
    let own = scene.iri + "?options=-c%20statement_timeout%3D50s"
    let outcome = try scene.program.run([own, query] + scene.to(2) + ["--deadline", "40s"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try scene.ask("SELECT name FROM \(scene.name)_2", as: String.self) == "50s")
  }

  @Test(
    "a COMMIT that has begun in time is not ended by --deadline, neither here nor at the server")
  func commitPastDeadline() throws {
    try scene.db.execute(
      """
      CREATE FUNCTION \(scene.name)_f() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN PERFORM pg_sleep(4.5); RETURN NULL; END$$;
      CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON \(scene.name)_1 DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION \(scene.name)_f()
      """)
    let outcome = try scene.copy(scene.to(1) + scene.to(2) + ["--deadline", "3s"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    for number in 1...2 { #expect(try scene.isEqual(number)) }
  }

  @Test("--dry-run tells what else a receiver has: indexes, publications, columns without a value")
  func dryRun() throws {
    let name = scene.name
    try scene.db.execute(
      """
      ALTER TABLE \(name)_1 ADD twice int GENERATED ALWAYS AS (id * 2) STORED, ADD more int DEFAULT 7;
      CREATE PUBLICATION \(name)_p FOR TABLE \(name)_1
      """)
    defer { try? scene.db.execute("DROP PUBLICATION \(name)_p") }
    let outcome = try scene.copy(scene.to(1) + ["--dry-run"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    for remark in [
      "indexes: 1", "publications: 1", #"column \"twice\" gets no value: it is generated"#,
      #"column \"more\" gets no value: it has its default"#,
    ] {
      #expect(outcome.output.contains(remark), "\(outcome.output)")
    }
  }

  @Test("what a server says reaches no terminal as a command, and stays within its line of JSON")
  func hostile() throws {
    try scene.db.execute(
      """
      CREATE FUNCTION \(scene.name)_f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        RAISE NOTICE E'first\\x1b[2J\\nsecond'; RAISE EXCEPTION E'no\\x1b]0;x\\x07\\n"}{"program"'; END$$;
      CREATE TRIGGER t BEFORE INSERT ON \(scene.name)_1 FOR EACH ROW
        EXECUTE FUNCTION \(scene.name)_f()
      """)
    let outcome = try scene.copy(scene.to(1) + ["--summary", "json"])
    #expect(outcome.end == .exit(3))
    #expect(!outcome.errors.utf8.contains(0x1B) && !outcome.errors.utf8.contains(0x07))
    let summary = try scene.summary(outcome)
    #expect(summary.receivers[0].message == "no\u{1B}]0;x\u{07}\n\"}{\"program\"")
  }

  // MARK: A source that gives way

  @Test("a standby whose primary cleans up ends the copy; --retry begins again and completes it")
  func standby() throws {
    let pair = try ReplicatedPair()
    defer { try? pair.close() }
    let primary = try CopyFixture(iri: pair.primaryIRI, rowCount: 2000)
    // A COMMIT is then in the log that the standby follows.
    try primary.db.execute("SET synchronous_commit = on")
    try primary.db.execute("UPDATE \(primary.name) SET name = repeat('y', 2000)")
    let replica = try PGKit.open(pair.standbyIRI)
    defer { replica.close() }
    try replica.execute("ALTER SYSTEM SET max_standby_streaming_delay = 0")
    try replica.query("SELECT pg_reload_conf()")
    for (number, retries, status) in [(1, "0", Int32(3)), (2, "5", 0)] {
      try waitForStandby(primary, replica)
      let running = try primary.program.start(
        [pair.standbyIRI, primary.name] + scene.to(number)
          + ["--rate", "2MB/s", "--retry", retries, "--summary", "json"])
      try scene.wait(for: "COPY \"\(scene.name)_\(number)\"%")
      // Dead rows that the standby's snapshot still sees are taken away.
      try primary.db.execute("UPDATE \(primary.name) SET name = name")
      try primary.db.execute("VACUUM \(primary.name)")
      let outcome = try running.wait()
      #expect(outcome.end == .exit(status), "\(outcome.errors)")
      #expect(outcome.errors.contains("40001"), "\(outcome.errors)")
      let lines = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("{") }
      #expect(lines.count == 1, "one summary, however often it begins")
      #expect(try scene.rows(number) == (status == 0 ? 2000 : 0))
    }
  }

  private func waitForStandby(_ primary: CopyFixture, _ replica: Connection) throws {
    let place = try primary.ask("SELECT pg_current_wal_lsn()::text", as: String.self)
    for _ in 0..<1000 {
      let isThere = try replica.query.first(
        "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", place, as: Bool.self)
      if isThere == true { return }
      usleep(10_000)
    }
    throw BuiltProgram.Fault(description: "the standby does not follow")
  }
}
