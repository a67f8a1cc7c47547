import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What `pg-copy` does at the receivers: what was there, which columns, which rows.
@Suite(
  "pg-copy, storing", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgCopyStoringTests {
  private let scene: CopyFixture

  init() throws { scene = try CopyFixture() }

  // MARK: What was there

  @Test(
    "--replace takes out what was there, in the same transaction",
    arguments: ["truncate", "delete"])
  func replace(how: String) throws {
    try scene.db.execute("INSERT INTO \(scene.name)_1 VALUES (-1, 'old'), (5, 'in the way')")
    let outcome = try scene.copy(scene.to(1) + ["--replace", how])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try scene.isEqual(1))
  }

  @Test(
    "--replace leaves what was there when the rows do not come", arguments: ["truncate", "delete"])
  func replaceFails(how: String) throws {
    try scene.db.execute("INSERT INTO \(scene.name)_1 VALUES (-1, 'old')")
    for query in [
      "SELECT 1 / (id - 1), name FROM \(scene.name)",
      "SELECT 1 / (id - 900), name FROM \(scene.name)",
      "SELECT id / 2, name FROM \(scene.name)", "SELECT no, such FROM \(scene.name)",
    ] {
      #expect(try scene.copy(scene.to(1) + ["--replace", how], query).end == .exit(3))
      #expect(try scene.rows(1) == 1)
    }
  }

  @Test("--replace waits for the first rows: until they come nothing is locked or taken out")
  func replaceWaits() throws {
    try scene.db.execute("INSERT INTO \(scene.name)_1 VALUES (-1, 'old')")
    let query = "SELECT 1, 'x' FROM pg_sleep(30)"
    let running = try scene.start(scene.to(1) + ["--replace", "truncate"], query)
    try scene.wait(for: "COPY (\(query)%")
    #expect(try scene.rows(1) == 1)
    running.signal(SIGINT)
    #expect(try running.wait().end == .signal(SIGINT))
    #expect(try scene.rows(1) == 1)
  }

  @Test("an empty source is a source: --replace leaves an empty table")
  func replaceEmpty() throws {
    try scene.db.execute("INSERT INTO \(scene.name)_1 VALUES (-1, 'old')")
    let outcome = try scene.copy(
      scene.to(1) + ["--replace", "truncate"], "SELECT * FROM \(scene.name) WHERE false")
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try scene.rows(1) == 0)
  }

  @Test("--freeze stores rows as VACUUM would leave them")
  func freeze() throws {
    let outcome = try scene.copy(scene.to(1) + ["--replace", "truncate", "--freeze"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try scene.isEqual(1))
    try scene.db.execute("CREATE EXTENSION IF NOT EXISTS pg_visibility")
    let frozen = try scene.ask(
      "SELECT bool_and(all_frozen) FROM pg_visibility_map('\(scene.name)_1')", as: Bool.self)
    #expect(frozen == true)
  }

  // MARK: Keys that are there

  @Test("--on-conflict update changes what is there, nothing leaves it")
  func conflict() throws {
    for number in 1...2 {
      try scene.db.execute("INSERT INTO \(scene.name)_\(number) VALUES (7, 'mine'), (-1, 'mine')")
    }
    let update = try scene.copy(scene.to(1) + ["--on-conflict", "update", "--summary", "json"])
    #expect(update.end == .exit(0), "\(update.errors)")
    #expect(try scene.summary(update).receivers[0].merged == 1000)
    #expect(try scene.rows(1) == 1001)
    #expect(
      try scene.ask("SELECT name FROM \(scene.name)_1 WHERE id = 7", as: String.self) == "row 7")
    let nothing = try scene.copy(scene.to(2) + ["--on-conflict", "nothing", "--summary", "json"])
    #expect(nothing.end == .exit(0), "\(nothing.errors)")
    #expect(try scene.summary(nothing).receivers[0].merged == 999)
    #expect(
      try scene.ask("SELECT name FROM \(scene.name)_2 WHERE id = 7", as: String.self) == "mine")
    // Again is the same again.
    #expect(try scene.copy(scene.to(1) + ["--on-conflict", "update"]).end == .exit(0))
    #expect(try scene.rows(1) == 1001)
  }

  @Test("a key that is twice in what is copied cannot be updated twice; what to do is told")
  func twice() throws {
    let query = "SELECT 7 AS id, 'one' AS name UNION ALL SELECT 7, 'other'"
    let update = try scene.copy(
      scene.to(1) + ["--on-conflict", "update", "--summary", "json"], query)
    #expect(update.end == .exit(3))
    let remedy = try scene.summary(update).receivers[0].remedy
    #expect(remedy?.hasSuffix("or take --on-conflict nothing.") == true, "\(update.errors)")
    #expect(update.errors.contains("ERROR 21000"))
    #expect(update.errors.contains("\nHINT: One key is twice in what is copied: "))
    #expect(try scene.rows(1) == 0)
    let nothing = try scene.copy(scene.to(1) + ["--on-conflict", "nothing"], query)
    #expect(nothing.end == .exit(0), "\(nothing.errors)")
    #expect(try scene.rows(1) == 1)
  }

  @Test("--on-conflict says how many rows it has left out, and warns where update drops some")
  func leftOut() throws {
    try scene.db.execute(
      """
      CREATE FUNCTION \(scene.name)_f() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN IF NEW.id % 100 = 0 THEN RETURN NULL; END IF; RETURN NEW; END$$;
      CREATE TRIGGER t BEFORE INSERT ON \(scene.name)_1 FOR EACH ROW
        EXECUTE FUNCTION \(scene.name)_f()
      """)
    let words = "10 of 1000 rows were neither stored nor did they change one"
    let update = try scene.copy(
      scene.to(1) + ["--on-conflict", "update", "--summary", "json", "-q"])
    #expect(update.end == .exit(0), "\(update.errors)")
    #expect(update.errors.contains("WARNING") && update.errors.contains(words), "\(update.errors)")
    let receiver = try scene.summary(update).receivers[0]
    #expect(receiver.rows == 1000 && receiver.merged == 990 && receiver.left_out == 10)
    #expect(try scene.rows(1) == 990)
    let told = try scene.copy(scene.to(1) + ["--on-conflict", "update"])
    #expect(told.errors.contains("990 of them stored or changed, 10 left out"), "\(told.errors)")
    // Where a key is there already, nothing is dropped that was to be stored.
    let nothing = try scene.copy(scene.to(1) + ["--on-conflict", "nothing", "--summary", "json"])
    #expect(!nothing.errors.contains("WARNING"), "\(nothing.errors)")
    #expect(try scene.summary(nothing).receivers[0].left_out == 1000)
    #expect(try scene.copy(scene.to(2) + ["--on-conflict", "update", "-q"]).errors == "")
  }

  @Test("--on-conflict is refused where no column travels", arguments: ["update", "nothing"])
  func noColumns(answer: String) throws {
    let name = scene.name
    try scene.db.execute(
      """
      CREATE TABLE \(name)_e(); CREATE TABLE \(name)_f(); INSERT INTO \(name)_e DEFAULT VALUES
      """)
    defer { try? scene.db.execute("DROP TABLE \(name)_e, \(name)_f") }
    let to = ["--to", "\(scene.iri);table=\(name)_f", "--on-conflict", answer]
    for more in [[], ["--dry-run"]] {
      let outcome = try scene.copy(to + more, "\(name)_e")
      #expect(outcome.end == .exit(3), "\(outcome.errors)")
      let told = outcome.errors
      #expect(told.contains("no column of \(name)_f gets a value"), "\(told)")
      #expect(told.contains("Leave --on-conflict out.") && !told.contains("42601"), "\(told)")
    }
    #expect(try scene.ask("SELECT count(*) FROM \(name)_f", as: Int.self) == 0)
  }

  @Test("--on-conflict update needs a key that decides")
  func noKey() throws {
    try scene.db.execute("ALTER TABLE \(scene.name)_1 DROP CONSTRAINT \(scene.name)_1_pkey")
    let outcome = try scene.copy(scene.to(1) + ["--on-conflict", "update"])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("has no primary key"))
    #expect(try scene.rows(1) == 0)
  }

  // MARK: Columns

  @Test("columns are matched by name; generated and identity columns are understood")
  func columns() throws {
    try scene.db.execute(
      """
      DROP TABLE \(scene.name)_1, \(scene.name)_2, \(scene.name)_3;
      ALTER TABLE \(scene.name) ADD gone int, ADD twice int GENERATED ALWAYS AS (id * 2) STORED;
      ALTER TABLE \(scene.name) DROP COLUMN gone;
      CREATE TABLE \(scene.name)_1(extra text DEFAULT 'more', name text, gone int,
        id int GENERATED ALWAYS AS IDENTITY);
      ALTER TABLE \(scene.name)_1 DROP COLUMN gone;
      CREATE TABLE \(scene.name)_2(id int, thrice int GENERATED ALWAYS AS (id * 3) STORED, name text);
      CREATE TABLE \(scene.name)_3(name text, id int, twice int)
      """)
    let outcome = try scene.copy(scene.to(1) + scene.to(2))
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try scene.isEqual(1))
    #expect(try scene.isEqual(2))
    let listed = try scene.copy(scene.to(3), "\(scene.name)(id, name)")
    #expect(listed.end == .exit(0), "\(listed.errors)")
    #expect(try scene.isEqual(3))
  }

  @Test("a generated column of the source travels where somebody lists it")
  func generated() throws {
    try scene.db.execute(
      """
      ALTER TABLE \(scene.name) ADD twice int GENERATED ALWAYS AS (id * 2) STORED;
      ALTER TABLE \(scene.name)_1 ADD twice int
      """)
    let query = "SELECT id, name, twice FROM \(scene.name)"
    #expect(try scene.copy(scene.to(1), query).end == .exit(0))
    #expect(try scene.ask("SELECT sum(twice)::int FROM \(scene.name)_1", as: Int.self) == 1_001_000)
  }

  @Test("a column that the receiver lacks is named; so is a number of columns that does not fit")
  func missing() throws {
    try scene.db.execute("ALTER TABLE \(scene.name)_1 RENAME name TO title")
    let outcome = try scene.copy(scene.to(1))
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("has no column \"name\", which the source has"))
    let few = try scene.copy(scene.to(2), "SELECT 1")
    #expect(few.end == .exit(3))
    #expect(few.errors.contains("the source gives 1 columns, and"))
    let listed = try scene.copy(["--to", "\(scene.iri);table=\(scene.name)_1(id, title)"])
    #expect(listed.end == .exit(0), "\(listed.errors)")
    #expect(try scene.rows(1) == 1000)
  }

  @Test("binary where every type is the same, text where one differs or is a user's own")
  func binary() throws {
    let same = try scene.copy(scene.to(1) + ["--summary", "json"])
    #expect(try scene.summary(same).format == "binary")
    try scene.db.execute("ALTER TABLE \(scene.name)_2 ALTER id TYPE bigint")
    let other = try scene.copy(scene.to(2) + ["--summary", "json"])
    #expect(try scene.summary(other).format == "text")
    #expect(try scene.isEqual(2))
    try scene.db.execute(
      """
      CREATE DOMAIN \(scene.name)_d AS text; ALTER TABLE \(scene.name)_3 ALTER name TYPE \(scene.name)_d
      """)
    let domain = try scene.copy(scene.to(3) + ["--summary", "json"])
    #expect(try scene.summary(domain).format == "text")
    #expect(try scene.isEqual(3))
  }

  @Test("views, partitioned tables and no columns at all")
  func kinds() throws {
    try scene.db.execute(
      """
      CREATE VIEW \(scene.name)_v AS SELECT id, name FROM \(scene.name);
      DROP TABLE \(scene.name)_1;
      CREATE TABLE \(scene.name)_1(name text, id int) PARTITION BY RANGE (id);
      CREATE TABLE \(scene.name)_1a PARTITION OF \(scene.name)_1 FOR VALUES FROM (0) TO (500);
      CREATE TABLE \(scene.name)_1b PARTITION OF \(scene.name)_1 DEFAULT
      """)
    let toParts = try scene.copy(scene.to(1) + ["--verify"], "\(scene.name)_v")
    #expect(toParts.end == .exit(0), "\(toParts.errors)")
    #expect(try scene.isEqual(1))
    #expect(try scene.copy(scene.to(2), "\(scene.name)_1").end == .exit(0))
    #expect(try scene.isEqual(2))
    try scene.db.execute("CREATE TABLE \(scene.name)_e(); CREATE TABLE \(scene.name)_f()")
    try scene.db.execute("INSERT INTO \(scene.name)_e DEFAULT VALUES")
    let none = try scene.program.run(
      [scene.iri, "\(scene.name)_e", "--to", "\(scene.iri);table=\(scene.name)_f"])
    #expect(none.end == .exit(0), "\(none.errors)")
    #expect(try scene.ask("SELECT count(*) FROM \(scene.name)_f", as: Int.self) == 1)
  }

  // MARK: Proof

  @Test("--verify compares what was stored before it commits", arguments: ["text", "binary"])
  func verify(format: String) throws {
    try scene.db.execute("INSERT INTO \(scene.name)_1 VALUES (-5, 'was there')")
    let outcome = try scene.copy(
      scene.to(1) + scene.to(2) + ["--verify", "--format", format, "--summary", "json"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    let summary = try scene.summary(outcome)
    #expect(summary.checksum?.count == 32)
    for receiver in summary.receivers { #expect(receiver.checksum == summary.checksum) }
    // One value of one row is changed on its way: all counts agree, and nothing is committed there.
    try scene.db.execute(
      """
      CREATE FUNCTION \(scene.name)_f() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN IF NEW.id = 500 THEN NEW.name = 'row 5OO'; END IF; RETURN NEW; END$$;
      CREATE TRIGGER t BEFORE INSERT ON \(scene.name)_3 FOR EACH ROW
        EXECUTE FUNCTION \(scene.name)_f()
      """)
    let changed = try scene.copy(scene.to(3) + ["--verify", "--format", format])
    #expect(changed.end == .exit(3))
    #expect(changed.errors.contains("what was stored is not what was read"))
    #expect(try scene.rows(3) == 0)
  }

  // MARK: Rows that are refused

  @Test("--rejects goes on past bad rows, and has each with its number and the reason")
  func rejects() throws {
    try scene.db.execute(
      """
      ALTER TABLE \(scene.name)_1 ADD CHECK (id <> 300);
      INSERT INTO \(scene.name)_1 VALUES (1, 'in the way'), (1000, 'in the way')
      """)
    let path = try scene.path("rejects")
    let outcome = try scene.copy(
      scene.to(1) + ["--rejects", path, "--summary", "json", "--job", "rejects"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    let summary = try scene.summary(outcome)
    #expect(summary.rows == 1000)
    #expect(summary.receivers[0].rows == 997)
    #expect(summary.receivers[0].rejected == 3)
    #expect(summary.receivers[0].parts.map(\.rows) == [997])
    let recorded = try scene.ask(
      "SELECT rows FROM pgkit.copy_ledger WHERE target = 'public.\(scene.name)_1'", as: Int.self)
    #expect(recorded == 997)
    #expect(try scene.rows(1) == 999)
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(
      lines.map { $0.prefix(40) }.map(String.init) == [
        #"{"row":1,"sqlstate":"23505","message":"d"#, #"{"row":300,"sqlstate":"23514","message":"#,
        #"{"row":1000,"sqlstate":"23505","message""#,
      ])
    #expect(lines[1].hasSuffix(#""data":"300\trow 300"}"#), "\(lines[1])")
  }

  @Test("with --rejects the numbers of a table's rows do not depend on who else reads it")
  func rejectsInOrder() throws {
    try scene.db.execute(
      """
      CREATE VIEW \(scene.name)_v AS SELECT id, current_setting('synchronize_seqscans') AS name
      FROM \(scene.name) WHERE id = 1
      """)
    for (number, more, setting) in [
      (1, [], "on"), (2, ["--rejects", try scene.path("rejects")], "off"),
    ] {
      let outcome = try scene.copy(scene.to(number) + more, "\(scene.name)_v")
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      let found = try scene.ask("SELECT name FROM \(scene.name)_\(number)", as: String.self)
      #expect(found == setting)
    }
  }

  @Test("--rejects names the column, in csv with newlines in values, too")
  func rejectsInput() throws {
    let path = try scene.path("rejects")
    let csv = "1,\"a\nb\"\nx,\"c\n\"\"d\"\"\"\n3,e\n4\n"
    let outcome = try scene.program.run(
      ["-", "\(scene.name)_1", "--to", scene.iri, "--format", "csv", "--rejects", path],
      input: .text(csv))
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try scene.rows(1) == 2)
    #expect(
      try scene.ask("SELECT name FROM \(scene.name)_1 WHERE id = 1", as: String.self) == "a\nb")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains(#""column":"id","data":"x,\"c\n\"\"d\"\"\""}"#), "\(text)")
    #expect(text.contains(#"{"row":4,"sqlstate":"22P04""#))
  }

  @Test("with --rejects a long row that comes in many pieces is moved once, and not with each")
  func rejectsLongRow() throws {
    let size = 16 << 20
    let path = try scene.path("long")
    var data = Array("1\t".utf8)
    data += [UInt8](repeating: UInt8(ascii: "y"), count: size)
    data += Array("\nx\tbad\n2\tshort\n3\tcut".utf8)
    try Data(data).write(to: URL(filePath: path))
    let outcome = try scene.program.run(
      [path, "\(scene.name)_1", "--to", scene.iri, "--rejects", try scene.path("rejects")])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    let stored = try scene.db.query("SELECT id, length(name) FROM \(scene.name)_1 ORDER BY id")
    var lengths: [[Int]] = []
    for row in stored { lengths.append([try row[0, as: Int.self], try row[1, as: Int.self]]) }
    #expect(lengths == [[1, size], [2, 5], [3, 3]])
    let rejects = try String(contentsOfFile: try scene.path("rejects"), encoding: .utf8)
    #expect(rejects.hasPrefix(#"{"row":2,"sqlstate":"22P02""#), "\(rejects)")
    // Each page of the row a few times; with each of its 256 pieces they would be half a million.
    #expect(outcome.pageFaults < 100_000, "\(outcome.pageFaults)")
  }

  @Test(
    "what happens without any row ends --rejects, too: a wrong option, or a trigger of the statement"
  )
  func rejectsNoStatement() throws {
    let table = "\(scene.name)_1"
    try scene.db.execute("INSERT INTO \(table) VALUES (7, 'old')")
    let path = try scene.path("rejects")
    let storing = ["-", table, "--to", scene.iri, "--replace", "truncate", "--rejects", path]
    let rows = BuiltProgram.Input.text("1\ta\n2\tb\n")
    let misspelled = try scene.program.run(storing + ["--encoding", "latn1"], input: rows)
    #expect(misspelled.end == .exit(3), "\(misspelled.errors)")
    try scene.db.execute(
      """
      CREATE FUNCTION \(table)_f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM 1/0; RETURN NULL; END';
      CREATE TRIGGER t BEFORE INSERT ON \(table) FOR EACH STATEMENT EXECUTE FUNCTION \(table)_f()
      """)
    let triggered = try scene.program.run(storing, input: rows)
    #expect(triggered.end == .exit(3) && triggered.errors.contains("22012"), "\(triggered.errors)")
    #expect(try scene.rows(1) == 1)
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("a value may be the reason of what the server cannot do, or of a schema that is not there")
  func rejectsValues() throws {
    let table = "\(scene.name)_values"
    try scene.db.execute("CREATE TABLE \(table)(p jsonpath, n regnamespace)")
    let path = try scene.path("rejects")
    let outcome = try scene.program.run(
      ["-", table, "--to", scene.iri, "--rejects", path],
      input: .text("$.a\tpublic\n$ ? (@ like_regex \"a\" flag \"x\")\tpublic\n$.a\tnosuch\n"))
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    let rejects = try String(contentsOfFile: path, encoding: .utf8)
    #expect(rejects.contains(#""row":2,"sqlstate":"0A000""#), "\(rejects)")
    #expect(rejects.contains(#""row":3,"sqlstate":"3F000""#), "\(rejects)")
    #expect(try scene.db.query("SELECT FROM \(table)").count == 1)
  }

  @Test(
    "--replace takes nothing out where a pipe or a file gave nothing",
    arguments: ["truncate", "delete"])
  func replacesByNothing(way: String) throws {
    let table = "\(scene.name)_1"
    try scene.db.execute("INSERT INTO \(table) VALUES (7, 'old')")
    let path = try scene.path("empty")
    try Data().write(to: URL(filePath: path))
    for source in ["-", path] {
      let outcome = try scene.program.run(
        [source, table, "--to", scene.iri, "--replace", way, "--job", "empty"], input: .none)
      #expect(outcome.end == .exit(3), "\(outcome.errors)")
      #expect(outcome.errors.contains("gave nothing, not a byte"), "\(outcome.errors)")
      #expect(try scene.rows(1) == 1)
    }
    let something = try scene.program.run(
      ["-", table, "--to", scene.iri, "--replace", way, "--job", "empty"],
      input: .text("1\ta\n2\tb\n"))
    #expect(something.end == .exit(0), "\(something.errors)")
    #expect(try scene.rows(1) == 2)
  }

  @Test(
    "what is no row's own fault ends --rejects, and no row is blamed for it",
    arguments: ["0A000", "08001", "28000", "3F000", "42883", "53100"])
  func rejectsNoRow(code: String) throws {
    try raise(code)
    let path = try scene.path("rejects")
    let outcome = try scene.copy(scene.to(1) + ["--rejects", path, "--summary", "json"])
    #expect(outcome.end == .exit(3), "\(outcome.errors)")
    let receiver = try scene.summary(outcome).receivers[0]
    #expect(receiver.sqlstate == code && receiver.rejected == 0, "\(outcome.errors)")
    #expect(try scene.rows(1) == 0)
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test(
    "what values are refused with is a row's own", arguments: ["22023", "23514", "54000", "P0001"])
  func rejectsRow(code: String) throws {
    try raise(code)
    let path = try scene.path("rejects")
    let outcome = try scene.copy(scene.to(1) + ["--rejects", path])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try scene.rows(1) == 999)
    #expect(try String(contentsOfFile: path, encoding: .utf8).contains(#""sqlstate":"\#(code)""#))
  }

  /// Has a receiver refuse one row with a code.
  private func raise(_ code: String) throws {
    try scene.db.execute(
      """
      CREATE FUNCTION \(scene.name)_f() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN IF NEW.id = 7 THEN RAISE EXCEPTION 'no' USING ERRCODE = '\(code)'; END IF;
        RETURN NEW; END$$;
      CREATE TRIGGER t BEFORE INSERT ON \(scene.name)_1 FOR EACH ROW
        EXECUTE FUNCTION \(scene.name)_f()
      """)
  }

  @Test(
    "more bad rows than --max-rejects end it, with nothing stored; those that were refused are kept"
  )
  func tooManyRejects() throws {
    try scene.db.execute("ALTER TABLE \(scene.name)_1 ADD CHECK (id % 100 <> 0)")
    let path = try scene.path("rejects")
    let outcome = try scene.copy(scene.to(1) + ["--rejects", path, "--max-rejects", "9"])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("row 1000 was refused, and 9 were before, as many as may be"))
    #expect(outcome.errors.contains("HINT: The rows that were refused are in \(path);"))
    #expect(try scene.rows(1) == 0)
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 10)
    #expect(lines.last?.hasSuffix(#""data":"1000\trow 1000"}"#) == true, "\(lines)")
  }
}
