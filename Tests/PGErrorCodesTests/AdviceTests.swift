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

  /// What servers answer with which code is held against them in `PgErrcodeTextTests`.
  @Test(
    "texts name the code that comes instead, and do not claim its cases",
    arguments: [
      ("44000", "gives 42501", "row security forbids"), ("22036", "gives 22038", "arithmetic with"),
      ("22038", "single number", "given several"), ("2203C", "keyvalue()", "strict"),
      ("2203A", "no object", "-"), ("2200C", "two separators", "single valid"),
      ("22019", "give 22025", "-"), ("22025", "more than one character", "-"),
      ("10608", "XPath", "regular expression"),
      ("38002", "gives 0A000", "immutable or stable one."),
      ("38003", "2D000 or 0A000", "such as COMMIT"), ("0P000", "42704", "reserved or missing"),
      ("0P000", "22023", "-"), ("0P000", "42939", "-"), ("22032", "22P02", "A text is not JSON."),
      ("23001", "before 18 that was 23503", "-"), ("2F003", "dblink", "COMMIT"),
      ("0LP01", "member of itself", "grant option tried"),
    ] as [(SQLState, String, String)])
  func neighbours(code: SQLState, has: String, hasNot: String) throws {
    let advice = try #require(code.definition?.advice)
    let text = advice.cause + " " + advice.action
    #expect(text.contains(has))
    #expect(hasNot == "-" || !text.contains(hasNot))
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

  @Test("thousands of codes are added in no time, and asked for")
  func manyCodes() throws {
    var text = "Section: Class PT - Page Turner\n"
    let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for number in 0..<9000 {
      let code = "PT\(digits[number / 1296 + 1])\(digits[number / 36 % 36])\(digits[number % 36])"
      text += "\(code) E condition_\(number)\n  sets: shop\n"
    }
    var table = ErrorCatalogue()
    let time = try ContinuousClock().measure {
      try table.add(try CodeFile(text))
      for number in 0..<9000 { #expect(table.named("condition_\(number)").count == 1) }
    }
    #expect(table.definitions.count == SQLState.definitions.count + 9000)
    #expect(time < .seconds(20))
  }

  @Test("a code of a file keeps its ancestors, whatever the order of the files")
  func ancestorsOfOwnCodes() throws {
    var table = ErrorCatalogue()
    try table.add(try CodeFile("Section: Class PT - Page Turner\nPT404 E page_not_found\n"))
    let own = try #require(table.definition(of: "PT404"))
    #expect(table.ancestors(of: own) == ["PageTurnerError", "Error"])
    // Another file has the class's own code: it takes the place of the one made of the title.
    try table.add(try CodeFile("PT000 E turner_failure\n"))
    let later = try #require(table.definition(of: "PT404"))
    #expect(table.ancestors(of: later) == ["TurnerFailureError", "Error"])
    #expect(table.named("PageTurnerError").isEmpty)
    #expect(throws: CodeFile.Fault.self) { () throws in
      try table.add(try CodeFile("PT000 E once_more\n"))
    }
  }

  @Test("words for a built-in code leave its versions as they are")
  func versionsStay() throws {
    var table = ErrorCatalogue()
    try table.add(
      try CodeFile(
        "25P04 E transaction_timeout\n  cause: Ours.\n72000 E snapshot_too_old\n  cause: Ours.\n"))
    #expect(table.definition(of: "25P04")?.since == 17)
    #expect(table.definition(of: "72000")?.until == 16)
    #expect(table.advice(of: "25P04")?.cause == "Ours.")
  }

  @Test("a class of a file answers for its codes, with its rule and its sets")
  func ruleOfClass() throws {
    var table = ErrorCatalogue()
    try table.add(
      try CodeFile(
        "PT000 E page_turner\n  retry: now\n  sets: shop, integrity\nPT404 E gone\n  retry: no\n"))
    for code: SQLState in ["PT000", "PT999"] {
      #expect(table.retry(of: code).answer == .now)
      #expect(table.contains(code, set: "retryable"))
    }
    #expect(table.retry(of: "PT404").answer == .no)
    for code: SQLState in ["PT000", "PT404", "PT999"] {
      for set in ["shop", "constraint", "integrity"] { #expect(table.contains(code, set: set)) }
      #expect(table.sets(of: code).contains("constraint"))
    }
    #expect(!table.setNames.contains("integrity"))
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
