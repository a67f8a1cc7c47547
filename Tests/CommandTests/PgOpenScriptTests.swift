import Foundation
import PGKit
import PGTestCluster
import Testing

@Suite(
  "pg-open: scripts", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgOpenScriptTests {
  private let open: OpenFixture

  init() throws { open = try OpenFixture() }

  @Test("runs several files, with dollar quotes, nested comments, routine bodies and data")
  func severalFiles() throws {
    let first = try open.file(
      "a.sql",
      """
      \u{FEFF}CREATE TEMP TABLE t(a int, b text);\r
      COPY t FROM stdin;\r
      1\tone; 'two
      2\t\\N
      \\.
      SELECT * FROM t /* a /* b; */ ; */ ORDER BY a;

      """)
    let second = try open.file(
      "b.sql",
      """
      CREATE FUNCTION pg_temp.f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 7; END;
      SELECT pg_temp.f(), $x$;'$x$; SELECT 'last'
      """)
    let outcome = try open.run(["-f", first, "-f", second])
    #expect(outcome.output == "1\tone; 'two\n2\t\\N\n7\t;'\nlast\n", "\(outcome.errors)")
    #expect(outcome.end == .exit(0))
  }

  @Test(
    "names file, line and column of an error, in characters",
    arguments: [
      ("SELECT 1;\n\nSELECT 'äöü€', nope;", "3:16"), ("\u{FEFF}SELECT nope", "1:8"),
      ("SELECT 1;\r\nSELECT\r\n\tnope;", "3:2"), ("SELECT 1;\n  SELECT 'abc;\n", "2:10"),
      ("SELECT 1/0;", "1:1"), ("SELECT 1; SELECT $$a", "1:18"), ("SELECT 1;\n/* a /* b */", "2:1"),
      ("SELECT 1;\n\\set x 1\nSELECT 2;", "2:1"),
    ])
  func places(script: String, place: String) throws {
    let path = try open.file("x.sql", script)
    let outcome = try open.run(["-f", path])
    #expect(outcome.end == .exit(3))
    #expect(outcome.lines.count <= 1)
    #expect(outcome.errors.contains("(\(path):\(place))"), "\(outcome.errors)")
  }

  @Test("names the place in a statement of the command line, after variables too")
  func placesOnTheCommandLine() throws {
    #expect(try open.run(["SELECT nope"]).errors.contains("(operand 1:1:8)"))
    let outcome = try open.run(["-v", "x=much longer", "-c", "SELECT 1; SELECT :'x', nope"])
    #expect(outcome.errors.contains("(-c 1:1:24)"), "\(outcome.errors)")
  }

  @Test("refuses a NUL byte and what is not UTF-8, with their place")
  func badBytes() throws {
    let nul = try open.file("nul.sql", "SELECT 1;\nSELECT '\0'")
    #expect(try open.run(["-f", nul]).errors.contains("a NUL byte is no SQL (\(nul):2:9)"))
    let bytes = try open.file("latin.sql", Array("SELECT 1;\nSELECT '".utf8) + [0xE9, 0x27])
    let outcome = try open.run(["-f", bytes])
    #expect(outcome.end == .exit(1))
    #expect(outcome.errors.contains("the file is not UTF-8 (\(bytes):2)"))
  }

  @Test("runs nothing of a script in which a quote has no end")
  func inspected() throws {
    let path = try open.file("x.sql", "CREATE TABLE \(open.name)();\nSELECT 'x")
    #expect(try open.run(["-f", path]).end == .exit(3))
    #expect(try open.ask("SELECT to_regclass('\(open.name)')") == nil)
  }

  @Test("follows a script that changes how strings are read")
  func changingStrings() throws {
    let path = try open.file(
      "x.sql",
      """
      SET standard_conforming_strings = off; SET escape_string_warning = off;
      SELECT 'a\\';b';
      SET standard_conforming_strings = on;
      SELECT 'a\\'; SELECT 2
      """)
    #expect(try open.run(["-f", path]).output == "a';b\na\\\\\n2\n")
  }

  @Test("sends the comments in front of a statement with it, and finds places behind them")
  func comments() throws {
    let path = try open.file(
      "x.sql", "-- no\n/*job:ä*/ /*b*/\nSELECT current_query(), :'v';\n/* c */ SELECT nope;")
    let outcome = try open.run(["-v", "v=x", "-f", path])
    #expect(
      outcome.output == "/*job:ä*/ /*b*/ SELECT current_query(), 'x'\tx\n", "\(outcome.errors)")
    #expect(outcome.errors.contains("(\(path):4:16)"), "\(outcome.errors)")
  }

  @Test("gives a COPY of the command line what stdin holds")
  func copyFromInput() throws {
    let outcome = try open.run(
      ["CREATE TEMP TABLE t(a int)", "COPY t FROM STDIN", "SELECT sum(a) FROM t"],
      input: .text("1\n2\n39\n"))
    #expect(outcome.output == "42\n", "\(outcome.errors)")
    let both = try open.run(["-c", "COPY x FROM STDIN", "-f", "-"], input: .text("SELECT 1"))
    #expect(both.end == .exit(64), "\(both.errors)")
  }

  @Test("names the line of a COPY whose data is refused, and stores nothing")
  func badCopyData() throws {
    let path = try open.file(
      "x.sql", "CREATE TEMP TABLE t(a int);\nCOPY t FROM stdin;\n1\nx\n\\.\nSELECT 1;")
    let outcome = try open.run(["-f", path])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("22P02"))
    #expect(outcome.errors.contains("(\(path):4)"), "\(outcome.errors)")
    #expect(outcome.errors.contains("line 2"))
    #expect(outcome.output == "")
  }

  @Test("runs what pg_dump writes")
  func dump() throws {
    let path = try open.file(
      "dump.sql", "\\restrict x'y\n\nSELECT 1;\n\\unrestrict x'y\n")
    #expect(try open.run(["-f", path]).output == "1\n")
  }

  @Test("runs what no transaction may hold, between other statements")
  func outsideTransactions() throws {
    let outcome = try open.run(["-c", "SELECT 1; VACUUM pg_class; SELECT 2"])
    #expect(outcome.output == "1\n2\n", "\(outcome.errors)")
  }

  // MARK: Going on

  @Test("goes on after errors when told to, and ends with the status of the worst")
  func keepGoing() throws {
    let outcome = try open.run([
      "--keep-going", "SELECT 1", "SELECT nope", "SELECT 2", "SELECT 1/0", "SELECT 3",
    ])
    #expect(outcome.output == "1\n2\n3\n")
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("42703") && outcome.errors.contains("22012"))
    let worse = try open.run([
      "--keep-going", "SELECT nope", "SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 3",
    ])
    #expect(worse.end == .exit(2))
  }

  @Test("tells a failed transaction once, counts what follows, and COMMIT is an error")
  func failedTransaction() throws {
    let outcome = try open.run([
      "--keep-going", "BEGIN", "SELECT 1/0", "SELECT 1", "SELECT 2", "COMMIT", "SELECT 3",
    ])
    #expect(outcome.output == "3\n")
    #expect(outcome.end == .exit(3))
    #expect(!outcome.errors.contains("25P02"))
    #expect(outcome.errors.contains("2 statements were not run"))
    #expect(outcome.errors.contains("COMMIT rolled it back"))
  }

  // MARK: Transactions

  @Test("-1 makes all of it one transaction")
  func oneTransaction() throws {
    let create = "CREATE TABLE \(open.name)(a int)"
    let failed = try open.run(["-1", create, "SELECT 1/0"])
    #expect(failed.end == .exit(3))
    #expect(try open.ask("SELECT to_regclass('\(open.name)')") == nil)
    #expect(try open.run(["-1", create, "DROP TABLE \(open.name)", create]).end == .exit(0))
    #expect(try open.ask("SELECT to_regclass('\(open.name)')") != nil)
    _ = try open.ask("DROP TABLE \(open.name)")
  }

  @Test("has the isolation that is asked for, and changes nothing when it only reads")
  func modes() throws {
    let outcome = try open.run([
      "--isolation", "repeatable-read", "--read-only", "SHOW transaction_isolation",
      "SHOW transaction_read_only",
    ])
    #expect(outcome.output == "repeatable read\non\n", "\(outcome.errors)")
    let refused = try open.run(["--read-only", "CREATE TABLE \(open.name)()"])
    #expect(refused.end == .exit(3))
    #expect(refused.errors.contains("25006"))
  }

  @Test("--rollback rehearses, and refuses what would end its transaction before anything runs")
  func rehearsal() throws {
    let create = "CREATE TABLE \(open.name)(a int)"
    #expect(try open.run(["--rollback", create, "SELECT 1"]).output == "1\n")
    #expect(try open.ask("SELECT to_regclass('\(open.name)')") == nil)
    for end in ["COMMIT", "ROLLBACK", "ABORT WORK", "END", "PREPARE TRANSACTION 'x'"] {
      let outcome = try open.run(["--rollback", create, "SELECT 1", end])
      #expect(outcome.end == .exit(1), "\(end)")
      #expect(outcome.output == "")
      #expect(outcome.errors.contains("would end the transaction"))
    }
    let point = try open.run([
      "-1", "SAVEPOINT a", "SELECT 1", "ROLLBACK TO SAVEPOINT a", "SELECT 2",
    ])
    #expect(point.output == "1\n2\n")
    #expect(try open.ask("SELECT to_regclass('\(open.name)')") == nil)
  }

  @Test("a deferred constraint that fails in COMMIT is an error of the transaction")
  func deferredFailure() throws {
    let outcome = try open.run([
      "-1", "CREATE TABLE \(open.name)(a int UNIQUE DEFERRABLE INITIALLY DEFERRED)",
      "INSERT INTO \(open.name) VALUES (1), (1)",
    ])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("23505"))
    #expect(try open.ask("SELECT to_regclass('\(open.name)')") == nil)
  }

  // MARK: SQL that makes SQL

  @Test("runs each value of a result as SQL, or only prints it")
  func gexec() throws {
    let query = "SELECT format('SELECT %s; SELECT -%s', n, n), NULL FROM generate_series(1, 2) n"
    #expect(try open.run(["--gexec", query]).output == "1\n-1\n2\n-2\n")
    let dry = try open.run(["--gexec", "--dry-run", query])
    #expect(dry.output == "SELECT 1;\nSELECT -1;\nSELECT 2;\nSELECT -2;\n")
    let wrong = try open.run(["--gexec", "SELECT 'SELECT 1', 'SELECT nope'"])
    #expect(wrong.end == .exit(3))
    #expect(wrong.output == "1\n")
    #expect(wrong.errors.contains("row 1, column 2:1:8"), "\(wrong.errors)")
  }

  // MARK: Checking

  @Test("has the server check statements without running any")
  func check() throws {
    let path = try open.file(
      "x.sql",
      """
      CREATE TABLE \(open.name)(a int);
      SELECT relname, $1::int FROM pg_class;
      SELECT nope FROM pg_class;
      SELEC 1;
      INSERT INTO \(open.name) VALUES (1);
      """)
    let outcome = try open.run(["--check", "-f", path])
    #expect(outcome.end == .exit(3))
    #expect(outcome.output.contains("\(path):2:1\tSELECT\tINTEGER\trelname name, int4 INTEGER\n"))
    #expect(outcome.errors.contains("42703") && outcome.errors.contains("\(path):3:8"))
    #expect(outcome.errors.contains("42601") && outcome.errors.contains("\(path):4:1"))
    // What would have been defined is not there for the plain check.
    #expect(outcome.errors.contains("42P01"))
    #expect(try open.ask("SELECT to_regclass('\(open.name)')") == nil)
    let defining = try open.run(["--check-ddl", "-f", path])
    #expect(!defining.errors.contains("42P01"), "\(defining.errors)")
    #expect(try open.ask("SELECT to_regclass('\(open.name)')") == nil)
  }

  @Test("warns of what cannot be checked by running it")
  func uncheckable() throws {
    let outcome = try open.run(["--check-ddl", "CREATE DATABASE \(open.name)", "SELECT 1"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(outcome.errors.contains("not checked by running it"))
    #expect(
      try open.run(["--check", "--format", "jsonl", "SELECT 1 AS a"]).output.contains(
        #""columns":[{"name":"a","type":"INTEGER"}]"#))
  }
}
