import Foundation
import PGKit
import Testing

@Suite struct PortionTests {
  /// Portions as py-postgresql gives them: plain text and pairs in turn, a last pair without plain
  /// text behind it having no end.
  private func describe(_ portions: [SQL.Portion]) -> String {
    var parts: [Any] = []
    for portion in portions {
      switch portion {
      case .plain(let text): parts.append(text)
      case .quoted(let opening, let content, let isTerminated):
        if parts.count.isMultiple(of: 2) { parts.append("") }
        // py-postgresql knows the prefix in upper case only.
        parts.append([opening.replacing("e'", with: "E'"), content])
        if !isTerminated { return RecordedCase.describe(parts) }
      }
    }
    if parts.count.isMultiple(of: 2) { parts.append("") }
    return RecordedCase.describe(parts)
  }

  private func describe(_ statements: [[SQL.Portion]]) -> String {
    "[" + statements.map { describe($0) }.joined(separator: ", ") + "]"
  }

  @Test("splits and puts together as py-postgresql does, or as it should")
  func vectors() throws {
    let operations: [String: (String) -> String] = [
      "split": { describe(SQL.split($0)) },
      "unsplit_of_split": { SQL.unsplit(SQL.split($0)) },
      "split_sql": { describe(SQL.splitSQL($0)) },
      "split_sql_str": { RecordedCase.describe(SQL.splitSQLStrings($0)) },
    ]
    // Where the recorded value is a defect and no better one is recorded.
    let wanted = [
      "split_sql_str create function f() returns int as $$\nbegin;\n return 1;\nend\n$$ language "
        + "plpgsql; select 2":
        "[create function f() returns int as $$\nbegin;\n return 1;\nend\n$$ language plpgsql, "
        + " select 2]",
      // Two of the quotes stand for one inside a string that has no end.
      "split '''": "[, [', '']]",
      "split_sql_str select 1; -- a;b\nselect 2": "[select 1,  -- a;b\nselect 2]",
    ]
    // The recorder lost a blank in front of a statement that is nothing but a quote.
    let lost = "select 'one;' as \";text;\"; select $$;$$; foo;';b''ar'"
    var count = 0
    for vector in try RecordedCase.all("string_split") {
      guard let operation = operations[vector.op] else { continue }
      let text = try vector.text
      #expect(
        operation(text) == wanted[vector.name] ?? RecordedCase.describe(vector.expected),
        "\(vector.name)")
      count += 1
      #expect(SQL.splitSQLStrings(text).joined(separator: ";") == text || text == lost)
    }
    #expect(count == 82)
  }

  @Test("a continued string is two quotes, and what is between them is plain")
  func continuation() {
    #expect(
      SQL.split("E'a'\n'b\\'' c") == [
        .quoted(opening: "E'", content: "a"), .plain("\n"), .quoted(opening: "'", content: "b\\'"),
        .plain(" c"),
      ])
  }

  @Test("backslashes escape where the server would let them")
  func nonconforming() {
    #expect(SQL.splitSQL(#"'a\';b'; c"#, standardConformingStrings: false).count == 2)
    #expect(SQL.splitSQL(#"'a\';b; c"#).count == 3)
  }

  @Test("another separator", arguments: ["/", "|", "@"])
  func separators(separator: Character) {
    let text = "a \(separator) 'b\(separator)' -- \(separator)\n\(separator) c"
    #expect(
      SQL.splitSQLStrings(text, separator: separator) == [
        "a ", " 'b\(separator)' -- \(separator)\n", " c",
      ])
  }

  @Test("any text at all survives", arguments: 0..<200)
  func anything(seed: Int) {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("'\"$eE\\-/*\n;.a é")
    let text = String((0..<40).map { _ in alphabet.randomElement(using: &generator) ?? "'" })
    #expect(SQL.unsplit(SQL.split(text)) == text)
    #expect(SQL.splitSQLStrings(text).joined(separator: ";") == text)
  }
}
