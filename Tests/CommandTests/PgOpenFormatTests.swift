import Foundation
import PGKit
import PGTestCluster
import Testing

@Suite(
  "pg-open: formats and expectations",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgOpenFormatTests {
  private let open: OpenFixture

  init() throws { open = try OpenFixture() }

  @Test(
    "prints the further formats as they are documented",
    arguments: [
      ("vertical", "-[ row 1 ]-\nn       | 1\nlänger  | a|\\nb\nc       | ∅\n"),
      ("md", "| n | länger | c |\n|--:|---|---|\n| 1 | a\\|<br>b |  |\n\n"),
      ("nul", "1\0a|\nb\0\0"),
      ("sh", "refused"), ("raw", "refused"),
    ])
  func formats(format: String, expected: String) throws {
    let outcome = try open.run([
      "--format", format, "SELECT 1 AS n, E'a|\\nb' AS \"länger\", NULL AS c",
    ])
    if expected == "refused" {
      #expect(outcome.end == .exit(1))
      #expect(outcome.errors.contains("\"länger\""), "\(outcome.errors)")
      #expect(outcome.output == "")
    } else {
      #expect(
        outcome.output
          == expected.replacing("länger  |", with: "länger |").replacing(
            "n       |", with: "n      |"
          ).replacing("c       |", with: "c      |"))
    }
  }

  @Test("escapes what Markdown and HTML would take for marks")
  func markdown() throws {
    let outcome = try open.run(["--format", "md", "SELECT '<b>*x*_y_&`|\\' AS \"a|b\""])
    #expect(
      outcome.output == "| a\\|b |\n|---|\n| &lt;b&gt;\\*x\\*\\_y\\_&amp;\\`\\|\\\\ |\n\n")
  }

  @Test("raw prints values as they are, and no newline within one")
  func raw() throws {
    #expect(try open.run(["--format", "raw", "SELECT 'a\\b', NULL, ''"]).output == "a\\b\t\t\n")
    let outcome = try open.run(["--format", "raw", "VALUES ('x'), (E'a\\nb')"])
    #expect(outcome.end == .exit(1))
    #expect(outcome.errors.contains("of row 2 holds a newline"))
  }

  @Test("sh survives eval, whatever is in a value")
  func shell() throws {
    let value = "it's $HOME `x` \"q\"\n;\\"
    let printed = try open.run([
      "--format", "sh", "-p", value, "SELECT $1::text AS v, NULL AS n, 5 AS _i",
    ])
    let shell = try BuiltProgram(absolute: "/bin/sh").run([
      "-c", "n=set; eval \"$1\"; printf '%s|%s|%s' \"$v\" \"${n-unset}\" \"$_i\"", "sh",
      printed.output,
    ])
    #expect(shell.output == "\(value)|unset|5", "\(shell.errors)")
    for query in ["SELECT 1 AS a WHERE false", "SELECT generate_series(1, 2) AS a"] {
      #expect(try open.run(["--format", "sh", query]).end == .exit(6))
    }
    #expect(try open.run(["--format", "sh", "SELECT 1 AS a, 2 AS a"]).end == .exit(1))
  }

  @Test("has headers where they are wanted")
  func headers() throws {
    #expect(try open.run(["--format", "csv", "--no-header", "SELECT 1 AS a"]).output == "1\n")
    #expect(
      try open.run(["--format", "tsv", "--header", "SELECT 1 AS \"a\tb\""]).output == "a\\tb\n1\n")
  }

  @Test("takes the null text in every format that has one")
  func nullText() throws {
    for (format, expected) in [
      ("tsv", "N\n"), ("raw", "N\n"), ("nul", "N\0"), ("sh", "a='N'\n"),
      ("md", "| a |\n|---|\n| N |\n\n"),
      ("vertical", "-[ row 1 ]-\na | N\n"), ("jsonl", "{\"a\":null}\n"),
    ] {
      let outcome = try open.run(["--format", format, "--null", "N", "SELECT NULL AS a"])
      #expect(outcome.output == expected)
    }
  }

  @Test("numbers and bytes in JSON are as they are asked for")
  func jsonOptions() throws {
    let query =
      "SELECT 12345678901234567890.10 AS n, 5 AS i, '\\x00ff'::bytea AS b, ARRAY[1.50] AS a"
    func line(_ arguments: String...) throws -> String {
      try open.run(["--format", "jsonl"] + arguments + [query]).output
    }
    #expect(try line() == #"{"n":12345678901234567890.10,"i":5,"b":"\\x00ff","a":[1.50]}"# + "\n")
    #expect(
      try line("--json-numbers", "string", "--bytea", "base64")
        == #"{"n":"12345678901234567890.10","i":"5","b":"AP8=","a":["1.50"]}"# + "\n")
    let doubles = try line("--json-numbers", "double")
    #expect(
      doubles.hasPrefix(#"{"n":12345678901234567000,"i":5"#)
        || doubles.hasPrefix(#"{"n":1.2345678901234567e+19,"i":5"#), "\(doubles)")
  }

  @Test("describes the columns first, where that is wanted")
  func schema() throws {
    let outcome = try open.run([
      "--format", "jsonl", "--json-schema",
      "SELECT relname, relacl, 1 AS n FROM pg_class WHERE false",
      "CREATE TEMP TABLE t()",
    ])
    #expect(
      outcome.output == """
        [{"name":"relname","type":"name","oid":19,"nullable":false},\
        {"name":"relacl","type":"aclitem[]","oid":1034,"nullable":true},\
        {"name":"n","type":"INTEGER","oid":23,"nullable":null}]

        """)
    #expect(try open.run(["--format", "csv", "--json-schema", "SELECT 1"]).end == .exit(64))
  }

  @Test("takes the format of the environment, and refuses one that there is not")
  func environmentFormat() throws {
    let outcome = try open.run(["SELECT 1 AS a"], environment: ["PGKIT_FORMAT": "jsonl"])
    #expect(outcome.output == "{\"a\":1}\n")
    #expect(try open.run(["SELECT 1"], environment: ["PGKIT_FORMAT": "xml"]).end == .exit(64))
  }

  @Test("prints results of no rows, no columns and many columns")
  func oddShapes() throws {
    #expect(
      try open.run(["--format", "jsonl", "SELECT FROM generate_series(1, 2)"]).output == "{}\n{}\n")
    #expect(
      try open.run(["--format", "md", "SELECT 1 AS a WHERE false"]).output == "| a |\n|--:|\n\n")
    #expect(try open.run(["--format", "nul", "SELECT 1 WHERE false"]).output == "")
    let wide = "SELECT " + (1...1600).map { "\($0) AS c\($0)" }.joined(separator: ", ")
    #expect(try open.run(["--format", "csv", wide]).output.split(separator: ",").count == 3199)
  }

  @Test("quotes and escapes wherever in a value the mark stands")
  func marksEverywhere() throws {
    let query = """
      SELECT left('abcdefghijklmnopqrst', n) || m || right('ABCDEFGHIJKLMNOPQRST', 20 - n)
        FROM generate_series(0, 20) n, unnest(ARRAY[',', '"', E'\\n', E'\\r', E'\\t', E'\\\\', ' ', '+', 'é']) m
      """
    for (format, read) in [
      ("csv", "csv.reader(io.StringIO(text, newline=''))"),
      (
        "tsv",
        "[[l.encode('latin-1', 'backslashreplace').decode('unicode_escape')] for l in text.split('\\n')[:-1]]"
      ),
      ("jsonl", "[list(json.loads(l).values()) for l in text.split('\\n')[:-1]]"),
    ] {
      let outcome = try open.run([
        "--format", format, "--no-header", query.replacing("é", with: "e"),
      ])
      let program = """
        import csv, io, json, sys
        text = sys.stdin.buffer.read().decode()
        rows = [r[0] for r in \(read)]
        wanted = ['abcdefghijklmnopqrst'[:n] + m + 'ABCDEFGHIJKLMNOPQRST'[n:]
          for n in range(21) for m in [',', '"', '\\n', '\\r', '\\t', '\\\\', ' ', '+', 'e']]
        print(sorted(rows) == sorted(wanted), len(rows))
        """
      let checked = try BuiltProgram(absolute: "/usr/bin/python3").run(
        ["-c", program], input: .text(outcome.output))
      #expect(checked.output == "True 189\n", "\(format) \(checked.errors)")
    }
  }

  // MARK: Expectations

  @Test(
    "ends with 6 unless a result is what was expected",
    arguments: [
      (["--expect-rows", "0", "SELECT 1 AS a WHERE false"], ""),
      (["--expect-rows", "0", "SELECT 7 AS a"], "there are 1 (operand 1:1:1)\nROW: a=7\n"),
      (["--expect", ">=2", "SELECT generate_series(1, 2)"], ""),
      (
        ["--expect", ">=1", "--expect", "<3", "SELECT generate_series(1, 3) AS n"],
        "expected <3 rows"
      ),
      (["--expect-value", "42", "SELECT 42"], ""),
      (["--expect-value", "-1", "SELECT -1"], ""),
      (["--expect-value", "42", "SELECT 41"], "expected 42, but the value is 41"),
      (["--expect-value", "", "SELECT NULL"], "expected an empty text, but the value is NULL"),
      (["--expect-value", "x", "SELECT ''"], "expected x, but the value is an empty text"),
      (["--expect-value", "x", "SELECT 'x', 'x'"], "expected one value"),
      (["--one-row", "SELECT 1"], ""), (["--one-row", "SELECT 1 WHERE false"], "expected one row"),
      (["--one-row", "SET lock_timeout = 0"], "no statement gave rows"),
      (["--expect-rows", "12", "SELECT generate_series(1, 30)"], "… and 20 more"),
    ])
  func expectations(arguments: [String], complaint: String) throws {
    let outcome = try open.run(arguments)
    #expect(outcome.end == .exit(complaint.isEmpty ? 0 : 6), "\(outcome.errors)")
    #expect(outcome.errors.isEmpty == complaint.isEmpty)
    #expect(complaint.isEmpty || outcome.errors.contains(complaint), "\(outcome.errors)")
  }

  @Test("--scalar prints one value as it is, and nothing where there is not exactly one")
  func scalar() throws {
    #expect(try open.run(["--scalar", "SELECT E'a\\n\\tb'"]).output == "a\n\tb\n")
    #expect(try open.run(["--scalar", "SELECT NULL"]).output == "\n")
    #expect(
      try open.run(["--scalar", "--format", "jsonl", "SELECT ARRAY[1,2]"]).output == "[1,2]\n")
    for query in ["SELECT 1 WHERE false", "SELECT 1, 2", "SELECT generate_series(1, 100000)"] {
      let outcome = try open.run(["--scalar", query])
      #expect(outcome.end == .exit(6))
      #expect(outcome.output == "")
    }
    let many = try open.run(["--one-row", "--format", "csv", "SELECT generate_series(1, 2)"])
    #expect(many.output == "")
  }

  @Test("shows the rows that were not expected in an annotation of the file")
  func annotation() throws {
    let path = try open.file("check.sql", "SELECT 1;\nSELECT 5 AS bad;\n")
    let outcome = try open.run(
      ["--expect-value", "1", "-f", path], environment: ["GITHUB_ACTIONS": "true"])
    #expect(outcome.end == .exit(6))
    #expect(
      outcome.errors
        == "::error file=\(path),line=2,col=1,title=pg-open::expected 1, but the value is 5%0AROW: bad=5\n"
    )
  }
}
