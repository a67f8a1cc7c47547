import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// Tables and values of every kind, and what happens to them while they are copied.
@Suite("pg-copy, tables", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgCopyTableTests {
  private let scene: CopyFixture

  init() throws { scene = try CopyFixture() }

  /// Whether two tables have the same rows, each as often.
  private func areEqual(_ one: String, _ other: String) throws -> Bool? {
    try scene.ask(
      """
      SELECT NOT EXISTS (TABLE \(one) EXCEPT ALL TABLE \(other))
        AND NOT EXISTS (TABLE \(other) EXCEPT ALL TABLE \(one))
      """, as: Bool.self)
  }

  // MARK: Kinds of types

  @Test(
    "enumerations, domains, composites and arrays of them", arguments: ["auto", "text", "binary"])
  func ownTypes(format: String) throws {
    let name = scene.name
    try scene.db.execute(
      """
      CREATE TYPE \(name)_mood AS ENUM ('glad', 'so so', 'it''s "odd"');
      CREATE DOMAIN \(name)_d AS int CHECK (VALUE > 0);
      CREATE TYPE \(name)_pair AS (number \(name)_d, word text, mood \(name)_mood);
      CREATE TABLE \(name)_own(id int, mood \(name)_mood, d \(name)_d, pair \(name)_pair,
        pairs \(name)_pair[], moods \(name)_mood[][]);
      INSERT INTO \(name)_own SELECT i, 'it''s "odd"', i, (i, E'a,(b)\\t"\\\\ ' || i, 'glad')::\(name)_pair,
        ARRAY[(i, NULL, 'so so')::\(name)_pair, NULL], '{{glad,"so so"},{NULL,glad}}'
        FROM generate_series(1, 100) AS i;
      INSERT INTO \(name)_own DEFAULT VALUES;
      CREATE TABLE \(name)_its(LIKE \(name)_own)
      """)
    let outcome = try scene.program.run([
      scene.iri, "\(name)_own", "--to", "\(scene.iri);table=\(name)_its", "--verify", "--format",
      format,
    ])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try areEqual("\(name)_own", "\(name)_its") == true)
    try scene.db.execute(
      """
      DROP TABLE \(name)_own, \(name)_its; DROP TYPE \(name)_pair; DROP DOMAIN \(name)_d;
      DROP TYPE \(name)_mood
      """)
  }

  @Test(
    "every control character, \\N and \\. as values, NUL in bytea: between servers and as files")
  func values() throws {
    let name = scene.name
    try scene.db.execute(
      """
      CREATE TABLE \(name)_v(word text, bytes bytea);
      INSERT INTO \(name)_v SELECT 'a' || chr(i) || 'b' || chr(i), decode(lpad(to_hex(i % 256), 2, '0'), 'hex')
        || '\\x00ff00'::bytea FROM generate_series(1, 255) AS i;
      INSERT INTO \(name)_v VALUES ('\\N', ''), ('\\.', '\\x5c2e0a'), ('', NULL), (NULL, '\\x5c4e'),
        (E'\\n\\\\.\\n', NULL), (E'\\r\\n', NULL), ('"', '"'), (',', NULL), (E'\\\\', NULL);
      CREATE TABLE \(name)_w(LIKE \(name)_v)
      """)
    let to = ["--to", "\(scene.iri);table=\(name)_w", "--replace", "truncate"]
    for format in ["text", "binary"] {
      let outcome = try scene.program.run(
        [scene.iri, "\(name)_v"] + to + ["--verify", "--format", format])
      #expect(outcome.end == .exit(0), "\(format): \(outcome.errors)")
      #expect(try areEqual("\(name)_v", "\(name)_w") == true, "\(format)")
    }
    for format in ["text", "binary", "csv"] {
      if format == "csv" {
        // Servers before 18 take that line for the data's end, even within quotes.
        try scene.db.execute(#"DELETE FROM \#(name)_v WHERE word LIKE E'\n%'"#)
      }
      let path = try scene.path(format)
      let out = try scene.program.run(
        [scene.iri, "\(name)_v", "--to", path, "--format", format])
      #expect(out.end == .exit(0), "\(format): \(out.errors)")
      try scene.db.execute("TRUNCATE \(name)_w")
      let back = try scene.program.run([path, "\(name)_w"] + to + ["--format", format])
      #expect(back.end == .exit(0), "\(format): \(back.errors)")
      #expect(try areEqual("\(name)_v", "\(name)_w") == true, "\(format)")
    }
    try scene.db.execute("DROP TABLE \(name)_v, \(name)_w")
  }

  @Test("a row of 64 MB goes through, and no second one is kept beside it")
  func hugeRow() throws {
    let size = 64 << 20
    let outcome = try scene.copy(
      scene.to(1), "SELECT i, repeat('x', \(size)) FROM generate_series(1, 3) AS i")
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    let length = try scene.ask(
      "SELECT sum(length(name))::int8 FROM \(scene.name)_1", as: Int.self)
    #expect(length == 3 * size)
    #expect(outcome.peakMemory < 3 * size / 1024, "\(outcome.peakMemory)")
  }

  // MARK: Kinds of tables

  @Test("a table with children gives its own rows, whole and in parts; a query gives all")
  func inherited() throws {
    let name = scene.name
    try scene.db.execute(
      "CREATE TABLE \(name)_child() INHERITS (\(name)); INSERT INTO \(name)_child VALUES (5001, 'c')"
    )
    let words = "1 table inherits from \(name): its rows are not copied with it"
    let own = try scene.copy(scene.to(1))
    #expect(own.end == .exit(0))
    #expect(try scene.rows(1) == 1000)
    #expect(own.errors.components(separatedBy: words).count == 2, "\(own.errors)")
    #expect(own.errors.contains("HINT: A query copies all: 'SELECT * FROM \"\(name)\"'"))
    let parts = try scene.copy(scene.to(2) + ["--split", "3", "-q"])
    #expect(parts.end == .exit(0) && parts.errors == "")
    #expect(try scene.rows(2) == 1000)
    let all = try scene.copy(scene.to(3), "SELECT * FROM \(name)")
    #expect(all.end == .exit(0) && !all.errors.contains("WARNING"))
    #expect(try scene.rows(3) == 1001)
    try scene.db.execute("CREATE TABLE \(name)_grandchild() INHERITS (\(name)_child)")
    let dry = try scene.copy(scene.to(1) + ["--dry-run"])
    let remark = "2 tables inherit from \(name): their rows are not copied with it"
    #expect(dry.output.contains(#""remarks":["\#(remark)"]},"problem""#), "\(dry.output)")
    // Partitions are the table's own rows.
    try scene.db.execute(
      """
      CREATE TABLE \(name)_p(id int PRIMARY KEY, name text) PARTITION BY RANGE (id);
      CREATE TABLE \(name)_p1 PARTITION OF \(name)_p DEFAULT; INSERT INTO \(name)_p VALUES (-1, 'p')
      """)
    defer { try? scene.db.execute("DROP TABLE \(name)_p") }
    let whole = try scene.copy(scene.to(1), "\(name)_p")
    #expect(whole.end == .exit(0) && !whole.errors.contains("WARNING"), "\(whole.errors)")
    #expect(try scene.rows(1) == 1001)
  }

  @Test(
    "a foreign table takes rows; what it has stored cannot be proved, and then is not committed")
  func foreign() throws {
    let cluster = try CopyCluster()
    defer { cluster.close() }
    let there = try CopyFixture(iri: try cluster.iri())
    try there.db.execute(
      """
      CREATE EXTENSION postgres_fdw;
      CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '\(cluster.directory)',
        port '\(try cluster.port())', dbname 'postgres');
      CREATE USER MAPPING FOR CURRENT_USER SERVER loop;
      CREATE FOREIGN TABLE far(id int, name text) SERVER loop OPTIONS (table_name '\(there.name)_1')
      """)
    let outcome = try there.copy(["--to", "\(there.iri);table=far"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try there.isEqual(1))
    try there.db.execute("TRUNCATE \(there.name)_1")
    let proved = try there.copy(["--to", "\(there.iri);table=far", "--verify"])
    #expect(proved.end == .exit(3), "\(proved.errors)")
    #expect(try there.rows(1) == 0)
    try there.db.execute("DROP FOREIGN TABLE far")
  }

  @Test("a temporary table is another session's: as an end it is not there")
  func temporary() throws {
    try scene.db.execute("CREATE TEMPORARY TABLE brief(id int, name text)")
    for table in ["brief", "pg_temp.brief"] {
      let outcome = try scene.copy(["--to", "\(scene.iri);table=\(table)"])
      #expect(outcome.end == .exit(3))
      #expect(outcome.errors.contains("42P01") || outcome.errors.contains("3F000"))
      #expect(try scene.copy(scene.to(1), table).end == .exit(3))
    }
  }

  @Test("a table that has only dead rows is empty, in parts as well")
  func deadRows() throws {
    // Somebody's old snapshot keeps the dead rows where they are.
    let holder = try PGKit.open(scene.iri)
    defer { holder.close() }
    try holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
    try scene.db.execute("DELETE FROM \(scene.name)")
    try scene.db.execute("VACUUM \(scene.name)")
    let outcome = try scene.copy(
      scene.to(1) + ["--split", "4", "--jobs", "2", "--verify", "--summary", "json"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    let summary = try scene.summary(outcome)
    #expect(summary.parts.count == 4)
    #expect(summary.parts.allSatisfy { $0.rows == 0 })
    #expect(try scene.rows(1) == 0)
  }

  // MARK: Meanwhile

  @Test("nobody can change the tables' columns, or empty them, while they are copied")
  func changed() throws {
    try scene.db.execute("UPDATE \(scene.name) SET name = repeat('y', 2000)")
    let running = try scene.start(scene.to(1) + ["--rate", "1MB/s"])
    try scene.wait(for: "COPY \"\(scene.name)_1\"%")
    try scene.db.execute("SET lock_timeout = 100")
    for statement in [
      "ALTER TABLE \(scene.name) ADD more int", "TRUNCATE \(scene.name)",
      "ALTER TABLE \(scene.name)_1 DROP COLUMN name", "DROP TABLE \(scene.name)_1",
    ] {
      #expect(throws: PGError.self, "\(statement)") { try scene.db.execute(statement) }
    }
    try scene.db.execute("SET lock_timeout = 0")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try scene.isEqual(1))
  }

  @Test("row-level security refuses one receiver; the other has its rows")
  func rowSecurity() throws {
    let name = scene.name
    try scene.db.execute(
      """
      CREATE ROLE \(name)_r LOGIN; GRANT SELECT, INSERT ON \(name)_1, \(name)_2 TO \(name)_r;
      ALTER TABLE \(name)_2 ENABLE ROW LEVEL SECURITY
      """)
    defer { try? scene.db.execute("DROP OWNED BY \(name)_r; DROP ROLE \(name)_r") }
    let other = scene.iri.replacing(/:\/\/[^@]*@/, with: "://\(name)_r@")
    let ends = (1...2).flatMap { ["--to", "\(other);table=\(name)_\($0)"] }
    let outcome = try scene.copy(ends + ["--summary", "json"])
    #expect(outcome.end == .exit(5), "\(outcome.errors)")
    let summary = try scene.summary(outcome)
    #expect(summary.statuses == ["committed", "rolled_back"])
    #expect(summary.receivers[1].message?.contains("row-level security") == true)
    #expect(try scene.isEqual(1))
    #expect(try scene.rows(2) == 0)
    let dry = try scene.copy(ends + ["--dry-run"])
    #expect(dry.output.contains("it has row-level security"))
  }

  @Test("--format binary is refused where values would be read as others; texts are texts")
  func binaryTypes() throws {
    let scene = try CopyFixture(receiving: "id date PRIMARY KEY, name text")
    let outcome = try scene.copy(scene.to(1) + ["--format", "binary", "--summary", "json"])
    #expect(outcome.end == .exit(3), "\(outcome.errors)")
    #expect(try scene.summary(outcome).receivers[0].sqlstate == "42804")
    #expect(outcome.errors.contains(#"column "id" is integer at the source and date here"#))
    #expect(try scene.rows(1) == 0)
    let texts = try CopyFixture(receiving: "id int PRIMARY KEY, name varchar(100)")
    let done = try texts.copy(texts.to(1) + ["--format", "binary", "--verify"])
    #expect(done.end == .exit(0), "\(done.errors)")
    #expect(try texts.rows(1) == texts.rowCount)
  }

  @Test("a table and its own partition are not copied into each other")
  func partitions() throws {
    let scene = try CopyFixture()
    let (whole, part) = ("\(scene.name)_whole", "\(scene.name)_part")
    try scene.db.execute(
      """
      CREATE TABLE \(whole)(id int, name text) PARTITION BY RANGE (id);
      CREATE TABLE \(whole)_half PARTITION OF \(whole) FOR VALUES FROM (0) TO (100)
        PARTITION BY RANGE (id);
      CREATE TABLE \(part) PARTITION OF \(whole)_half FOR VALUES FROM (0) TO (50);
      CREATE TABLE \(part)_2 PARTITION OF \(whole) FOR VALUES FROM (100) TO (200);
      INSERT INTO \(whole) VALUES (1, 'a'), (150, 'b')
      """)
    defer { try? scene.db.execute("DROP TABLE \(whole)") }
    for (from, to) in [(part, whole), (whole, part)] {
      let outcome = try scene.copy(
        ["--to", "\(scene.iri);table=\(to)", "--replace", "delete"], from)
      #expect(outcome.end == .exit(64), "\(outcome.errors)")
      #expect(outcome.errors.contains("one is a part of the other"))
    }
    #expect(try scene.ask("SELECT count(*) FROM \(whole)", as: Int.self) == 2)
    // Neighbours are two tables.
    let neighbours = try scene.copy(
      ["--to", "\(scene.iri);table=\(part)_2", "--replace", "delete"], "SELECT 160, 'c'")
    #expect(neighbours.end == .exit(0), "\(neighbours.errors)")
    let apart = try scene.copy(["--to", "\(scene.iri);table=\(scene.name)_1"], part)
    #expect(apart.end == .exit(0), "\(apart.errors)")
  }
}
