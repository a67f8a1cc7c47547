import Foundation
import Glibc
import PGTestCluster
import Testing

@Suite(
  "pg-open: nothing is lost, and no promise broken",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgOpenPromiseTests {
  private let open: OpenFixture

  init() throws { open = try OpenFixture() }

  // MARK: Interrupted

  @Test("a signal between statements publishes no file", arguments: [[], ["--gexec"]])
  func signalBetween(_ flags: [String]) throws {
    let old = try open.file("report", "old\n")
    let many =
      flags.isEmpty
      ? String(repeating: "SELECT 1, pg_sleep(0.001);\n", count: 20_000)
      : "SELECT 'SELECT 1, pg_sleep(0.001)' FROM generate_series(1, 20000)"
    let script = try open.file("many.sql", many)
    let running = try open.program.start(
      [open.server.iri(), "-o", old, "--summary", "json", "-f", script] + flags)
    usleep(1_500_000)
    running.signal(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.end == .signal(SIGTERM))
    #expect(open.contents("report") == "old\n")
    #expect(open.names == ["many.sql", "report"])
    #expect(outcome.errors.contains("\"exit_code\":143"), "\(outcome.errors)")
  }

  @Test("a signal while --each waits for rows ends at once, and publishes no file")
  func signalWhileWaiting() throws {
    let running = try open.program.start(
      [
        open.server.iri(), "-o", open.path("report"), "--each", "-", "--each-format", "csv",
        "SELECT $1::text",
      ], input: .open)
    running.send("a\n1\n")
    usleep(1_000_000)
    let start = ContinuousClock.now
    running.signal(SIGINT)
    #expect(try running.wait().end == .signal(SIGINT))
    #expect(ContinuousClock.now - start < .seconds(3))
    #expect(open.names.isEmpty)
  }

  @Test("a signal while COPY waits for stdin ends at once, and says nothing of another COPY")
  func signalInCopy() throws {
    let running = try open.program.start(
      [open.server.iri(), "CREATE TEMP TABLE t(a int)", "COPY t FROM STDIN"], input: .open)
    running.send("1\n")
    usleep(1_000_000)
    running.signal(SIGINT)
    let outcome = try running.wait()
    #expect(outcome.end == .signal(SIGINT))
    #expect(!outcome.errors.contains("copying is over"), "\(outcome.errors)")
  }

  @Test("a reader who goes away ends a statement that prints nothing")
  func readerLeaves() throws {
    let mark = "reader \(open.name)"
    let start = ContinuousClock.now
    let outcome = try open.run(
      ["SELECT 1", "SELECT pg_sleep(30) /* \(mark) */"], output: .brokenPipe)
    #expect(outcome.end == .signal(SIGPIPE))
    #expect(outcome.errors.isEmpty, "\(outcome.errors)")
    #expect(ContinuousClock.now - start < .seconds(10))
    try open.server.expectNothingRuns(matching: "%\(mark)%")
  }

  @Test("SIGUSR1 is answered by a line about the run")
  func statusLine() throws {
    let running = try open.program.start(
      [open.server.iri(), "SELECT 1 UNION ALL SELECT 2", "SELECT pg_sleep(30)"])
    try waitUntilRuns("%pg_sleep(30)%")
    running.signal(SIGUSR1)
    try running.waitForErrors("statement 2 (operand 2:1) runs, rows printed: 2, ")
    running.signal(SIGTERM)
    #expect(try running.wait().end == .signal(SIGTERM))
  }

  private func waitUntilRuns(_ pattern: String) throws {
    for _ in 0..<200 {
      let sql =
        "SELECT count(*)::text FROM pg_stat_activity WHERE state = 'active' AND query LIKE '\(pattern)'"
        + " AND application_name = 'pg-open'"
      if try open.ask(sql) != "0" { return }
      usleep(50_000)
    }
    Issue.record("nothing like \(pattern) runs")
  }

  // MARK: Rows refused

  @Test("--rejects keeps what was refused, though the run fails later")
  func rejectsKept() throws {
    try open.withTable("a int PRIMARY KEY") { table in
      var rows = "a\n"
      for row in 1...700 { rows += row == 100 ? "bad\n" : "\(row)\n" }
      let file = try open.file("r.csv", rows)
      let kill = """
        CREATE FUNCTION \(table)_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF NEW.a = 650 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
          RETURN NEW; END $$
        """
      _ = try open.ask(kill)
      _ = try open.ask(
        "CREATE TRIGGER t BEFORE INSERT ON \(table) FOR EACH ROW EXECUTE FUNCTION \(table)_f()")
      let outcome = try open.run([
        "--each", file, "--rejects", open.path("no.csv"), "INSERT INTO \(table) VALUES ($1)",
      ])
      #expect(outcome.end == .exit(2), "\(outcome.errors)")
      #expect(open.contents("no.csv") == "a\nbad\n")
      _ = try open.ask("DROP FUNCTION \(table)_f() CASCADE")
    }
  }

  @Test(
    "a malformed row is kept as a refused one is, and the others go on",
    arguments: [
      ("r.csv", "a,b\n1,x\n2\n3,z\n", "a,b\n2\n"),
      ("r.ndjson", "{\"a\":1,\"b\":\"x\"}\n{bad}\n{\"a\":3,\"b\":\"z\"}", "{bad}\n"),
    ])
  func malformedRow(_ name: String, _ text: String, _ kept: String) throws {
    try open.withTable("a int, b text") { table in
      let file = try open.file(name, text)
      let insert = "INSERT INTO \(table) VALUES ($1, $2)"
      let outcome = try open.run([
        "--each", file, "--rejects", open.path("no"), "--summary", "json", insert,
      ])
      #expect(outcome.end == .exit(3), "\(outcome.errors)")
      #expect(open.contents("no") == kept)
      #expect(try open.count(table) == "2")
      #expect(outcome.errors.contains("\"changed\":2,\"stored\":2,\"rejected\":1"))
      // Without --rejects, the rows before it stay, and that is said.
      let alone = try open.run(["--each", file, insert])
      #expect(alone.end == .exit(1))
      #expect(alone.errors.contains("STORED: 1 rows before it"), "\(alone.errors)")
      #expect(try open.count(table) == "3")
    }
  }

  @Test("of many rows refused, each is kept and every other one stored")
  func manyRefused() throws {
    try open.withTable("a int") { table in
      let rows = (1...900).map { $0 % 2 == 0 || $0 > 600 ? "bad\($0)" : "\($0)" }
      let file = try open.file("r.csv", "a\n" + rows.joined(separator: "\n"))
      let outcome = try open.run([
        "--each", file, "--rejects", open.path("no.csv"), "INSERT INTO \(table) VALUES ($1)",
      ])
      #expect(outcome.end == .exit(3))
      let bad = rows.filter { $0.hasPrefix("bad") }
      #expect(open.contents("no.csv") == "a\n" + bad.joined(separator: "\n") + "\n")
      #expect(try open.count(table) == "300")
    }
  }

  @Test("what is read is not written", arguments: ["csv", "link", "input"])
  func readAndWritten(_ kind: String) throws {
    let file = try open.file("r.csv", "a\n1\n")
    if kind == "link" { symlink(file, open.path("other")) }
    let each = kind == "input" ? "-" : file
    let rejects = kind == "link" ? open.path("other") : file
    let arguments = [
      open.server.iri(), "--each", each, "--each-format", "csv", "--rejects", rejects, "SELECT $1",
    ]
    let outcome = try BuiltProgram(absolute: "/bin/sh").run(
      ["-c", "exec \"$0\" \"$@\" < \(file)", open.program.path] + arguments)
    #expect(outcome.end == .exit(64))
    #expect(outcome.errors.contains("is the file that is read"))
    #expect(open.contents("r.csv") == "a\n1\n")
  }

  @Test("--timeout in a slow row makes no reject of it")
  func timeoutIsNoRefusal() throws {
    let file = try open.file("r.csv", "a\n0\n30\n0\n")
    let outcome = try open.run([
      "--each", file, "--rejects", open.path("no"), "--timeout", "2s",
      "SELECT pg_sleep($1::float8)",
    ])
    #expect(outcome.end == .exit(4), "\(outcome.errors)")
    #expect(open.contents("no") == "")
  }

  @Test("--retry sends a batch again that failed for a reason that passes")
  func retryBatch() throws {
    try open.withTable("a int") { table in
      _ = try open.ask("CREATE SEQUENCE \(table)_s")
      _ = try open.ask(
        """
        CREATE FUNCTION \(table)_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF nextval('\(table)_s') < 3 THEN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END IF;
          RETURN NEW; END $$
        """)
      _ = try open.ask(
        "CREATE TRIGGER t BEFORE INSERT ON \(table) FOR EACH ROW EXECUTE FUNCTION \(table)_f()")
      let file = try open.file("r.csv", "a\n1\n2\n3\n")
      let outcome = try open.run([
        "--each", file, "--rejects", open.path("no"), "--retry", "3", "--summary", "json",
        "INSERT INTO \(table) VALUES ($1)",
      ])
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      #expect(outcome.errors.contains("\"retries\":2"))
      #expect(try open.count(table) == "3")
      _ = try open.ask("DROP FUNCTION \(table)_f() CASCADE")
      _ = try open.ask("DROP SEQUENCE \(table)_s")
    }
  }

  @Test(
    "a byte order mark in front of a quoted name is no part of it", arguments: ["csv", "ndjson"])
  func byteOrderMark(_ format: String) throws {
    let rows = format == "csv" ? "\"a\",\"b,c\"\n1,2\n" : "{\"a\":1,\"b,c\":2}\n"
    let file = try open.file("r.\(format)", "\u{FEFF}" + rows)
    let outcome = try open.run(["--each", file, "--each-columns", "a", "SELECT $1::int"])
    #expect(outcome.output == "1\n", "\(outcome.errors)")
  }

  @Test("texts of NDJSON stay texts in documents")
  func documents() throws {
    try open.withTable("a int, d jsonb, j json, e jsonb[]") { table in
      let rows = """
        {"a":1,"d":"123","j":"null","e":["1",2,{"k":"v"},null]}
        {"a":2,"d":"hello","j":"x\\"y","e":[]}
        {"a":3,"d":null,"j":{"k":1},"e":null}
        """
      let file = try open.file("r.ndjson", rows)
      let outcome = try open.run(["--each", file, "INSERT INTO \(table) VALUES ($1, $2, $3, $4)"])
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      let again = try open.run(["--format", "jsonl", "SELECT * FROM \(table) ORDER BY a"])
      #expect(
        again.output == """
          {"a":1,"d":"123","j":"null","e":["1",2,{"k": "v"},null]}
          {"a":2,"d":"hello","j":"x\\"y","e":[]}
          {"a":3,"d":null,"j":{"k":1},"e":null}

          """, "\(again.output)")
    }
  }

  @Test("a key that no row has is refused before anything is stored")
  func missingKey() throws {
    try open.withTable("a text") { table in
      let file = try open.file("r.ndjson", "{\"a\":1}\n{\"a\":2,\"b\":3}\n")
      let insert = "INSERT INTO \(table) VALUES ($1)"
      let outcome = try open.run(["--each", file, "--each-columns", "nope", insert])
      #expect(outcome.end == .exit(64))
      #expect(outcome.errors.contains("has a key \"nope\""))
      #expect(try open.count(table) == "0")
      #expect(try open.run(["--each", file, "--each-columns", "b", insert]).end == .exit(0))
      #expect(try open.ask("SELECT string_agg(a, ',') FROM \(table)") == "3")
    }
  }
}
