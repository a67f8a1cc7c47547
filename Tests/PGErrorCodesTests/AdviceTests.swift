import Foundation
import PGErrorCodes
import Testing

@Suite struct AdviceTests {
  @Test("every code has a cause and an action, each a sentence of its own")
  func everyCode() throws {
    for definition in SQLState.definitions {
      let advice = try #require(definition.advice, "\(definition.code)")
      for sentence in [advice.cause, advice.action] {
        #expect(sentence.hasSuffix("."), "\(definition.code): \(sentence)")
        #expect(sentence.utf8.count > 15, "\(definition.code): \(sentence)")
      }
      #expect(advice.cause != advice.action)
      #expect(!definition.summary.isEmpty && !definition.summary.contains("_"))
    }
    let causes = SQLState.definitions.compactMap { $0.advice?.cause }
    #expect(Set(causes).count > SQLState.definitions.count - 5)
  }

  @Test(
    "says whether the same may be done again, and why",
    arguments: [
      ("40001", .now), ("40P01", .now), ("40ZZZ", .now), ("40003", .ambiguous), ("40002", .no),
      ("53100", .later), ("53ZZZ", .later), ("57P03", .later), ("55P03", .later),
      ("08001", .later), ("08006", .ambiguous), ("08P01", .ambiguous), ("57P01", .ambiguous),
      ("57P02", .ambiguous), ("57014", .no), ("23505", .no), ("25P02", .no), ("--TOE", .later),
      ("ZZ999", .no),
    ] as [(SQLState, RetryRule.Answer)])
  func retry(code: SQLState, want: RetryRule.Answer) {
    #expect(code.retry.answer == want)
    #expect(code.retry.reason.hasSuffix("."))
    #expect(SQLStateSet("retryable")?.contains(code) == (want == .now || want == .later))
  }

  @Test(
    "sets know their members",
    arguments: [
      ("connection", "08006", "53300"), ("constraint", "23505", "42P01"),
      ("auth", "28P01", "42501"), ("resource", "53200", "57P03"), ("syntax", "42601", "42501"),
      ("privilege", "42501", "42601"), ("cancelled", "57014", "57P01"),
      ("warning", "01000", "00000"), ("bug", "XX001", "P0001"), ("timeout", "55P03", "40001"),
      ("ambiguous", "08006", "40001"), ("driver", "--AUT", "08006"), ("driver", "01-CP", "01000"),
      ("transaction", "25P02", "57014"), ("data", "22P02", "23505"),
      ("corruption", "XX002", "XX000"),
    ] as [(String, SQLState, SQLState)])
  func sets(name: String, member: SQLState, other: SQLState) throws {
    let set = try #require(SQLStateSet(name))
    #expect(set.contains(member))
    #expect(!set.contains(other))
    #expect(member.sets.contains(set))
    #expect(!set.meaning.isEmpty)
  }

  @Test("integrity is another name of constraint, and other names are none")
  func setNames() {
    #expect(SQLStateSet("integrity") == SQLStateSet("constraint"))
    #expect(SQLStateSet("") == nil)
    #expect(SQLStateSet("constrain") == nil)
    #expect(SQLStateSet.all.map(\.name) == SQLStateSet.all.map(\.name).sorted())
    #expect(SQLStateSet.all.count == 18)
  }

  @Test("near misses are letters for digits, and neighbours exchanged")
  func nearMisses() {
    let table = ErrorCatalogue()
    #expect(NearMiss.codes(for: "40PO1", in: table) == ["40P01"])
    #expect(NearMiss.codes(for: "4000l", in: table).isEmpty)
    #expect(NearMiss.codes(for: "XX400", in: table).isEmpty)
    #expect(NearMiss.codes(for: "23055", in: table) == ["23505"])
    #expect(NearMiss.names(for: "unique_violatoin", in: table) == ["unique_violation"])
    #expect(NearMiss.names(for: "frobnicate", in: table).isEmpty)
    #expect(NearMiss.names(for: String(repeating: "a", count: 5000), in: table).isEmpty)
  }

  @Test("a catalogue without files answers as the table does")
  func builtIn() {
    let table = ErrorCatalogue()
    #expect(table.isBuiltIn)
    #expect(table.definitions == SQLState.definitions)
    for definition in SQLState.definitions {
      #expect(table.definition(of: definition.code) == definition)
      #expect(table.retry(of: definition.code) == definition.code.retry)
      #expect(table.sets(of: definition.code) == definition.code.sets.map(\.name))
      #expect(table.named(definition.name) == SQLState.named(definition.name))
    }
  }
}
