import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

@Suite(
  "rows of Swift values, copied",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct CopyRowStreamTests {
  private let connection: Connection

  init() throws { connection = try TestServer.shared.connect() }

  private func make(_ columns: String) throws {
    try connection.execute("CREATE TEMP TABLE filled (\(columns))")
  }

  private let table = CopyTable(["filled"])

  private func texts(_ sql: String) throws -> [String] {
    try connection.query(sql).map { try $0[0, as: String.self] }
  }

  @Test("rows of many types arrive as they were given, NULLs too")
  func types() throws {
    try connection.execute("CREATE TYPE pg_temp.mood AS ENUM ('sad', 'happy')")
    try make(
      "n int4, big int8, t text, e float8, b bool, bytes bytea, list int4[], m pg_temp.mood, j jsonb"
    )
    let rows = try connection.copyRows(into: table)
    #expect(rows.columns.map(\.name) == ["n", "big", "t", "e", "b", "bytes", "list", "m", "j"])
    try rows.write(
      7, Int64.max, "a\tb\n\\.", 0.5, true, [0, 255] as [UInt8], [1, 2, 3], "happy",
      PGJSON(text: "{\"a\": 1}"))
    try rows.write(nil, nil, nil, nil, nil, nil, nil, nil, nil)
    #expect(rows.rowCount == 2)
    #expect(try rows.finish().rowCount == 2)
    #expect(
      try texts("SELECT filled::text FROM filled ORDER BY n") == [
        "(7,9223372036854775807,\"a\tb\n\\\\.\",0.5,t,\"\\\\x00ff\",\"{1,2,3}\",happy,\"{\"\"a\"\": 1}\")",
        "(,,,,,,,,)",
      ])
  }

  @Test("many rows go in many messages, and the connection is free afterwards")
  func manyRows() throws {
    try make("n int8, t text")
    let rows = try connection.copyRows(into: table)
    for n in 0..<100_000 { try rows.write(n, "row number \(n)") }
    #expect(try rows.finish() == CommandTag("COPY 100000"))
    #expect(
      try texts("SELECT sum(n) || ' ' || count(*) || ' ' || max(t) FROM filled")
        == ["4999950000 100000 row number 99999"])
  }

  @Test("columns that are named are filled in that order, whatever their names")
  func namedColumns() throws {
    try make(
      #""a ""b""" int, "Select" text, n int DEFAULT 5, d int GENERATED ALWAYS AS (n * 2) STORED"#)
    let rows = try connection.copyRows(into: CopyTable(["filled"], columns: ["Select", #"a "b""#]))
    try rows.write("x", 1)
    try rows.finish()
    #expect(try texts("SELECT filled::text FROM filled") == ["(1,x,5,10)"])
  }

  @Test("a table with generated columns wants its columns named, and the connection stays usable")
  func generatedColumns() throws {
    try make("n int, d int GENERATED ALWAYS AS (n * 2) STORED")
    let error = #expect(throws: PGError.self) { _ = try connection.copyRows(into: table) }
    #expect(error?.code == .operationError)
    #expect(error?.hint?.contains("name the columns") == true)
    #expect(try texts("SELECT 'usable'") == ["usable"])
  }

  @Test("a row that does not fit is named and left out; those around it are stored")
  func unfitRows() throws {
    try make("n int4, t text")
    let rows = try connection.copyRows(into: table)
    try rows.write(1, "one")
    for values: [(any PGEncodable)?] in [[Int64.max, "two"], [2.5, "x"], [3], [3, "three", 3]] {
      let error = #expect(throws: PGError.self) { try rows.write(values) }
      #expect(error?.code == .parameterError)
      #expect(error?.report.contains("ROW: 1") == true, "\(error?.report ?? "")")
    }
    let error = #expect(throws: PGError.self) { try rows.write(Int64.max, "two") }
    #expect(error?.report.contains("\"n\"") == true, "\(error?.report ?? "")")
    try rows.write(4, "four")
    #expect(try rows.finish().rowCount == 2)
    #expect(try texts("SELECT n || t FROM filled ORDER BY n") == ["1one", "4four"])
  }

  @Test("what the server refuses is thrown, and nothing is stored")
  func refusal() throws {
    try make("n int4 PRIMARY KEY")
    let rows = try connection.copyRows(into: table)
    try rows.write(1)
    try rows.write(1)
    let error = #expect(throws: PGError.self) { try rows.finish() }
    #expect(error?.code == .uniqueViolation)
    #expect(try texts("SELECT count(*)::text FROM filled") == ["0"])
  }

  @Test("what is failed is forgotten")
  func failing() throws {
    try make("n int4")
    let rows = try connection.copyRows(into: table)
    try rows.write(1)
    try rows.fail("changed my mind")
    #expect(try texts("SELECT count(*)::text FROM filled") == ["0"])
    #expect(throws: PGError.self) { try rows.finish() }
  }

  @Test("a table that is not there is the server's error")
  func noTable() throws {
    let error = #expect(throws: PGError.self) {
      _ = try connection.copyRows(into: CopyTable(["nowhere"]))
    }
    #expect(error?.code == .undefinedTable)
  }
}
