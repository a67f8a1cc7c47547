import PGKit
import PGTestCluster
import Testing

/// "Statement Interface Points": what a statement and a cursor say of their types.
@Suite(
  "Statement metadata", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct StatementMetadataTests {
  private let db: Connection
  private let schema = "Types \(UInt64.random(in: 0...UInt64.max))"

  init() throws {
    db = try TestServer.shared.get().connect()
  }

  @Test("the document's example: names, SQL types, identifiers and Swift types")
  func example() throws {
    let ps = try db.prepare("SELECT $1::integer AS intname, $2::varchar AS chardata")
    #expect(try ps.sqlParameterTypes() == ["INTEGER", "VARCHAR"])
    #expect(try ps.sqlColumnTypes() == ["INTEGER", "VARCHAR"])
    #expect(ps.columnNames == ["intname", "chardata"])
    #expect(ps.columnTypes?.map { "\($0)" } == ["Int32", "String"])
    #expect(ps.parameterTypes.map { "\($0)" } == ["Int32", "String"])
    #expect(ps.pgParameterTypes == [.int4, .varchar])
    #expect(ps.pgColumnTypes == [.int4, .varchar])
    let cursor = try ps.declare(1, "x")
    #expect(try cursor.sqlColumnTypes() == ["INTEGER", "VARCHAR"])
    #expect(cursor.pgColumnTypes == [.int4, .varchar])
    #expect(cursor.columnTypes.map { "\($0)" } == ["Int32", "String"])
    #expect(cursor.columnNames == ["intname", "chardata"])
    #expect(cursor.statement === ps)
    let found = try db.cursor(id: cursor.cursorID)
    #expect(try found.sqlColumnTypes() == ["INTEGER", "VARCHAR"])
    #expect(found.columnNames == ["intname", "chardata"])
    #expect(found.statement == nil)
  }

  @Test("a statement without rows has no column types; one without columns has none, but has them")
  func withoutRows() throws {
    let create = try db.prepare("CREATE TEMP TABLE empty()")
    #expect(create.pgColumnTypes == nil && create.columnTypes == nil)
    #expect(try create.sqlColumnTypes() == nil)
    try create()
    let empty = try db.prepare("SELECT FROM empty")
    #expect(empty.pgColumnTypes == [])
    #expect(try empty.sqlColumnTypes() == [])
    #expect(empty.parameterTypes.isEmpty)
  }

  @Test("each SQL name is one that a cast takes, and that leads to the same type")
  func names() throws {
    try db.execute(
      """
      CREATE SCHEMA "\(schema)"; SET search_path = "\(schema)", pg_catalog;
      CREATE TYPE "\(schema)"."Mood" AS ENUM ('calm'); CREATE DOMAIN positive AS int;
      CREATE TYPE pair AS (a int, b text)
      """)
    defer { try? db.execute("DROP SCHEMA \"\(schema)\" CASCADE") }
    let types = try db.query.text(
      """
      SELECT oid FROM pg_catalog.pg_type WHERE typtype IN ('b', 'e', 'c', 'r', 'm')
        AND typrelid = 0 AND typnamespace IN ('pg_catalog'::regnamespace, $1::regnamespace)
      """, ["\"\(schema)\""]
    ).collect().map { TypeOID(rawValue: try $0[0, as: UInt32.self]) }
    #expect(types.count > 150)
    try db.execute("SET search_path = ''")
    for chunk in stride(from: 0, to: types.count, by: 100) {
      let some = types[chunk..<min(chunk + 100, types.count)]
      let nulls = try db.query.text(
        "SELECT "
          + some.map { "pg_catalog.format_type(\($0.rawValue), NULL)" }.joined(separator: ", ")
      ).collect()
      let spelled = try (0..<some.count).map { try nulls[0][$0, as: String.self] }
      let statement = try db.prepare(
        "SELECT " + spelled.map { "NULL::\($0)" }.joined(separator: ", "))
      #expect(statement.pgColumnTypes == Array(some))
      let names = try #require(try statement.sqlColumnTypes())
      let again = try db.prepare("SELECT " + names.map { "NULL::\($0)" }.joined(separator: ", "))
      #expect(again.pgColumnTypes == Array(some))
    }
    let own = try db.prepare("SELECT NULL::\"\(schema)\".\"Mood\"[], NULL::\"\(schema)\".pair")
    // A column of a domain is described as one of the type beneath; a parameter is not.
    let domain = try db.prepare("SELECT $1::\"\(schema)\".positive")
    #expect(try domain.sqlParameterTypes() == ["\"\(schema)\".positive"])
    #expect(try domain.sqlColumnTypes() == ["INTEGER"])
    #expect(try own.sqlColumnTypes() == ["\"\(schema)\".\"Mood\"[]", "\"\(schema)\".pair"])
  }
}
