import Foundation
import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

/// The sections "Rows", "Row Interface Points" and "Row Transformations".
@Suite("Rows", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct RowTests {
  private let db: Connection

  init() throws { db = try TestServer.shared.connect() }

  private func row(_ sql: String) throws -> Row { try #require(try db.query(sql).first) }

  @Test("a row that is not there is an error, or nil, for who asks so")
  func positions() throws {
    let rows = try db.query("SELECT n FROM generate_series(1, 3) AS n")
    #expect(try rows.row(at: 2)[0, as: Int.self] == 3)
    let none = try db.query("SELECT 1 WHERE false")
    #expect(none.first == nil && none.isEmpty)
    for (result, position) in [(none, 0), (rows, 3), (rows, -1)] {
      let error = #expect(throws: PGError.self) { _ = try result.row(at: position) }
      #expect(error?.code == .noDataFound)
      #expect(error?.message == "there is no row \(position) in a result of \(result.count)")
    }
  }

  @Test("are sequences and mappings")
  func interface() throws {
    let row = try row("SELECT 't'::text AS col0, 2::int4 AS col1")
    #expect(try row[0] == .string("t") && row["col0"] == .string("t"))
    #expect(row.keys == ["col0", "col1"] && row.columnNames == row.keys)
    #expect(try row.values() == [.string("t"), .int32(2)])
    #expect(try row.items().map(\.name) == row.keys)
    #expect(try row.get("col1") == .int32(2) && row.get(1) == .int32(2))
    #expect(try row.get("no") == .null && row.get("no", default: "x") == "x")
    #expect(try row.get(2, default: 7) == 7 && row.get(-1) == .null)
    #expect(row.index(of: "col1") == 1 && row.index(of: "no") == nil)
    #expect(row.key(at: 1) == "col1" && row.key(at: 2) == nil && row.key(at: -1) == nil)
    #expect(try row.contains(.int32(2)) && !row.contains(.string("col0")))
    for (index, name) in row.columnNames.enumerated() {
      #expect(try row[name] == row[index])
    }
    #expect(throws: PGError.self) { try row[2] }
    #expect(throws: PGError.self) { try row["col2"] }
  }

  @Test("of equal names answer with the first, and keep all")
  func equalNames() throws {
    let row = try row("SELECT 1 AS a, 2 AS a")
    #expect(try row["a"] == .int32(1))
    #expect(try row.items().map(\.value) == [.int32(1), .int32(2)])
  }

  @Test("are transformed by position and by name")
  func transforms() throws {
    let row = try row(
      "SELECT 'XX9301423'::text AS product_code, 2::int4 AS quantity, '4.92'::numeric AS total")
    let strip: PGRecord.Function = { .string($0.description.replacing("XX", with: "")) }
    let text: PGRecord.Function = { .string($0.description) }
    #expect(
      try Array(row.transform(["quantity": text])) == [
        .string("XX9301423"), .string("2"), row[2],
      ])
    #expect(try row.transform(strip).values == [.string("9301423"), .int32(2), row[2]])
    #expect(try row.transform(strip, text, text).values == ["9301423", "2", "4.92"])
    #expect(try row.transform(nil, text, text).values == ["XX9301423", "2", "4.92"])
    let compound = try row.transform({ .int64(Int64(try strip($0).description) ?? 0) })
    #expect(compound[0] == .int64(9_301_423))
    #expect(try compound["quantity"] == .int32(2) && compound.columnNames == row.columnNames)
    #expect(throws: PGError.self) { try row.transform(nil, nil, nil, text) }
    #expect(throws: PGError.self) { try row.transform(["no": text]) }
  }

  private enum Mood: String, Codable { case happy, sad }

  private struct Person: Decodable, Equatable {
    let id: Int
    let name: String
    let nickname: String?
    let mood: Mood
    let score: Double
    let isAdmin: Bool

    enum CodingKeys: String, CodingKey {
      case id, name, nickname, mood, score
      case isAdmin = "is_admin"
    }
  }

  @Test("become structures by their columns' names")
  func structures() throws {
    let people = try db.query(
      """
      SELECT true AS is_admin, 'happy' AS mood, 7::int8 AS id, 'Ann' AS name, NULL AS nickname,
        1.5::float8 AS score, 'ignored' AS more
      UNION ALL SELECT false, 'sad', 8, 'Bob', 'bo', -1, ''
      """
    ).map { try $0.decode(as: Person.self) }
    #expect(
      people == [
        Person(id: 7, name: "Ann", nickname: nil, mood: .happy, score: 1.5, isAdmin: true),
        Person(id: 8, name: "Bob", nickname: "bo", mood: .sad, score: -1, isAdmin: false),
      ])
    #expect(try row("SELECT 'sad'").decode(as: Mood.self) == .sad)
    for sql in [
      "SELECT 7 AS id",
      "SELECT 'x' AS id, 'n' AS name, 'sad' AS mood, 1 AS score, true AS is_admin",
      "SELECT NULL::int AS id, 'n' AS name, 'sad' AS mood, 1 AS score, true AS is_admin",
      "SELECT 1 AS id, 'n' AS name, 'cross' AS mood, 1 AS score, true AS is_admin",
    ] {
      #expect(throws: (any Error).self, "\(sql)") { try row(sql).decode(as: Person.self) }
    }
    let error = #expect(throws: PGError.self) { try row("SELECT 7 AS id").decode(as: Person.self) }
    #expect(error?.code == .columnError && error?.message.contains("\"name\"") == true)
  }

  @Test("members of every width are decoded, or are out of range; none ask for themselves for ever")
  func widths() throws {
    struct Widths: Decodable {
      let a: Int8
      let b: UInt8
      let c: UInt16
      let d: UInt
      let e: Int8?
      let f: UInt?
    }
    let db = try TestServer.shared.get().connect()
    let row = try db.query(
      "SELECT -128 AS a, 255 AS b, 65535 AS c, 7 AS d, NULL::int AS e, 8 AS f")[0]
    let widths = try row.decode(as: Widths.self)
    #expect(widths.a == -128 && widths.b == 255 && widths.c == 65535 && widths.d == 7)
    #expect(widths.e == nil && widths.f == 8)
    struct Narrow: Decodable { let a: UInt8 }
    let error = #expect(throws: PGError.self) { try row.decode(as: Narrow.self) }
    #expect(error?.code == .columnError && error?.message.contains("\"a\"") == true)
    struct Endless: Decodable {
      init(from decoder: any Decoder) throws {
        self = try decoder.singleValueContainer().decode(Endless.self)
      }
    }
    struct Holder: Decodable { let a: Endless }
    #expect(throws: PGError.self) { try row.decode(as: Holder.self) }
  }

  @Test("names are compared as the server does, byte by byte; a row prints its values")
  func namesAndPrint() throws {
    let db = try TestServer.shared.get().connect()
    let result = try db.query("SELECT 'nfd' AS \"e\u{301}\", 'nfc' AS \"\u{e9}\", NULL::int")
    #expect(try result[0]["\u{e9}", as: String.self] == "nfc")
    #expect(try result[0]["e\u{301}", as: String.self] == "nfd")
    #expect("\(result)" == "[(nfd, nfc, NULL)]")
  }
}
