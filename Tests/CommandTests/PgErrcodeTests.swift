import Foundation
import Glibc
import PGErrorCodes
import Testing

@Suite struct PgErrcodeTests {
  let program = BuiltProgram.errorCode

  @Test(
    "answers with NAME [CODE] first",
    arguments: [
      ("23505", "UniqueError [23505]"), ("22012", "ZeroDivisionError [22012]"),
      ("XX000", "InternalError [XX000]"), ("XX400", "InternalError [XX000]"),
      ("42p01", "UndefinedTableError [42P01]"), (" 42P01\n", "UndefinedTableError [42P01]"),
      ("22020", "LimitValueError [2201W]"), ("54001", "ComplexityOverflowError [54001]"),
      ("22019", "EscapeCharacterError [22019]"), ("57p04", "DatabaseDroppedError [57P04]"),
      ("00000", "SuccessfulCompletion [00000]"), ("00", "SuccessfulCompletion [00000]"),
      ("53", "IRError [53000]"), ("23***", "ICVError [23000]"), ("10", "XQueryError [10000]"),
      ("unique_violation", "UniqueError [23505]"), ("uniqueViolation", "UniqueError [23505]"),
      ("ERRCODE_UNIQUE_VIOLATION", "UniqueError [23505]"), ("UniqueError", "UniqueError [23505]"),
      ("undefined_database", "CatalogNameError [3D000]"), ("deadlock", "DeadlockError [40P01]"),
      ("--AUT", "AuthenticationMethodError [--AUT]"), ("--cIO", "CompositeError [--cIO]"),
      ("--CIO", "ColumnError [--CIO]"), ("01-cp", "IgnoredClientParameterWarning [01-CP]"),
    ])
  func firstLine(operand: String, want: String) throws {
    let run = try program.run(["--", operand])
    #expect(run.lines.first == want[...])
    #expect(run.lines.dropFirst().allSatisfy { $0.hasPrefix("  ") })
    #expect(run.end == .exit(0))
  }

