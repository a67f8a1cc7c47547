import PGTestCluster
import Testing

@testable import PGKit

/// Values that arrive as they were sent, look as the server shows them, or are refused with all that is
/// needed to mend them.
@Suite("Exact values", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ExactValueTests {
  private let db: Connection

  init() throws { db = try TestServer.shared.connect() }

  /// What PGKit says of a value that it does not send.
  private func refusal(
    _ sql: String, _ value: any PGEncodable, _ location: SourceLocation = #_sourceLocation
  ) throws -> PGError {
    let error = try #require(throws: PGError.self, sourceLocation: location) {
      try db.query(sql, value)
    }
    #expect(error.code == .parameterError, "\(error.report)", sourceLocation: location)
    #expect(error.fields == nil, sourceLocation: location)
    return error
  }

  // MARK: Nothing is lost on the way

  @Test("a \"char\" is one byte, and a text of more is refused")
  func singleBytes() throws {
    for text in ["abc", "é"] {
      for value in [text, PGValue.string(text), [text]] as [any PGEncodable] {
        let type = value is [String] ? "\"char\"[]" : "\"char\""
        let error = try refusal("SELECT $1::\(type)", value)
        #expect(error.message.contains("it is not one byte"))
      }
    }
    for text in ["", "a", "\\303", "\\"] {
      #expect(try db.query.first("SELECT $1::\"char\"", text, as: String.self) == text)
      #expect(try db.query.first("SELECT $1::\"char\"[]", [text], as: [String].self) == [text])
    }
  }

  @Test("a Double too small for float4 is refused, as the server does")
  func underflow() throws {
    let cast = #expect(throws: PGError.self) { try db.query("SELECT (1e-60::float8)::float4") }
    #expect(cast?.code == .numericValueOutOfRange)
    for value in [1e-60, [1e-300], PGValue.double(1e-60)] as [any PGEncodable] {
      let type = value is [Double] ? "float4[]" : "float4"
      #expect(try refusal("SELECT $1::\(type)", value).message.contains("float4"))
    }
  }

  @Test("intervals without end, by the server's version", arguments: TestServer.installations)
  func intervals(installation: Installation) throws {
    let cluster = try TemporaryCluster(installation: installation)
    defer { try? cluster.close() }
    let db = try Connector(cluster.connectionOptions()).connect()
    try db.execute("CREATE TYPE pg_temp.part AS (i interval)")
    let values: [(String, any PGEncodable)] = [
      ("interval", PGInterval.infinity), ("interval", "infinity"), ("interval", "-infinity"),
      ("interval[]", [PGInterval.minusInfinity]), ("interval[]", ["infinity"]),
      ("pg_temp.part", PGRecord(.interval(.infinity))),
    ]
    if db.serverVersion.major >= 17 {
      for (type, value) in values {
        let text = try db.query.first("SELECT $1::\(type)::text", value, as: String.self)
        #expect(text?.contains("infinity") == true)
      }
      #expect(try db.query.first("SELECT 'infinity'::interval", as: PGInterval.self) == .infinity)
      return
    }
    for (type, value) in values {
      let error = #expect(throws: PGError.self) { try db.query("SELECT $1::\(type)", value) }
      #expect(error?.code == .parameterError && error?.fields == nil, "\(type)")
    }
    let longest = "178956970 years 7 mons 2147483647 days 2562047788:00:54.775807"
    let sql =
      "SELECT '\(longest)'::interval, ARRAY['\(longest)'::interval], row('\(longest)'::interval)"
    let row = try #require(try db.query(sql).first)
    let interval = try row[0, as: PGInterval.self]
    #expect(interval.isFinite && interval.description == longest && interval != .infinity)
    #expect(try row[1, as: [PGInterval].self] == [interval])
    #expect(try row[2, as: PGRecord.self][0, as: PGInterval.self] == interval)
    #expect(try row[0].description == longest)
    let text = try #require(try db.query.text(sql).next())
    #expect(try text[0][0, as: PGInterval.self] == interval)
    #expect(
      try db.query.first("SELECT $1 = '\(longest)'::interval", interval, as: Bool.self) == true)
  }

  @Test("a MAC address is what the server reads in its text")
  func addresses() throws {
    let six = [
      "8:00:2b:001:02:03", "08:00:2b:01:02:03", "8:0:2b:1:2:3", "8-0-2b-1-2-3", "08002b:010203",
      "08002b-010203", "0800.2b01.0203", "0800-2b01-0203", "08002b010203",
      "0:0:0:0:0:0:0:0:0:0:0:1", "08:00:2b:01:02:03:", "::::08002b010203", "08:00:2b:01:02:100",
      "0800:2b01:0203", "08:00-2b:01:02:03",
    ]
    let eight = [
      "08:00:2b:01:02:03:04:05", "08002b:0102030405", "0800.2b01.0203.0405", "08002b0102030405",
      "8:0:2b:1:2:3:4:5", "08:00-2b:01:02:03:04:05",
    ]
    for (type, texts) in [("macaddr", six), ("macaddr8", eight)] {
      for text in texts {
        var server: String?
        do throws(PGError) {
          server = try db.query.first("SELECT ($1::text::\(type))::text", text, as: String.self)
        } catch { #expect(SQLState.dataException ~= error.code, "\(error.report)") }
        #expect(PGMACAddress(text)?.description == server, "\(text)")
      }
    }
  }

  @Test("a float that the server rounds up beyond its range is no infinity")
  func roundedFloats() throws {
    try db.execute("SET extra_float_digits = 0")
    let sql = "SELECT 1.7976931348623157e308::float8, point(1.7976931348623157e308, 0)"
    let batch = try #require(try db.query.text(sql).next())
    #expect(try batch[0][0, as: String.self] == "1.79769313486232e+308")
    for read in [
      { () throws in _ = try batch[0][0] }, { () throws in _ = try batch[0][1] },
      { () throws in _ = try batch[0][0, as: Double.self] },
    ] {
      let error = #expect(throws: PGError.self, performing: read)
      #expect(error?.code == .columnError)
    }
    let error = #expect(throws: PGError.self) { try batch[0][0] }
    #expect(error?.hint?.contains("extra_float_digits") == true)
    #expect(try db.query(sql)[0][0, as: Double.self] == .greatestFiniteMagnitude)
  }

  @Test("an xid8 as any integer that holds it")
  func transactions() throws {
    struct Seen: Decodable, Equatable {
      let a: UInt
      let b: UInt?
      let c: UInt
    }
    let sql = "SELECT '18446744073709551615'::xid8 AS a, '7'::xid8 AS b, 5 AS c"
    let row = try #require(try db.query(sql).first)
    #expect(try row.decode(as: Seen.self) == Seen(a: .max, b: 7, c: 5))
    struct Narrow: Decodable { let a: UInt16 }
    let error = #expect(throws: PGError.self) { try row.decode(as: Narrow.self) }
    #expect(error?.code == .columnError)
    struct Negative: Decodable { let a: UInt }
    #expect(throws: PGError.self) { try db.query("SELECT -1 AS a")[0].decode(as: Negative.self) }
  }

  // MARK: As the server shows it

  @Test(
    "values and whole rows look as the server prints them",
    arguments: [
      "'{(3,4),(1,2);(1,1),(0,0)}'::box[]", "'1 2 -3'::int2vector", "''::int2vector",
      "'1 2'::oidvector", "'[0:2]={1,2,-3}'::int2[]", "'{NULL}'::box[]",
    ])
  func layouts(sql: String) throws {
    let row = try #require(
      try db.query("SELECT \(sql), (\(sql))::text, row(\(sql), 1), row(\(sql), 1)::text").first)
    let text = try row[1, as: String.self]
    #expect(try row[0].description == text && row[0, as: String.self] == text)
    #expect(try row[2].description == row[3, as: String.self])
    #expect(row.description.hasPrefix("(\(text), \(text), "))
    let batch = try #require(try db.query.text("SELECT \(sql)").next())
    #expect(try batch[0][0].description == text)
  }

  @Test("money inside of other values is shown, and read as a text")
  func money() throws {
    try db.execute(
      "CREATE TYPE pg_temp.mny AS (m money, i int); CREATE TYPE pg_temp.mnyr AS RANGE (subtype = money)"
    )
    let sql = """
      SELECT row(1.5::numeric::money, 2)::pg_temp.mny, ARRAY[1.5::numeric::money, NULL],
        pg_temp.mnyr(1.5::numeric::money, 2::money), 1.5::numeric::money
      """
    let row = try #require(try db.query(sql).first)
    let texts = ["(1.50,2)", "{1.50,NULL}", "[1.50,2.00)", "1.50"]
    for (index, text) in texts.enumerated() {
      #expect(try row[index].description == text)
      #expect(try row[index, as: String.self] == text)
    }
    #expect(row.description == "(\(texts.joined(separator: ", ")))")
    #expect(try row[1, as: [String?].self] == ["1.50", nil])
    #expect(try row[0, as: PGRecord.self]["m", as: String.self] == "1.50")
    // It goes back as it came.
    #expect(
      try db.query.first("SELECT ($1::pg_temp.mny).m::text", row[0], as: String.self) == "$1.50")
  }

  // MARK: What is refused, and how

  @Test("the catalogues' vectors, empty and with what they cannot have")
  func vectors() throws {
    for type in ["int2vector", "oidvector"] {
      let empty = try db.query("SELECT ''::\(type)")[0][0]
      for value in [empty, [Int](), PGArray<Int>([]), ""] as [any PGEncodable] {
        #expect(try db.query.first("SELECT $1::\(type)::text", value, as: String.self) == "")
      }
      #expect(try db.query.first("SELECT $1::\(type)::text", [1, 2], as: String.self) == "1 2")
      for value in [[1, nil] as [Int?], [[1], [2]] as [[Int]]] as [any PGEncodable] {
        #expect(try refusal("SELECT $1::\(type)", value).message.contains(type))
      }
    }
  }

  @Test("a refusal names the parameter, its SQL type and the Swift type")
  func names() throws {
    try db.execute(
      """
      CREATE DOMAIN pg_temp.dint AS int; CREATE DOMAIN pg_temp.dints AS pg_temp.dint[];
      CREATE TYPE pg_temp.pair AS (a int, b pg_temp.dint);
      """)
    let row = try #require(try db.query("SELECT 'x' AS a").first)
    // What the message says, and the chain of places.
    let cases: [(String, any PGEncodable, [String], [String])] = [
      ("int[]", [[1], [2, 3]], ["Array<Array<Int>>", "int4[]"], []),
      ("int[]", [[], []] as [[Int]], ["Array<Array<Int>>", "int4[]"], []),
      ("int[]", [[[[[[[1]]]]]]], ["Array<Array<", "int4[]"], []),
      ("pg_temp.dint", Int.max, ["Int", ".dint"], []),
      ("pg_temp.dint", "x", ["String", ".dint", "such a value"], []),
      ("pg_temp.dints", [1, Int.max], [".dint"], ["ELEMENT: [2] of type pg_temp_"]),
      (
        "int2[]", [1, 70_000], ["Int", "int2"],
        ["ELEMENT: [2] of type int2", "of type int2[], given"]
      ),
      ("int2[]", ["1", "x"], ["String", "int2"], ["ELEMENT: [2] of type int2"]),
      (
        "int4range", PGRange(1, Int.max), ["int4"],
        ["BOUND: upper of type int4", "of type int4range"]
      ),
      ("pg_temp.pair", ["c": 1], ["Dictionary<String, Int>", ".pair"], []),
      ("pg_temp.pair", row, ["Row", ".pair", "1 value"], []),
      ("pg_temp.pair", PGRecord(1, "x"), [".dint"], ["ATTRIBUTE: \"b\""]),
      ("json", PGJSON(text: "\u{0}"), ["PGJSON", "json"], []),
      ("xml", PGXML(text: "\u{0}"), ["PGXML", "xml"], []),
      ("int", PGValue.bool(true), ["int4; Bool is not"], ["given Bool"]),
    ]
    for (type, value, words, places) in cases {
      let error = try refusal("SELECT $1::\(type)", value)
      for word in words { #expect(error.message.contains(word), "\(error.message)") }
      for place in places + ["PARAMETER: $1 of type "] {
        #expect(error.report.contains(place), "\(error.report)")
      }
    }
    let untyped = #expect(throws: PGError.self) {
      try db.query.text("SELECT $1", ["\u{0}"])
    }
    #expect(untyped?.report.contains("PARAMETER: $1, given String") == true)
  }

  @Test("domains take what they are over, however deep")
  func domains() throws {
    try db.execute(
      """
      CREATE DOMAIN pg_temp.acl AS aclitem; CREATE DOMAIN pg_temp.ints AS int[];
      CREATE DOMAIN pg_temp.deeper AS pg_temp.ints; CREATE TYPE pg_temp.point2 AS (x int, y text);
      CREATE DOMAIN pg_temp.dpoint AS pg_temp.point2; CREATE DOMAIN pg_temp.days AS daterange;
      """)
    for sql in [
      "'=r/pg_monitor'::pg_temp.acl", "'[2:3]={1,NULL}'::pg_temp.deeper", "'(1,a)'::pg_temp.dpoint",
      "'[2024-01-01,2024-01-05)'::pg_temp.days", "ARRAY['{1}'::pg_temp.ints]",
    ] {
      let value = try db.query("SELECT \(sql)")[0][0]
      let type =
        sql.hasPrefix("ARRAY") ? "pg_temp.ints[]" : String(sql.split(separator: ":").last ?? "")
      #expect(
        try db.query.first("SELECT $1::\(type)::text = (\(sql))::text", value, as: Bool.self)
          == true)
    }
  }

  @Test("hstore takes no zero character")
  func pairs() throws {
    try KnownTypesTests.extensionsExist.get()
    for pairs in [["a\u{0}": "1"], ["a": "1\u{0}"]] {
      let error = try refusal("SELECT $1::hstore", pairs)
      #expect(error.message.contains("Dictionary<String, String>"))
    }
  }

  @Test("what the server would refuse is refused before it is sent")
  func notSent() throws {
    typealias Position = PGTextSearchVector.Position
    let values: [(String, any PGEncodable)] = [
      ("float8", "1e400"), ("float8", "1e-400"), ("float4", "1e39"),
      ("time", PGTime(microseconds: -1)), ("date", PGDate(daysSince2000: .max - 1)),
      ("timestamp", PGTimestamp(microsecondsSince2000: .max - 1)),
      ("timestamptz", PGTimestampTZ(microsecondsSince2000: .min + 1)),
      ("timetz", PGTimeTZ(microseconds: 0, secondsWest: 60_000)), ("int4range", PGRange(5, 1)),
      ("daterange", PGRange("2024-02-01", "2024-01-01")),
      ("int4multirange", [PGRange(5, 1)] as PGMultirange),
      ("tsvector", PGTextSearchVector([.init(String(repeating: "x", count: 2048))])),
      ("tsvector", PGTextSearchVector([.init("a", [Position(2), Position(1)])])),
    ]
    for (type, value) in values {
      #expect(try refusal("SELECT $1::\(type)", value).report.contains(" of type \(type), given"))
    }
    // The order of a range of one's own is its own, and a label may have come since.
    try db.execute("CREATE TYPE pg_temp.mine AS RANGE (subtype = int4)")
    let range = #expect(throws: PGError.self) {
      try db.query("SELECT $1::pg_temp.mine", PGRange(5, 1))
    }
    #expect(range?.code == .dataException)
    #expect(db.transactionStatus == .idle)
  }

  @Test("a label that another session has just added is taken")
  func labels() throws {
    let other = try TestServer.shared.connect()
    try db.execute("CREATE TYPE label_added AS ENUM ('a')")
    defer { try? db.execute("DROP TYPE label_added") }
    let ps = try other.prepare("SELECT $1::label_added")
    #expect(try ps.first("a", as: String.self) == "a")
    try db.execute("ALTER TYPE label_added ADD VALUE 'b'")
    #expect(try ps.first("b", as: String.self) == "b")
    let error = #expect(throws: PGError.self) { try ps("c") }
    #expect(error?.code == .invalidTextRepresentation)
  }
}
