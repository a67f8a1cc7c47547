import Foundation
import PGErrorCodes
import Testing

@testable import PGKit

@Suite struct QuotingTests {
  @Test("quotes as py-postgresql does")
  func vectors() throws {
    let quoting: [String: (String) throws -> String] = [
      "quote_literal": { try SQL.quoteLiteral($0) },
      "escape_literal": { try SQL.escapeLiteral($0) },
      "quote_ident": { try SQL.quoteIdentifier($0) },
      "escape_ident": { try SQL.escapeIdentifier($0) },
      "quote_ident_if_needed": { try SQL.quoteIdentifierIfNeeded($0) },
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
    #expect(throws: PGError.self) { try SQL.escapeLiteral("a\0b") }
    #expect(throws: PGError.self) { try SQL.escapeIdentifier("\0") }
    #expect(throws: PGError.self) { try SQL.quoteIdentifier("a\0b") }
    #expect(throws: PGError.self) { try SQL.quoteIdentifierIfNeeded("a\0b") }
    let error = #expect(throws: PGError.self) { try SQL.quoteLiteral("a\0b") }
    #expect(error?.code == .parameterError)
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