  @Test("prints the first lines that py-postgresql's command prints")
  func recordedRuns() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../PGErrorCodesTests/Vectors/errcode.json")
    let root = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
    let cases = try #require(root?["cases"] as? [[String: Any]]).filter {
      $0["op"] as? String == "cli"
    }
    #expect(cases.count == 4)
    for each in cases {
      let arguments = try #require(each["input"] as? [String])
      let output = try #require((each["want"] ?? each["output"]) as? String)
      // Ours has no module name, and no empty brackets after the root.
      let want = output.split(separator: "\n").filter { $0.hasPrefix("postgresql") }.map { line in
        String(line).replacing("postgresql.exceptions.", with: "").replacing(" []", with: "")
      }
      let run = try program.run(arguments)
      #expect(run.lines.filter { !$0.hasPrefix(" ") }.map(String.init) == want, "\(arguments)")
    }
  }

  @Test("prints what is known of a code below its name")
  func block() throws {
    let run = try program.run(["25P04"])
    #expect(
      run.output == """
        TransactionTimeoutError [25P04]
          asked: 25P04
          condition: transaction_timeout
          macro: ERRCODE_TRANSACTION_TIMEOUT
          parents: ITSError, Disconnection, TransactionError, Error
          class: 25 Invalid Transaction State
          severity: error
          retry: no: The transaction was rolled back, and would take as long again.
          sets: connection, timeout, transaction
          cause: The transaction lasted longer than transaction_timeout, and the session was ended.
          action: Make the transaction shorter, or raise transaction_timeout for this work.
          query: SHOW transaction_timeout
          who: application
          since: PostgreSQL 17

        """)
    #expect(run.errors.isEmpty)
  }

  @Test("says from when to when servers send a code")
  func versions() throws {
    #expect(try program.run(["25P04"]).output.contains("  since: PostgreSQL 17\n"))
    #expect(try program.run(["72000"]).output.contains("  until: PostgreSQL 16\n"))
  }

  @Test("answers a shared condition with all its codes, the error first")
  func sharedCondition() throws {
    let run = try program.run(["string_data_right_truncation"])
    #expect(
      run.lines.filter { !$0.hasPrefix(" ") } == [
        "StringRightTruncationError [22001]", "StringDataRightTruncationWarning [01004]",
      ])
  }

  @Test("answers an undefined code of a known class by its class, with a note")
  func classFallback() throws {
    let run = try program.run(["XX400"])
    #expect(run.errors == "pg-errcode: XX400 is not a defined code; this is its class\n")
    #expect(run.output.contains("  asked: XX400\n"))
    #expect(run.end == .exit(0))
  }

  @Test(
    "an unknown class is Error, a note, and status 6", arguments: ["ZZ999", "zz", "frobnicate"])
  func unknown(operand: String) throws {
    let run = try program.run([operand])
    #expect(run.lines.first == "Error")
    #expect(run.errors.hasPrefix("pg-errcode: "))
    #expect(run.errors.contains(" is not a defined code, class or name"))
    #expect(run.end == .exit(6))
  }

  @Test(
    "--exact answers no class for a code and no beginning of a name",
    arguments: ["XX400", "deadlock", "22020", "ZZ999"])
  func exact(operand: String) throws {
    #expect(try program.run(["--exact", operand]).end == .exit(6))
  }

  @Test("--exact answers what is defined", arguments: ["XX000", "unique_violation", "23"])
  func exactDefined(operand: String) throws {
    #expect(try program.run([operand, "--exact"]).end == .exit(0))
  }

  @Test(
    "what has no form of a code, class or name is usage",
    arguments: [
      "4000", "400011", "", " ", "２３５０５", "40\u{1}01", "23 05", "a-b", "%s",
      String(repeating: "x", count: 100_000),
    ])
  func malformed(operand: String) throws {
    let run = try program.run([operand])
    #expect(run.end == .exit(64))
    #expect(run.output.isEmpty)
    #expect(run.errors.hasPrefix("pg-errcode: \""))
    #expect(run.errors.utf8.count < 300)
    #expect(!run.errors.contains("\u{1}"))
  }

  @Test("answers the other operands, and ends with the gravest status")
  func severalOperands() throws {
    let run = try program.run(["23505", "4000", "ZZ999", "22012"])
    #expect(run.lines.filter { !$0.hasPrefix(" ") }.count == 3)
    #expect(run.end == .exit(64))
    #expect(try program.run(["23505", "ZZ999", "22012"]).end == .exit(6))
  }

  @Test("usage errors name the program and the nearest option")
  func usage() throws {
    let typo = try program.run(["--exat", "23505"])
    #expect(typo.end == .exit(64))
    #expect(typo.output.isEmpty)
    #expect(typo.errors.hasPrefix("pg-errcode: Unknown option '--exat'. Did you mean '--exact'?"))
    #expect(try program.run([]).end == .exit(64))
    #expect(try program.run(["--list", "23505"]).end == .exit(64))
  }

  @Test("reads codes from stdin for -, and only then")
  func standardInput() throws {
    let run = try program.run(["-"], input: .text("42p01\r\n\n  23505 \nzzz\n22012"))
    #expect(
      run.lines.filter { !$0.hasPrefix(" ") } == [
        "UndefinedTableError [42P01]", "UniqueError [23505]", "Error", "ZeroDivisionError [22012]",
      ])
    #expect(run.end == .exit(6))
    #expect(try program.run(["23505"], input: .text("zzz")).end == .exit(0))
    #expect(try program.run(["23505"], input: .closed).end == .exit(0))
  }

  @Test("stdin may hold NUL, bytes that are no text, and endless lines")
  func hostileInput() throws {
    let bytes: [UInt8] = [0, 0x0A, 0xFF, 0xFE, 0x0A]
    #expect(try program.run(["-"], input: .bytes(bytes)).end == .exit(64))
    let long = [UInt8](repeating: UInt8(ascii: "2"), count: 1_000_000) + Array("\n23505\n".utf8)
    let run = try program.run(["-"], input: .bytes(long))
    #expect(run.lines.first == "UniqueError [23505]")
    #expect(run.end == .exit(64))
    #expect(run.errors.utf8.count < 300)
  }

  @Test("answers each line of stdin before it waits for the next")
  func conversation() throws {
    let running = try program.start(["-"], input: .open)
    running.send("23505\n")
    try running.waitForOutput("UniqueError [23505]")
    running.send("22012\n")
    try running.waitForOutput("ZeroDivisionError [22012]")
    running.closeInput()
    #expect(try running.wait().end == .exit(0))
  }

  @Test("a closed stdin is status 1 when it is asked for")
  func closedInput() throws {
    let run = try program.run(["-"], input: .closed)
    #expect(run.end == .exit(1))
    #expect(run.errors == "pg-errcode: stdin: Bad file descriptor\n")
  }

  @Test("--json prints the same keys for every answer")
  func json() throws {
    let run = try program.run(["--json", "23505", "XX400", "ZZ999", "--", "--AUT"])
    let objects = try run.lines.map { line in
      try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
    }
    #expect(objects.count == 4)
    #expect(Set(objects.map { Set($0.keys) }).count == 1)
    #expect(objects[0]["code"] as? String == "23505")
    #expect(objects[0]["parents"] as? [String] == ["ICVError", "Error"])
    #expect(objects[1]["match"] as? String == "class")
    #expect(objects[2]["code"] is NSNull)
    #expect(objects[2]["asked"] as? String == "ZZ999")
    #expect(objects[3]["condition"] is NSNull)
    #expect(run.end == .exit(6))
  }

  @Test("--list prints a row of eight columns for every code")
  func list() throws {
    let run = try program.run(["--list"])
    #expect(run.lines.count == SQLState.definitions.count)
    #expect(run.lines.contains("23505\tunique_violation\tUniqueError\t23\terror\t\t\tno"))
    #expect(
      run.lines.contains(
        "25P04\ttransaction_timeout\tTransactionTimeoutError\t25\terror\t17\t\tno"))
    #expect(run.lines.allSatisfy { $0.filter { $0 == "\t" }.count == 7 })
  }

  @Test(
    "a full stdout is status 1, with the reason on stderr",
    arguments: [["23505"], ["--list"], ["--version"], ["--help"], ["-h"], ["ZZ999"]])
  func fullOutput(arguments: [String]) throws {
    let run = try program.run(arguments, output: .full)
    #expect(run.end == .exit(1))
    #expect(run.errors.hasSuffix("pg-errcode: stdout: No space left on device\n"))
  }

  @Test(
    "a closed stdout is status 1, with the reason on stderr",
    arguments: [["23505"], ["--list"], ["--version"], ["--help"]])
  func closedOutput(arguments: [String]) throws {
    let run = try program.run(arguments, output: .closed)
    #expect(run.end == .exit(1))
    #expect(run.errors == "pg-errcode: stdout: Bad file descriptor\n")
  }

  @Test("a closed stdout does not matter when there is nothing to print")
  func closedOutputUnused() throws {
    #expect(try program.run(["4000"], output: .closed).end == .exit(64))
  }

  @Test(
    "dies quietly by SIGPIPE when nobody reads", arguments: [["--list"], ["--help"], ["23505"]])
  func brokenPipe(arguments: [String]) throws {
    let run = try program.run(arguments, output: .brokenPipe)
    #expect(run.end == .signal(SIGPIPE))
    #expect(run.errors.isEmpty)
  }

  @Test("writes everything to a slow pipe that does not block")
  func slowPipe() throws {
    let run = try program.run(["--list", "--json"], output: .slowPipe)
    #expect(run.end == .exit(0))
    #expect(run.output == (try program.run(["--list", "--json"]).output))
    #expect(run.output.utf8.count > 64 * 1024)
  }

  @Test("works without an environment, and with a locale that does not exist")
  func environment() throws {
    let plain = try program.run(["23505"]).output
    #expect(try program.run(["23505"], environment: [:]).output == plain)
    let foreign = ["LC_ALL": "xx_YY.nothing", "LANG": "tr_TR.UTF-8"]
    #expect(
      try program.run(["invalid_password"], environment: foreign).lines.first
        == "PasswordError [28P01]")
  }

  @Test("every help has the table of statuses, and -h the examples first")
  func help() throws {
    let help = try program.run(["--help"])
    #expect(help.end == .exit(0))
    #expect(help.output.contains("EXIT STATUS:"))
    #expect(help.output.contains("\n  64    usage\n"))
    let short = try program.run(["-h"])
    #expect(short.end == .exit(0))
    #expect(short.lines.first == "EXAMPLES:")
    #expect(short.lines.count < help.lines.count)
  }

  @Test("--version names the program and the library")
  func version() throws {
    let run = try program.run(["--version"])
    #expect(run.output.hasPrefix("pg-errcode (PGKit) "))
    #expect(run.lines.count == 1)
    #expect(run.end == .exit(0))
  }

  @Test("a signal while it waits ends it as the shell expects")
  func signal() throws {
    let running = try program.start(["-"], input: .open)
    running.send("23505\n")
    try running.waitForOutput("UniqueError")
    running.signal(SIGTERM)
    #expect(try running.wait().end == .signal(SIGTERM))
  }
}
