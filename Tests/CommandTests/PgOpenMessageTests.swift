import Foundation
import PGKit
import PGTestCluster
import Testing

@Suite(
  "pg-open: messages", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgOpenMessageTests {
  private let open: OpenFixture

  init() throws { open = try OpenFixture() }

  private func errors(_ form: String, _ arguments: String...) throws -> String {
    try open.run(["--errors", form] + arguments).errors
  }

  @Test("errors are objects of JSON with every field")
  func json() throws {
    let block = """
      DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '23505', MESSAGE = E'a "b"\\nc', DETAIL = 'd',
        HINT = 'h', SCHEMA = 's', TABLE = 't', COLUMN = 'c', DATATYPE = 'y', CONSTRAINT = 'k'; END $$
      """
    let line = try errors("json", block)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    let expected = [
      "severity": "ERROR", "sqlstate": "23505", "condition": "unique_violation", "class": "23",
      "message": "a \"b\"\nc", "detail": "d", "hint": "h", "schema": "s", "table": "t",
      "column": "c", "datatype": "y", "constraint": "k", "program": "pg-open",
    ]
    for (name, value) in expected { #expect(object[name] as? String == value, "\(name)") }
    #expect(object["exit_code"] as? Int == 3)
    #expect(object["retryable"] as? Bool == false)
    #expect(object["line"] as? Int ?? 0 > 0)
    #expect(
      (object["where"] as? String ?? object["context"] as? String)?.contains("PL/pgSQL") == true)
    let placed = try open.run(["--errors", "json", "-f", try open.file("x.sql", "\n  SELECT nope")])
    #expect(placed.errors.contains(#""source_line":2,"source_column":10"#))
    #expect(placed.errors.contains(#""position":8"#))
  }

  @Test("what is no error of the server has the same form")
  func ownErrors() throws {
    let line = try errors("json", "-p", "x", "SELECT 1")
    #expect(line.contains(#""exit_code":64"#), "\(line)")
    let lost = try open.program.run(["--errors", "json", "host=/nowhere", "SELECT 1"]).errors
    #expect(lost.contains(#""sqlstate":"08001""#) && lost.contains(#""exit_code":2"#), "\(lost)")
  }

  @Test("annotations escape what would end them, and name the file")
  func github() throws {
    let path = try open.file("a,b:c.sql", "SELECT E'x\\n::error::y'::int")
    let line = try open.run(["--errors", "github", "-f", path]).errors
    let name = path.replacing(":", with: "%3A").replacing(",", with: "%2C")
    #expect(line.hasPrefix("::error file=\(name),line=1,col=8,title=pg-open 22P02"), "\(line)")
    #expect(line.contains("%0A::error::y") && line.split(separator: "\n").count == 1)
  }

  @Test("documents of GitLab, TAP and JUnit are whole, with notices in their place")
  func documents() throws {
    let path = try open.file(
      "x.sql", "SELECT 1;\nDO $$ BEGIN RAISE NOTICE '<hear> # this'; END $$;\nSELECT '<&'::int;")
    func run(_ form: String) throws -> String {
      try open.run(["--errors", form, "--keep-going", "-f", path]).errors
    }
    let gitlab = try #require(
      try JSONSerialization.jsonObject(with: Data(try run("gitlab").utf8)) as? [[String: Any]])
    #expect(gitlab.map { $0["severity"] as? String } == ["info", "major"])
    let tap = try run("tap")
    #expect(tap.hasPrefix("TAP version 14\nok 1 - \(path):1:1 SELECT\n"))
    #expect(tap.contains("\n# pg-open: NOTICE: <hear> # this\n"))
    #expect(tap.contains("\nnot ok 3 - 22P02") && tap.hasSuffix("1..3\n"), "\(tap)")
    let junit = try run("junit")
    #expect(junit.contains("tests=\"3\" failures=\"1\"") && junit.contains("&lt;hear&gt;"))
    let xmllint = BuiltProgram(absolute: "/usr/bin/python3")
    let parsed = try xmllint.run(
      ["-c", "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.stdin.buffer)"],
      input: .text(junit))
    #expect(parsed.end == .exit(0), "\(parsed.errors)")
  }

  @Test("notices are text, JSON or off")
  func notices() throws {
    let block = "DO $$ BEGIN RAISE WARNING 'hear this'; END $$"
    #expect(try open.run([block]).errors == "pg-open: WARNING 01000 warning: hear this\n")
    #expect(try open.run(["--notices", "off", block]).errors == "")
    let json = try open.run(["--notices", "json", block, "SELECT nope"]).errors
    #expect(json.contains(#""severity":"WARNING""#) && json.contains("pg-open: ERROR 42703"))
  }

  @Test("summarizes a run, whatever its end")
  func summary() throws {
    let good = try open.run([
      "--summary", "json", "SELECT generate_series(1, 3)", "CREATE TEMP TABLE t(a int)",
      "INSERT INTO t VALUES (1), (2)",
    ])
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(good.errors.utf8)) as? [String: Any])
    #expect(object["rows"] as? Int == 3 && object["statements"] as? Int == 3)
    #expect(object["changed"] as? Int == 2 && object["exit_code"] as? Int == 0)
    let bad = try open.run(["--summary", "json", "SELECT 1", "SELECT nope"])
    #expect(bad.errors.contains(#""exit_code":3,"statements":2,"failed":1"#))
  }

  @Test("prints what statements say of themselves when asked")
  func tags() throws {
    let outcome = try open.run(["--tags", "CREATE TEMP TABLE t(a int)", "INSERT INTO t VALUES (1)"])
    #expect(outcome.errors == "CREATE TABLE\nINSERT 0 1\n")
    #expect(outcome.output == "")
  }
}
