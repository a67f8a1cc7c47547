import Foundation
import PGKit
import PGTestCluster
import Testing

// Also: "Rows" and "Row Interface Points" as they are printed, and transformations by name, by position,
// of several columns and with `nil`, in RowTests.

extension Documents {
  @Suite("Rows")
  struct RowsTests {
    private let db: Connection

    init() throws { db = try TestServer.shared.connect() }

    @Test("Rows: an index or a column's name gives the value")
    func subscripts() throws {
      let statement = try db.prepare("SELECT 't'::text AS col0, 2::int4 AS col1")
      guard case .row(let row) = try statement.first() else { throw Documents.Unexpected() }
      #expect(try row.values() == [.string("t"), .int32(2)])
      #expect(try row[0] == .string("t"))
      #expect(try row["col0"] == .string("t"))
    }

    @Test("Row Interface Points: a missing index or name is an error that names it")
    func missing() throws {
      let row = try #require(try db.query("SELECT 't'::text AS col0").first)
      let index = #expect(throws: PGError.self) { try row[1] }
      #expect(index?.code == .columnError && index?.message.contains("1") == true)
      let name = #expect(throws: PGError.self) { try row["col1"] }
      #expect(name?.code == .columnError && name?.message.contains("\"col1\"") == true)
      let negative = #expect(throws: PGError.self) { try row[-1] }
      #expect(negative?.code == .columnError)
    }

    @Test("Row Interface Points: values are given in index order")
    func values() throws {
      let row = try #require(try db.query("SELECT 3 AS c, 1 AS a, 2 AS b").first)
      #expect(try row.values() == [.int32(3), .int32(1), .int32(2)])
      #expect(try Array(row.record()) == row.values())
      #expect(try row.items().map { "\($0.name)=\($0.value)" } == ["c=3", "a=1", "b=2"])
    }
  }

  @Suite("Row Transformations")
  struct RowTransformationsTests {
    private let db: Connection
    private let row: Row

    init() throws {
      db = try TestServer.shared.connect()
      row = try #require(
        try db.query(
          """
          SELECT
            'XX9301423'::text AS product_code,
            2::int4 AS quantity,
            '4.92'::numeric AS total
          """
        ).first)
    }

    private static func stripXX(_ value: PGValue) -> PGValue {
      .string(value.description.replacing("XX", with: ""))
    }

    private static func stripAndInt(_ value: PGValue) throws -> PGValue {
      .int64(try #require(Int64(stripXX(value).description)))
    }

    private static func applyTax(_ value: PGValue) throws -> PGValue {
      let x = try #require(Decimal(string: value.description))
      let tax = try #require(Decimal(string: "0.1"))
      return .numeric(try #require(PGNumeric("\(x * tax + x)")))
    }

    private var total: PGValue { .numeric(PGNumeric("4.92") ?? .zero) }

    @Test("Row Transformations: the row before anything is done to it")
    func untouched() throws {
      #expect(try row.values() == [.string("XX9301423"), .int32(2), total])
    }

    @Test("Row Transformations: a callable by column name changes that column alone")
    func byName() throws {
      let changed = try row.transform(["quantity": { .string($0.description) }])
      #expect(changed.values == [.string("XX9301423"), .string("2"), total])
      #expect(changed.columnNames == ["product_code", "quantity", "total"])
    }

    @Test("Row Transformations: both ways at once are one after the other")
    func bothWays() throws {
      let changed = try row.transform(Self.stripXX).transform(["total": Self.applyTax])
      #expect(
        changed.values == [
          .string("9301423"), .int32(2), .numeric(try #require(PGNumeric("5.412"))),
        ])
    }

    @Test("Row Transformations: a compound transformation in a single pass")
    func compound() throws {
      let changed = try row.transform(Self.stripAndInt)
      #expect(changed.values == [.int64(9_301_423), .int32(2), total])
    }

    @Test("Row Transformations: applied to many rows with map")
    func rows() throws {
      let functions: [PGRecord.Function?] = [Self.stripAndInt, nil, Self.applyTax]
      func transformRows(_ rows: [Row]) throws -> [PGRecord] {
        try rows.map { try $0.record().transform(functions) }
      }
      let expected: [PGValue] = [
        .int64(9_301_423), .int32(2), .numeric(try #require(PGNumeric("5.412"))),
      ]
      #expect(try transformRows([row]).map(\.values) == [expected])
      #expect(try transformRows([row, row]).count == 2)
    }
  }
}
