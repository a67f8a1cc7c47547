import Glibc
import PGKit
import PGTestCluster
import Testing

/// Every test has tables of its own, so that all can run at the same time.
@Suite("pg-copy", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgCopyTests {
  private let program = BuiltProgram("pg-copy")
  private let iri: String
  private let db: Connection
  /// The source's table; receivers are this name with `_1`, `_2`, `_3`.
  private let name: String

  /// Rows that never end, given without being gathered first.
  private static let endless = "SELECT 'x', generate_series(1, 1000000000)"
  private static let rowCount = 1000

  init() throws {
    iri = try TestServer.shared.get().iri()
    db = try PGKit.open(iri)
    name = "copy_\(UInt64.random(in: 0...UInt64.max))"
    db.messageHook = { _ in true }
    try db.execute(
      """
      CREATE TABLE \(name)(id int PRIMARY KEY, name text);
      INSERT INTO \(name) SELECT i, E'tab\\t, line\\n, \\\\ ' || i
        FROM generate_series(1, \(Self.rowCount)) AS i;
      """)
    for number in 1...3 {
      try db.execute("CREATE TABLE \(name)_\(number)(name text, id int PRIMARY KEY)")
    }
  }

  private func receiver(_ number: Int) -> [String] { ["--to", "\(iri);table=\(name)_\(number)"] }

  private func copy(
    _ what: String? = nil, to receivers: Int..., more: [String] = [], source: String? = nil,
    input: BuiltProgram.Input = .none, output: BuiltProgram.Output = .captured
  ) throws -> BuiltProgram.Outcome {
    let ends = receivers.flatMap { receiver($0) }
    return try program.run(
      [source ?? iri, what ?? name] + ends + more, input: input, output: output)
  }

  private func rows(_ number: Int) throws -> Int {
    try db.query("SELECT count(*) FROM \(name)_\(number)")[0][0, as: Int.self]
  }

  private func isEqual(_ number: Int) throws -> Bool {
    try db.query(
      """
      SELECT NOT EXISTS (TABLE \(name) EXCEPT SELECT id, name FROM \(name)_\(number))
      """)[0][0, as: Bool.self]
  }

  /// Waits until a running program has a connection on which something is copied.
  private func waitForCopying(into number: Int) throws -> Int32 {
    try waitForStatement("COPY \"\(name)_\(number)\"%")
  }

  private func waitForStatement(_ pattern: String) throws -> Int32 {
    for _ in 0..<2000 {
      let rows = try db.query(
        """
        SELECT pid FROM pg_stat_activity WHERE application_name = 'pg-copy' AND state = 'active'
          AND query LIKE $1
        """, pattern)
      if rows.count > 0 { return try rows[0][0, as: Int32.self] }
      usleep(5_000)
    }
    throw BuiltProgram.Fault(description: "nobody ran \(pattern)")
  }

  // MARK: Between servers

  @Test("copies a table to one, two and three receivers, columns matched by name")
  func fanOut() throws {
    #expect(try copy(to: 1).end == .exit(0))
    let outcome = try copy(to: 2, 3)
    #expect(outcome.end == .exit(0))
    #expect(outcome.output == "")
    for number in 1...3 {
      #expect(try rows(number) == Self.rowCount)
      #expect(try isEqual(number))
    }
  }

  @Test("ends with one line about rows, bytes, time and each receiver, unless told to be quiet")
  func summary() throws {
    let outcome = try copy(to: 1, 2)
    #expect(outcome.errors.split(separator: "\n").count == 1)
    #expect(outcome.errors.hasPrefix("pg-copy: 1000 rows, "))
    for number in 1...2 { #expect(outcome.errors.contains("receiver \(number) (")) }
    #expect(outcome.errors.contains("): 1000 rows committed"))
    #expect(try copy(to: 3, more: ["--quiet"]).errors == "")
  }

  @Test("carries text and binary, and chooses by itself", arguments: ["text", "binary", "auto"])
  func formats(format: String) throws {
    let columns = "\(name)(name, id)"
    #expect(try copy(columns, to: 1, more: ["--format", format]).end == .exit(0))
    #expect(try isEqual(1))
  }

  @Test("copies the rows of a query into the table named")
  func query() throws {
    let outcome = try copy("SELECT name, id FROM \(name) WHERE id <= 10; -- ten", to: 1)
    #expect(outcome.end == .exit(3))
    #expect(try copy("SELECT name, id FROM \(name) WHERE id <= 10 -- ten", to: 1).end == .exit(0))
    #expect(try rows(1) == 10)
  }

  @Test("a query can change nothing")
  func readOnly() throws {
    try db.execute(
      """
      CREATE FUNCTION \(name)_f() RETURNS int LANGUAGE sql AS 'DELETE FROM \(name); SELECT 1'
      """)
    let outcome = try copy("SELECT \(name)_f()::text, 1", to: 1)
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("25006"))
    #expect(try db.query("TABLE \(name)").count == Self.rowCount)
    #expect(try rows(1) == 0)
  }

  @Test("a name can be nothing but a name")
  func injection() throws {
    for table in ["\(name)_1; DROP TABLE \(name)", "\(name)_1 FROM STDIN; DROP TABLE \(name); --"] {
      let outcome = try program.run([iri, name, "--to", "\(iri);table=\(table)"])
      #expect(outcome.end == .exit(64))
    }
    let quoted = "\"\(name)_1; DROP TABLE \(name)\""
    let outcome = try program.run([iri, name, "--to", "\(iri);table=\(quoted)"])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("42P01"))
  }

  @Test("values do not depend on the servers' settings")
  func settings() throws {
    try db.execute(
      """
      ALTER TABLE \(name) ADD at timestamptz DEFAULT '2001-02-03 04:05:06.7+00',
        ADD span interval DEFAULT '-1 day +02:03:04', ADD x float8 DEFAULT 0.1 + 0.2;
      ALTER TABLE \(name)_1 ADD at timestamptz, ADD span interval, ADD x float8
      """)
    let odd = iri + "?options=-c%20DateStyle%3DSQL,DMY%20-c%20IntervalStyle%3Dsql_standard"
    let outcome = try copy(to: 1, source: odd + "%20-c%20extra_float_digits%3D0")
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    let same = try db.query(
      "SELECT (SELECT DISTINCT (at, span, x) FROM \(name)) = (SELECT DISTINCT (at, span, x) FROM \(name)_1)"
    )
    #expect(try same[0][0, as: Bool.self])
  }

  // MARK: Failures

  @Test("a unique violation at one of three drops that one; the others have all rows")
  func partial() throws {
    try db.execute("INSERT INTO \(name)_2 VALUES ('in the way', 900)")
    let outcome = try copy(to: 1, 2, 3)
    #expect(outcome.end == .exit(5))
    #expect(outcome.errors.contains("pg-copy: receiver 2 ("))
    #expect(outcome.errors.contains("): ERROR 23505 unique_violation: "))
    #expect(try rows(1) == Self.rowCount)
    #expect(try rows(2) == 1)
    #expect(try rows(3) == Self.rowCount)
  }

  @Test("a constraint that fails only in COMMIT counts as well")
  func deferred() throws {
    try db.execute(
      """
      ALTER TABLE \(name)_1 ADD CONSTRAINT c_\(name) FOREIGN KEY (id) REFERENCES \(name)_3(id)
        DEFERRABLE INITIALLY DEFERRED
      """)
    let outcome = try copy(to: 1, 2)
    #expect(outcome.end == .exit(5))
    #expect(outcome.errors.contains("23503"))
    #expect(try rows(1) == 0)
    #expect(try rows(2) == Self.rowCount)
  }

  @Test("when all receivers fail, nothing is stored and the status is 3")
  func allFail() throws {
    for number in 1...2 { try db.execute("INSERT INTO \(name)_\(number) VALUES ('x', 5)") }
    let outcome = try copy(to: 1, 2)
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("receiver 1 ("))
    #expect(outcome.errors.contains("receiver 2 ("))
    #expect(try rows(1) == 1)
    #expect(try rows(2) == 1)
  }

  @Test("counts of rows that differ roll everything back")
  func counts() throws {
    try db.execute(
      """
      CREATE FUNCTION \(name)_skip() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RETURN CASE WHEN NEW.id = 7 THEN NULL ELSE NEW END; END$$;
      CREATE TRIGGER skip BEFORE INSERT ON \(name)_2 FOR EACH ROW EXECUTE FUNCTION \(name)_skip()
      """)
    let outcome = try copy(to: 1, 2, more: ["--summary", "json"])
    #expect(outcome.end == .exit(3))
    let summary = try CopySummary(outcome)
    #expect(summary.sqlstate == "22000")
    #expect(summary.message?.hasPrefix("the counts of rows differ: source (") == true)
    #expect(outcome.errors.contains(": 999"))
    #expect(try rows(1) == 0)
    #expect(try rows(2) == 0)
  }

  @Test("a source that is killed on the way stores nothing and ends with 2")
  func killedSource() throws {
    let query = Self.endless + " AS \(name)"
    let running = try program.start([iri, query] + receiver(1) + receiver(2))
    let process = try waitForStatement("COPY (\(query)%")
    try db.query("SELECT pg_terminate_backend($1)", process)
    let outcome = try running.wait()
    #expect(outcome.end == .exit(2))
    #expect(outcome.errors.contains("pg-copy: source ("))
    #expect(try rows(1) == 0)
    #expect(try rows(2) == 0)
  }

  @Test("a receiver that is killed on the way is dropped, with the server's words")
  func killedReceiver() throws {
    let query = "SELECT repeat('x', 100), generate_series(1, 1000000)"
    let running = try program.start([iri, query] + receiver(1) + receiver(2))
    let process = try waitForCopying(into: 1)
    try db.query("SELECT pg_terminate_backend($1)", process)
    let outcome = try running.wait()
    #expect(outcome.end == .exit(5), "\(outcome.errors)")
    #expect(outcome.errors.contains("57P01"))
    #expect(try rows(1) == 0)
    #expect(try rows(2) == 1_000_000)
  }

  @Test("what cannot be reached: the source, one receiver, all receivers")
  func unreachable() throws {
    let nowhere = "postgres://u@127.0.0.1:1/d"
    let source = try copy(to: 1, source: nowhere)
    #expect(source.end == .exit(2))
    #expect(source.errors.contains("pg-copy: source (127.0.0.1:1/d): ERROR 08001"))
    let one = try copy(to: 1, more: ["--to", nowhere])
    #expect(one.end == .exit(5))
    #expect(one.errors.contains("pg-copy: receiver 2 (127.0.0.1:1/d): ERROR 08001"))
    #expect(try rows(1) == Self.rowCount)
    #expect(try copy(more: ["--to", nowhere]).end == .exit(2))
  }

  @Test("a table that is not there: at the source, at one receiver, at all")
  func missingTable() throws {
    let source = try copy("\(name)_9", to: 1)
    #expect(source.end == .exit(3))
    #expect(source.errors.contains("42P01"))
    #expect(!source.errors.contains("CONTEXT"))
    #expect(try copy(to: 1, 9).end == .exit(5))
    #expect(try rows(1) == Self.rowCount)
    #expect(try copy(to: 8, 9).end == .exit(3))
  }

  @Test("refuses one table as two ends")
  func sameTable() throws {
    for ends in [
      ["--to", iri], receiver(1) + receiver(1), ["--to", "\(iri);table=public.\(name)"],
    ] {
      let outcome = try program.run([iri, name] + ends)
      #expect(outcome.end == .exit(64))
      #expect(outcome.errors.contains("it is the same table as that of "))
    }
    #expect(try rows(1) == 0)
  }

  @Test("gives up waiting for a lock, so that the source's snapshot is not held for ever")
  func lock() throws {
    try db.execute("BEGIN; LOCK TABLE \(name)_1")
    defer { try? db.execute("ROLLBACK") }
    let start = ContinuousClock.now
    let outcome = try program.run(
      [iri, name, "--to", "\(iri)?options=-c%20lock_timeout%3D200;table=\(name)_1"])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("55P03"))
    #expect(ContinuousClock.now - start < .seconds(4))
  }

  @Test("mistakes in the command line are status 64, and name their place")
  func usage() throws {
    let mistakes: [([String], String)] = [
      ([iri, name], "no receiver is given"),
      ([iri, "SELECT 1", "--to", iri], "a query has no table's name"),
      (["-", "SELECT 1", "--to", iri], "from stdin"),
      (["-", name, "--to", "-"], "stdin to stdout"),
      ([iri, name, "--to", "-", "--to", "-"], "stdout can receive only once"),
      ([iri, name, "--to", "bogus://x"], "receiver 1: ERROR -*000"),
      ([iri, name, "--to", "\(iri);tabel=x"], "after the IRI of --to there can be"),
      ([iri, name, "--to", "-", "--format", "xml"], "auto"),
      ([iri, name, "--to", iri, "--format", "csv"], "--format csv is for stdin"),
      ([iri, name, "--to", "-", "--format", "binary", "--encoding", "LATIN1"], "text and csv"),
      ([iri, name, "--to", "\(iri);on-fault=x"], "on-fault is drop, abort or replay"),
      ([iri, name, "--to", "\(iri);required;best-effort"], "said twice"),
      ([iri, name, "--to=-;table=x"], "stdout has no table"),
      ([iri, name, "--to", iri, "--freeze"], "--freeze needs --replace truncate"),
      ([iri, name, "--to", iri, "--job", "a b"], "a name has 1 to 63"),
      ([iri, name, "--to", iri, "--every", "1d"], "--every needs --job"),
      ([iri, name, "--to", "-", "--verify"], "no receiver is a server"),
      (["-", name, "--to", iri, "--verify"], "--verify needs a server"),
      ([iri, name, "--to", iri, "--to", "-", "--atomic"], "cannot be prepared"),
      ([iri, "SELECT 1", "--to", "\(iri);table=x", "--jobs", "2"], "are for tables"),
      (
        [iri, name, "--to", iri, "--jobs", "2", "--replace", "truncate"], "--replace truncate locks"
      ),
      (
        [iri, name, "--to", iri, "--rejects", "/tmp/x", "--split", "2"], "--rejects goes with none"
      ),
      (["/tmp/x", name, "--to", "/tmp/y"], "one end must be a server"),
      ([iri, "", "--to", "-"], "TABLE|QUERY is empty"),
      ([iri, " ;", "--to", "-"], "is a variable not set?"),
      (["-", "\"\"", "--to", iri], "TABLE|QUERY is empty"),
      ([iri, name, "--to", "\(iri);table="], ";table=: the table's name is empty"),
      ([""], "argument 1 is empty; is a variable not set?"),
    ]
    for (arguments, words) in mistakes {
      let outcome = try program.run(arguments)
      #expect(outcome.end == .exit(64), "\(arguments)")
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }
  }

  // MARK: stdin and stdout

  @Test("copies stdin into tables, and a table to stdout, and back to the same")
  func streams() throws {
    let out = try copy("SELECT name, id FROM \(name) ORDER BY id", more: ["--to", "-"])
    #expect(out.end == .exit(0))
    #expect(out.lines.count == Self.rowCount)
    #expect(out.lines.first == "tab\\t, line\\n, \\\\ 1\t1")
    let outcome = try program.run(
      ["-", "\(name)_1", "--to", iri] + receiver(2), input: .text(out.output))
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try isEqual(1))
    #expect(try isEqual(2))
  }

  @Test("reads csv with a list of columns from stdin")
  func csvInput() throws {
    let outcome = try program.run(
      ["-", "\(name)_1(id, name)", "--to", iri, "--format", "csv"], input: .text("7,\"a,b\"\n"))
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try db.query("TABLE \(name)_1")[0][0, as: String.self] == "a,b")
  }

  @Test("bad data from stdin is the server's to refuse; a closed stdin is status 1")
  func badInput() throws {
    let arguments = ["-", "\(name)_1", "--to", iri]
    let bad = try program.run(arguments, input: .text("no tabs\n"))
    #expect(bad.end == .exit(3))
    #expect(bad.errors.contains("22P04"))
    let closed = try program.run(arguments, input: .closed)
    #expect(closed.end == .exit(1))
    #expect(closed.errors == "pg-copy: stdin: Bad file descriptor\n")
    #expect(try rows(1) == 0)
  }

  @Test("a full stdout is status 1, and the other receivers are rolled back")
  func fullOutput() throws {
    let outcome = try copy(to: 1, more: ["--to", "-"], output: .full)
    #expect(outcome.end == .exit(1))
    #expect(outcome.errors == "pg-copy: stdout: No space left on device\n")
    #expect(try rows(1) == 0)
    let told = try copy(to: 1, more: ["--to", "-", "--summary", "json"], output: .full)
    #expect(told.end == .exit(1))
    #expect(try CopySummary(told).exit_code == 1)
    #expect(try CopySummary(told).statuses == ["rolled_back", "rolled_back"])
  }

  @Test("dies quietly by SIGPIPE when nobody reads")
  func brokenPipe() throws {
    let outcome = try copy(Self.endless, more: ["--to", "-"], output: .brokenPipe)
    #expect(outcome.end == .signal(SIGPIPE))
    #expect(outcome.errors == "")
  }

  @Test("whoever asked for the summary as JSON gets it, too, when nobody reads stdout")
  func brokenPipeSummary() throws {
    let summary = ["--to", "-", "--summary", "json"]
    for outcome in [
      try copy(Self.endless, more: summary, output: .brokenPipe),
      try copy(to: 1, more: summary, output: .brokenPipe),
    ] {
      #expect(outcome.end == .signal(SIGPIPE), "\(outcome.errors)")
      let told = try CopySummary(outcome)
      #expect(told.exit_code == 128 + SIGPIPE)
      #expect(told.message == "stdout: Broken pipe")
      #expect(told.statuses.allSatisfy { $0 == "rolled_back" }, "\(told.statuses)")
      #expect(outcome.lines.isEmpty)
      #expect(outcome.errors.hasPrefix("{\"program\"") && outcome.errors.hasSuffix("]}\n"))
    }
    #expect(try rows(1) == 0)
  }

  // MARK: Signals

  @Test(
    "a signal on the way rolls back and ends the program", arguments: [SIGINT, SIGTERM, SIGHUP])
  func signals(number: CInt) throws {
    let running = try program.start(
      [iri, Self.endless, "--summary", "json"] + receiver(1) + receiver(2))
    _ = try waitForCopying(into: 1)
    running.signal(number)
    let outcome = try running.wait()
    #expect(outcome.end == .signal(number))
    #expect(outcome.errors.hasSuffix("}\npg-copy: interrupted; nothing was committed\n"))
    let summary = try CopySummary(outcome)
    #expect(summary.exit_code == 128 + number)
    #expect(summary.statuses == ["rolled_back", "rolled_back"])
    #expect(try rows(1) == 0)
    #expect(try rows(2) == 0)
  }

  @Test("a signal while it commits lets all receivers commit, however long that takes")
  func signalInCommit() throws {
    try db.execute(
      """
      CREATE FUNCTION \(name)_slow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(6.5); RETURN NULL; END $$;
      INSERT INTO \(name)_1 VALUES ('', -1);
      CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON \(name)_1 DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION \(name)_slow();
      """)
    let running = try program.start(
      [iri, name, "--summary", "json"] + receiver(1) + receiver(2))
    _ = try waitForStatement("COMMIT")
    running.signal(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.end == .signal(SIGTERM))
    let summary = try CopySummary(outcome)
    #expect(summary.statuses == ["committed", "committed"])
    #expect(summary.exit_code == 128 + SIGTERM)
    #expect(try rows(1) == Self.rowCount + 1)
    #expect(try rows(2) == Self.rowCount)
  }

  @Test("a signal while it waits for stdin ends it as well")
  func signalAtInput() throws {
    let running = try program.start(["-", "\(name)_1", "--to", iri], input: .open)
    running.send("a\t1\n")
    _ = try waitForCopying(into: 1)
    running.signal(SIGINT)
    #expect(try running.wait().end == .signal(SIGINT))
    #expect(try rows(1) == 0)
  }

  // MARK: The end of stdin

  @Test(
    "what stands behind a line \\. of stdin is not dropped without a word",
    arguments: ["text", "csv"])
  func behindMarker(format: String) throws {
    let lines = "a,1\n\\.\nb,2\n"
    let text = format == "csv" ? lines : lines.replacing(",", with: "\t")
    let input = BuiltProgram.Input.text(text)
    let outcome = try program.run(
      ["-", "\(name)_1", "--format", format, "--to", iri], input: input)
    #expect(outcome.end == .exit(1))
    #expect(outcome.errors.contains("line 2: \\. ends the data"))
    #expect(try rows(1) == 0)
  }

  @Test("a line \\. at the end of stdin ends it", arguments: ["\n", "\r\n"])
  func marker(newline: String) throws {
    let text = "a\t1\(newline)b\t2\(newline)\\.\(newline)"
    let outcome = try program.run(["-", "\(name)_1", "--to", iri], input: .text(text))
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try rows(1) == 2)
  }

  @Test("a value that only looks like the end of the data is one")
  func notTheMarker() throws {
    let text = "\\\\.\t1\n.\t2\n.\\\\\t3\n"
    let outcome = try program.run(["-", "\(name)_1", "--to", iri], input: .text(text))
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try rows(1) == 3)
  }

  // MARK: Memory

  @Test("two million rows pass through forty megabytes")
  func memory() throws {
    let query = "SELECT repeat('y', 50), generate_series(1, 2000000)"
    try db.execute("ALTER TABLE \(name)_1 DROP CONSTRAINT \(name)_1_pkey")
    let outcome = try program.run([iri, query] + receiver(1))
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try rows(1) == 2_000_000)
    #expect(outcome.peakMemory < 40 * 1024)
  }
}
