import Foundation
import PGTestCluster
import Testing

/// Most command lines are read without the parser.
///
/// `-w`, which means nothing, makes any the parser's.
@Suite(
  "pg-open: what is read without the parser",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgOpenPlainTests {
  private let open: OpenFixture

  init() throws { open = try OpenFixture() }

  private static let commandLines: [[String]] = [
    ["SELECT 1, NULL, 'a'"], ["SELECT 1", "SELECT 2"], [""], [],
    ["--format", "csv", "SELECT 1 AS a"], ["SELECT 1 AS a", "--format", "csv", "--no-header"],
    ["--format", "tsv", "--header", "SELECT 1 AS a"], ["--header", "--no-header", "SELECT 1"],
    ["--format", "nothing", "SELECT 1"], ["--format"],
    ["--format", "csv", "--format", "tsv", "SELECT 1"],
    ["-c", "SELECT 1", "-c", "SELECT 2"], ["-c"], ["-c", "-- nothing\nSELECT 1"],
    ["-p", "x", "-p", "7", "SELECT $1, $2::int"], ["-p", "-7", "SELECT $1::int"],
    ["-f", "FILE"], ["-f", "FILE", "SELECT 2"], ["-f", "/nowhere"], ["-f", "-"],
    ["-1", "CREATE TEMP TABLE t(i int)", "INSERT INTO t VALUES (1)", "TABLE t"],
    ["-1", "SELECT 1", "SELECT 1/0"], ["-q", "DO $$ BEGIN RAISE NOTICE 'x'; END $$"],
    ["DO $$ BEGIN RAISE NOTICE 'x'; END $$"], ["-o", "OUT", "SELECT 1"],
    ["-o", "/nowhere/x", "SELECT 1"],
    ["--no-such-option", "SELECT 1"], ["-1q", "SELECT 1"], ["--format=csv", "SELECT 1"],
    ["SELECT 1", "--", "SELECT 2"], ["--timeout", "10s", "SELECT 1"],
  ]

  @Test("a command line means the same with the parser and without it", arguments: commandLines)
  func sameMeaning(_ words: [String]) throws {
    let script = try open.file("script.sql", "SELECT 'from a file';")
    func outcome(_ more: [String]) throws -> [String] {
      let arguments = words.map { $0 == "FILE" ? script : $0 == "OUT" ? open.path("out") : $0 }
      try? FileManager.default.removeItem(atPath: open.path("out"))
      let outcome = try open.run(more + arguments)
      return ["\(outcome.end)", outcome.output, outcome.errors, open.contents("out") ?? ""]
    }
    #expect(try outcome([]) == outcome(["-w"]))
  }

  @Test("without any place in the environment, and without a statement, both complain alike")
  func nothingAtAll() throws {
    let environment = ["PATH": "/usr/bin:/bin"]
    for words in [["pq://localhost/x"], ["SELECT 1 2"], ["-c", "SELECT 1", "pq://%2Fnowhere/x"]] {
      let plain = try open.program.run(words, environment: environment)
      let parsed = try open.program.run(["-w"] + words, environment: environment)
      #expect(plain.end == parsed.end)
      #expect(plain.errors == parsed.errors)
      #expect(plain.end != .exit(0))
    }
  }
}
