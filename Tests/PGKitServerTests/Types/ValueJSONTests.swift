import Foundation
import PGTestCluster
import Testing

@testable import PGKit

/// Values as JSON: valid always, exact, and with their parts.
@Suite("Values as JSON", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ValueJSONTests {
  private let db: Connection

  init() throws { db = try TestServer.shared.connect() }

  @Test(
    "each kind of value",
    arguments: [
      ("9223372036854775807::int8", "9223372036854775807"),
      ("0.10000000000000000000000000001::numeric", "0.10000000000000000000000000001"),
      ("'NaN'::numeric", #""NaN""#), ("'-Infinity'::float8", #""-Infinity""#),
      ("1e15::float8", "1e+15"), ("true", "true"), ("NULL::int", "null"),
      ("'{\"a\": [1.50]}'::json", #"{"a": [1.50]}"#),
      (#"E'a"b\\\n\x01'::text"#, #""a\"b\\\n\u0001""#),
      ("'\\x00ff'::bytea", #""\\x00ff""#),
      ("ARRAY[[1,2],[3,NULL]]", "[[1,2],[3,null]]"), ("'{}'::int[]", "[]"),
      ("row(1, 'a', NULL)", #"[1,"a",null]"#),
      (
        "int4range(1, 5)",
        #"{"lower":1,"upper":5,"lower_inclusive":true,"upper_inclusive":false}"#
      ),
      ("'empty'::int4range", #"{"empty":true}"#),
      (
        "'{[1,2),[5,)}'::int4multirange",
        #"[{"lower":1,"upper":2,"lower_inclusive":true,"upper_inclusive":false},"#
          + #"{"lower":5,"upper":null,"lower_inclusive":true,"upper_inclusive":false}]"#
      ),
      ("'infinity'::timestamptz", #""infinity""#), ("'0044-03-15 BC'::date", #""0044-03-15 BC""#),
      ("point(1,2)", #""(1,2)""#), ("'10.0.0.1/8'::inet", #""10.0.0.1/8""#),
    ])
  func values(sql: String, json: String) throws {
    let value = try db.query("SELECT \(sql)")[0][0]
    #expect(try value.json() == json)
  }

  @Test("composites are objects, in both formats, nested in arrays")
  func composites() throws {
    try db.execute("CREATE TYPE pg_temp.item AS (\"na me\" text, price numeric, tags text[])")
    let sql = "SELECT ARRAY[row('a', 1.50, ARRAY['x'])::pg_temp.item, NULL]"
    let json = #"[{"na me":"a","price":1.50,"tags":["x"]},null]"#
    #expect(try db.query(sql)[0][0].json() == json)
    let batch = try #require(try db.query.text(sql, learnsTypes: true).next())
    var output: [UInt8] = []
    try batch.forEachValue(inRow: 0) { column, bytes in
      let shown = batch.columns[column]
      try PGValue.appendJSON(
        of: try #require(bytes), shown.pgType, shown.format, to: &output)
    }
    #expect(String(decoding: output, as: UTF8.self) == json)
  }

  @Test("a composite without attributes is an empty object, as the server has it")
  func emptyComposites() throws {
    try db.execute("CREATE TYPE pg_temp.zero AS ()")
    let row = try #require(
      try db.query("SELECT row()::pg_temp.zero, to_json(row()::pg_temp.zero)::text").first)
    #expect(try row[0].json() == "{}" && row[1, as: String.self] == "{}")
  }

  @Test("numbers as texts and as doubles, bytes as base64, hstore as an object")
  func options() throws {
    let row = try #require(
      try db.query("SELECT ARRAY[12345678901234567890.5], '\\x00ff'::bytea").first)
    #expect(try row[0].json(PGJSONOptions(numbers: .texts)) == #"["12345678901234567890.5"]"#)
    #expect(try row[0].json(PGJSONOptions(numbers: .doubles)) == "[1.2345678901234567e+19]")
    #expect(try row[1].json(PGJSONOptions(bytes: .base64)) == #""AP8=""#)
    #expect(try PGValue.hstore(["b": nil, "a": "1"]).json() == #"{"a":"1","b":null}"#)
  }

  @Test("is JSON for any value of any type")
  func anything() throws {
    var generator = ValueGenerator(seed: 7)
    let names = try db.query(
      "SELECT oid FROM pg_type WHERE typtype IN ('b', 'r', 'm') AND typnamespace = 11"
    )
    var count = 0
    for row in names {
      let type = PGType(TypeOID(rawValue: try row[0, as: UInt32.self]))
      for _ in 0..<20 {
        guard let value = generator.next(of: type) else { continue }
        // As texts: this reader refuses numbers of a thousand digits, which JSON does not.
        let data = Data(try value.json(PGJSONOptions(numbers: .texts)).utf8)
        _ = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
        count += 1
      }
    }
    #expect(count > 2000)
  }
}
