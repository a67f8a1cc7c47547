import Foundation
import PGErrorCodes
import PGKit
import Testing

@Suite struct NameSplittingTests {
  @Test("splits names as py-postgresql does, or as it should")
  func vectors() throws {
    var count = 0
    for vector in try RecordedCase.all("string_split") {
      let parts: [Any] = vector.input as? [Any] ?? [vector.input]
      let texts = parts.compactMap { $0 as? String }
      let limit = (parts.last as? Int).map { $0 < 0 ? Int.max : $0 } ?? .max
      let operation: () throws -> String
      switch vector.op {
      case "split_using":
        let quote = try #require(texts[1].unicodeScalars.first)
        operation = {
          RecordedCase.describe(
            SQL.splitUsing(texts[0], quote: quote, separator: texts[2], maxSplits: limit))
        }
      case "split_ident":
        operation = {
          RecordedCase.describe(
            try SQL.splitIdentifiers(texts[0], separator: texts[1], maxSplits: limit))
        }
      case "split_qname":
        operation = { RecordedCase.describe(try SQL.splitQualifiedName(texts[0])) }
      case "qname":
        operation = { try SQL.qualifiedName(texts) }
      case "qname_if_needed":
        operation = { try SQL.qualifiedNameIfNeeded(texts) }
      default: continue
      }
      count += 1
      if vector.fails {
        let error = #expect(throws: PGError.self, "\(vector.name)") { _ = try operation() }
        #expect(error?.code == .invalidName)
      } else {
        #expect(try operation() == different[vector.name] ?? RecordedCase.describe(vector.expected))
      }
    }
    #expect(count == 54)
  }

  /// A separator of two characters leaves nothing of itself behind.
  private let different = ["split_using [\"x\"::\"y\", \", ::, -1]": "[\"x\", \"y\"]"]

  @Test("a quote with a combining mark behind it is a quote")
  func combining() throws {
    #expect(try SQL.splitIdentifiers("\"a\u{301},b\"") == ["a\u{301},b"])
    #expect(SQL.splitUsing("\"\u{301}a,b\",c", quote: "\"", separator: ",").count == 2)
  }

  @Test("refuses a NUL in a part")
  func nul() {
    #expect(throws: PGError.self) { try SQL.qualifiedName("a", "b\0") }
    #expect(throws: PGError.self) { try SQL.qualifiedNameIfNeeded("a", "b\0") }
  }
}
