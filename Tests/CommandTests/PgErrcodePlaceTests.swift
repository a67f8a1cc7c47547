import Foundation
import Testing

/// Where `pg-errcode filter` finds the codes of a log in the stderr format, whatever clients call
/// themselves.
@Suite struct PgErrcodePlaceTests {
  let program = BuiltProgram.errorCode

  private func filter(_ log: [String], _ options: [String] = []) throws -> BuiltProgram.Outcome {
    try program.run(
      ["filter"] + options, input: .text(log.map { $0 + "\n" }.joined()))
  }

  static let names = [
    "22012": " [division_by_zero, class 22 Data Exception]",
    "42601": " [syntax_error, class 42 Syntax Error or Access Rule Violation]",
    "23505": " [unique_violation, class 23 Integrity Constraint Violation]",
  ]

  /// A log whose lines have the code where `prefix` has `%e`, and their lines with names.
  ///
  /// The codes are those of lines with 22012, 42601 and 23505, whatever else is in them.
  private func log(_ prefix: String, applications: [String]) -> (log: [String], want: [String]) {
    let isCut = prefix.contains("%q")
    func line(_ code: String, _ application: String, _ rest: String) -> String {
      let values = [
        "%m": "2026-11-21 13:00:00.000 UTC", "%p": "4242", "%u": "app", "%d": "shop", "%q": "",
        "%a": application, "%e": code,
      ]
      return values.reduce(prefix) { $0.replacing($1.key, with: $1.value) } + rest
    }
    var log: [String] = []
    var want: [String] = []
    for text in ["starting PostgreSQL 18", "checkpoint starting: time", "sent 42P02 to 23505"] {
      let own = isCut ? String(prefix.prefix { $0 != "q" }.dropLast()) : prefix
      let values = [
        "%m": "2026-11-21 13:00:00.000 UTC", "%p": "23505", "%u": "", "%d": "", "%a": "",
        "%e": "00000",
      ]
      log.append(values.reduce(own) { $0.replacing($1.key, with: $1.value) } + "LOG:  " + text)
      want.append(log[log.count - 1])
    }
    for application in applications {
      for code in ["22012", "42601", "23505"] {
        for rest in ["ERROR:  x 42P02", "STATEMENT:  SELECT '42P02: x'"] {
          log.append(line(code, application, rest))
          want.append(log[log.count - 1] + (Self.names[code] ?? ""))
        }
      }
    }
    return (log, want)
  }

  static let prefixes = [
    "%m [%p] %a %e ", "%m [%p] %e %a ", "%m [%p] %q%u@%d %a %e ", "%m [%p] %e %q%u@%d/%a ",
    "%m [%p]: user=%u,db=%d,app=%a,state=%e ", "%m:%u@%d:[%p]:%e:%q%a:",
  ]

  @Test("an application that is called like a code is not taken for one", arguments: prefixes)
  func applications(prefix: String) throws {
    let named = ["42P02", "00000", "psql", "23505", "", "42P02 x", "x 42P02"]
    // With names of its own, and with those alone.
    for applications in [named, ["42P02"], ["00000"], ["42P02", "00000"]] {
      let (log, want) = log(prefix, applications: applications)
      let given = try filter(log, ["--prefix", prefix]).lines.map(String.init)
      #expect(given == want, "\(prefix) \(applications)")
      // Learned: what is named is named rightly, and what is not, is said to be missing.
      let run = try filter(log)
      var missing = 0
      for (before, (after, right)) in zip(log, zip(run.lines.map(String.init), want))
      where after != right {
        #expect(after == before, "\(prefix) \(applications)")
        missing += 1
      }
      #expect(missing == 0 || run.errors.contains("passed over"), "\(prefix) \(applications)")
      if applications == ["42P02"] || applications == ["00000"] || applications.count == 7 {
        #expect(missing <= 12, "\(prefix) \(applications)")
      }
    }
  }

  @Test("nothing is named by the names of applications if the prefix has no code")
  func withoutCode() throws {
    let (log, _) = log("%m [%p] %a ", applications: ["42P02"])
    let run = try filter(log, ["--summary"])
    #expect(run.lines.map(String.init) == log)
    #expect(run.errors.contains("--prefix"))
    let (other, _) = self.log("%m [%p] %a ", applications: ["42P02", "00000", "psql"])
    #expect(try filter(other).lines.map(String.init) == other)
  }

  @Test("later lines do not move the place")
  func later() throws {
    let (log, want) = log("%m [%p] %e %a ", applications: ["psql"])
    let (more, wanted) = self.log("%m [%p] %e %a ", applications: ["42P02", "00000", "x 42P02 y"])
    #expect(try filter(log + more).lines.map(String.init) == want + wanted)
  }

