import Foundation
import PGErrorCodes
import Testing

/// One line of a server's `errcodes.txt`.
struct ErrorCodeLine: Sendable {
  let code: String
  let severity: String
  let macro: String
  let condition: String?

  /// Reads the file of a major version; `nil` for its comments and sections.
  static func all(version: Int) throws -> [ErrorCodeLine] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../scripts/data/errcodes-\(version).txt")
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
      let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
      guard words.count >= 3, ["E", "W", "S"].contains(words[1]), words[0].utf8.count == 5 else {
        return nil
      }
      return ErrorCodeLine(
        code: words[0], severity: words[1], macro: words[2],
        condition: words.count > 3 ? words[3] : nil)
    }
  }
}

@Suite struct SQLStateTableTests {
  @Test("the table is what the script makes of the data")
  func regenerated() throws {
    let script = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../scripts/generate-error-codes").standardized
    let process = Process()
    process.executableURL = script
    process.arguments = ["--check"]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test(
    "the script refuses a rule or a set for codes that do not exist",
    arguments: [
      ("retry-rules.tsv", "40XYZ\tnow\tNothing took effect.\n", "no such code: 40XYZ"),
      ("code-sets.tsv", "zoo\t57XYZ\tanimals\n", "zoo: no code begins with 57XYZ"),
    ])
  func slips(name: String, row: String, want: String) throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../..").standardized
    let copy = FileManager.default.temporaryDirectory.appending(path: "table-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: copy) }
    try FileManager.default.createDirectory(
      at: copy.appending(path: "scripts"), withIntermediateDirectories: true)
    for path in ["scripts/generate-error-codes", "scripts/data"] {
      try FileManager.default.copyItem(
        at: root.appending(path: path), to: copy.appending(path: path))
    }
    let data = copy.appending(path: "scripts/data/" + name)
    let text = try String(contentsOf: data, encoding: .utf8)
    try (text + row).write(to: data, atomically: true, encoding: .utf8)
    let process = Process()
    let errors = Pipe()
    process.executableURL = copy.appending(path: "scripts/generate-error-codes")
    process.arguments = ["--check"]
    process.standardError = errors
    try process.run()
    let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 1)
    #expect(said.contains(want), "\(said)")
  }

  @Test("every code goes to its names and back", arguments: [15, 16, 18])
  func roundTrip(version: Int) throws {
    let lines = try ErrorCodeLine.all(version: version)
    #expect(lines.count >= 266)
    for line in lines {
      let code = try #require(SQLState(line.code))
      let definition = try #require(code.definition, "\(line.code)")
      #expect(definition.code == code)
      #expect(definition.macros.contains(line.macro))
      #expect(SQLState.named(line.macro).contains(code), "\(line.macro)")
      #expect(definition.severity.rawValue.uppercased().hasPrefix(line.severity))
      #expect(SQLState.named(definition.name).contains(code), "\(definition.name)")
      guard let condition = line.condition else { continue }
      #expect(definition.condition == condition)
      #expect(SQLState.named(condition).contains(code), "\(condition)")
    }
  }

