import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// `--idempotency-key`, and the other options that are about single cases: `--dup`, `--format bash`.
@Suite(
  "pg-open: work that is done once",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgOpenOnceTests {
  private let open = BuiltProgram("pg-open")

  /// A cluster with the table of keys, and one that the work goes into.
  private func makeCluster() throws -> (TemporaryCluster, String, Connection) {
    var options = TemporaryCluster.Options()
    // So that a COMMIT can be made to wait for standbys.
    options.settings = [.init("wal_level", "replica"), .init("max_wal_senders", "2")]
    let cluster = try TemporaryCluster(installation: nil, options)
    let iri = try cluster.iri(scheme: "postgres")
    let db = try PGKit.open(iri)
    try db.execute("CREATE TABLE work(n int)")
    return (cluster, iri, db)
  }

  private func makeKeys(_ db: Connection) throws {
    try db.execute(
      """
      CREATE SCHEMA pgkit;
      CREATE TABLE pgkit.idempotency_key (
        key text PRIMARY KEY, done_at timestamptz NOT NULL DEFAULT now())
      """)
  }

  private func count(_ db: Connection) throws -> Int? {
    try db.query.first("SELECT count(*) FROM work", as: Int.self)
  }

  @Test("what has the key is done once, and is told to be done from then on")
  func once() throws {
    let (cluster, iri, db) = try makeCluster()
    defer { try? cluster.close() }
    let words = [iri, "--idempotency-key", "night 1", "INSERT INTO work VALUES (1) RETURNING n"]
    let missing = try open.run(words)
    #expect(missing.end == .exit(3) && missing.output == "")
    #expect(missing.errors.contains("42P01") && missing.errors.contains("HINT: CREATE SCHEMA"))
    // The hint makes the table as it is.
    let hint = try #require(missing.errors.split(separator: "\n").first { $0.hasPrefix("HINT: ") })
    #expect(try open.run([iri, String(hint.dropFirst(6))]).end == .exit(0))
    let first = try open.run(words)
    #expect(first.end == .exit(0) && first.output == "1\n", "\(first)")
    let second = try open.run(words)
    #expect(second.end == .exit(0) && second.output == "", "\(second)")
    #expect(second.errors.contains("\"night 1\" is done already"))
    #expect(try count(db) == 1)
    let other = try open.run([
      iri, "--idempotency-key", "night 2", "INSERT INTO work VALUES (1 / 0)",
    ])
    #expect(other.end == .exit(3))
    // What failed is not done.
    #expect(
      try open.run([iri, "--idempotency-key", "night 2", "INSERT INTO work VALUES (2)"]).errors
        == "")
    #expect(try count(db) == 2)
    for flags in [["--rollback"], ["--read-only"], ["--check"], ["--keep-going"]] {
      #expect(try open.run(words + flags).end == .exit(64))
    }
  }

  @Test("of two at the same time one does it")
  func race() throws {
    let (cluster, iri, db) = try makeCluster()
    defer { try? cluster.close() }
    try makeKeys(db)
    let runs = try (0..<4).map { _ in
      try open.start([
        iri, "--idempotency-key", "race", "INSERT INTO work VALUES (1)", "SELECT pg_sleep(0.3)",
      ])
    }
    let outcomes = try runs.map { try $0.wait() }
    #expect(outcomes.allSatisfy { $0.end == .exit(0) }, "\(outcomes)")
    #expect(outcomes.count { $0.errors.contains("done already") } == 3)
    #expect(try count(db) == 1)
  }

  /// Starts the work, and ends its session while it waits in COMMIT.
  private func loseInCommit(
    _ iri: String, _ db: Connection, waitingFor event: String, _ meanwhile: () throws -> Void
  ) throws -> BuiltProgram.Outcome {
    let running = try open.start([
      iri, "--idempotency-key", "lost", "--retry", "3", "INSERT INTO work VALUES (1) RETURNING n",
    ])
    for _ in 0..<400 {
      let found = try db.query.first(
        """
        SELECT pid FROM pg_stat_activity WHERE application_name = 'pg-open' AND wait_event = $1
          AND query = 'COMMIT'
        """, event, as: Int32.self)
      if let found {
        try meanwhile()
        try db.query("SELECT pg_terminate_backend($1)", found)
        return try running.wait()
      }
      usleep(25_000)
    }
    throw BuiltProgram.Fault(description: "it does not wait for \(event): \(running.errors)")
  }

  @Test(
    "a COMMIT that took effect and was not answered is not done twice, and its rows are printed")
  func tookEffect() throws {
    let (cluster, iri, db) = try makeCluster()
    defer { try? cluster.close() }
    try makeKeys(db)
    try db.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    try db.query("SELECT pg_reload_conf()")
    db.close()
    let waiting = iri + (iri.contains("?") ? "&" : "?") + "options=-c%20synchronous_commit%3Don"
    let other = try PGKit.open(iri)
    defer { other.close() }
    // Committed locally, it waits for a standby that never comes.
    let outcome = try loseInCommit(waiting, other, waitingFor: "SyncRep") {
      try other.execute("ALTER SYSTEM RESET synchronous_standby_names")
    }
    #expect(outcome.end == .exit(0) && outcome.output == "1\n", "\(outcome)")
    #expect(try count(other) == 1)
  }

  @Test("a COMMIT that did not take effect and was not answered is done again, and printed once")
  func tookNoEffect() throws {
    let (cluster, iri, db) = try makeCluster()
    defer { try? cluster.close() }
    try makeKeys(db)
    try db.execute(
      """
      CREATE SEQUENCE turn;
      CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('turn') = 1 THEN PERFORM pg_sleep(60); END IF; RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON work DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION slow();
      """)
    let outcome = try loseInCommit(iri, db, waitingFor: "PgSleep") {}
    #expect(outcome.end == .exit(0) && outcome.output == "1\n", "\(outcome)")
    #expect(try count(db) == 1)
  }

  @Test(
    "columns of the same name are told apart, refused or gathered",
    arguments: [
      ("suffix", #"{"a":1,"b":2,"a_2":3,"a_3":4}"#), ("array", #"{"a":[1,3,4],"b":2}"#),
      ("error", ""),
    ])
  func duplicates(form: String, line: String) throws {
    let server = try TestServer.shared.get()
    let sql = "SELECT 1 AS a, 2 AS b, 3 AS a, 4 AS a"
    let outcome = try open.run([server.iri(), "--format", "jsonl", "--dup", form, sql])
    #expect(outcome.end == .exit(form == "error" ? 1 : 0), "\(outcome)")
    #expect(outcome.output == (line.isEmpty ? "" : line + "\n"))
    if form == "error" { #expect(outcome.errors.contains("two columns are called \"a\"")) }
    let other = try open.run([
      server.iri(), "--format", "json", "--dup", form, "SELECT 1 AS b, NULL AS a, 'x' AS c",
    ])
    #expect(other.output == "[\n{\"b\":1,\"a\":null,\"c\":\"x\"}\n]\n")
    let last = try open.run([
      server.iri(), "--format", "jsonl", "--dup", "array", "SELECT 1 AS b, 2 AS a, 3 AS a",
    ])
    #expect(last.output == "{\"b\":1,\"a\":[2,3]}\n")
  }

  @Test("bash reads every row back from arrays")
  func arrays() throws {
    let server = try TestServer.shared.get()
    let outcome = try BuiltProgram(absolute: "/usr/bin/env").run([
      "bash", "-c",
      """
      id=(left over) && eval "$("$0" "$1" --format bash "$2")" || exit 9
      echo "${#id[@]} ${#name[@]} ${!name[*]}"
      for i in "${!id[@]}"; do printf '%s=<%s>\n' "${id[i]}" "${name[i]-NULL}"; done
      """, open.path, server.iri(),
      """
      SELECT * FROM (VALUES (1, E'it''s\n$(id) "x"'), (2, NULL), (3, ''), (4, '`\\')) AS t(id, name)
      """,
    ])
    #expect(
      outcome.output == """
        4 3 0 2 3
        1=<it's
        $(id) "x">
        2=<NULL>
        3=<>
        4=<`\\>

        """, "\(outcome)")
    let empty = try open.run([server.iri(), "--format", "bash", "SELECT 1 AS a WHERE false"])
    #expect(empty.end == .exit(0) && empty.output == "a=()\n")
    let null = try open.run([
      server.iri(), "--format", "bash", "--null", "-", "SELECT NULL AS a",
    ])
    #expect(null.output == "a=()\na[0]='-'\n")
    #expect(try open.run([server.iri(), "--format", "bash", "SELECT 1"]).end == .exit(1))
  }
}
