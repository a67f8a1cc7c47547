import Glibc
import PGKit
import PGTestCluster
import Testing

/// What is proved of every part of a copy, and what becomes of the parts together.
@Suite("pg-copy, proof", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgCopyProofTests {
  @Test(
    "every part has its rows, bytes and checksum, at the source and at each receiver",
    arguments: [["--format", "text"], ["--format", "binary", "--jobs", "3"]])
  func parts(how: [String]) throws {
    let scene = try CopyFixture(rowCount: 5000)
    let outcome = try scene.copy(
      scene.to(1) + scene.to(2) + ["--split", "6", "--verify", "--summary", "json"] + how)
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    let summary = try scene.summary(outcome)
    #expect(summary.parts.map(\.part) == [1, 2, 3, 4, 5, 6])
    #expect(summary.parts.reduce(0) { $0 + ($1.rows ?? 0) } == 5000)
    #expect(summary.parts.reduce(0) { $0 + $1.bytes } == summary.bytes)
    #expect(Set(summary.parts.map(\.checksum)).count == 6)
    #expect(summary.parts[0].first_block == 0)
    for (part, next) in zip(summary.parts, summary.parts.dropFirst()) {
      #expect(part.next_block == next.first_block)
      // What the parts say is what the table has in those blocks.
      let rows = try scene.ask(
        """
        SELECT count(*) FROM \(scene.name) WHERE ctid >= '(\(part.first_block ?? -1),0)'
          AND ctid < '(\(part.next_block ?? -1),0)'
        """, as: Int.self)
      #expect(part.rows == rows)
    }
    #expect(summary.parts[5].next_block == nil)
    for receiver in summary.receivers {
      #expect(receiver.checksum == summary.checksum)
      #expect(receiver.bytes == summary.bytes)
      #expect(receiver.parts.map(\.checksum) == summary.parts.map(\.checksum))
      #expect(receiver.parts.map(\.rows) == summary.parts.map(\.rows))
      #expect(receiver.parts.allSatisfy { $0.status == "committed" })
    }
  }

  @Test("without --verify the parts have their rows and bytes, and no checksum")
  func counts() throws {
    let scene = try CopyFixture()
    let outcome = try scene.copy(scene.to(1) + ["--split", "2", "--summary", "json"])
    let summary = try scene.summary(outcome)
    #expect(summary.parts.count == 2)
    #expect(summary.receivers[0].parts.map(\.bytes) == summary.parts.map(\.bytes))
    #expect(summary.parts.allSatisfy { $0.checksum == nil && $0.bytes > 0 })
    let whole = try scene.summary(try scene.copy(scene.to(2) + ["--summary", "json"]))
    #expect(whole.parts.map(\.rows) == [1000])
    #expect(whole.parts[0].first_block == nil)
  }

  @Test(
    "the part in which a value was changed on its way is named, and nothing is committed",
    arguments: [["--format", "text"], ["--format", "binary"], ["--jobs", "2"]])
  func changed(how: [String]) throws {
    let scene = try CopyFixture(rowCount: 5000)
    try scene.db.execute(
      """
      CREATE FUNCTION \(scene.name)_f() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN IF NEW.id = 2500 THEN NEW.name = 'row 25OO'; END IF; RETURN NEW; END$$;
      CREATE TRIGGER t BEFORE INSERT ON \(scene.name)_1 FOR EACH ROW
        EXECUTE FUNCTION \(scene.name)_f()
      """)
    let outcome = try scene.copy(
      scene.to(1) + scene.to(2) + ["--split", "5", "--verify", "--summary", "json"] + how)
    #expect(outcome.end == .exit(5), "\(outcome.errors)")
    let summary = try scene.summary(outcome)
    let block = try scene.ask(
      "SELECT (ctid::text::point)[0]::int FROM \(scene.name) WHERE id = 2500", as: Int.self)
    let part = try #require(
      summary.parts.last { ($0.first_block ?? 0) <= (block ?? -1) }?.part)
    #expect(outcome.errors.contains("what was stored of part \(part) is not what was read"))
    #expect(summary.statuses == ["rolled_back", "committed"])
    #expect(summary.receivers[0].rows == 0)
    #expect(try scene.rows(1) == 0)
    #expect(try scene.isEqual(2))
  }

  @Test("a row that a trigger adds is found as well")
  func added() throws {
    let scene = try CopyFixture()
    try scene.db.execute(
      """
      CREATE FUNCTION \(scene.name)_f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        IF NEW.id = 7 THEN INSERT INTO \(scene.name)_1 VALUES (-7, 'more'); END IF;
        RETURN NULL; END$$;
      CREATE TRIGGER t AFTER INSERT ON \(scene.name)_1 FOR EACH ROW
        EXECUTE FUNCTION \(scene.name)_f()
      """)
    let outcome = try scene.copy(scene.to(1) + ["--verify"])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("what was stored is not what was read"))
    #expect(try scene.rows(1) == 0)
  }

  @Test("rows that are frozen, merged, of no columns, or none at all are proved, too")
  func otherRows() throws {
    let scene = try CopyFixture()
    let ways: [(Int, [String])] = [
      (1, ["--replace", "truncate", "--freeze"]), (2, ["--on-conflict", "update", "--split", "3"]),
      (3, ["--format", "text", "--split", "3"]),
    ]
    try scene.db.execute("INSERT INTO \(scene.name)_2 VALUES (7, 'mine')")
    for (number, how) in ways {
      let outcome = try scene.copy(scene.to(number) + ["--verify", "--summary", "json"] + how)
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      let summary = try scene.summary(outcome)
      #expect(summary.checksum != nil)
      #expect(summary.receivers[0].checksum == summary.checksum)
      #expect(try scene.isEqual(number))
    }
    try scene.db.execute(
      """
      CREATE TABLE \(scene.name)_e(); CREATE TABLE \(scene.name)_f();
      INSERT INTO \(scene.name)_e DEFAULT VALUES; INSERT INTO \(scene.name)_e DEFAULT VALUES
      """)
    let none = try scene.program.run(
      [scene.iri, "\(scene.name)_e", "--to", "\(scene.iri);table=\(scene.name)_f", "--verify"])
    #expect(none.end == .exit(0), "\(none.errors)")
    let empty = try scene.copy(
      scene.to(1) + ["--verify", "--format", "binary", "--replace", "delete"],
      "SELECT * FROM \(scene.name) WHERE false")
    #expect(empty.end == .exit(0), "\(empty.errors)")
    #expect(try scene.rows(1) == 0)
    try scene.db.execute("DROP TABLE \(scene.name)_e, \(scene.name)_f")
  }

  @Test(
    "what looks otherwise there is the same: times of another zone, bytes in another form",
    arguments: [[], ["--on-conflict", "update"], ["--format", "binary"]])
  func otherLooks(how: [String]) throws {
    let scene = try CopyFixture()
    try scene.db.execute(
      """
      CREATE TABLE \(scene.name)_looks(id int PRIMARY KEY, at timestamptz, b bytea);
      INSERT INTO \(scene.name)_looks VALUES (1, '2024-07-01 12:00:00+00', '\\x00ff41');
      CREATE TABLE \(scene.name)_there (LIKE \(scene.name)_looks INCLUDING ALL)
      """)
    defer { try? scene.db.execute("DROP TABLE \(scene.name)_looks, \(scene.name)_there") }
    let there = "options=-c%20TimeZone%3DAmerica/New_York%20-c%20bytea_output%3Descape"
    let outcome = try scene.copy(
      ["--to", "\(scene.iri)?\(there);table=\(scene.name)_there", "--verify"]
        + (how.first == "--format" ? [] : ["--format", "text"]) + how, "\(scene.name)_looks")
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(
      try scene.ask(
        "SELECT count(*) FROM \(scene.name)_looks NATURAL JOIN \(scene.name)_there", as: Int.self)
        == 1)
  }
}
