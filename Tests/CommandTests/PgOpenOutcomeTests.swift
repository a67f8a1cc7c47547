import Foundation
import Glibc
import PGTestCluster
import Testing

@Suite(
  "pg-open: where rows and messages go",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgOpenOutcomeTests {
  private let open: OpenFixture

  init() throws { open = try OpenFixture() }

  // MARK: Output

  @Test("floats and bytea do not depend on the role's settings")
  func settingsOfRole() throws {
    _ = try open.ask("CREATE ROLE \(open.name) LOGIN SUPERUSER PASSWORD 'p'")
    _ = try open.ask("ALTER ROLE \(open.name) SET extra_float_digits = -5")
    _ = try open.ask("ALTER ROLE \(open.name) SET bytea_output = 'escape'")
    _ = try open.ask("ALTER ROLE \(open.name) SET DateStyle = 'German'")
    let outcome = try open.run(
      [
        "--user", open.name, "SELECT 0.1::float8 + 0.2, 1.23456789::float4, '\\xdead'::bytea",
        "SELECT date '2026-11-21'",
      ], environment: ["PGPASSWORD": "p"])
    _ = try open.ask("DROP ROLE \(open.name)")
    #expect(
      outcome.output == "0.30000000000000004\t1.2345679\t\\\\xdead\n2026-11-21\n",
      "\(outcome.output)\(outcome.errors)")
  }

  @Test(
    "-o with the name of an open descriptor writes there, and replaces nothing",
    arguments: ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "-", "link"])
  func openDescriptor(_ name: String) throws {
    let log = try open.file("log", "first\n")
    if name == "link" { symlink("/dev/stdout", open.path("link")) }
    let target = name == "link" ? open.path("link") : name
    let script = "(echo before; \"$0\" \"$1\" -o \"$2\" 'SELECT 5'; echo after) >> \(log) 2>&1"
    _ = try BuiltProgram(absolute: "/bin/sh").run([
      "-c", script, open.program.path, open.server.iri(), target,
    ])
    #expect(open.contents("log") == "first\nbefore\n5\nafter\n")
  }

  @Test("-o onto a link writes what it means, whether or not that is there")
  func linkedOutput() throws {
    symlink("there", open.path("a"))
    symlink("not-yet", open.path("b"))
    _ = try open.file("there", "old")
    for name in ["a", "b"] {
      #expect(try open.run(["-o", open.path(name), "SELECT 5"]).end == .exit(0))
      var status = stat()
      lstat(open.path(name), &status)
      #expect(status.st_mode & S_IFMT == S_IFLNK)
    }
    #expect(open.contents("there") == "5\n")
    #expect(open.contents("not-yet") == "5\n")
  }

  @Test(
    "-o keeps the owner of the file whose place it takes",
    .enabled(if: geteuid() == 0, "only root may give files away"))
  func ownerOfOutput() throws {
    let file = try open.file("mine", "old")
    chown(file, 1234, 1235)
    chmod(file, 0o640)
    #expect(try open.run(["-o", file, "SELECT 5"]).end == .exit(0))
    var status = stat()
    stat(file, &status)
    #expect(status.st_uid == 1234 && status.st_gid == 1235 && status.st_mode & 0o777 == 0o640)
    #expect(open.contents("mine") == "5\n")
  }

  @Test("--gexec --keep-going goes on with the other products")
  func gexecGoesOn() throws {
    let outcome = try open.run([
      "--gexec", "--keep-going", "SELECT 'sel' UNION ALL SELECT 'SELECT 2'",
    ])
    #expect(outcome.end == .exit(3))
    #expect(outcome.output == "2\n")
    #expect(outcome.errors.contains("42601"))
  }

  @Test("--gexec --dry-run prints what would run, and can be fed back")
  func dryRun() throws {
    let make =
      "SELECT 'SELECT 1 -- c' UNION ALL SELECT 'SELECT 2;' UNION ALL SELECT 'SELECT 3; SELECT 4'"
    let dry = try open.run(["--gexec", "--dry-run", make])
    #expect(dry.output == "SELECT 1;\nSELECT 2;\nSELECT 3;\nSELECT 4;\n")
    #expect(try open.run(["-f", "-"], input: .text(dry.output)).output == "1\n2\n3\n4\n")
  }

  @Test("--scalar and --one-row print nothing unless all is well")
  func oneValue() throws {
    let two = try open.run(["--scalar", "SELECT 1", "SELECT 2"])
    #expect(two.end == .exit(6))
    #expect(two.output.isEmpty)
    let second = try open.run(["--one-row", "SELECT 1", "SELECT 2 WHERE false"])
    #expect(second.end == .exit(6))
    #expect(second.output.isEmpty)
    #expect(try open.run(["--scalar", "BEGIN", "SELECT 1", "COMMIT"]).output == "1\n")
    #expect(try open.run(["-1", "--one-row", "SELECT 1", "SELECT 2"]).output == "1\n2\n")
  }

  @Test("rows in front of one that cannot be printed are printed, in lines that are whole")
  func rowsInFront() throws {
    let raw = try open.run([
      "--format", "raw",
      "SELECT CASE a WHEN 5 THEN E'x\\ny' ELSE a::text END FROM generate_series(1, 9) a",
    ])
    #expect(raw.end == .exit(1))
    #expect(raw.output == "1\n2\n3\n4\n")
    let json = try open.run([
      "--format", "json", "SELECT 1 / (a - 3) AS a FROM generate_series(1, 9) a",
    ])
    #expect(json.end == .exit(3))
    #expect(json.output.isEmpty || json.output.hasSuffix("}\n"), "\(json.output)")
  }

  @Test(
    "a text for NULL that would be several values is refused",
    arguments: [
      ("csv", ","), ("csv", "a\"b"), ("csv", "a\nb"), ("tsv", "\t"), ("raw", "\n"),
    ])
  func unsafeNull(_ format: String, _ text: String) throws {
    let outcome = try open.run(["--format", format, "--null", text, "SELECT NULL, 'x'"])
    #expect(outcome.end == .exit(64))
    #expect(outcome.output.isEmpty)
    let markdown = try open.run(["--format", "md", "--null", "|", "SELECT NULL AS a"])
    #expect(markdown.output.contains("| \\| |"))
  }

  // MARK: Messages

  @Test("several rows in a message are one list in JSON")
  func rowsInJSON() throws {
    let outcome = try open.run([
      "--errors", "json", "--expect-rows", "1", "SELECT 3, 4 UNION ALL SELECT 5, 6",
    ])
    #expect(outcome.end == .exit(6))
    #expect(outcome.errors.contains(#""rows":["?column?=3 ?column?=4","?column?=5 ?column?=6"]"#))
    #expect(!outcome.errors.contains(#""row":"#))
  }

  @Test("an error without a position has the place of its statement")
  func placeOfStatement() throws {
    try open.withTable("a int PRIMARY KEY") { table in
      let insert = "INSERT INTO \(table) VALUES (1)"
      let outcome = try open.run(["-c", insert, "-c", insert])
      #expect(outcome.errors.contains("(-c 2:1:1)"), "\(outcome.errors)")
      let unexpected = try open.run(["--expect-rows", "1", "SELECT 1", "SELECT 2 WHERE false"])
      #expect(unexpected.errors.contains("(operand 2:1:1)"), "\(unexpected.errors)")
      let data = try open.file("d.sql", "COPY \(table) FROM STDIN;\n5\nx\n\\.\n")
      #expect(try open.run(["-f", data]).errors.contains("\(data):3)"))
    }
  }

  @Test("the summary counts what was changed, failed and skipped, and comes last")
  func summary() throws {
    try open.withTable("a int") { table in
      let insert = "INSERT INTO \(table) VALUES (1)"
      let failed = try open.run([
        "--summary", "json", "--keep-going", "BEGIN", insert, "SELECT nope", "SELECT 1", "COMMIT",
      ])
      #expect(
        failed.errors.contains("\"statements\":5,\"failed\":2,\"skipped\":1"), "\(failed.errors)")
      let copied = try open.run(["--summary", "json", "COPY (SELECT 1) TO STDOUT"])
      #expect(copied.errors.contains("\"changed\":0"))
      let undone = try open.run(["--summary", "json", "-1", insert, "SELECT nope"])
      #expect(undone.errors.contains("\"changed\":0"))
      let lines = undone.errors.split(separator: "\n")
      #expect(lines.last?.hasPrefix("{\"program\"") == true && lines.count >= 2, "\(undone.errors)")
    }
  }

  @Test("the server's limits: 0 is none, and what is too long for them is refused")
  func limits() throws {
    #expect(
      try open.run(["--statement-timeout", "0", "SHOW statement_timeout"]).output == "0\n")
    #expect(
      try open.run(["--statement-timeout", "0.1ms", "SHOW statement_timeout"]).output == "1ms\n")
    #expect(try open.run(["--lock-timeout", "100d", "SELECT 1"]).end == .exit(64))
    #expect(try open.run(["--retry", "-3", "SELECT 1"]).end == .exit(64))
    #expect(try open.run(["--expect-rows", "-1", "SELECT 1"]).end == .exit(64))
  }

  @Test("-c takes SQL that begins with a comment")
  func comment() throws {
    #expect(try open.run(["-c", "-- report\nSELECT 1"]).output == "1\n")
  }

  @Test("what is meant for psql, or for the IRI, is answered with what to do")
  func hints() throws {
    #expect(try open.run(["-v", "n=1", "SELECT :n"]).errors.contains(":'n'"))
    #expect(try open.run(["SELECT 1 \\gexec"]).errors.contains("psql's"))
    #expect(try open.run(["-v", "a b=1", "SELECT 1"]).end == .exit(64))
    let lost = try open.program.run(
      ["-c", "SELECT 1", "SELECT 2"],
      environment: BuiltProgram.ownEnvironment.merging(["PGKIT_IRI": open.server.iri()]) { $1 })
    #expect(lost.end == .exit(64))
    #expect(lost.errors.contains("\"SELECT 2\" is no IRI"))
  }

  @Test("rows come before the error of the statement behind them, where both go to one log")
  func orderInLog() throws {
    for flags in [[], ["--keep-going"]] {
      let outcome = try BuiltProgram(absolute: "/bin/sh").run(
        ["-c", "exec \"$0\" \"$@\" 2>&1", open.program.path, open.server.iri()] + flags + [
          "SELECT 'first'", "SELECT nope",
        ])
      #expect(outcome.output.hasPrefix("first\npg-open: ERROR 42703"), "\(outcome.output)")
    }
  }

  @Test("what would command a terminal is escaped in messages, and in rows on a terminal")
  func hostileText() throws {
    let notice = try open.run([
      "DO $$ BEGIN RAISE NOTICE 'a%b%HINT: forged', chr(27), chr(10); END $$"
    ])
    #expect(notice.errors.contains("a\\x1bb\n\tHINT: forged"), "\(notice.errors)")
    let query = "SELECT E'\\x1b[2J' || chr(155) || chr(8238) || 'ü'"
    let shown = try BuiltProgram(absolute: "/usr/bin/python3").run([
      "-c", "import pty, sys; pty.spawn(sys.argv[1:])", open.program.path, open.server.iri(),
      "--format", "tsv", query,
    ])
    #expect(shown.output.contains("\\x1b[2J\\x9b\\x202eü"), "\(shown.output)")
    #expect(!shown.output.contains("\u{1B}"))
    // In a file they are what they are.
    #expect(try open.run(["--format", "tsv", query]).output == "\u{1B}[2J\u{9B}\u{202E}ü\n")
  }

  @Test("a file that ends in the data of a COPY may be cut off, and that is said")
  func cutOffData() throws {
    let start = "CREATE TEMP TABLE t(a int);\nCOPY t FROM STDIN;\n1\n"
    let cut = try open.run(["-f", try open.file("cut.sql", start)])
    #expect(cut.end == .exit(0))
    #expect(cut.errors.contains("WARNING: the data ends with the file"), "\(cut.errors)")
    let whole = try open.run(["-f", try open.file("whole.sql", start + "\\.\n")])
    #expect(whole.end == .exit(0) && whole.errors.isEmpty, "\(whole.errors)")
  }

  @Test("a large script is in memory once")
  func memoryOfScript() throws {
    let row = String(repeating: "x", count: 99) + "\n"
    let data = String(repeating: row, count: 60_000)
    let path = try open.file(
      "large.sql", "CREATE TEMP TABLE t(a text);\nCOPY t FROM STDIN;\n" + data + "\\.\n")
    let small = try open.run(["SELECT pg_sleep(0.1)"])
    let outcome = try open.run(["-f", path])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(small.peakMemory > 0)
    // The script has 6 MB.
    #expect(outcome.peakMemory - small.peakMemory < 16 * 1024, "\(outcome.peakMemory) KiB")
  }
}
