import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// When `pg-copy` runs, what it reads, and what it says about that.
@Suite("pg-copy, runs", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgCopyRunTests {
  private let scene: CopyFixture

  init() throws { scene = try CopyFixture() }

  private func job() -> String { "j\(UInt32.random(in: 0...UInt32.max))" }

  // MARK: Jobs

  @Test("a job that is done is not done again; one that failed is")
  func ledger() throws {
    let job = ["--job", job(), "--summary", "json"]
    let failed = try scene.copy(scene.to(1) + job, "SELECT 1 / (id - 900), name FROM \(scene.name)")
    #expect(failed.end == .exit(3))
    #expect(try scene.copy(scene.to(1) + job).end == .exit(0))
    #expect(try scene.isEqual(1))
    let again = try scene.copy(scene.to(1) + job)
    #expect(again.end == .exit(0))
    #expect(try scene.summary(again).receivers[0].message == "already done")
    #expect(try scene.isEqual(1))
    let record = try scene.db.query(
      "SELECT run_id, rows, target FROM pgkit.copy_ledger WHERE job = $1", job[1])
    #expect(record.count == 1)
    #expect(try record[0][1, as: Int.self] == 1000)
    #expect(try record[0][2, as: String.self] == "public.\(scene.name)_1")
  }

  @Test("running a job again gives its rows to those that lack them, and to nobody else")
  func resume() throws {
    let job = ["--job", job(), "--summary", "json"]
    try scene.db.execute("INSERT INTO \(scene.name)_2 VALUES (900, 'in the way')")
    let first = try scene.copy(scene.to(1) + scene.to(2) + job)
    #expect(first.end == .exit(5))
    try scene.db.execute("DELETE FROM \(scene.name)_2")
    let second = try scene.copy(scene.to(1) + scene.to(2) + job)
    #expect(second.end == .exit(0), "\(second.errors)")
    #expect(try scene.summary(second).statuses == ["skipped", "committed"])
    #expect(try scene.isEqual(1))
    #expect(try scene.isEqual(2))
  }

  @Test("--every does a job once in each such time, and tells of times without it")
  func every() throws {
    let name = job()
    let arguments =
      scene.to(1) + ["--job", name, "--every", "1d", "--replace", "delete", "--summary", "json"]
    #expect(try scene.copy(arguments).end == .exit(0))
    #expect(try scene.summary(try scene.copy(arguments)).statuses == ["skipped"])
    try scene.db.query("UPDATE pgkit.copy_ledger SET period = period - 3 WHERE job = $1", name)
    let late = try scene.copy(arguments)
    #expect(late.end == .exit(0))
    #expect(late.errors.contains("was not done 2 times before"))
    #expect(try scene.summary(late).statuses == ["committed"])
  }

  @Test("--single leaves the work to the run that is at it")
  func single() throws {
    let name = job()
    let query = "SELECT generate_series(1, 1000000000), 'x'"
    let running = try scene.start(scene.to(1) + ["--single", name], query)
    try scene.wait(for: "COPY \"\(scene.name)_1\"%")
    let skipped = try scene.copy(scene.to(2) + ["--single", name])
    #expect(skipped.end == .exit(0), "\(skipped.errors)")
    #expect(skipped.errors.contains("skipped: already running"))
    let failed = try scene.copy(scene.to(2) + ["--single", name, "--if-running", "fail"])
    #expect(failed.end == .exit(4))
    #expect(try scene.rows(2) == 0)
    running.signal(SIGKILL)
    _ = try running.wait()
    // The lock goes with the session, once its server has noticed.
    for _ in 0..<100 where try scene.rows(2) == 0 {
      #expect(try scene.copy(scene.to(2) + ["--single", name]).end == .exit(0))
      usleep(20_000)
    }
    #expect(try scene.rows(2) == 1000)
  }

  @Test("--single does not take another receiver of the same run for another run")
  func singleOfSeveral() throws {
    let name = ["--single", job()]
    let outcome = try scene.copy(scene.to(1) + scene.to(2) + name + ["--summary", "json"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try scene.summary(outcome).statuses == ["committed", "committed"])
    #expect(try scene.isEqual(1))
    #expect(try scene.isEqual(2))
  }

  // MARK: Snapshots and parts

  @Test("--snapshot reads what another session sees, and exports what it reads itself")
  func snapshot() throws {
    let holder = try PGKit.open(scene.iri)
    defer { holder.close() }
    try holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    let id = try #require(try holder.query.first("SELECT pg_export_snapshot()", as: String.self))
    try scene.db.execute("INSERT INTO \(scene.name) VALUES (-1, 'later')")
    #expect(try scene.copy(scene.to(1) + ["--snapshot", id]).end == .exit(0))
    #expect(try scene.rows(1) == 1000)
    let exported = try scene.copy(scene.to(2) + ["--snapshot", "export"])
    #expect(exported.end == .exit(0))
    #expect(exported.errors.contains("): snapshot 0"))
    #expect(try scene.rows(2) == 1001)
    let wrong = try scene.copy(scene.to(3) + ["--snapshot", "no'such"])
    #expect(wrong.end == .exit(3))
    #expect(wrong.errors.contains("22023") || wrong.errors.contains("42704"), "\(wrong.errors)")
  }

  @Test(
    "a table in parts is the same table, whatever happens to it meanwhile",
    arguments: [
      ["--split", "7"], ["--split", "64kB", "--jobs", "3"], ["--jobs", "2"], ["--split", "1"],
    ])
  func parts(how: [String]) throws {
    try scene.db.execute(
      """
      INSERT INTO \(scene.name) SELECT i, repeat('x', 50) FROM generate_series(1001, 20000) i;
      CREATE TABLE \(scene.name)_then AS TABLE \(scene.name)
      """)
    let running = try scene.start(
      scene.to(1) + scene.to(2) + how + ["--verify", "--summary", "json", "--rate", "4MB/s"])
    try scene.wait(for: "COPY \"\(scene.name)_1\"%", state: "%")
    // Every row moves to another block while the parts are read.
    try scene.db.execute("UPDATE \(scene.name) SET name = 'changed'")
    try scene.db.execute("DELETE FROM \(scene.name) WHERE id % 2 = 0")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try scene.summary(outcome).rows == 20_000)
    for number in 1...2 {
      let differ = try scene.ask(
        """
        SELECT count(*) FROM (
          (TABLE \(scene.name)_then EXCEPT ALL TABLE \(scene.name)_\(number)) UNION ALL
          (TABLE \(scene.name)_\(number) EXCEPT ALL TABLE \(scene.name)_then)) AS d
        """, as: Int.self)
      #expect(differ == 0)
    }
    try scene.db.execute("DROP TABLE \(scene.name)_then")
  }

  @Test("parts of small and empty tables, and of what has none")
  func smallParts() throws {
    for rows in [1, 0] {
      try scene.db.execute("DELETE FROM \(scene.name) WHERE id > \(rows)")
      try scene.db.execute("VACUUM \(scene.name)")
      let outcome = try scene.copy(
        scene.to(1) + ["--split", "5", "--jobs", "2", "--replace", "delete"])
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      #expect(try scene.rows(1) == rows)
    }
    try scene.db.execute("CREATE VIEW \(scene.name)_v AS TABLE \(scene.name)")
    let view = try scene.copy(scene.to(1) + ["--split", "5"], "\(scene.name)_v")
    #expect(view.end == .exit(3))
    #expect(view.errors.contains("a view or made of others"))
  }

  @Test("one part that fails takes its receiver out; the other receiver has every part")
  func partFails() throws {
    try scene.db.execute(
      """
      INSERT INTO \(scene.name) SELECT i, repeat('x', 50) FROM generate_series(1001, 20000) i;
      INSERT INTO \(scene.name)_1 VALUES (15000, 'in the way')
      """)
    let outcome = try scene.copy(scene.to(1) + scene.to(2) + ["--split", "6", "--jobs", "3"])
    #expect(outcome.end == .exit(5), "\(outcome.errors)")
    // Below what the server says of the row's place in that part.
    let context = #/\nCONTEXT: COPY .+\n\tpart 5: blocks [0-9]+ to [0-9]+ of the source's table\n/#
    #expect(outcome.errors.contains(context), "\(outcome.errors)")
    #expect(try scene.rows(1) == 1)
    #expect(try scene.isEqual(2))
  }

  @Test(
    "sessions that wait for each other, for one key is twice in what is copied, are told what to do",
    arguments: [
      ("40P01", "", []), ("55P03", "?options=-c%20lock_timeout%3D300", []),
      ("55P03", "?options=-c%20lock_timeout%3D300", ["--on-conflict", "nothing"]),
    ])
  func twice(code: String, limit: String, more: [String]) throws {
    // Each session has a key that the other one comes to later, when both have come so far.
    try scene.db.execute(
      """
      ALTER TABLE \(scene.name) DROP CONSTRAINT \(scene.name)_pkey;
      TRUNCATE \(scene.name);
      INSERT INTO \(scene.name) VALUES (-1, 'a'), (-3, 'pause'), (-2, 'b');
      INSERT INTO \(scene.name) SELECT i, repeat('x', 100) FROM generate_series(1, 1000) i;
      INSERT INTO \(scene.name) VALUES (-2, 'b'), (-4, 'pause'), (-1, 'a');
      CREATE FUNCTION \(scene.name)_pause() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
          PERFORM pg_advisory_xact_lock_shared(8, hashtext('\(scene.name)'));
          FOR i IN 1..\(more.isEmpty ? 3000 : 0) LOOP
            EXIT WHEN 2 = (SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory'
              AND classid = 8 AND objid = hashtext('\(scene.name)')::oid);
            PERFORM pg_sleep(0.01);
          END LOOP;
          RETURN NEW;
        END $$;
      CREATE TRIGGER pause BEFORE INSERT ON \(scene.name)_1 FOR EACH ROW WHEN (NEW.name = 'pause')
        EXECUTE FUNCTION \(scene.name)_pause()
      """)
    let ends = ["--to", "\(scene.iri)\(limit);table=\(scene.name)_1", "--summary", "json"] + more
    let outcome = try scene.copy(ends + ["--jobs", "2"])
    #expect(outcome.end == .exit(3), "\(outcome.errors)")
    let receiver = try scene.summary(outcome).receivers[0]
    #expect(receiver.sqlstate == code)
    #expect(receiver.remedy?.contains("; --jobs 1 has") == true, "\(outcome.errors)")
    #expect(outcome.errors.contains("HINT: Two sessions of --jobs "))
    // Its own sessions are nobody to look for.
    #expect(!outcome.errors.contains("has it locked"))
    if more.isEmpty { #expect(outcome.errors.contains("\n\tpart ")) }
    #expect(try scene.rows(1) == 0)
    try scene.db.execute("DROP FUNCTION \(scene.name)_pause() CASCADE")
    let alone = try scene.copy(ends + ["--jobs", "1"])
    #expect(alone.end == .exit(more.isEmpty ? 3 : 0), "\(alone.errors)")
    #expect(alone.errors.contains("23505") == more.isEmpty)
  }

  @Test(
    "one that waits for somebody else's lock is told of that one, and of no sessions of its own")
  func stranger() throws {
    let other = try PGKit.open(scene.iri)
    try other.execute("BEGIN; INSERT INTO \(scene.name)_1 (id, name) VALUES (5, 'theirs')")
    let limited = "\(scene.iri)?options=-c%20lock_timeout%3D300;table=\(scene.name)_1"
    let outcome = try scene.copy([
      "--to", limited, "--jobs", "2", "--split", "4", "--summary", "json",
    ])
    #expect(outcome.end == .exit(3), "\(outcome.errors)")
    let receiver = try scene.summary(outcome).receivers[0]
    #expect(receiver.sqlstate == "55P03" && receiver.remedy == nil, "\(outcome.errors)")
    #expect(outcome.errors.contains("process \(other.backendID) of "), "\(outcome.errors)")
    #expect(!outcome.errors.contains("sessions of --jobs"))
    try other.execute("ROLLBACK")
    other.close()
  }

  @Test("a prepared transaction that holds the table is named, and what ends one of pg-copy's own")
  func prepared() throws {
    let limited = "\(scene.iri)?options=-c%20lock_timeout%3D300;table=\(scene.name)_1"
    let own = "pgkit:copy:0:1:1:00000000:\(UInt32.random(in: 0...UInt32.max))"
    for (name, remedy) in [("theirs \(scene.name)", nil), (own, "pg-copy resolve")] {
      let other = try PGKit.open(scene.iri)
      try other.execute(
        "BEGIN; INSERT INTO \(scene.name)_1 (id) VALUES (5); PREPARE TRANSACTION '\(name)'")
      defer { other.close() }
      let outcome = try scene.copy(["--to", limited, "--replace", "truncate", "--summary", "json"])
      try other.execute("ROLLBACK PREPARED '\(name)'")
      #expect(outcome.end == .exit(3), "\(outcome.errors)")
      #expect(
        outcome.errors.contains("the prepared transaction '\(name)' of "), "\(outcome.errors)")
      let told = try scene.summary(outcome).receivers[0].remedy
      #expect(remedy.map { told?.hasPrefix($0) == true } ?? (told == nil), "\(outcome.errors)")
    }
  }

  @Test("--dry-run says of a file that it cannot be made")
  func dryFile() throws {
    let path = try scene.path("nowhere/x")
    let outcome = try scene.copy(["--to", path, "--dry-run"])
    #expect(outcome.end == .exit(3), "\(outcome.errors)")
    #expect(outcome.output.contains(#""possible":false"#), "\(outcome.output)")
    #expect(outcome.output.contains("cannot be made"))
    let possible = try scene.path("x")
    #expect(try scene.copy(["--to", possible, "--dry-run"]).end == .exit(0))
    #expect(access(possible, F_OK) != 0)
  }

  // MARK: Files

  @Test("a pipe, a directory or a device is never replaced by a file")
  func noFile() throws {
    let pipe = try scene.path("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    symlink("/dev/null", try scene.path("link"))
    let folder = URL(filePath: pipe).deletingLastPathComponent().path
    for path in [pipe, try scene.path("link"), folder] {
      for arguments in [
        ["--to", path], ["--to", "\(scene.iri);table=\(scene.name)_1", "--rejects", path],
      ] {
        let outcome = try scene.copy(arguments)
        #expect(outcome.end == .exit(1), "\(outcome.errors)")
        #expect(outcome.errors.contains("\(path) is no file"), "\(outcome.errors)")
      }
    }
    #expect(try scene.rows(1) == 0)
    var status = stat()
    #expect(stat(pipe, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: scene.path("link")) == "/dev/null")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["link", "pipe"])
  }

  @Test(
    "a file takes all rows or is not there, and gives them", arguments: ["text", "csv", "binary"])
  func files(format: String) throws {
    let path = try scene.path("rows")
    let out = try scene.program.run(
      [scene.iri, scene.name, "--to", path, "--format", format])
    #expect(out.end == .exit(0), "\(out.errors)")
    let back = try scene.program.run(
      [path, "\(scene.name)_1(id, name)", "--to", scene.iri, "--format", format])
    #expect(back.end == .exit(0), "\(back.errors)")
    #expect(try scene.isEqual(1))
    let failed = try scene.program.run(
      [
        scene.iri, "SELECT 1 / (900 - i) FROM generate_series(1, 900) i", "--to", path, "--format",
        format,
      ])
    #expect(failed.end == .exit(3))
    // What was there is still there, and nothing else.
    let folder = URL(filePath: path).deletingLastPathComponent().path
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["rows"])
    let missing = try scene.program.run(
      [path + "no", scene.name, "--to", "\(scene.iri);table=\(scene.name)_2"])
    #expect(missing.end == .exit(1))
    #expect(missing.errors.contains("rowsno: No such file or directory"))
    let nowhere = try scene.copy(["--to", "/no/such/folder/x"])
    #expect(nowhere.end == .exit(1), "\(nowhere.errors)")
  }

  @Test("--encoding says what a file holds")
  func encoding() throws {
    let path = try scene.path("latin1")
    try Data([0x31, 0x09, 0xE9, 0x0A]).write(to: URL(filePath: path))
    let arguments = [path, "\(scene.name)_1(id, name)", "--to", scene.iri]
    #expect(try scene.program.run(arguments).end == .exit(3))
    #expect(try scene.program.run(arguments + ["--encoding", "LATIN1"]).end == .exit(0))
    #expect(try scene.ask("SELECT name FROM \(scene.name)_1", as: String.self) == "é")
    let out = try scene.program.run(
      [scene.iri, "\(scene.name)_1", "--to", path + "2", "--encoding", "LATIN1"])
    #expect(out.end == .exit(0), "\(out.errors)")
    #expect(try Data(contentsOf: URL(filePath: path + "2")) == Data([0x31, 0x09, 0xE9, 0x0A]))
  }

  // MARK: What is said

  @Test("--summary json tells what became of each receiver, also of a failure")
  func summary() throws {
    try scene.db.execute("INSERT INTO \(scene.name)_2 VALUES (900, 'in the way')")
    let outcome = try scene.copy(scene.to(1) + scene.to(2) + ["--summary", "json"])
    #expect(outcome.end == .exit(5))
    let summary = try scene.summary(outcome)
    #expect(summary.exit_code == 5)
    #expect(summary.rows == 1000)
    #expect(summary.run.count == 16)
    #expect(summary.statuses == ["committed", "rolled_back"])
    #expect(summary.receivers.map(\.rows) == [1000, 0])
    #expect(summary.receivers[1].sqlstate == "23505")
    let failed = try scene.copy(scene.to(1) + ["--summary", "json"], "\(scene.name)_none")
    #expect(failed.end == .exit(3))
    #expect(try scene.summary(failed).exit_code == 3)
    #expect(outcome.output == "")
  }

  @Test("--progress prints a line of JSON each time, SIGUSR1 prints one line")
  func progress() throws {
    let query = "SELECT generate_series(1, 1000000000), 'x'"
    let running = try scene.start(scene.to(1) + ["--progress", "100ms"], query)
    try running.waitForErrors(#"{"event":"progress","job":"copy","run":""#)
    running.signal(SIGUSR1)
    try running.waitForErrors(", snapshot held for ")
    try running.waitForErrors(" (job copy, run ")
    running.signal(SIGTERM)
    #expect(try running.wait().end == .signal(SIGTERM))
  }

  @Test("--dry-run says what would be, as JSON, and does nothing")
  func dryRun() throws {
    try scene.db.execute(
      """
      INSERT INTO \(scene.name)_1 VALUES (-1, 'old');
      ALTER TABLE \(scene.name)_1 ALTER id TYPE bigint;
      ALTER TABLE \(scene.name)_2 ADD needed int NOT NULL
      """)
    let one = try scene.copy(scene.to(1) + ["--dry-run", "--replace", "truncate", "--job", job()])
    #expect(one.end == .exit(0), "\(one.errors)")
    #expect(try scene.rows(1) == 1)
    let text = one.output
    #expect(text.contains(#""possible":true"#))
    #expect(text.contains(#""estimated_rows":1000"#))
    #expect(text.contains(#""format":"text""#))
    #expect(text.contains(#""column \"id\" is integer at the source and bigint here""#))
    let two = try scene.copy(scene.to(1) + scene.to(2) + ["--dry-run"])
    #expect(two.end == .exit(3))
    #expect(
      two.output.contains(#"column \"needed\" is not null, has no default, and gets no value"#))
    #expect((try JSONSerialization.jsonObject(with: Data(two.output.utf8))) is [String: Any])
  }

  @Test("the receiver's sessions carry the job's name")
  func applicationName() throws {
    let name = job()
    let query = "SELECT generate_series(1, 1000000000), 'x'"
    let running = try scene.start(scene.to(1) + ["--job", name], query)
    try scene.wait(for: "COPY \"\(scene.name)_1\"%")
    let count = try scene.db.query.first(
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", "pg-copy:\(name)",
      as: Int.self)
    #expect(count == 2)
    running.signal(SIGTERM)
    _ = try running.wait()
  }
}
