import Foundation
import PGErrorCodes
import Testing

@testable import PGKit

@Suite struct QuotingTests {
  @Test("quotes as py-postgresql does")
  func vectors() throws {
    let quoting: [String: (String) throws -> String] = [
      "quote_literal": { try SQL.quoteLiteral($0) }, "escape_literal": SQL.escapeLiteral,
      "quote_ident": SQL.quoteIdentifier, "escape_ident": SQL.escapeIdentifier,
      "quote_ident_if_needed": SQL.quoteIdentifierIfNeeded,
      "needs_quoting": { SQL.needsQuoting($0) ? "1" : "0" },
    ]
    // Upper case is folded by the server, so it needs quotes.
    let different = ["needs_quoting Foo": "1"]
    var count = 0
    for vector in try RecordedCase.all("string_split") {
      guard let quote = quoting[vector.op] else { continue }
      let expected = different[vector.name] ?? RecordedCase.describe(vector.expected)
      #expect(try quote(vector.text) == expected, "\(vector.name)")
      count += 1
    }
    #expect(count == 26)
  }

  @Test("refuses a NUL")
  func nul() {
    for quote in [
      { (text) throws(PGError) in try SQL.quoteLiteral(text) }, SQL.escapeLiteral,
      SQL.quoteIdentifier, SQL.escapeIdentifier, SQL.quoteIdentifierIfNeeded,
    ] {
      let error = #expect(throws: PGError.self) { try quote("a\0b") }
      #expect(error?.code == .parameterError)
    }
  }

  @Test("leaves no quote alone, whatever stands before it")
  func everyScalar() throws {
    for scalar in (1...0x10FFFF).lazy.compactMap(Unicode.Scalar.init) {
      let text = "\(Character(scalar))'"
      let literal = try SQL.quoteLiteral(text)
      #expect(literal.utf8.count { $0 == UInt8(ascii: "'") } == (scalar == "'" ? 6 : 4))
    }
  }

  @Test("doubles backslashes only where the server would read them")
  func backslashes() throws {
    #expect(try SQL.quoteLiteral(#"a\'"#) == #"'a\'''"#)
    #expect(try SQL.quoteLiteral(#"a\'"#, standardConformingStrings: false) == #"E'a\\'''"#)
    #expect(try SQL.quoteLiteral("a'", standardConformingStrings: false) == "'a'''")
  }

  @Test(
    "quotes a name only if it would not mean itself",
    arguments: [
      ("foo", "foo"), ("_a1", "_a1"), ("schemå", "schemå"), ("Foo", "\"Foo\""),
      ("select", "\"select\""), ("user", "\"user\""), ("between", "\"between\""), ("name", "name"),
      ("1a", "\"1a\""), ("a b", "\"a b\""), ("a\"b", "\"a\"\"b\""), ("a.b", "\"a.b\""),
      ("a$", "\"a$\""), ("json_table", "\"json_table\""), ("", "\"\""),
    ])
  func identifiers(name: String, expected: String) throws {
    #expect(try SQL.quoteIdentifierIfNeeded(name) == expected)
  }
}