  @Test("every code goes to its condition, macro and name, and each of them back to it")
  func names() {
    for definition in SQLState.definitions {
      let code = definition.code
      for name in [definition.condition, definition.name].compactMap({ $0 }) + definition.macros {
        #expect(SQLState.named(name).contains(code), "\(name)")
        #expect(SQLState.named(name.uppercased()).contains(code), "\(name)")
      }
    }
    // Second macros without a condition of their own.
    for (macro, code) in [
      ("ERRCODE_UNDEFINED_DATABASE", "3D000"), ("ERRCODE_UNDEFINED_CURSOR", "34000"),
      ("ERRCODE_UNDEFINED_PSTATEMENT", "26000"), ("ERRCODE_UNDEFINED_SCHEMA", "3F000"),
    ] { #expect(SQLState.named(macro).map(\.description) == [code], "\(macro)") }
    for condition in [
      "string_data_right_truncation", "null_value_not_allowed",
      "modifying_sql_data_not_permitted", "prohibited_sql_statement_attempted",
      "reading_sql_data_not_permitted",
    ] { #expect(SQLState.named(condition).count == 2, "\(condition)") }
  }

  @Test("holds no more than the servers' codes, the driver's, and class 10")
  func nothingElse() throws {
    let servers = try Set([15, 16, 18].flatMap(ErrorCodeLine.all(version:)).map(\.code))
    let others = SQLState.definitions.map(\.code.description).filter { !servers.contains($0) }
    #expect(others.allSatisfy { $0.hasPrefix("-") || $0.hasPrefix("01-") || $0 == "10000" })
    #expect(servers.count == 263)
  }

  @Test("definitions and classes are sorted, and each is found by its key")
  func searchable() {
    let definitions = SQLState.definitions
    #expect(definitions.map(\.code) == definitions.map(\.code).sorted())
    for definition in definitions { #expect(definition.code.definition == definition) }
    #expect(SQLStateClass.all.count == 47)
    for each in SQLStateClass.all { #expect(SQLStateClass(each.characters) == each) }
    for definition in definitions { #expect(SQLStateClass(of: definition.code) != nil) }
  }

  @Test("every ancestry ends at Error or Warning, except success")
  func ancestry() {
    for definition in SQLState.definitions where definition.severity != .success {
      let root = definition.severity == .error ? "Error" : "Warning"
      #expect(definition.ancestors.contains(root) || definition.name == root, "\(definition)")
    }
    #expect(
      SQLState.undefinedTable.definition?.ancestors == ["UndefinedError", "SEARVError", "Error"])
    #expect(
      SQLState.adminShutdown.definition?.ancestors == ["OIError", "Disconnection", "Error"])
  }

  @Test("a shared condition means all its codes, the error first")
  func sharedConditions() {
    #expect(SQLState.named("string_data_right_truncation") == ["22001", "01004"])
    #expect(SQLState.named("null_value_not_allowed") == ["22004", "39004"])
    #expect(SQLState.stringDataRightTruncation == "22001")
    #expect(SQLState.stringDataRightTruncationWarning == "01004")
    #expect(SQLState.externalRoutineNullValueNotAllowed == "39004")
    #expect(SQLState.nullValueNotAllowed == "22004")
  }

  @Test(
    "finds a name in every spelling",
    arguments: [
      "unique_violation", "UNIQUE_VIOLATION", "ERRCODE_UNIQUE_VIOLATION", "uniqueViolation",
      "UniqueViolation", "UniqueError", "uniqueerror",
    ])
  func spellings(name: String) {
    #expect(SQLState.named(name) == [.uniqueViolation])
  }

  @Test(
    "finds nothing for what is no name", arguments: ["", "unique", "zzz", "Ünique", "ERRCODE_"])
  func unknownNames(name: String) {
    #expect(SQLState.named(name).isEmpty)
  }

  @Test("a prefix counts only if it leaves one meaning")
  func prefixes() {
    #expect(SQLState.named(beginningWith: "deadlock") == [.deadlockDetected])
    #expect(SQLState.named(beginningWith: "undefined").isEmpty)
    #expect(SQLState.named(beginningWith: "zzz").isEmpty)
  }

  @Test("says from when to when a code is sent")
  func versions() {
    #expect(SQLState.transactionTimeout.definition?.since == 17)
    #expect(SQLState.invalidArgumentForXquery.definition?.since == 18)
    #expect(SQLState.fileNameTooLong.definition?.since == 18)
    #expect(SQLState.snapshotTooOld.definition?.until == 16)
    #expect(SQLState.uniqueViolation.definition?.since == nil)
  }

  @Test("the driver's codes have rows with py-postgresql's names")
  func driverCodes() {
    #expect(SQLState.insecurityError.definition?.name == "InsecurityError")
    #expect(SQLState.compositeError.definition?.parents == ["TypeIOError"])
    #expect(SQLState.clusterStartupError.definition?.ancestors == ["ClusterError", "Error"])
    #expect(SQLState.driverWarning.definition?.severity == .warning)
  }
}
