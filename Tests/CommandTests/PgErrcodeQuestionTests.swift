import Foundation
import PGErrorCodes
import Testing

/// What `pg-errcode` is asked by its options: sets, searches, patterns, servers, files, languages.
@Suite struct PgErrcodeQuestionTests {
  let program = BuiltProgram.errorCode
  let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  private func file(_ text: String) throws -> String { try folder.write(text) }

  @Test(
    "--is answers with its status alone",
    arguments: [
      (["retryable", "40001"], 0), (["retryable", "40001", "40P01", "53300"], 0),
      (["retryable", "40001", "23505"], 6), (["ambiguous", "08006"], 0),
      (["ambiguous", "57P01"], 0), (["constraint", "unique_violation"], 0),
      (["integrity", "23P01"], 0), (["connection", "57P03"], 0), (["auth", "28P01"], 0),
      (["resource", "53100"], 0), (["syntax", "42601"], 0), (["syntax", "42501"], 6),
      (["privilege", "42501"], 0), (["cancelled", "57014"], 0), (["warning", "01000"], 0),
      (["warning", "02000"], 0), (["bug", "XX123"], 0), (["retryable", "PT404"], 6),
      (["constraint", "23"], 0), (["warning", "string_data_right_truncation"], 6),
      (["nonsense", "23505"], 64), (["retryable", "4000"], 64), (["retryable"], 64),
    ] as [([String], Int32)])
  func predicates(words: [String], status: Int32) throws {
    let run = try program.run(["--is"] + words)
    #expect(run.end == .exit(status))
    #expect(run.output.isEmpty)
    if status < 64 { #expect(run.errors.isEmpty) }
  }

  @Test("--is does not say yes to nothing", arguments: ["", "\n \n\t\r\n"])
  func emptyPredicates(input: String) throws {
    let run = try program.run(["--is", "retryable", "-"], input: .text(input))
    #expect(run.errors == "pg-errcode: stdin has no code to look for in the set\n")
    #expect(run.end == .exit(64))
    #expect(try program.run(["--is", "retryable", "-"], input: .text("40001\n")).end == .exit(0))
    #expect(try program.run(["-"], input: .text(input)).end == .exit(0))
  }

  @Test("--help has both names of a set that has two")
  func setsInHelp() throws {
    #expect(try program.run(["--help"]).output.contains("integrity is constraint"))
  }

  @Test(
    "the driver's codes may be written in any letters",
    arguments: [
      ("-cdwn", "-Cdwn"), ("-CDWN", "-Cdwn"), ("-*SRV", "-*srv"), ("--aut", "--AUT"),
      ("--cio", "--CIO"), ("--cIO", "--cIO"), ("01-cp", "01-CP"),
    ])
  func driverCodes(operand: String, want: String) throws {
    #expect(try program.run(["--oneline", "--", operand]).output.hasPrefix(want + "\t"))
  }

  @Test(
    "suggests the command that was mistyped",
    arguments: [
      (["filtr"], "the command pg-errcode filter?"),
      (["lnt", "x.sql"], "the command pg-errcode lint?"),
      (["fliter", "--summary"], "\"fliter\" is no command; did you mean pg-errcode filter?"),
      (["filtr", "--only", "bug"], "did you mean pg-errcode filter?"),
    ])
  func verbs(words: [String], want: String) throws {
    let run = try program.run(words)
    #expect(run.errors.contains(want))
    #expect(run.end == .exit(words.count > 1 ? 64 : 6))
  }

  @Test("--oneline prints code, condition, class and retry rule")
  func oneLine() throws {
    #expect(
      try program.run(["--oneline", "40001"]).output
        == "40001\tserialization_failure\t40\tretryable-now\n")
    #expect(
      try program.run(["--oneline", "08006", "53300"]).lines == [
        "08006\tconnection_failure\t08\tambiguous",
        "53300\ttoo_many_connections\t53\tretryable-later",
      ])
  }

  @Test(
    "suggests what may have been meant",
    arguments: [
      ("40PO1", "did you mean 40P01?"), ("4OO01", "did you mean 40001?"),
      ("42PO1", "did you mean 42P01?"), ("235O5", "did you mean 23505?"),
      ("4000I", "did you mean 40001?"), ("23055", "did you mean 23505?"),
      ("uniq_violation", "did you mean unique_violation?"),
      ("deadlock_detectde", "did you mean deadlock_detected?"),
      ("UniqeError", "did you mean UniqueError?"),
    ])
  func suggestions(operand: String, want: String) throws {
    #expect(try program.run([operand]).errors.hasSuffix(want + "\n"))
  }

  @Test(
    "patterns answer with every code or name that fits",
    arguments: [
      ("4000?", ["40000", "40001", "40002", "40003"]), ("*_table", ["42P01", "42P07"]),
      ("undefined*", ["42703", "42704", "42883", "42P01", "42P02", "58P01"]),
      ("40p*", ["40P01"]), ("DEADLOCK*", ["40P01"]),
    ])
  func patterns(pattern: String, want: [String]) throws {
    let run = try program.run(["--oneline", pattern])
    #expect(run.lines.map { String($0.prefix(5)) } == want)
    #expect(run.end == .exit(0))
    #expect(try program.run(["9999*"]).end == .exit(6))
  }

  @Test("-s finds codes by the words of their names, causes and actions")
  func search() throws {
    #expect(try program.run(["-s", "deadlock"]).lines.map { $0.prefix(5) } == ["40P01"])
    let pooler = try program.run(["--search", "POOLER", "--oneline"])
    #expect(Set(pooler.lines.map { String($0.prefix(5)) }).isSuperset(of: ["26000", "53300"]))
    let json = try program.run(["--search", "replication slot", "--json"])
    #expect(json.output.contains("\"code\":\"53100\""))
    #expect(try program.run(["-s", "no such words"]).end == .exit(6))
  }

  @Test("--server says which codes a server does not send")
  func server() throws {
    let early = try program.run(["--server", "15", "25P04"])
    #expect(early.errors == "pg-errcode: 25P04 exists from 17; this server is 15\n")
    #expect(early.end == .exit(0))
    let late = try program.run(["--server", "17.2", "72000"])
    #expect(late.errors == "pg-errcode: 72000 existed until 16; this server is 17\n")
    #expect(try program.run(["--server", "170002", "25P04"]).errors.isEmpty)
    #expect(try program.run(["--server", "15", "--exact", "25P04"]).end == .exit(6))
    #expect(!(try program.run(["--server", "15", "--list"]).output.contains("25P04")))
    #expect(try program.run(["--server", "18", "--list"]).output.contains("25P04"))
    #expect(try program.run(["--server", "9", "--list"]).end == .exit(64))
  }

  @Test("every object of --json has the keys of the contract")
  func keys() throws {
    let contract: Set = [
      "code", "condition", "aliases", "macro", "class", "class_name", "severity", "retry",
      "retry_reason", "sets", "since", "until", "summary", "cause", "action", "docs_url",
    ]
    let run = try program.run(["--list", "--json"])
    #expect(run.lines.count == SQLState.definitions.count)
    for line in run.lines {
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      #expect(contract.isSubset(of: object.keys))
      #expect((object["cause"] as? String)?.hasSuffix(".") == true, "\(line)")
      #expect((object["action"] as? String)?.hasSuffix(".") == true, "\(line)")
      #expect((object["retry_reason"] as? String)?.hasSuffix(".") == true, "\(line)")
    }
  }

  // MARK: Files of codes

  @Test("--codes makes a project's own codes known, by code, name, class and set")
  func ownCodes() throws {
    let path = try file(
      """
      # ours
      Section: Class PT - Page Turner
      PT404 E page_not_found
        cause: The page is gone.
        retry: later
        sets: shop

      """)
    let run = try program.run(["--codes", path, "PT404", "page_not_found", "PT999"])
    #expect(
      run.lines.filter { !$0.hasPrefix(" ") } == [
        "PageNotFoundError [PT404]", "PageNotFoundError [PT404]", "PageTurnerError [PT000]",
      ])
    #expect(run.output.contains("  cause: The page is gone.\n"))
    #expect(try program.run(["--codes", path, "--is", "shop", "PT404"]).end == .exit(0))
    #expect(try program.run(["--codes", path, "--is", "retryable", "PT404"]).end == .exit(0))
    #expect(try program.run(["--codes", path, "--list"]).output.contains("PT404\tpage_not_found"))
    #expect(try program.run(["PT404"]).end == .exit(6))
  }

  @Test(
    "a file of codes that is not as it must be is refused, with its line",
    arguments: [
      ("PT404 E a_b\nPT404 E c_d\n", ":2: PT404 is there twice"),
      ("23505 E page_not_found\n", ":1: 23505 is unique_violation already"),
      ("PT404 E unique_violation\n", ":1: unique_violation is the name of 23505 already"),
      ("pt404 E a_b\n", ":1: pt404 is no code"), ("PT40 E a_b\n", ":1: PT40 is no code"),
      ("PT404 X a_b\n", ":1: a code is: PT404 E condition_name"),
      ("PT404 E\n", ":1: a code is: PT404 E condition_name"),
      ("PT404 E A-B\n", ":1: behind the severity"),
      ("PT404 E ERRCODE_A-B\n", ":1: behind the severity"),
      ("PT404 E ERRCODE_1\n", ":1: behind the severity"),
      ("  cause: x\n", ":1: a line set in is a field"),
      ("PT404 E a_b\n  retry: maybe\n", ":2: retry cannot be \"maybe\""),
      ("PT404 E a_b\n  reply: x\n", ":2: reply is no field"),
      ("Section: PT\n", ":1: a section is: Section: Class XX - Title"),
      ("Section: Class 23 - Page Turner\n", ":1: class 23 is \"Integrity Constraint Violation\""),
      (
        "Section: Class PT - Unique\n", ":1: UniqueError is the name of 23505 already; define PT000"
      ),
      ("PT404 E unique\n", ":1: UniqueError is the name of 23505 already"),
      ("PT404 E undefined\n", ":1: UndefinedError is the name of UndefinedError already"),
      ("PT404 E ERRCODE_UNIQUE_VIOLATION\n", ":1: ERRCODE_UNIQUE_VIOLATION is the name of 23505"),
    ])
  func malformedFiles(text: String, want: String) throws {
    let path = try file(text)
    let run = try program.run(["--codes", path, "23505"])
    #expect(run.end == .exit(64))
    #expect(run.errors.hasPrefix("pg-errcode: \(path)\(want)"), "\(run.errors)")
  }

  @Test("a file may contradict the table if it says so, and may be PostgreSQL's own")
  func overrides() throws {
    let path = try file("57014 E query_canceled\n  retry: now\n  override: true\n")
    #expect(try program.run(["--codes", path, "--is", "retryable", "57014"]).end == .exit(0))
    let data = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../scripts/data/errcodes-18.txt").standardized.path
    #expect(try program.run(["--codes", data, "23505"]).lines.first == "UniqueError [23505]")
  }

  @Test("a file of codes that cannot be read is status 1", arguments: ["/no/such/file", "/"])
  func unreadableFiles(path: String) throws {
    let run = try program.run(["--codes", path, "23505"])
    #expect(run.end == .exit(1))
    #expect(run.errors.hasPrefix("pg-errcode: \(path): "))
  }

  @Test("parents of a project's code are all there, in both reports")
  func ancestorsOfOwnCodes() throws {
    let path = try file("Section: Class PT - Page Turner\nPT404 E page_not_found\n")
    let run = try program.run(["--codes", path, "PT404"])
    #expect(run.output.contains("  parents: PageTurnerError, Error\n"))
    let json = try program.run(["--codes", path, "--json", "PT404"])
    #expect(json.output.contains("\"parents\":[\"PageTurnerError\",\"Error\"]"))
  }

  @Test("a file may begin with the mark of UTF-8")
  func byteOrderMark() throws {
    let path = try file("\u{FEFF}PT404 E page_not_found\n")
    #expect(try program.run(["--codes", path, "PT404"]).lines.first == "PageNotFoundError [PT404]")
  }

  @Test("a class of which a file has only the title answers for its codes, and is none of them")
  func classWithoutCodes() throws {
    let path = try file("Section: Class PT - Page Turner\n")
    let run = try program.run(["--codes", path, "PT499"])
    #expect(run.lines.first == "PageTurnerError [PT000]")
    #expect(run.errors == "pg-errcode: PT499 is not a defined code; this is its class\n")
    for task in [
      ["--list"], ["--emit", "csv"], ["--emit", "swift"], ["--emit", "json"], ["PT*"],
    ] {
      #expect(!(try program.run(["--codes", path] + task).output.contains("PT000")), "\(task)")
    }
  }

  @Test("no text of a file or of the command line can command a terminal")
  func everyControl() throws {
    let escape = "\u{1B}[31m"
    let path = try file(
      """
      Section: Class PT - Page \(escape) Turner
      PT404 E page_not_found
        cause: a\(escape).
        action: b\(escape).
        query: c\(escape)
        sets: d\(escape)
        reason: e\(escape)
        retry: no

      """)
    let tasks = [
      ["PT404"], ["PT999"], ["PT"], ["--json", "PT404"], ["--oneline", "PT404"], ["--list"],
      ["--list", "--json"], ["--emit", "csv"], ["--emit", "json"], ["--emit", "sh"],
      ["--emit", "swift"], ["--is", "none", "PT404"], ["--is", escape, "PT404"], [escape],
      ["--emit", escape], ["--server", escape, "23"], ["--" + escape], ["PT4" + escape],
      ["--json", "PT4" + escape],
    ]
    for task in tasks {
      let run = try program.run(["--codes", path] + task)
      #expect(!(run.output + run.errors).utf8.contains(0x1B), "\(task)")
    }
    let log = BuiltProgram.Input.text("PT404 ERROR:  x\n")
    let words = ["filter", "--codes", path, "--prefix", "%e ", "--summary"]
    let filtered = try program.run(words, input: log)
    #expect(filtered.output.contains("class PT Page \\x1b[31m Turner]"))
    #expect(!(filtered.output + filtered.errors).utf8.contains(0x1B))
    for text in [
      "PT404 E \(escape)\n", "PT404 E a\n  \(escape): b\n", "Section: Class 23 - \(escape) x\n",
    ] {
      #expect(!(try program.run(["--codes", try file(text), "23"]).errors.utf8.contains(0x1B)))
    }
  }

  @Test("a cause cannot command a terminal")
  func controls() throws {
    let path = try file("PT404 E page_not_found\n  cause: \u{1B}[31mred.\n")
    #expect(try program.run(["--codes", path, "PT404"]).output.contains("cause: \\x1b[31mred."))
  }

  @Test("--is and --only agree on a code that only its class has a rule for")
  func rulesOfClasses() throws {
    let path = try file("PT000 E page_turner\n  retry: now\n  sets: integrity\n")
    for set in ["retryable", "constraint", "integrity"] {
      #expect(try program.run(["--codes", path, "--is", set, "PT999"]).end == .exit(0))
      let words = ["filter", "--codes", path, "--only", set, "--prefix", "%e "]
      #expect(try program.run(words, input: .text("PT999 ERROR:  x\n")).lines.count == 1)
    }
  }

  // MARK: Groups

  @Test("every name of py-postgresql's map is answered by itself")
  func seedNames() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../PGErrorCodesTests/Vectors/sqlstate.tsv")
    let rows = try String(contentsOf: path, encoding: .utf8).split(separator: "\n").dropFirst()
    let names = rows.map { $0.split(separator: "\t", omittingEmptySubsequences: false)[1] }
      .filter { $0 != "(no class)" && $0 != "Exception" }.map(String.init)
    #expect(names.count > 220)
    let run = try program.run(["--json", "--exact"] + names)
    #expect(run.end == .exit(0))
    var answered: Set<String> = []
    for line in run.lines {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      let asked = try #require(object?["asked"] as? String)
      if object?["name"] as? String == asked { answered.insert(asked) }
    }
    #expect(answered == Set(names))
  }

  @Test(
    "a group is answered with its parents and members",
    arguments: [
      ("UndefinedError", "SEARVError, Error", "42P01 undefined_table UndefinedTableError"),
      ("transactionerror", "Error", "40001 serialization_failure SerializationError"),
      ("Disconnection", "", "57P01 admin_shutdown AdminShutdownError"),
      ("Error", "", "22012 division_by_zero ZeroDivisionError"),
    ])
  func groups(name: String, parents: String, member: String) throws {
    let run = try program.run([name])
    #expect(run.lines.first?.lowercased() == name.lowercased())
    #expect(run.output.contains("  parents: \(parents)\n") == !parents.isEmpty)
    #expect(run.output.contains("  member: \(member)\n"))
    #expect(!run.output.contains("01000"))
    #expect(run.errors.isEmpty)
    #expect(run.end == .exit(0))
    let object =
      try JSONSerialization.jsonObject(
        with: Data(try program.run(["--json", name]).output.utf8)) as? [String: Any]
    #expect(object?["code"] is NSNull)
    #expect(object?["match"] as? String == "group")
    #expect((object?["members"] as? [String])?.contains(String(member.prefix(5))) == true)
    #expect(try program.run(["--oneline", name]).lines.count > 3)
  }

  // MARK: Languages

  @Test("--emit prints a table that the language itself reads")
  func emission() throws {
    let sh = try program.run(["--emit", "sh"])
    #expect(sh.lines.first?.hasPrefix("# SQLSTATEs of PostgreSQL 15, 16, 17 and 18") == true)
    let shell = BuiltProgram(absolute: "/bin/sh")
    let names = "$PG_UNIQUE_VIOLATION $PG_STRING_DATA_RIGHT_TRUNCATION_WARNING $PG_INIT_DB_ERROR"
    #expect(
      try shell.run(["-eu"], input: .text(sh.output + "echo \(names)\n")).output
        == "23505 01004 -Cidb\n")
    let count = SQLState.definitions.count
    let json = try program.run(["--emit", "json"])
    let root = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    #expect((root?["codes"] as? [[String: Any]])?.count == count)
    let csv = try program.run(["--emit", "csv"])
    #expect(csv.lines.count == count + 1)
    #expect(csv.lines.first?.hasPrefix("code,condition,name,class,") == true)
    let swift = try program.run(["--emit", "swift"])
    #expect(swift.output.contains("  public static let uniqueViolation = \"23505\"\n"))
    #expect(Set(Self.constants(swift)).count == count)
    #expect(try program.run(["--emit", "cobol"]).end == .exit(64))
  }

  private static func constants(_ run: BuiltProgram.Outcome) -> [String] {
    run.lines.compactMap { line in
      line.split(separator: " ").drop { $0 != "let" }.dropFirst().first.map(String.init)
    }
  }

  @Test("--emit swift has the library's own names, and every code of a file")
  func emittedNames() throws {
    let library = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources/PGErrorCodes").standardized
    var ours: Set<String> = []
    for name in ["SQLState+Names.swift", "DriverCodes.swift"] {
      let text = try String(contentsOf: library.appending(path: name), encoding: .utf8)
      for match in text.matches(of: /public static (?:var|let) (\w+): SQLState/) {
        ours.insert(String(match.output.1))
      }
    }
    // Class 10 has members from 18 on, and itself neither condition nor macro.
    ours.insert("xQueryError")
    #expect(Set(Self.constants(try program.run(["--emit", "swift"]))) == ours)
    let path = try file("PT001 E ERRCODE_PAGE_LOST\nPT002 E page_not_found\n")
    let own = try program.run(["--codes", path, "--emit", "swift"]).output
    #expect(own.contains("let pageLost = \"PT001\"") && own.contains("let pageNotFound = "))
  }

  @Test("the emitted Swift compiles, whatever a project calls its codes")
  func compiled() throws {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let compiler = folders.map { $0 + "/swiftc" }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    guard let compiler else {
      print("the emitted Swift is not compiled: there is no swiftc in PATH")
      return
    }
    let path = try file("PT001 E default\nPT002 E self\nPT003 E a__b\nPT004 E init\n")
    let run = try program.run(["--codes", path, "--emit", "swift"])
    #expect(run.output.contains("static let `default` = \"PT001\""))
    let source = try folder.write(run.output, to: "emitted.swift")
    let checked = try BuiltProgram(absolute: compiler).run(
      ["-typecheck", source], timeout: .seconds(120))
    #expect(checked.end == .exit(0), "\(checked.errors)")
  }

  @Test(
    "shells are offered codes, conditions and names, with causes where they can show them",
    arguments: [
      ("fish", "235", "23505\tA row would repeat"), ("fish", "unique_v", "unique_violation\tA row"),
      ("fish", "UniqueE", "UniqueError\tA row"), ("zsh", "UniqueE", "UniqueError:A row"),
      ("bash", "uniquee", "UniqueError"), ("bash", "42P0", "42P01"),
    ])
  func completion(shell: String, word: String, want: String) throws {
    let words = [
      "---completion", "--", "positional@0", "1", "\(word.count)", "pg-errcode", word,
    ]
    let run = try program.run(words, environment: ["SAP_SHELL": shell])
    #expect(run.lines.contains { $0.hasPrefix(want) }, "\(run)")
    // zsh gets a blank line behind the words.
    let offered = run.lines.filter { $0 != " " }
    #expect(offered.allSatisfy { $0.lowercased().hasPrefix(word.lowercased()) })
  }
}
