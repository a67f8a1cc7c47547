import Foundation
import Glibc
import PGErrorCodes
import Testing

/// `pg-errcode filter` on logs of every form, real ones in ``PgErrcodeServerLogTests``.
@Suite struct PgErrcodeFilterTests {
  let program = BuiltProgram.errorCode
  let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  private func filter(_ log: String, _ options: [String] = []) throws -> BuiltProgram.Outcome {
    try program.run(["filter"] + options, input: .text(log))
  }

  static let unique = " [unique_violation, class 23 Integrity Constraint Violation]"

  @Test(
    "--prefix says where a line has its code",
    arguments: [
      ("%m [%p] %e ", "2026-11-21 13:00:00.000 UTC [42] 23505 ERROR:  x"),
      ("%e ", "23505 ERROR:  x"), ("<%e>", "<23505>ERROR:  x"),
      ("%m:%e:", "2026-11-21:23505:ERROR:  x"),
      ("%t [%p]: user=%u,db=%d,state=%e ", "2026 [1]: user=a,b,db=c,state=23505 ERROR:  x"),
      ("%p%e ", "1234523505 ERROR:  x"), ("%8e|", "   23505|ERROR:  x"),
      ("%-8e|", "23505   |ERROR:  x"), ("100%% %e ", "100% 23505 ERROR:  x"),
      ("%m [%p] %q%u@%d %e ", "2026 [1] a@b 23505 ERROR:  x"),
      ("%e ", "23505 FEHLER:  x"), ("%e ", "23505 DETAIL:  Key (a)=(1)"),
    ])
  func prefixes(prefix: String, line: String) throws {
    let run = try filter(line + "\n", ["--prefix", prefix])
    #expect(run.output == line + Self.unique + "\n")
    #expect(run.end == .exit(0))
  }

  @Test(
    "five digits elsewhere are left alone",
    arguments: [
      ([], "2026-11-21 13:00:00.000 UTC [23505] ERROR:  x"), ([], "23505 ERROR:  x"),
      ([], "ERROR:  23505 rows"), ([], "ERROR:  23505"), ([], "23505"), ([], "\t23505: x"),
      ([], "2026-11-21 [1] LOG:  23505 a"),
      (["--prefix", "%m [%p] %q%u@%d %e "], "2026 [1] LOG:  sent to a@b 23505 x"),
      (["--prefix", "%m [%p] %e "], "2026 [23505] ERROR:  x"),
      (["--prefix", "%e "], "STATEMENT 23505 ERROR:  x"),
      ([], "{\"message\":\"x\",\"state_code\":\"23505\"}"),
      ([], "{\"timestamp\":\"t\",\"user\":\"\\\"state_code\\\":\\\"23505\\\",\",\"pid\":1}"),
      ([], "2026-11-21 13:00:00.000 UTC,a,23505"),
    ] as [([String], String)])
  func untouched(options: [String], line: String) throws {
    #expect(try filter(line + "\n", options).output == line + "\n")
  }

