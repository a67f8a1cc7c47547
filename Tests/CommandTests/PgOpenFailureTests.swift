import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

@Suite(
  "pg-open: time and failure",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgOpenFailureTests {
  private let open: OpenFixture

  init() throws { open = try OpenFixture() }

  // MARK: Time

  @Test("--timeout cancels what runs and ends with 4")
  func timeout() throws {
    let mark = "timeout \(open.name)"
    let start = ContinuousClock.now
    let outcome = try open.run([
      "--timeout", "300ms", "--keep-going", "SELECT 1", "SELECT pg_sleep(60) /* \(mark) */",
      "SELECT 2",
    ])
    #expect(outcome.end == .exit(4))
    #expect(outcome.output == "1\n")
    #expect(outcome.errors.contains("the time of --timeout is over"))
    #expect(ContinuousClock.now - start < .seconds(10))
    try open.server.expectNothingRuns(matching: "%\(mark)%")
  }

  @Test("--timeout holds while stdin is waited for, and while nobody reads")
  func timeoutOutside() throws {
    let table = "CREATE TEMP TABLE t(a int)"
    let waiting = try open.program.start(
      [open.server.iri(), "--timeout", "300ms", table, "COPY t FROM STDIN"], input: .open)
    #expect(try waiting.wait().end == .exit(4))
    // The pipe is full at once, and its reader there, but asleep.
    let unread = try BuiltProgram(absolute: "/bin/bash").run([
      "-c", "set -o pipefail; \"$0\" \"$@\" | sleep 9", open.program.path, open.server.iri(),
      "--timeout", "300ms", "SELECT generate_series(1, 100000000)",
    ])
    #expect(unread.end == .exit(4), "\(unread.errors)")
  }

  @Test("the server's own limits end a statement with 3")
  func serverLimits() throws {
    let slow = try open.run(["--statement-timeout", "50ms", "SELECT pg_sleep(60)"])
    #expect(slow.end == .exit(3))
    #expect(slow.errors.contains("57014"))
    let db = try open.server.connect()
    defer { db.close() }
    try db.execute("CREATE TABLE \(open.name)()")
    try db.execute("BEGIN; LOCK TABLE \(open.name)")
    let locked = try open.run(["--lock-timeout", "0.05s", "SELECT * FROM \(open.name)"])
    #expect(locked.end == .exit(3))
    #expect(locked.errors.contains("55P03"))
    try db.execute("ROLLBACK; DROP TABLE \(open.name)")
  }

  @Test("--wait connects to a server that comes later, and ends with 4 if none does")
  func wait() throws {
    let never = try open.program.run(["--wait", "300ms", "host=/nowhere", "SELECT 1"])
    #expect(never.end == .exit(4))
    #expect(never.errors.contains("/nowhere"))
    // Without it, a server that is not there is no matter of time.
    #expect(try open.program.run(["host=/nowhere", "SELECT 1"]).end == .exit(2))
    let refused = try open.program.run([
      "--wait", "10s", open.server.iri(database: "no_such_database"), "SELECT 1",
    ])
    #expect(refused.end == .exit(2))
    let temporary = try TemporaryCluster(installation: nil, TemporaryCluster.Options())
    let iri = try temporary.iri(scheme: "postgres")
    try temporary.cluster.stop(.fast)
    let running = try open.program.start(["--wait", "60s", iri, "SELECT 1"])
    usleep(300_000)
    #expect(running.isRunning)
    var start = Cluster.StartOptions()
    start.socketDirectory = temporary.directory
    try temporary.cluster.start(start)
    let outcome = try running.wait(timeout: .seconds(90))
    #expect(outcome.output == "1\n", "\(outcome.errors)")
  }

  // MARK: Again

  /// A function that fails twice with the code, and then gives 7.
  private func makeFailing(_ code: String) throws -> String {
    _ = try open.ask("CREATE SEQUENCE \(open.name)_s")
    _ = try open.ask(
      """
      CREATE FUNCTION \(open.name)() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('\(open.name)_s') < 3 THEN RAISE EXCEPTION 'again' USING ERRCODE = '\(code)'; END IF;
        RETURN 7; END $$
      """)
    return "SELECT \(open.name)()"
  }

  private func drop() throws {
    _ = try open.ask("DROP SEQUENCE \(open.name)_s")
    _ = try open.ask("DROP FUNCTION \(open.name)")
  }

  @Test("--retry repeats a statement whose failure passes, and no other")
  func retry() throws {
    let query = try makeFailing("40001")
    let enough = try open.run(["--retry", "2", "--summary", "json", "SELECT 1", query])
    #expect(enough.output == "1\n7\n", "\(enough.errors)")
    #expect(enough.errors.contains("\"retries\":2"))
    _ = try open.ask("SELECT setval('\(open.name)_s', 1, false)::text")
    let few = try open.run(["--retry", "1", query])
    #expect(few.end == .exit(3))
    #expect(few.errors.contains("40001"))
    try drop()
    let other = try makeFailing("23505")
    #expect(try open.run(["--retry", "5", other]).end == .exit(3))
    try drop()
  }

  @Test("--retry with -1 repeats everything, and prints nothing twice")
  func retryTransaction() throws {
    let query = try makeFailing("40P01")
    let outcome = try open.run([
      "-1", "--retry", "5", "--summary", "json", "CREATE TABLE \(open.name)_t AS SELECT 1 AS a",
      "SELECT 'once'", query,
    ])
    #expect(outcome.output == "once\n7\n", "\(outcome.errors)")
    #expect(outcome.errors.contains("\"retries\":2"))
    #expect(try open.ask("SELECT count(*)::text FROM \(open.name)_t") == "1")
    _ = try open.ask("DROP TABLE \(open.name)_t")
    try drop()
  }

  @Test("--retry repeats nothing whose rows are already printed, and no procedure")
  func noRetry() throws {
    let query = try makeFailing("40001")
    let large = try open.run([
      "--retry", "5",
      "SELECT repeat('x', 1000) FROM generate_series(1, 20000) UNION ALL "
        + query + "::text",
    ])
    #expect(large.end == .exit(3))
    _ = try open.ask("SELECT setval('\(open.name)_s', 1, false)::text")
    let block = "DO $$ BEGIN PERFORM \(open.name)(); END $$"
    #expect(try open.run(["--retry", "5", block]).end == .exit(3))
    try drop()
  }

  // MARK: The file

  @Test("-o gives a file its name only when all of it is there")
  func outputFile() throws {
    let path = try open.file("report.csv", "yesterday's\n")
    chmod(path, 0o640)
    let failed = try open.run([
      "--format", "csv", "-o", path, "SELECT generate_series(1, 100000)", "SELECT 1/0",
    ])
    #expect(failed.end == .exit(3))
    #expect(open.contents("report.csv") == "yesterday's\n")
    #expect(open.names == ["report.csv"])
    #expect(failed.errors.split(separator: "\n").count == 1)
    let good = try open.run(["--format", "csv", "-o", path, "SELECT 1 AS a"])
    #expect(good.end == .exit(0))
    #expect(good.output == "")
    #expect(open.contents("report.csv") == "a\n1\n")
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o640)
    #expect(open.names == ["report.csv"])
  }

  @Test("-o follows a link, writes to what is no file, and is refused before anything runs")
  func oddOutputs() throws {
    let path = try open.file("real", "old")
    let link = open.folder.appending(path: "link").path
    symlink(path, link)
    #expect(try open.run(["-o", link, "SELECT 1"]).end == .exit(0))
    #expect(open.contents("real") == "1\n")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == path)
    #expect(try open.run(["-o", "/dev/stdout", "SELECT 1"]).end == .exit(0))
    let refused = try open.run(["-o", "/no/such/folder/x", "CREATE TABLE \(open.name)()"])
    #expect(refused.end == .exit(1))
    #expect(refused.errors == "pg-open: /no/such/folder/x: No such file or directory\n")
    #expect(try open.ask("SELECT to_regclass('\(open.name)')") == nil)
    let stream = try open.run(["-o", path, "--no-atomic", "SELECT 2", "SELECT nope"])
    #expect(stream.end == .exit(3))
    #expect(open.contents("real") == "2\n")
  }

  @Test("a report on a full disk, cut off, with an error or rolled back: not 0, one line, no file")
  func nightlyReport() throws {
    let report = open.folder.appending(path: "report.csv").path
    let cutOff = """
      SELECT n, CASE WHEN n = 300000 THEN pg_terminate_backend(pg_backend_pid()) END
        FROM generate_series(1, 1000000) n
      """
    let cases: [([String], Int32, String)] = [
      ([cutOff], 2, "57P01"), (["SELECT 1", "SELECT 1/0"], 3, "22012"),
      (
        ["--keep-going", "BEGIN", "SELECT nope", "COMMIT"], 3,
        "COMMIT rolled it back"
      ),
    ]
    for (arguments, status, message) in cases {
      let outcome = try open.run(["--format", "csv", "-o", report] + arguments)
      #expect(outcome.end == .exit(status))
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
      #expect(open.names.isEmpty)
    }
    let full = try open.run(
      ["--format", "csv", "SELECT generate_series(1, 100000)"], output: .full)
    #expect(full.end == .exit(1))
    #expect(full.errors == "pg-open: stdout: No space left on device\n")
  }

  @Test("a disk that is full is known before anything takes effect")
  func fullBeforeCommit() throws {
    let outcome = try open.run(
      ["-1", "CREATE TABLE \(open.name)()", "SELECT repeat('x', 100000)"], output: .full)
    #expect(outcome.end == .exit(1))
    #expect(try open.ask("SELECT to_regclass('\(open.name)')") == nil)
  }

  @Test(
    "a report on a file system that is full leaves the old file",
    .enabled(if: ToolContractServerTests.mayMount, "this user may not mount"))
  func fullFileSystem() throws {
    let place = open.folder.appending(path: "disk").path
    mkdir(place, 0o755)
    try #require(mount("tmpfs", place, "tmpfs", 0, "size=64k") == 0)
    defer { umount(place) }
    let path = try open.file("disk/report.csv", "old\n")
    let outcome = try open.run(["-o", path, "SELECT generate_series(1, 100000)"])
    #expect(outcome.end == .exit(1))
    #expect(outcome.errors == "pg-open: \(path): No space left on device\n")
    #expect(open.contents("disk/report.csv") == "old\n")
    let names = try FileManager.default.contentsOfDirectory(atPath: place)
    #expect(names == ["report.csv"])
  }

  @Test(
    "killed or interrupted, it leaves no file and nothing on the server",
    arguments: [SIGKILL, SIGTERM])
  func killed(signal: Int32) throws {
    let report = open.folder.appending(path: "report.csv").path
    let mark = "killed \(open.name)"
    let running = try open.program.start([
      open.server.iri(), "-1", "-o", report, "SELECT 1", "SELECT pg_sleep(60) /* \(mark) */",
    ])
    try open.server.waitUntilSleeps(matching: "%\(mark)%")
    running.signal(signal)
    #expect(try running.wait().end == .signal(signal))
    #expect(open.names.isEmpty)
    if signal != SIGKILL { try open.server.expectNothingRuns(matching: "%\(mark)%") }
    _ = try open.ask(
      """
      SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity
        WHERE query LIKE '%\(mark)%' AND pid <> pg_backend_pid()
      """)
  }
}