  @Test("names may be as long as they like, and contain severities and codes")
  func longest() throws {
    let start = "2026-11-21 13:00:00.000 UTC [1] "
    let cases: [(String, String)] = [
      ("%m [%p] %a %e ", "a 23505 b ERROR:  42601 22012 ERROR:  x"),
      ("%m [%p] %u %e ", "23505 42601 22012 ERROR:  x"),
      ("%m [%p] %u@%d %e ", "a@b@c 23505 22012 ERROR:  x"),
      ("%m [%p] %r %e ", "10.0.0.1(23505) 22012 ERROR:  x"),
      ("%m [%p] %q%u@%d %a %e ", "a@b x LOG:  22012 ERROR:  x"),
      ("%m [%p] %u@%d %e %a ", "a@b 22012 23505 x ERROR:  y"),
      ("%m [%p] %-20a %5e ", "psql                 22012 ERROR:  x"),
    ]
    for (prefix, rest) in cases {
      let run = try filter([start + rest], ["--prefix", prefix])
      #expect(run.lines.first == (start + rest + (Self.names["22012"] ?? ""))[...], "\(prefix)")
    }
    // Two readings, and nothing to choose by: neither.
    let line = start + "23505 ERROR:  42601 ERROR:  x"
    let run = try filter([line], ["--prefix", "%m [%p] %a%e "])
    #expect(run.lines.first == line[...])
    #expect(run.errors.contains("1 record was passed over"))
  }

  @Test("a prefix may be given as far as its code only")
  func begun() throws {
    let start = "2026-11-21 13:00:00.000 UTC [1] 22012 "
    for rest in ["a@b ERROR:  x", "42P02 ERROR:  x", "ERROR:  x"] {
      let run = try filter([start + rest], ["--prefix", "%m [%p] %e "])
      #expect(run.lines.first == (start + rest + (Self.names["22012"] ?? ""))[...])
    }
    let line = "2026-11-21 13:00:00.000 UTC [23505] LOG:  x 22012 ERROR:  y"
    #expect(try filter([line], ["--prefix", "%m [%p] %e "]).lines.first == line[...])
  }

  @Test("records before the place is known are counted, and let through by --only")
  func start() throws {
    var log = (0..<500).map { "2026-11-21 13:00:00.000 UTC [4242] 23505 ERROR:  x \($0)" }
    log += ["2026-11-21 13:00:00.000 UTC [4242] 00000 LOG:  x"]
    let run = try filter(log, ["--only", "constraint", "--summary"])
    #expect(run.lines.count == 500)
    #expect(run.errors.contains("  500  100.0%  23505  unique_violation"))
    #expect(!run.errors.contains("passed over"))
  }

  @Test("what the bounded start does not tell is passed over, and said")
  func bounded() throws {
    let line = "2026-11-21 13:00:00.000 UTC [4242] 23505 ERROR:  "
    let long = (0..<600).map { "\(line)\($0) " + String(repeating: "x", count: 1000) }
    let log = long + ["2026-11-21 13:00:00.000 UTC [4242] 00000 LOG:  x", line]
    let run = try filter(log, ["--summary"])
    #expect(run.errors.contains("pg-errcode: 600 records were passed over"))
    #expect(run.lines.last?.hasSuffix(Self.names["23505"] ?? "?") == true)
  }

  @Test("a log that is being written is not held back")
  func live() throws {
    let running = try program.start(["filter"], input: .open)
    let start = ContinuousClock.now
    running.send("2026-11-21 13:00:00.000 UTC [1] 00000 LOG:  ready\n")
    try running.waitForOutput("ready\n")
    #expect(ContinuousClock.now - start < .seconds(5))
    running.send("2026-11-21 13:00:00.000 UTC [1] 22012 ERROR:  x\n")
    try running.waitForOutput("x" + (Self.names["22012"] ?? "?"))
    running.closeInput()
    #expect(try running.wait().end == .exit(0))
  }

  @Test("severities may be translated, and those that nobody knows are said to be")
  func languages() throws {
    let log = [
      "[1] 00000 LOG:  Datenbanksystem ist bereit", "[2] 22012 FEHLER:  Division durch Null",
      "[2] 22012 ANWEISUNG:  SELECT 1/0", "[2] 42601 FEHLER:  Syntaxfehler",
      "[2] 42601 CONTEXTE :  x",
    ]
    for options in [[], ["--prefix", "[%p] %e "]] {
      let run = try filter(log, options + ["--summary"])
      #expect(run.lines.filter { $0.hasSuffix("]") }.count == 4)
      #expect(run.errors.contains("    2         total"))
    }
    let unknown = log.map {
      $0.replacing("FEHLER", with: "BŁĄD").replacing("LOG", with: "DZIENNIK")
    }
    let run = try filter(unknown)
    #expect(run.lines.map(String.init) == unknown)
    #expect(run.errors.contains("no severity is known here, where \"DZIENNIK\" stands"))
    #expect(run.errors.contains("--prefix"))
    let given = try filter(unknown, ["--prefix", "[%p] %e "])
    #expect(given.lines.filter { $0.hasSuffix("]") }.count == 4)
    #expect(given.errors.contains("details and statements are counted as messages are"))
  }

  @Test("a message that begins like a verbose one is none")
  func forgedVerbose() throws {
    let log = [
      "[1] LOG:  x", "[1] ERROR:  42P02: a client's words", "[1] ERROR:  22012: more of them",
    ]
    #expect(try filter(log).lines.map(String.init) == log)
    let start = ["[1] 00000 LOG:  x", "[1] 22012 ERROR:  42P02: a client's words"]
    for options in [[], ["--prefix", "[%p] %e "]] {
      #expect(
        try filter(start, options).lines.map(String.init) == [
          start[0], start[1] + (Self.names["22012"] ?? ""),
        ])
    }
  }
}