  @Test("the verbose form needs no prefix")
  func verbose() throws {
    let log = """
      2026-11-21 [7] ERROR:  23505: duplicate key
      2026-11-21 [7] LOCATION:  _bt_check_unique, nbtinsert.c:664
      2026-11-21 [7] LOG:  00000: done

      """
    #expect(
      try filter(log).output
        == log.replacing("duplicate key", with: "duplicate key" + Self.unique))
  }

  @Test("without --prefix the place of the code is learned, for the lines before it too")
  func learning() throws {
    let lines = [
      "2026 [10001] 23505 a@b ERROR:  before anything is known",
      "2026 [10002] 00000  LOG:  ready",
      "2026 [23505] 00000 a@b LOG:  a process's number",
      "2026 [10003] 23505 a@b ERROR:  known now",
      "2026 [10003] 23505 a@b STATEMENT:  SELECT 1",
      "2026 [10003] 99999 a@b ERROR:  no class",
    ]
    let output = try filter(lines.joined(separator: "\n") + "\n").lines.map(String.init)
    for (index, line) in lines.enumerated() {
      #expect(output[index] == line + ([0, 3, 4].contains(index) ? Self.unique : ""))
    }
  }

  @Test("a process's number is not taken for the code of a prefix that %q cuts short")
  func shortPrefixes() throws {
    let client = "2026-11-21 13:00:00.000 UTC [42] a@b 00000 LOG:  connection authorized"
    let known = "2026-11-21 13:00:00.000 UTC [42] a@b 23505 ERROR:  x"
    for number in ["[23505]", "23505"] {
      let start = "2026-11-21 13:00:00.000 UTC "
      let log = [
        client.replacing("[42]", with: number == "23505" ? "42" : "[42]"),
        known.replacing("[42]", with: number == "23505" ? "42" : "[42]"),
        "\(start)\(number) LOG:  checkpoint starting: time",
      ]
      let output = try filter(log.joined(separator: "\n") + "\n").lines.map(String.init)
      #expect(output == [log[0], log[1] + Self.unique, log[2]])
    }
  }

  @Test("a name in the prefix may have any number of words behind the code")
  func longPrefixes() throws {
    let log = ["[1] 00000 LOG:  x", "[1] 23505 my-app@shop ERROR:  y", "[23505] a@b ERROR:  z"]
    let output = try filter(log.joined(separator: "\n") + "\n").lines.map(String.init)
    #expect(output == [log[0], log[1] + Self.unique, log[2]])
  }

  @Test("an undefined code is named by its class, and one without a class is not")
  func undefined() throws {
    let run = try filter("23999 ERROR:  x\nZZ999 ERROR:  x\n", ["--prefix", "%e "])
    #expect(
      run.output
        == "23999 ERROR:  x [class 23 Integrity Constraint Violation]\nZZ999 ERROR:  x\n")
  }

  static let record =
    "2026-11-21 13:00:00.000 UTC,\"a\",\"b\",1,\"[local]\",1.2,3,\"INSERT\","
    + "2026-11-21 12:00:00 UTC,3/4,0,ERROR,23505,"
  static let columns = ",\"unique_violation\",\"Integrity Constraint Violation\""

  @Test("records of csvlog may have newlines and quotation marks, and records within them")
  func csv() throws {
    let inner = Self.record.replacing("\"", with: "\"\"") + "\"\"x\"\""
    let bodies = [
      "\"x\",,,,,,\"SELECT 1\",,,\"psql\",\"client backend\",,0", "\"a\nb\"\"c\"\"\n\",,",
      "\"\(inner)\n\(inner)\n\",,", "\"\"\"x\"\"\",",
    ]
    let log = bodies.map { Self.record + $0 + "\n" }.joined()
    let want = bodies.map { Self.record + $0 + Self.columns + "\n" }.joined()
    #expect(try filter(log).output == want)
  }

  @Test("a record that was cut off does not hide those behind it")
  func rotated() throws {
    let whole = Self.record + "\"x\",,\n"
    let named = Self.record + "\"x\",,\(Self.columns)\n"
    let cut = Self.record + "\"an unfinished mess\n"
    #expect(try filter(cut + whole + whole).output == cut + named + named)
    let json = #"{"timestamp":"t","state_code":"23505","message":"x"}"# + "\n"
    let output = try filter(cut + json).output
    #expect(output.contains("\"state_condition\":\"unique_violation\""))
    let text = "[1] 23505 ERROR:  x"
    let given = try filter(cut + text + "\n" + text + "\n", ["--prefix", "[%p] %e "])
    #expect(given.output == cut + "\(text)\(Self.unique)\n\(text)\(Self.unique)\n")
    let learned = "[1] 00000 LOG:  x\n" + cut
    #expect(try filter(learned + text + "\n").output == learned + "\(text)\(Self.unique)\n")
    // Text of the record, as long as it is no line of the server.
    let quoted = Self.record + "\"a\n23505 ERROR:  x\n\t[1] 23505 ERROR:  y\nERROR:  z\""
    #expect(
      try filter(quoted + "\n", ["--prefix", "[%p] %e "]).output == quoted + Self.columns + "\n")
  }

  @Test("a record may end with a carriage return, also where a block ends")
  func returns() throws {
    let record = Self.record + "\"a\r\nb\",,"
    #expect(try filter(record + "\r\n").output == record + Self.columns + "\r\n")
    let running = try program.start(["filter"], input: .open)
    running.send(Self.record + "\"" + String(repeating: "x", count: 5000) + "\"\r")
    try running.waitForOutput("xxxx")
    running.send("\n")
    try running.waitForOutput("x\"" + Self.columns + "\r\n")
    running.closeInput()
    #expect(try running.wait().end == .exit(0))
    // Behind the last record, the newline may be missing.
    let last = Self.record + "\"x\",,\r\n" + Self.record + "\"y\",,"
    #expect(
      try filter(last + "\r").output
        == last.replacing(",,\r\n", with: ",," + Self.columns + "\r\n") + Self.columns + "\r")
  }

  @Test("objects of jsonlog get two members behind state_code")
  func json() throws {
    let start = #"{"timestamp":"t","user":"a\\\"b","pid":23505,"state_code":"23505""#
    let rest = #","message":"\"state_code\":\"42P01\"","detail":"é\u0000"}"#
    let names =
      #","state_condition":"unique_violation","state_class":"Integrity Constraint Violation""#
    #expect(try filter(start + rest + "\n").output == start + names + rest + "\n")
  }

  @Test(
    "objects may have their members in any order, with blanks between",
    arguments: [
      (#"{"timestamp":"t","message":"x","state_code":"23505"#, #""}"#),
      (
        #"{ "message": "\"state_code\":\"42P01\" \\", "state_code" : "23505"#,
        #"" , "error_severity" : "ERROR" }"#
      ),
      (
        #"{"error_severity":"ERROR","x":{"state_code":"42P01"},"y":["]",{}],"state_code":"23505"#,
        #"","pid":1}"#
      ),
      (#"\u{9}{"state_code":"23505"#, #"","message":"\u0000","timestamp":null}"#),
    ])
  func orders(start: String, rest: String) throws {
    let names =
      #","state_condition":"unique_violation","state_class":"Integrity Constraint Violation""#
    let start = start.replacing("\\u{9}", with: "\t")
    let run = try filter(start + rest + "\n", ["--summary"])
    #expect(run.output == start + "\"" + names + rest.dropFirst() + "\n")
    #expect(run.errors.contains("23505  unique_violation"))
    #expect(try filter(run.output).output == run.output)
  }

  @Test("an object that has the names already, or is none of a log, stays as it is")
  func namedObjects() throws {
    for line in [
      #"{"timestamp":"t","state_code":"23505","message":"x","state_condition":null}"#,
      #"{"state_class":"x","timestamp":"t","state_code":"23505"}"#, #"{"state_code":"23505"}"#,
      #"{"timestamp":"t","state_code":23505}"#, #"{"timestamp":"t","state_code":"2350"}"#, "{",
      "{}",
      "{" + String(repeating: "x", count: 70_000) + " 23505 ERROR:  x",
      #"{"timestamp":"t","state_code":"#, #"{"timestamp":"t" "state_code":"23505"}"#,
    ] {
      #expect(try filter(line + "\n").output == line + "\n")
    }
  }

  @Test("what was filtered before stays as it is, also in long lines and parts")
  func twice() throws {
    let long = String(repeating: "x", count: 3 << 20)
    let log =
      "00000 LOG:  x\n23505 ERROR:  x\r\n23505 ERROR:  \(long)\n"
      + Self.record + "\"\(long)\n\"\n" + Self.record + "\"x\"\r\n"
      + #"{"timestamp":"t","state_code":"23505"}"# + "\n" + Self.record + "\"y\""
    let once = try filter(log).output
    let names =
      #","state_condition":"unique_violation","state_class":"Integrity Constraint Violation""#
    let added = 2 * Self.unique.utf8.count + 3 * Self.columns.utf8.count + names.utf8.count
    #expect(once.utf8.count == log.utf8.count + added)
    #expect(try filter(once).output == once)
    let running = try program.start(["filter", "--prefix", "%e "], input: .open)
    let line = "23505 ERROR:  " + String(repeating: "x", count: 5000) + Self.unique
    running.send(String(line.dropLast(20)))
    try running.waitForOutput("xxxx")
    running.send(String(line.suffix(20)) + "\n")
    running.closeInput()
    #expect(try running.wait().output == line + "\n")
  }

  @Test("a summary that stderr does not take is status 1")
  func fullErrors() throws {
    let command = "'\(program.path)' filter --summary --prefix '%e ' 2> /dev/full"
    let shell = BuiltProgram(absolute: "/bin/sh")
    #expect(
      try shell.run(["-c", command], input: .text("23505 ERROR:  x\n")).end == .exit(1))
  }

  @Test("formats may change from line to line, and the last line needs no newline")
  func mixed() throws {
    let text = "00000 LOG:  x\n42P01 ERROR:  x"
    let json = #"{"timestamp":"t","state_code":"23505","message":"x"}"#
    let log = [text, Self.record + "\"x\"", json, "no format at all", "42P01 ERROR:  y"]
    let output = try filter(log.joined(separator: "\n")).output
    #expect(output.split(separator: "\n").count == 6)
    #expect(output.contains("ERROR:  x [undefined_table, "))
    #expect(output.contains("\"x\"\(Self.columns)\n"))
    #expect(output.contains("\"state_class\""))
    #expect(output.hasSuffix("y [undefined_table, class 42 Syntax Error or Access Rule Violation]"))
    #expect(!output.hasSuffix("\n"))
  }

  @Test("bytes that are no text, carriage returns and NUL stay as they are")
  func bytes() throws {
    let file = folder.path + "/filtered"
    let log: [UInt8] = Array("23505 ERROR:  ".utf8) + [0xFF, 0x00, 0xC3, 0x0D, 0x0A]
    let shell = BuiltProgram(absolute: "/bin/sh")
    let command = "'\(program.path)' filter --prefix '%e ' > '\(file)'"
    _ = try shell.run(["-c", command], input: .bytes(log))
    let output = try [UInt8](Data(contentsOf: URL(filePath: file)))
    #expect(output == log.dropLast(2) + Array(Self.unique.utf8) + [0x0D, 0x0A])
  }

  @Test("lines longer than the buffer stream through, named at their end")
  func longLines() throws {
    let long = "23505 ERROR:  " + String(repeating: "x", count: 3 << 20)
    let record = Self.record + "\"" + String(repeating: "y\n", count: 1 << 20) + "\""
    let run = try filter(long + "\r\n" + record + "\n", ["--prefix", "%e "])
    #expect(run.output == long + Self.unique + "\r\n" + record + Self.columns + "\n")
  }

  @Test("a carriage return and its newline may come one after the other")
  func splitReturn() throws {
    let running = try program.start(["filter", "--prefix", "%e "], input: .open)
    running.send("23505 ERROR:  " + String(repeating: "x", count: 5000) + "\r")
    try running.waitForOutput("xxxx")
    running.send("\n")
    try running.waitForOutput(Self.unique + "\r\n")
    running.send("23505 ERROR:  y\r")
    running.closeInput()
    // The newline that would belong to it never came.
    #expect(try running.wait().output.hasSuffix("y" + Self.unique + "\r"))
  }

  @Test("memory does not grow with the log")
  func memory() throws {
    let line = "2026-11-21 13:00:00.000 UTC [42] 23505 ERROR:  duplicate key value\n"
    let log = String(repeating: line, count: 1 << 19)
    let run = try program.run(
      ["filter", "--summary", "--quiet", "--prefix", "%m [%p] %e "], input: .text(log))
    #expect(run.output.contains("\(1 << 19)  100.0%  23505  unique_violation"))
    #expect(run.peakMemory < 24 * 1024)
  }

  @Test("whole lines are written before more is waited for, and parts are put together")
  func live() throws {
    let running = try program.start(["filter", "--prefix", "%e "], input: .open)
    running.send("23505 ERROR:  x\n")
    try running.waitForOutput("x" + Self.unique + "\n")
    running.send("42P0")
    running.send("1 ERROR:  y\n")
    try running.waitForOutput("ERROR:  y [undefined_table")
    running.closeInput()
    #expect(try running.wait().end == .exit(0))
  }

  @Test("--only lets whole records through")
  func only() throws {
    let log = """
      00000 LOG:  x
      40001 ERROR:  could not
      \tserialize
      40001 DETAIL:  d
      40001 STATEMENT:  s
      23505 ERROR:  y
      23505 DETAIL:  z
      \tmore
      not a line of the server

      """
    let run = try filter(log, ["--prefix", "%e ", "--only", "retryable"])
    let name = " [serialization_failure, class 40 Transaction Rollback]"
    #expect(
      run.output
        == "40001 ERROR:  could not\(name)\n\tserialize\n40001 DETAIL:  d\(name)\n"
        + "40001 STATEMENT:  s\(name)\n")
    let csv =
      Self.record + "\"a\nb\",,\n" + Self.record.replacing("23505", with: "40001") + "\"c\"\n"
    #expect(try filter(csv, ["--only", "retryable"]).lines.count == 1)
    #expect(try filter(csv, ["--only", "nothing"]).end == .exit(64))
  }

  @Test("--summary counts each message once, most frequent first")
  func summary() throws {
    let log =
      "23505 ERROR:  x\n23505 DETAIL:  x\n23505 ERROR:  x\n40001 ERROR:  x\n00000 LOG:  x\n"
    let run = try filter(log, ["--prefix", "%e ", "--summary"])
    #expect(
      run.errors == """
        COUNT  SHARE  CODE   CONDITION              CLASS                           RETRY
            2  66.7%  23505  unique_violation       Integrity Constraint Violation  no
            1  33.3%  40001  serialization_failure  Transaction Rollback            retryable-now
            3         total

        """)
    #expect(run.output.hasPrefix("23505 ERROR:  x [unique_violation"))
    let short = try filter(log, ["--prefix", "%e ", "--summary", "--quiet", "--top", "1"])
    #expect(short.output.contains("\n    1  33.3%  others\n"))
    #expect(short.errors.isEmpty)
  }

  @Test("a project's own codes are named too")
  func ownCodes() throws {
    let path = try folder.write(
      "Section: Class PT - Page \"Turner\"\nPT404 E page_not_found\n")
    let log = "PT404 ERROR:  x\n" + Self.record.replacing("23505", with: "PT404") + "\"x\"\n"
    let run = try filter(log, ["--codes", path])
    #expect(run.lines.first == "PT404 ERROR:  x [page_not_found, class PT Page \"Turner\"]")
    #expect(run.output.hasSuffix(",\"x\",\"page_not_found\",\"Page \"\"Turner\"\"\"\n"))
  }

  @Test("says what is missing when no line has a code, and what of the command line is wrong")
  func complaints() throws {
    let run = try filter("2026 [1] ERROR:  x\n")
    #expect(run.errors.contains("no line has a SQLSTATE: log_line_prefix needs %e"))
    #expect(run.end == .exit(0))
    #expect(try filter("").errors.isEmpty)
    #expect(try filter("", ["--prefix", "%m "]).end == .exit(64))
    #expect(try filter("", ["--quiet"]).end == .exit(64))
    #expect(try program.run(["filter"], input: .closed).end == .exit(1))
    let log = BuiltProgram.Input.text("23505 ERROR:  x\n")
    #expect(try program.run(["filter"], input: log, output: .full).end == .exit(1))
    #expect(try program.run(["filter"], input: log, output: .brokenPipe).end == .signal(SIGPIPE))
  }
}
