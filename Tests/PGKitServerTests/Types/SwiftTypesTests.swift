import PGTestCluster
import Testing

@testable import PGKit

/// Swift's own types as parameters and columns, beyond those that SQL has words for.
@Suite("Swift's types", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct SwiftTypesTests {
  private let db: Connection

  init() throws { db = try TestServer.shared.connect() }

  private enum Mood: String, PGEncodable, PGDecodable, PGArrayElement, Codable {
    case sad, ok
  }

  private enum Level: Int16, PGEncodable, PGDecodable, PGArrayElement {
    case low = 1
    case high = 9
  }

  @Test("enumerations with raw values, alone, in arrays, and refused where they are others")
  func rawValues() throws {
    #expect(try db.query.first("SELECT $1::text", Mood.ok, as: Mood.self) == .ok)
    #expect(try db.query.first("SELECT $1::int2", Level.high, as: Level.self) == .high)
    #expect(
      try db.query.first("SELECT $1::text[]", [Mood.ok, .sad], as: [Mood].self) == [.ok, .sad])
    #expect(try db.query.first("SELECT NULL::text", as: Mood?.self) == .some(nil))
    let error = #expect(throws: PGError.self) {
      try db.query.first("SELECT 'angry'", as: Mood.self)
    }
    #expect(error?.code == .columnError && error?.message.contains("Mood") == true)
  }

  @Test("integers of every width, and parts of texts")
  func widths() throws {
    #expect(try db.query.first("SELECT $1::int8", 5 as UInt, as: Int.self) == 5)
    #expect(try db.query.first("SELECT $1::int2", -5 as Int8, as: Int16.self) == -5)
    #expect(
      try db.query.first("SELECT $1::numeric::text", UInt.max, as: String.self) == "\(UInt.max)")
    #expect(try db.query.first("SELECT $1::xid8", UInt.max, as: UInt.self) == UInt.max)
    #expect(try db.query.first("SELECT $1::oid[]", [7, 8] as [UInt], as: [UInt].self) == [7, 8])
    #expect(try db.query.first("SELECT $1::int4", 5 as UInt16, as: Int32.self) == 5)
    let large = #expect(throws: PGError.self) { try db.query("SELECT $1::int8", UInt.max) }
    #expect(large?.code == .parameterError && large?.message.contains("UInt") == true)
    #expect(
      try db.query.first("SELECT $1::text", "a,b".split(separator: ",")[1], as: String.self) == "b")
  }

  @Test("dynamic arrays within dynamic arrays are dimensions; ragged ones are refused")
  func nestedDynamicArrays() throws {
    let rows = PGValue.array([.array([1, 2]), .array([3, nil])])
    #expect(
      try db.query.first("SELECT $1::int4[]::text", rows, as: String.self) == "{{1,2},{3,NULL}}")
    let list: [PGValue] = [.array([.array([1]), .array([2])])]
    #expect(try db.query.first("SELECT $1::int8[]::text", list, as: String.self) == "{{{1},{2}}}")
    #expect(
      try db.query.first(
        "SELECT $1::int2vector[]::text", PGValue.array([.array([1, 2]), .array([3])]),
        as: String.self) == "{\"1 2\",3}")
    for ragged in [[.array([1]), .array([1, 2])], [.array([1]), 2], [.array([])]] as [[PGValue]] {
      let error = #expect(throws: PGError.self) {
        try db.query("SELECT $1::int4[]", PGValue.array(PGArray(ragged)))
      }
      #expect(error?.code == .parameterError)
    }
  }

  @Test("tuples and dictionaries as composites, and arrays of them")
  func composites() throws {
    try db.execute("CREATE TYPE pg_temp.part AS (n int, s text)")
    let (number, missing): (Int, String?) = (5, nil)
    #expect(
      try db.query.first(
        "SELECT $1::pg_temp.part::text", PGRecord(tuple: (number, missing)), as: String.self)
        == "(5,)")
    #expect(
      try db.query.first(
        "SELECT $1::pg_temp.part[]::text", [["n": 1 as PGValue], ["s": "x"]], as: String.self)
        == "{\"(1,)\",\"(,x)\"}")
    #expect(
      try db.query.first(
        "SELECT ARRAY[ROW(1, 'x')::pg_temp.part]", as: [[String: PGValue]].self)
        == [["n": .int32(1), "s": .string("x")]])
  }

  @Test("ranges without a lower end")
  func partialRanges() throws {
    #expect(
      try db.query.first("SELECT $1::int4range::text", PGRange(..<5), as: String.self) == "(,5)")
    #expect(
      try db.query.first("SELECT $1::numrange::text", PGRange(...5), as: String.self) == "(,5]")
  }

  private struct Everything: Decodable {
    let json: PGJSON
    let xml: PGXML
    let range: PGRange<Int>
    let ranges: PGMultirange<Int>
    let array: PGArray<Int>
    let record: PGRecord
    let value: PGValue
    let none: PGRange<Int>?
    let mood: Mood
    let moods: [[Mood]]
    let id: UInt
  }

  @Test("members of a structure may be anything that a column can be asked for as")
  func members() throws {
    let row = try #require(
      try db.query(
        """
        SELECT '{"a": 1}'::json AS json, '<a/>'::xml AS xml, '[1,5)'::int8range AS range,
          '{[1,2),[5,6)}'::int8multirange AS ranges, '[0:1]={7,8}'::int8[] AS array,
          ROW(1, 'x') AS record, 1.50::numeric AS value, NULL::int8range AS none, 'ok' AS mood,
          '{{ok,sad}}'::text[] AS moods, '7'::xid8 AS id
        """
      ).first)
    let all = try row.decode(as: Everything.self)
    #expect(all.json.text == "{\"a\": 1}" && all.xml.text == "<a/>")
    #expect(all.range == PGRange(1, 5) && all.none == nil)
    #expect(all.ranges == [PGRange(1, 2), PGRange(5, 6)])
    #expect(all.array.lowerBounds == [0] && all.array.elements == [7, 8])
    #expect(all.record == PGRecord(.int32(1), .string("x")))
    #expect(all.value == .numeric(try #require(PGNumeric("1.50"))))
    #expect(all.mood == .ok && all.moods == [[.ok, .sad]] && all.id == 7)
  }
}
