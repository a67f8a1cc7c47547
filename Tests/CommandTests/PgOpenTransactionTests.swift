import Foundation
import Glibc
import PGTestCluster
import Testing

@Suite(
  "pg-open: what takes effect, and what does not",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgOpenTransactionTests {
  private let open: OpenFixture

  init() throws { open = try OpenFixture() }

  // MARK: Transactions

  @Test("-1 holds against a ROLLBACK whose comment says TO")
  func rollbackWithComment() throws {
    try open.withTable("a int") { table in
      for end in ["ROLLBACK /* back to the start */", "PREPARE /* x */ TRANSACTION 'p'"] {
        let outcome = try open.run([
          "-1", "INSERT INTO \(table) VALUES (1)", end, "INSERT INTO \(table) VALUES (2)",
        ])
        #expect(outcome.end == .exit(1), "\(outcome.errors)")
        #expect(outcome.errors.contains("would end the transaction"))
        #expect(try open.count(table) == "0")
      }
      let kept = try open.run([
        "-1", "SAVEPOINT s", "INSERT INTO \(table) VALUES (1)", "ROLLBACK /* x */ TO s", "SELECT 1",
      ])
      #expect(kept.end == .exit(0), "\(kept.errors)")
    }
  }

  @Test("-1 --retry commits nothing that could not be printed")
  func retryOnFullDisk() throws {
    try open.withTable("a int") { table in
      let insert = "INSERT INTO \(table) VALUES (7) RETURNING a"
      let outcome = try open.run(["-1", "--retry", "2", insert], output: .full)
      #expect(outcome.end == .exit(1), "\(outcome.errors)")
      #expect(try open.count(table) == "0")
    }
  }

  @Test("-1 --retry prints once what a failing COMMIT had printed", arguments: [">", ">>"])
  func retryOfCommit(_ direction: String) throws {
    try open.withTable("a int") { table in
      _ = try open.ask("CREATE SEQUENCE \(table)_s")
      _ = try open.ask(
        """
        CREATE FUNCTION \(table)_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF nextval('\(table)_s') < 3 THEN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END IF;
          RETURN NULL; END $$
        """)
      _ = try open.ask(
        """
        CREATE CONSTRAINT TRIGGER t AFTER INSERT ON \(table) DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION \(table)_f()
        """)
      let log = try open.file("log", "before\n")
      let outcome = try BuiltProgram(absolute: "/bin/sh").run([
        "-c", "exec \"$0\" \"$@\" \(direction) \(log)", open.program.path, open.server.iri(), "-1",
        "--retry", "5", "INSERT INTO \(table) VALUES (7) RETURNING a",
      ])
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      #expect(open.contents("log") == (direction == ">" ? "7\n" : "before\n7\n"))
      #expect(try open.count(table) == "1")
      _ = try open.ask("DROP FUNCTION \(table)_f() CASCADE")
      _ = try open.ask("DROP SEQUENCE \(table)_s")
    }
  }

  @Test(
    "--read-only cannot be switched off",
    arguments: [
      ["SET default_transaction_read_only = off", "INSERT"],
      ["SET \"default_transaction_read_only\" = off", "INSERT"],
      ["BEGIN READ WRITE; INSERT; COMMIT"],
      ["BEGIN; SET TRANSACTION READ WRITE; INSERT; COMMIT"],
      ["BEGIN; SET default_transaction_read_only = off; COMMIT; INSERT"],
      ["-1", "SET TRANSACTION READ WRITE", "INSERT"],
      ["SELECT set_config('default_transaction_read_only', 'off', false)", "INSERT"],
      ["--gexec", "SELECT 'begin read write'", "SELECT 'INSERT'", "SELECT 'commit'"],
      ["--keep-going", "RESET ALL", "SET default_transaction_read_only = off", "INSERT"],
      ["DO $$ BEGIN SET default_transaction_read_only = off; COMMIT; INSERT; END $$"],
      ["DO $$ BEGIN SET TRANSACTION READ WRITE; INSERT; END $$"],
      ["BEGIN; DO $$ BEGIN SET TRANSACTION READ WRITE; INSERT; END $$; COMMIT"],
    ])
  func readOnly(_ arguments: [String]) throws {
    try open.withTable("a int") { table in
      let filled = arguments.map { $0.replacing("INSERT", with: "INSERT INTO \(table) VALUES (1)") }
      let outcome = try open.run(["--read-only"] + filled)
      #expect(outcome.end == .exit(3), "\(outcome.errors)")
      #expect(try open.count(table) == "0")
    }
  }

  @Test("--read-only reads whatever can be read")
  func readOnlyReads() throws {
    let outcome = try open.run([
      "--read-only", "SELECT 1", "BEGIN ISOLATION LEVEL SERIALIZABLE",
      "SET TRANSACTION DEFERRABLE", "SELECT 2", "COMMIT", "DO $$ BEGIN PERFORM 1; END $$",
      "SELECT 3",
    ])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(outcome.output == "1\n2\n3\n")
  }

  @Test("--rollback sees what a constraint says only at the end")
  func deferredConstraint() throws {
    try open.withTable("a int UNIQUE DEFERRABLE INITIALLY DEFERRED") { table in
      let outcome = try open.run(["--rollback", "INSERT INTO \(table) VALUES (1), (1)"])
      #expect(outcome.end == .exit(3))
      #expect(outcome.errors.contains("23505"))
      #expect(try open.count(table) == "0")
    }
  }

  // MARK: Before anything runs

  @Test(
    "what can be known to fail does so before anything runs",
    arguments: [
      ["SELECT $1::int"], ["-p", "lost", "-c", "SELECT 1 -- standard_conforming_strings"],
      ["-f", "-"],
    ])
  func knownBefore(_ arguments: [String]) throws {
    try open.withTable("a int") { table in
      let outcome = try open.run(
        ["INSERT INTO \(table) VALUES (1)"] + arguments,
        input: .text(arguments == ["-f", "-"] ? "SELECT $2::int" : ""))
      #expect(outcome.end == .exit(64), "\(outcome.errors)")
      #expect(try open.count(table) == "0")
    }
  }

  @Test("--each runs one statement, whatever the script speaks of")
  func eachOfTwo() throws {
    try open.withTable("a int") { table in
      let rows = try open.file("r.csv", "a\n1\n2\n")
      for first in [
        "INSERT INTO \(table) VALUES ($1); -- standard_conforming_strings\n",
        "SELECT 'standard_conforming_strings', $1::int;",
      ] {
        let script = try open.file("m.sql", first + "INSERT INTO \(table) VALUES ($1);")
        let outcome = try open.run(["--each", rows, "-f", script])
        #expect(outcome.end == .exit(64), "\(outcome.errors)")
        #expect(outcome.errors.contains("--each runs one statement"))
        #expect(try open.count(table) == "0")
      }
    }
  }

  @Test("a long script costs no more for each statement than a short one")
  func longScript() throws {
    let script = try open.file(
      "long.sql",
      String(
        repeating: "SELECT 'seventy bytes, as many as one line of a script has at times';\n",
        count: 4000))
    let start = ContinuousClock.now
    let outcome = try open.run(["--errors", "tap", "-f", script])
    #expect(outcome.end == .exit(0))
    #expect(outcome.lines.count == 4000)
    #expect(outcome.errors.contains("\nok 4000 - \(script):4000:1 SELECT\n"))
    // It took minutes when each place was counted from the beginning.
    #expect(ContinuousClock.now - start < .seconds(60))
  }
}
