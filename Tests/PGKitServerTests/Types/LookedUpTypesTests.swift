import PGTestCluster
import Testing

@testable import PGKit

/// Types that change, and types that only a value names.
@Suite("Looked-up types", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct LookedUpTypesTests {
  private let db: Connection
  /// A schema of this test's own.
  private let schema = "lut\(UInt64.random(in: 0...(.max)))"

  init() throws {
    db = try TestServer.shared.connect()
    try db.execute("CREATE SCHEMA \(schema); SET search_path = \(schema)")
  }

  // MARK: Anonymous records

  @Test("an anonymous record may hold values of any type that the database has")
  func records() throws {
    try db.execute(
      """
      CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN small AS int2;
      CREATE TYPE part AS (n int, s text); CREATE TYPE spread AS RANGE (subtype = float8);
      CREATE TYPE named AS (n int, c regclass)
      """)
    let sql = """
      SELECT ROW(1, 'sad'::mood, 7::small, ROW(2, 'x')::part, ARRAY['ok', NULL]::mood[],
        '[1,2)'::spread, ROW('ok'::mood, NULL), 'pg_class'::regclass)
      """
    for record in [
      try #require(try db.query.first(sql, as: PGRecord.self)),
      try #require(try db.prepare(sql)().first)[0, as: PGRecord.self],
      try #require(try db.prepare(sql).first(as: PGRecord.self)),
    ] {
      #expect(record[0] == .int32(1))
      #expect(record[1] == .string("sad"))
      #expect(record[2] == .int16(7))
      #expect(
        record[3]
          == .record(PGRecord(columnNames: ["n", "s"], values: [.int32(2), .string("x")])))
      #expect(record[4] == .array(PGArray([.string("ok"), nil])))
      #expect(record[5] == .range(PGRange(.double(1), .double(2))))
      #expect(record[6] == .record(PGRecord(.string("ok"), .null)))
      #expect(record[7] == .uint32(1259))
      #expect(try record[3, as: PGRecord.self].decode((Int, String).self) == (2, "x"))
    }
    // Of a composite that is text elsewhere, and of arrays of records.
    #expect(
      try db.query.first("SELECT ROW(ROW(1, 'pg_type')::named)", as: PGRecord.self)?[0]
        == .record(PGRecord(columnNames: ["n", "c"], values: [.int32(1), .uint32(1247)])))
    let list = try db.query.first("SELECT ARRAY[ROW(1, 'sad'::mood)]", as: PGArray<PGRecord>.self)
    #expect(list?.elements == [PGRecord(.int32(1), .string("sad"))])
  }

  @Test("records of many rows come whole while their types are looked up in between")
  func streamedRecords() throws {
    try db.execute("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN large AS int8")
    let rows = try db.query.rows(
      """
      SELECT CASE WHEN i % 2 = 0 THEN ROW(i, 'sad'::mood) ELSE ROW(i, i::large) END
      FROM generate_series(1, 20000) AS i
      """)
    var count: Int32 = 0
    while let row = try rows.next() {
      count += 1
      let record = try row[0, as: PGRecord.self]
      let second = count % 2 == 0 ? PGValue.string("sad") : .int64(Int64(count))
      if record != PGRecord(.int32(count), second) { Issue.record("row \(count): \(record)") }
    }
    #expect(count == 20000)
  }

  @Test("what has no known binary form within a record is an error that names the way out")
  func unreadableMembers() throws {
    let error = #expect(throws: PGError.self) {
      try db.query("SELECT ROW('{1}'::pg_catalog.regclass[])")[0][0]
    }
    #expect(error?.code == .columnError && error?.hint?.contains("Cast") == true)
  }

  // MARK: Types that are dropped, made and altered

  @Test(
    "prepared statements outlive the types that they are about",
    arguments: [false, true])
  func dropped(byAnother: Bool) throws {
    let other = byAnother ? try TestServer.shared.connect() : db
    try db.execute("CREATE TYPE same AS ENUM ('a'); CREATE TABLE t (id int, e same)")
    let parameter = try db.prepare("SELECT $1::same")
    let column = try db.prepare("SELECT 'a'::same")
    let insert = try db.prepare("INSERT INTO t VALUES (1, $1)")
    #expect(try parameter("a")[0][0] == .string("a"))
    #expect(try column()[0][0] == .string("a"))
    try insert("a")
    for labels in ["'a', 'b'", "'b', 'a'"] {
      try other.execute(
        """
        SET search_path = \(schema); ALTER TABLE t DROP COLUMN e; DROP TYPE same;
        CREATE TYPE same AS ENUM (\(labels)); ALTER TABLE t ADD COLUMN e same
        """)
      #expect(try parameter("b")[0][0] == .string("b"))
      #expect(try parameter.first("a", as: String.self) == "a")
      #expect(try column()[0][0] == .string("a"))
      try insert("b")
    }
    #expect(try db.query.first("SELECT count(e) FROM t", as: Int.self) == 1)
  }

  @Test("what an execute committed before it failed is looked up again")
  func committedBeforeFailure() throws {
    try db.execute("CREATE TYPE rn AS (a int)")
    #expect(try db.query("SELECT '(1)'::rn")[0][0, as: PGRecord.self].columnNames == ["a"])
    #expect(throws: PGError.self) {
      try db.execute("BEGIN; ALTER TYPE rn RENAME ATTRIBUTE a TO w; COMMIT; SELECT 1/0")
    }
    #expect(try db.query("SELECT '(1)'::rn")[0][0, as: PGRecord.self].columnNames == ["w"])
    #expect(throws: PGError.self) {
      try db.execute("BEGIN; ALTER TYPE rn ADD ATTRIBUTE b int; COMMIT; SELECT 1/0")
    }
    #expect(try db.query("SELECT '(1,2)'::rn")[0][0, as: PGRecord.self].count == 2)
  }

  @Test("types within types within types, deeper than anybody goes")
  func deep() throws {
    var sql = "CREATE TYPE d0 AS (a int);"
    for level in 1...400 { sql += "CREATE TYPE d\(level) AS (a d\(level - 1));" }
    try db.execute(sql)
    func nested(_ level: Int) -> String {
      String(repeating: "ROW(", count: level) + "ROW(1)" + String(repeating: ")", count: level)
    }
    for level in [50, 95] {
      var value = try db.query("SELECT \(nested(level))::d\(level)")[0][0]
      var depth = 0
      while case .record(let record) = value {
        value = record[0]
        depth += 1
      }
      #expect(depth == level + 1 && value == .int32(1))
    }
    // Deeper still it would be text, whose quotes double with each level: the server refuses that.
    let error = #expect(throws: PGError.self) { try db.query("SELECT \(nested(200))::d200") }
    #expect(error?.code == .programLimitExceeded)
    #expect(try db.query.first("SELECT 1", as: Int.self) == 1)
  }

  // MARK: Codecs

  @Test("a codec for a name that is none does no harm, and can be taken away")
  func namesOfCodecs() throws {
    try db.execute(
      "CREATE TYPE mood AS ENUM ('sad'); CREATE TYPE \"My mood\" AS ENUM ('ok')")
    for name in ["no such type!! (", "table", "a.b.c", "select from", "\"unended", ""] {
      db.types.register(Shout.self, for: name)
    }
    #expect(try db.query.first("SELECT 1.5::float8", as: Double.self) == 1.5)
    #expect(try db.query("SELECT 'sad'::mood")[0][0] == .string("sad"))
    for (name, cast) in [
      ("MOOD", "'sad'::mood"), ("\"My mood\"", "'ok'::\"My mood\""),
      ("double precision", "1::float8"), ("int", "1::int4"),
      ("timestamp with time zone", "now()"), ("mood[]", "'{sad}'::mood[]"),
    ] {
      db.types.register(Shout.self, for: name)
      guard case .custom = try db.query("SELECT \(cast)")[0][0] else {
        Issue.record("\(name) was not found")
        continue
      }
      db.types.unregister(name)
      if case .custom = try db.query("SELECT \(cast)")[0][0] { Issue.record("\(name) is there") }
    }
  }

  /// Reads any text, and shouts it.
  private struct Shout: PGCustomCodable {
    let text: String

    func encodingFormat(for type: PGType) -> PGFormat? { .text }
    func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {}
    func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
      try text.encodeText(as: type, into: &writer)
    }
    static func accepts(_ type: PGType, _ format: PGFormat) -> Bool { format == .text }
    init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
      throw .column("never asked for")
    }
    init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
      text = try reader.readWholeText(of: PGType(.text)).uppercased()
    }
  }
}
