import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// No lie about the outcome: who decides, what a file holds, what was done before.
@Suite(
  "pg-copy, the truth about the outcome",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgCopyTruthTests {
  private static let settings: [ConnectionOptions.Setting] = [
    .init("max_prepared_transactions", "10"), .init("synchronous_commit", "local"),
    .init("synchronous_standby_names", "nobody"), .init("wal_level", "replica"),
    .init("max_wal_senders", "2"),
  ]

  /// Commits transactions until a number is one of the past.
  private func advance(_ connection: Connection, beyond number: Int) throws {
    try connection.execute(
      """
      DO $$ BEGIN
        LOOP EXIT WHEN txid_current() > \(number); COMMIT; END LOOP;
      END $$
      """)
  }

  private func slowCommit(_ scene: CopyFixture, _ number: Int, seconds: Double) throws {
    try scene.db.execute(
      """
      CREATE OR REPLACE FUNCTION \(scene.name)_slow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(\(seconds)); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON \(scene.name)_\(number)
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id = 1)
        EXECUTE FUNCTION \(scene.name)_slow()
      """)
  }

  /// A foreign key that is looked at only in COMMIT, and is wrong there.
  private func failInCommit(_ scene: CopyFixture, _ number: Int) throws {
    try scene.db.execute(
      """
      ALTER TABLE \(scene.name)_\(number) ADD CONSTRAINT later FOREIGN KEY (id)
        REFERENCES \(scene.name)_3(id) DEFERRABLE INITIALLY DEFERRED NOT VALID
      """)
  }

  // MARK: Who decides

  @Test("resolve asks the server that decided, and not a copy of its data directory")
  func clones() throws {
    let (first, second) = (
      try CopyCluster(settings: Self.settings), try CopyCluster(settings: Self.settings)
    )
    defer {
      first.close()
      second.close()
    }
    let (scene, clone) = (
      try CopyFixture(iri: try first.iri()), try CopyFixture(iri: try second.iri())
    )
    let system = "SELECT system_identifier::text FROM pg_control_system()"
    try #require(try scene.ask(system, as: String.self) == (try clone.ask(system, as: String.self)))
    try slowCommit(scene, 1, seconds: 30)
    let ends = scene.to(1) + ["--to", "\(clone.iri);table=\(clone.name)_1"]
    let running = try scene.start(ends + ["--atomic"])
    let process = try scene.wait(for: "COMMIT")
    running.signal(SIGKILL)
    _ = try running.wait()
    try scene.terminate(process)
    let name = try #require(
      try clone.ask("SELECT gid FROM pg_prepared_xacts", as: String.self))
    let number = try #require(name.split(separator: ":").last.flatMap { Int($0) })
    #expect(try scene.ask("SELECT txid_status(\(number))", as: String.self) == "aborted")
    try advance(clone.db, beyond: number)
    #expect(try clone.ask("SELECT txid_status(\(number))", as: String.self) == "committed")
    // Reached by another name, the two cannot be told from each other; and alone the clone says nothing.
    let elsewhere = scene.iri.replacing("%2F", with: "%2F%2F")
    #expect(elsewhere != scene.iri)
    for others in [["--to", elsewhere], []] {
      let unclear = try scene.program.run(["resolve", "--to", clone.iri] + others)
      #expect(unclear.end == .exit(3), "\(unclear.errors)")
      #expect(unclear.output.contains(#""decision":"unknown""#), "\(unclear.output)")
      #expect(unclear.errors.contains("the server that decides is not among these"))
      // To list is all that is asked for then, and it is done.
      let listed = try scene.program.run(["resolve", "--list", "--to", clone.iri] + others)
      #expect(listed.end == .exit(0), "\(listed.errors)")
      #expect(listed.output == unclear.output)
      #expect(try clone.ask("SELECT count(*) FROM pg_prepared_xacts", as: Int.self) == 1)
    }
    let done = try scene.program.run(["resolve", "--to", clone.iri, "--decider", elsewhere])
    #expect(done.end == .exit(0), "\(done.errors)")
    #expect(done.output.contains(#""decision":"rollback""#), "\(done.output)")
    #expect(try clone.ask("SELECT count(*) FROM pg_prepared_xacts", as: Int.self) == 0)
    #expect(try clone.rows(1) == 0)
  }

  @Test("after a loss in COMMIT, a server that has come to the same place is not asked")
  func anotherServer() throws {
    let first = try CopyCluster(settings: Self.settings)
    // Made anew, it has an identifier of its own.
    let second = try CopyCluster(isNew: true)
    defer {
      first.close()
      second.close()
    }
    let scene = try CopyFixture(iri: try first.iri())
    let other = try second.connect()
    defer { other.close() }
    let folder = URL(filePath: try scene.path("place")).path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let socket = folder + "/.s.PGSQL.5999"
    #expect(symlink("\(first.directory)/.s.PGSQL.\(try first.port())", socket) == 0)
    let host = folder.replacing("/", with: "%2F")
    let place =
      "postgres://\(TemporaryCluster.superuser)@\(host):5999/postgres"
      + "?options=-c%20synchronous_commit%3Don;table=\(scene.name)_1"
    let running = try scene.start(["--to", place, "--summary", "json", "--grace", "1s"])
    let process = try scene.wait(for: "COMMIT", in: "SyncRep")
    try advance(other, beyond: 100_000 / 50)
    unlink(socket)
    #expect(symlink("\(second.directory)/.s.PGSQL.\(try second.port())", socket) == 0)
    try scene.terminate(process)
    let outcome = try running.wait()
    #expect(outcome.end == .exit(2), "\(outcome.errors)")
    #expect(try scene.summary(outcome).statuses == ["unknown"])
    #expect(!outcome.errors.contains("the rows are stored"))
  }

  @Test("a server that falls silent in COMMIT is not waited for after a signal, and that is said")
  func silentCommit() throws {
    // Nobody else may be in COMMIT there.
    let cluster = try CopyCluster(settings: Self.settings)
    defer { cluster.close() }
    let scene = try CopyFixture(iri: try cluster.iri())
    try slowCommit(scene, 2, seconds: 1)
    let running = try scene.start(
      scene.to(1) + scene.to(2) + ["--grace", "1s", "--summary", "json"])
    let process = try scene.wait(for: "COMMIT", in: "PgSleep")
    #expect(kill(process, SIGSTOP) == 0)
    defer { kill(process, SIGCONT) }
    running.signal(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.end == .signal(SIGTERM))
    let summary = try scene.summary(outcome)
    #expect(summary.statuses == ["committed", "unknown"], "\(outcome.errors)")
    #expect(summary.receivers[1].remedy?.contains("txid_status") == true)
    #expect(try scene.rows(2) == 0)
    // What nobody knew is so: the server had not heard that nobody waits.
    kill(process, SIGCONT)
    for _ in 0..<1000 where try scene.rows(2) == 0 { usleep(20_000) }
    #expect(try scene.isEqual(2))
  }

  @Test(
    "--deadline in a COMMIT that is not answered is status 4, and the outcome unknown and not denied",
    arguments: [[], ["--atomic"]])
  func lateCommit(more: [String]) throws {
    let cluster = try CopyCluster(settings: Self.settings)
    defer { cluster.close() }
    let scene = try CopyFixture(iri: try cluster.iri())
    // With --atomic the first one decides, and is the last to be asked.
    let ends = more.isEmpty ? scene.to(1) : scene.to(1) + scene.to(2)
    try slowCommit(scene, 1, seconds: 4)
    let running = try scene.start(
      ends + more + ["--deadline", "7s", "--grace", "1s", "--summary", "json"])
    let process = try scene.wait(for: "COMMIT", in: "PgSleep")
    #expect(kill(process, SIGSTOP) == 0)
    defer { kill(process, SIGCONT) }
    let outcome = try running.wait()
    #expect(outcome.end == .exit(4), "\(outcome.errors)")
    #expect(outcome.errors.contains("the server did not answer in time after the deadline"))
    #expect(!outcome.errors.contains("nothing was committed"), "\(outcome.errors)")
    let summary = try scene.summary(outcome)
    #expect(summary.exit_code == 4)
    #expect(summary.statuses.allSatisfy { $0 == "unknown" }, "\(summary.statuses)")
    let remedy = summary.receivers[0].remedy ?? ""
    #expect(remedy.contains(more.isEmpty ? "txid_status" : "pg-copy resolve"), "\(remedy)")
    kill(process, SIGCONT)
    for _ in 0..<1000 where try scene.rows(1) == 0 { usleep(20_000) }
    #expect(try scene.isEqual(1))
    if more.isEmpty { return }
    #expect(try scene.program.run(["resolve"] + ends).end == .exit(0))
    #expect(try scene.isEqual(2))
  }

  @Test("a run that is cut short, because a server does not answer, says what came of it")
  func lastWords() throws {
    let scene = try CopyFixture()
    let running = try scene.start(
      scene.to(1) + ["--grace", "1s", "--summary", "json"],
      "SELECT 1, '\(scene.name)' FROM pg_sleep(30)")
    let process = try scene.wait(for: "COPY%\(scene.name)%", in: "PgSleep")
    #expect(kill(process, SIGSTOP) == 0)
    defer { kill(process, SIGCONT) }
    running.signal(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.end == .signal(SIGTERM))
    let summary = try scene.summary(outcome)
    #expect(summary.statuses == ["rolled_back"] && summary.exit_code == 128 + SIGTERM)
    #expect(summary.message?.contains("does not come to its end") == true)
    #expect(try scene.rows(1) == 0)
  }

  @Test(
    "who does not read stdout is named, and when that keeps the work from its end",
    arguments: [[], ["--deadline", "20s"]])
  func unreadOutput(deadline: [String]) throws {
    let scene = try CopyFixture()
    let query = "SELECT i AS id, repeat('x', 1000) AS name FROM generate_series(1, 100000) i"
    let running = try scene.program.start(
      [scene.iri, query, "--to", "-"] + scene.to(1) + deadline
        + ["--progress", "50ms", "--grace", "500ms", "--summary", "json"], output: .unreadPipe)
    try running.waitForErrors(#""waiting_for":"stdout""#)
    running.signal(SIGUSR1)
    try running.waitForErrors(", waiting for stdout (job copy")
    if deadline.isEmpty { running.signal(SIGTERM) }
    let outcome = try running.wait()
    #expect(outcome.end == (deadline.isEmpty ? .signal(SIGTERM) : .exit(4)), "\(outcome.errors)")
    let summary = try scene.summary(outcome)
    #expect(summary.statuses == ["partial", "rolled_back"])
    #expect(summary.message?.hasSuffix("end: it waits for stdout") == true)
    // What fits into a pipe is there, of a write that has not come to its end.
    let taken = summary.receivers[0].bytes
    #expect(taken > 32 << 10 && summary.bytes >= taken, "\(outcome.errors)")
    #expect(try scene.rows(1) == 0)
  }

  @Test("why a run failed as a whole is in its summary")
  func reason() throws {
    let scene = try CopyFixture()
    let outcome = try scene.copy(
      scene.to(1) + ["--summary", "json"], "SELECT 1/(id - 500), name FROM \(scene.name)")
    let summary = try scene.summary(outcome)
    #expect(summary.sqlstate == "22012")
    #expect(summary.message == "division by zero")
    #expect(try scene.rows(1) == 0)
  }

  @Test("a required receiver whose COMMIT is refused keeps the others from theirs")
  func requiredCommit() throws {
    let scene = try CopyFixture()
    try failInCommit(scene, 2)
    let outcome = try scene.copy(
      scene.to(1) + scene.to(2, ";required") + ["--summary", "json"])
    #expect(outcome.end == .exit(3), "\(outcome.errors)")
    #expect(outcome.errors.contains("nothing is committed"))
    #expect(try scene.summary(outcome).statuses == ["rolled_back", "rolled_back"])
    #expect(try scene.rows(1) == 0)
  }

  @Test("--retry says what came of the last attempt, once")
  func retriedCommit() throws {
    let cluster = try CopyCluster(settings: Self.settings)
    defer { cluster.close() }
    let scene = try CopyFixture(iri: try cluster.iri())
    try slowCommit(scene, 1, seconds: 4)
    let running = try scene.start(scene.to(1) + ["--retry", "1", "--summary", "json"])
    try scene.terminate(try scene.wait(for: "COMMIT"))
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    let summaries = outcome.errors.split(separator: "\n").filter {
      $0.hasPrefix("{\"program\"")
    }
    #expect(summaries.count == 1, "\(outcome.errors)")
    #expect(try scene.summary(outcome).statuses == ["committed"])
    #expect(try scene.isEqual(1))
  }

  // MARK: Files

  @Test("a file has its name only when its run commits; then it keeps its mode and its link")
  func fileWithOthers() throws {
    let scene = try CopyFixture()
    let (path, link) = (try scene.path("rows"), try scene.path("link"))
    try Data("old\n".utf8).write(to: URL(filePath: path))
    chmod(path, 0o640)
    symlink("rows", link)
    try failInCommit(scene, 1)
    let ends = scene.to(1, ";required") + ["--to", link, "--summary", "json"]
    let failed = try scene.copy(ends)
    #expect(failed.end == .exit(3), "\(failed.errors)")
    #expect(try scene.summary(failed).statuses == ["rolled_back", "rolled_back"])
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "old\n")
    try scene.db.execute("ALTER TABLE \(scene.name)_1 DROP CONSTRAINT later")
    let done = try scene.copy(ends)
    #expect(done.end == .exit(0), "\(done.errors)")
    #expect(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count == 1000)
    var status = stat()
    #expect(lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o640)
    let folder = URL(filePath: path).deletingLastPathComponent().path
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["link", "rows"])
  }

  @Test("kill -9 leaves nothing beside a file")
  func killedWithFile() throws {
    let scene = try CopyFixture()
    let path = try scene.path("rows")
    let running = try scene.start(
      ["--to", path], "SELECT generate_series(1, 1000000000), 'x'")
    try scene.wait(for: "COPY (%")
    usleep(200_000)
    running.signal(SIGKILL)
    _ = try running.wait()
    let folder = URL(filePath: path).deletingLastPathComponent().path
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
  }

  @Test("rows that a receiver refused are in their file only if the others are stored")
  func rejectsOfNothing() throws {
    let scene = try CopyFixture()
    try scene.db.execute("INSERT INTO \(scene.name)_1 VALUES (7, 'in the way')")
    try failInCommit(scene, 1)
    let rejects = try scene.path("rejects")
    let outcome = try scene.copy(scene.to(1) + ["--rejects", rejects])
    #expect(outcome.end == .exit(3), "\(outcome.errors)")
    #expect(access(rejects, F_OK) != 0)
    try scene.db.execute("ALTER TABLE \(scene.name)_1 DROP CONSTRAINT later")
    #expect(try scene.copy(scene.to(1) + ["--rejects", rejects]).end == .exit(0))
    #expect(try String(contentsOfFile: rejects, encoding: .utf8).hasPrefix(#"{"row":7,"#))
  }

  @Test("a row that is \\. is no end of the data where the server takes it for a row")
  func markerAsRow() throws {
    for (installation, rows) in TestServer.installations.map({
      ($0, $0.serverVersion.major < 18 ? 1 : 3)
    }) {
      let cluster = try CopyCluster(installation)
      defer { cluster.close() }
      let db = try cluster.connect()
      defer { db.close() }
      try db.execute("CREATE TABLE t(v text)")
      let rejects = FileManager.default.temporaryDirectory.appending(
        path: "rejects_\(UInt64.random(in: 0...UInt64.max))"
      ).path
      defer { unlink(rejects) }
      let outcome = try BuiltProgram("pg-copy").run(
        ["-", "t", "--to", try cluster.iri(), "--format", "csv", "--rejects", rejects],
        input: .text(rows == 1 ? "a\n\\.\n" : "a\n\\.\nb\n"))
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      #expect(try db.query.first("SELECT count(*) FROM t", as: Int.self) == rows)
    }
  }

  // MARK: What was done before

  private func job() -> String { "j\(UInt32.random(in: 0...UInt32.max))" }

  @Test("a job knows its table by whatever name, and its source")
  func jobNames() throws {
    let scene = try CopyFixture()
    let job = ["--job", job(), "--summary", "json"]
    #expect(try scene.copy(scene.to(1) + job).end == .exit(0))
    let again = try scene.copy(
      ["--to", "\(scene.iri);table=public.\(scene.name)_1"] + job)
    #expect(again.end == .exit(0), "\(again.errors)")
    #expect(try scene.summary(again).statuses == ["skipped"])
    let other = try scene.copy(scene.to(1) + job, "SELECT 5000, 'other'")
    #expect(other.end == .exit(3), "\(other.errors)")
    #expect(other.errors.contains("from another source"), "\(other.errors)")
    #expect(other.errors.contains("HINT: each source needs a --job of its own"))
    #expect(try scene.isEqual(1))
  }

  @Test("a job that gets another length of time begins anew, and misses nothing")
  func otherLength() throws {
    let scene = try CopyFixture()
    let ends = scene.to(1) + ["--job", job(), "--replace", "delete", "--summary", "json"]
    for every in ["1d", "1h", "365d", "1d"] {
      let outcome = try scene.copy(ends + ["--every", every])
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      #expect(!outcome.errors.contains("was not done"), "\(outcome.errors)")
    }
    #expect(try scene.summary(try scene.copy(ends + ["--every", "1h"])).statuses == ["skipped"])
  }

  @Test("--single with several receivers does nothing at any where another run is at one")
  func singleOfSeveral() throws {
    let scene = try CopyFixture()
    let second = try CopyCluster()
    defer { second.close() }
    let elsewhere = try CopyFixture(iri: try second.iri())
    let name = job()
    let holder = try PGKit.open(scene.iri)
    defer { holder.close() }
    try holder.query(
      "SELECT pg_advisory_lock(hashtext('pgkit.copy.single'), hashtext($1))", name)
    let ends =
      ["--to", "\(elsewhere.iri);table=\(elsewhere.name)_1"] + scene.to(1)
      + ["--single", name, "--summary", "json"]
    let skipped = try scene.copy(ends)
    #expect(skipped.end == .exit(0), "\(skipped.errors)")
    #expect(try scene.summary(skipped).statuses == ["skipped", "skipped"])
    #expect(try scene.copy(ends + ["--if-running", "fail"]).end == .exit(4))
    #expect(try elsewhere.rows(1) == 0)
    try holder.query(
      "SELECT pg_advisory_unlock(hashtext('pgkit.copy.single'), hashtext($1))", name)
    #expect(try scene.copy(ends).end == .exit(0))
    #expect(try elsewhere.rows(1) == 1000)
  }

  // MARK: What is told before anything is done

  @Test("values that are numbers of other things travel as their names")
  func names() throws {
    let (first, second) = (try CopyCluster(), try CopyCluster())
    defer {
      first.close()
      second.close()
    }
    let (source, target) = (try first.connect(), try second.connect())
    defer {
      source.close()
      target.close()
    }
    try target.execute("CREATE TABLE before(i int); CREATE TABLE after(i int)")
    for db in [source, target] {
      try db.execute("CREATE TABLE named(a int); CREATE TABLE t(c regclass, r regrole[])")
    }
    try source.execute("INSERT INTO t VALUES ('named', ARRAY['pg_monitor']::regrole[])")
    let numbers = try [source, target].map {
      try $0.query.first("SELECT 'named'::regclass::oid::bigint", as: Int.self)
    }
    #expect(numbers[0] != numbers[1])
    let outcome = try BuiltProgram("pg-copy").run(
      [try first.iri(), "t", "--to", try second.iri(), "--summary", "json"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try CopySummary(outcome).format == "text")
    #expect(
      try target.query.first("SELECT c::text || r::text FROM t", as: String.self)
        == "named{pg_monitor}")
  }

  @Test("where sessions would wait for each other, one stores everything, and that is said")
  func deletingInParts() throws {
    let scene = try CopyFixture(rowCount: 20_000)
    let ends = scene.to(1) + ["--jobs", "2", "--replace", "delete"]
    for _ in 0..<2 {
      let outcome = try scene.copy(ends)
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      #expect(outcome.errors.contains("each row of the key \(scene.name)_1_pkey"))
      #expect(try scene.isEqual(1))
    }
    #expect(try scene.copy(ends + ["--dry-run"]).output.contains(#""sessions":1"#))
    try scene.db.execute("ALTER TABLE \(scene.name)_1 DROP CONSTRAINT \(scene.name)_1_pkey")
    #expect(try scene.copy(ends + ["--dry-run"]).output.contains(#""sessions":2"#))
    let alone = try scene.copy(ends)
    #expect(alone.end == .exit(0))
    #expect(!alone.errors.contains("one session stores everything"))
    #expect(try scene.isEqual(1))
  }

  @Test("sessions that cannot commit together are warned of, unless nothing is to be said")
  func halves() throws {
    let cluster = try CopyCluster(settings: [.init("max_prepared_transactions", "0")])
    defer { cluster.close() }
    let scene = try CopyFixture(iri: try cluster.iri(), rowCount: 20_000)
    let loud = try scene.copy(scene.to(1) + ["--jobs", "2"])
    #expect(loud.end == .exit(0), "\(loud.errors)")
    #expect(loud.errors.contains("2 sessions commit one after the other"), "\(loud.errors)")
    #expect(loud.errors.contains("max_prepared_transactions of at least 1"))
    let quiet = try scene.copy(scene.to(2) + ["--jobs", "2", "-q"])
    #expect(quiet.end == .exit(0))
    #expect(quiet.errors == "")
  }

  @Test(
    "what means nothing is a mistake in the command line",
    arguments: [
      (["--max-rejects", "3"], "--max-rejects needs --rejects"),
      (["--rejects", "-"], "takes the path of a file"),
      (["--if-running", "fail"], "--if-running needs --single"),
      (["--to", ""], "--to is empty"), (["--to", ";table=x"], "--to is empty"),
      (["--to", "--atomic"], "a receiver is expected, and not an option"),
      (["--to", "-;table=x"], "stdout has no table"),
      (["--split", "0"], "--split 0: a table is cut into 1 to 10000 parts"),
      (["--split", "100000"], "--split 100000: a table is cut into 1 to 10000 parts"),
    ])
  func mistakes(more: [String], message: String) throws {
    let scene = try CopyFixture()
    let outcome = try scene.copy(scene.to(1) + more)
    #expect(outcome.end == .exit(64), "\(outcome.errors)")
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect(try scene.rows(1) == 0)
  }

  @Test("an empty source is a mistake: a variable that is not set names no server")
  func emptySource() throws {
    let scene = try CopyFixture()
    let outcome = try scene.program.run(["", scene.name] + scene.to(1))
    #expect(outcome.end == .exit(64))
    #expect(outcome.errors.contains("SOURCE is empty"), "\(outcome.errors)")
  }

  @Test("--dry-run tells as JSON also why nothing can be looked at")
  func dryRunWithoutServer() throws {
    let scene = try CopyFixture()
    let nowhere = "postgres://u@127.0.0.1:1/d"
    for (source, ends) in [
      (nowhere, scene.to(1)), (scene.iri, ["--to", "\(nowhere);table=x"]),
    ] {
      let outcome = try scene.program.run([source, scene.name] + ends + ["--dry-run"])
      #expect(outcome.end == .exit(2), "\(outcome.errors)")
      let report = try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
      #expect(report["possible"] as? Bool == false)
      #expect(outcome.output.contains("Connection refused"), "\(outcome.output)")
    }
  }

  // MARK: Waiting

  @Test("a receiver that is lost while stdin is quiet is noticed then")
  func quietInput() throws {
    let scene = try CopyFixture()
    let running = try scene.program.start(
      ["-", "\(scene.name)_1", "--to", scene.iri], input: .open)
    running.send("1\tone\n")
    let session = try scene.wait(for: "COPY \"\(scene.name)_1\"%FROM STDIN%", state: "%")
    try scene.terminate(session)
    let outcome = try running.wait(timeout: .seconds(20))
    #expect(outcome.end == .exit(2), "\(outcome.errors)")
    #expect(outcome.errors.contains("57P01"), "\(outcome.errors)")
  }
}
