import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

// Also: every value of every type there and back, in PGKitTests' Types.

extension Documents {
  @Suite("Type Support")
  struct TypeSupportTests {
    private let db: Connection

    init() throws { db = try TestServer.shared.connect() }

    /// Sends a value as a parameter of the type and gives the type of what comes back with it.
    private func back<Value: PGEncodable & PGColumnValue>(
      _ value: Value, as type: String
    ) throws -> Value? {
      try db.query.first("SELECT $1::\(type)", value, as: Value.self)
    }

    @Test("Type Support: numbers")
    func numbers() throws {
      #expect(try back(-32_768, as: "smallint") == -32_768)
      #expect(try back(-2_147_483_648, as: "integer") == -2_147_483_648)
      #expect(try back(Int.max, as: "bigint") == Int.max)
      #expect(try back(Float(1.5), as: "float4") == 1.5)
      #expect(try back(0.1, as: "float8") == 0.1)
      let numeric = try #require(PGNumeric("100.02013"))
      #expect(try back(numeric, as: "numeric") == numeric)
    }

    @Test("Type Support: texts and bytes")
    func texts() throws {
      #expect(try back("é😀", as: "varchar") == "é😀")
      #expect(try back("ab", as: "char(4)") == "ab  ")
      #expect(try back("<a>x</a>", as: "xml") == "<a>x</a>")
      #expect(try back("text", as: "text") == "text")
      #expect(try back([0, 1, 255] as [UInt8], as: "bytea") == [0, 1, 255])
    }

    @Test("Type Support: dates, times and intervals")
    func times() throws {
      let date = try #require(PGDate(year: 2009, month: 3, day: 11))
      #expect(try back(date, as: "date") == date)
      // What the server makes of a text, and what comes back of that, are the same.
      func roundTrip<Value: PGEncodable & PGColumnValue & Equatable>(
        _ type: Value.Type, _ text: String, _ name: String
      ) throws {
        let value = try #require(try db.query.first("SELECT '\(text)'::\(name)", as: type))
        #expect(
          try db.query.first("SELECT $1::\(name) = '\(text)'::\(name)", value, as: Bool.self)
            == true)
        #expect(try back(value, as: name) == value)
      }
      try roundTrip(PGTimestamp.self, "2009-03-11 01:02:03.5", "timestamp")
      try roundTrip(PGTimestampTZ.self, "2009-03-11 01:02:03.5+02", "timestamptz")
      try roundTrip(PGTime.self, "23:59:59.999999", "time")
      try roundTrip(PGTimeTZ.self, "23:59:59+02", "timetz")
      try roundTrip(PGInterval.self, "1 month 2 days 03:04:05", "interval")
    }

    @Test("Type Support: a type without a conversion is given and taken as its text")
    func unknownTypes() throws {
      for (type, text) in [("regclass", "pg_class"), ("aclitem", "=r/pg_monitor")] {
        let ps = try db.prepare("SELECT $1::\(type)")
        #expect(try ps.first(text, as: String.self) == text)
        guard case .value(.text(_, text)) = try ps.first(text) else {
          throw Documents.Unexpected()
        }
      }
      // Those that have one are given and taken as their text too.
      for (type, text) in [
        ("point", "(1,2)"), ("int4range", "[1,5)"), ("inet", "10.0.0.1/8"), ("tsvector", "'a' 'b'"),
        ("bit(4)", "1010"), ("macaddr", "08:00:2b:01:02:03"), ("box", "(3,4),(1,2)"),
      ] {
        #expect(try db.query.first("SELECT $1::\(type)", text, as: String.self) == text)
      }
      try db.execute("CREATE TYPE pg_temp.mood AS ENUM ('happy', 'sad')")
      #expect(try db.query.first("SELECT $1::pg_temp.mood", "sad", as: String.self) == "sad")
    }

    @Test("Type Support: a cast to text in the statement keeps a value from being converted")
    func casts() throws {
      let ps = try db.prepare("SELECT '2009-03-11'::date::text")
      #expect(try ps.first(as: String.self) == "2009-03-11")
    }

    @Test("Arrays: Swift's arrays delimit the boundaries of the dimensions")
    func arrays() throws {
      let ps = try db.prepare("SELECT $1::int[]")
      // Values that are no arrays are no dimension, here as there.
      let points = [PGPoint(1, 2), PGPoint(2, 3)]
      let error = #expect(throws: PGError.self) { try ps(points) }
      #expect(error?.code == .parameterError)
      #expect(error?.message == "parameter $1 is int4[]; Array<PGPoint> is not")
      #expect(try db.query.first("SELECT $1::point[]", points, as: [PGPoint].self) == points)
      #expect(try ps.first([[1, 2], [2, 3]], as: [[Int]].self) == [[1, 2], [2, 3]])
      guard case .value(.array(let array)) = try ps.first([[1, 2], [2, 3]]) else {
        throw Documents.Unexpected()
      }
      #expect(array.dimensions.map(\.count) == [2, 2])
      #expect(array.elements == [1, 2, 2, 3].map { .int32($0) })
    }

    @Test("Composites: as records and as dictionaries, and an absent value is NULL")
    func composites() throws {
      try db.execute("CREATE TYPE pg_temp.ctest AS (i int, t text, n numeric);")
      let ps = try db.prepare("SELECT $1::pg_temp.ctest")
      let record = try #require(
        try ps.first(PGRecord(100, "text", "100.02013"), as: PGRecord.self))
      #expect(try record["t"] == .string("text"))
      #expect(try record["n", as: PGNumeric.self] == PGNumeric("100.02013"))
      let other = try ps.first(["t": "just-the-text"] as [String: PGValue], as: PGRecord.self)
      #expect(other?.values == [.null, .string("just-the-text"), .null])
    }
  }
}
