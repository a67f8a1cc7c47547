import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What users of other clients complain of most, each with our answer.
@Suite(
  "pg-open: the twelve complaints",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgOpenComplaintTests {
  private let open: OpenFixture

  init() throws { open = try OpenFixture() }

  @Test("1 a failure never looks like success, however its statement is passed")
  func failures() throws {
    let path = try open.file("x.sql", "SELECT 1/0; SELECT 2;")
    let script = "BEGIN; SELECT 1/0; COMMIT;"
    for (arguments, input) in [
      (["SELECT 1/0"], ""), (["-c", "SELECT 1/0"], ""), (["-f", path], ""), (["-f", "-"], script),
      (["-c", "SELECT 1/0", "-c", "SELECT 2"], ""), (["SELECT 2", "SELECT 1/0"], ""),
      (["-1", "-f", path], ""), (["--keep-going", "-f", "-"], script),
    ] {
      let outcome = try open.run(arguments, input: .text(input))
      #expect(outcome.end == .exit(3), "\(arguments)")
      #expect(outcome.errors.contains("22012"))
    }
  }

  @Test("2 every kind of end has its own status")
  func statuses() throws {
    #expect(try open.run(["SELECT 1"]).end == .exit(0))
    #expect(try open.run(["-f", "/no/such/file"]).end == .exit(1))
    #expect(try open.program.run(["host=/nowhere", "SELECT 1"]).end == .exit(2))
    #expect(try open.run(["SELEC 1"]).end == .exit(3))
    #expect(try open.run(["--timeout", "100ms", "SELECT pg_sleep(60)"]).end == .exit(4))
    #expect(try open.run(["--expect-rows", "1", "SELECT 1 WHERE false"]).end == .exit(6))
    #expect(try open.run(["--no-such-option"]).end == .exit(64))
  }

  @Test("3 nothing but rows comes on stdout")
  func bannerless() throws {
    let outcome = try open.run([
      "--tags", "--summary", "json", "CREATE TEMP TABLE t(a int)", "SET lock_timeout = 0",
      "DO $$ BEGIN RAISE NOTICE 'n'; END $$", "SELECT 1",
    ])
    #expect(outcome.output == "1\n")
  }

  @Test("4 JSON is valid for every character that a text can hold")
  func validJSON() throws {
    let query = """
      SELECT chr(n) AS c FROM generate_series(1, 70000) n
        WHERE n NOT BETWEEN 55296 AND 57343
      """
    let outcome = try open.run(["--format", "jsonl", query])
    var number = 0
    for line in outcome.output.utf8.split(separator: UInt8(ascii: "\n")) {
      number += number == 0xD7FF ? 0x801 : 1
      // Foundation drops a byte order mark wherever it stands.
      if number == 0xFEFF { continue }
      let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: String]
      let expected = try #require(Unicode.Scalar(UInt32(number)))
      #expect(object?["c"]?.unicodeScalars.elementsEqual([expected]) == true, "\(number)")
    }
    #expect(number == 70_000)
  }

  @Test("5 nested values are nested")
  func nested() throws {
    let query = """
      SELECT ARRAY[[1,2],[3,4]] AS a, ROW(1, ARRAY['x', NULL])::record IS NOT NULL AS r,
        int4range(1, 5) AS g, '{"k":[1]}'::jsonb AS j, ARRAY['{"a":1}'::jsonb] AS js
      """
    #expect(
      try open.run(["--format", "jsonl", query]).output == """
        {"a":[[1,2],[3,4]],"r":true,\
        "g":{"lower":1,"upper":5,"lower_inclusive":true,"upper_inclusive":false},\
        "j":{"k": [1]},"js":[{"a": 1}]}

        """)
  }

  @Test("6 numbers keep every digit")
  func exactNumbers() throws {
    let query = """
      SELECT 9007199254740993::int8 AS a, 0.10::numeric AS b, 1e-7::float8 AS c,
        123456789012345678901234567890.123456789::numeric AS d, 'NaN'::float4 AS e
      """
    #expect(
      try open.run(["--format", "jsonl", query]).output == """
        {"a":9007199254740993,"b":0.10,"c":1e-07,\
        "d":123456789012345678901234567890.123456789,"e":"NaN"}

        """)
  }

  @Test("7 an error in the middle of the rows is an error")
  func runtimeErrors() throws {
    let outcome = try open.run(["SELECT n/(50000 - n) FROM generate_series(1, 60000) n"])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("22012"))
    // The server sends what it has when its buffer is full, and the rest when it fails: all before it
    // is here.
    #expect(outcome.lines.count == 49_999)
    #expect(outcome.output.hasSuffix("\n49999\n"))
  }

  @Test("8 the order of options means nothing")
  func order() throws {
    let options = [
      ["--format", "csv"], ["--null", "N"], ["-p", "x"], ["-q"], [open.server.iri()],
    ]
    for number in options.indices {
      let turned = options[number...] + options[..<number]
      let arguments = turned.flatMap { $0 }
      let outcome = try open.program.run(arguments + ["SELECT $1::text AS a, NULL AS b"])
      #expect(outcome.output == "a,b\nx,N\n", "\(outcome.errors)")
    }
    let behind = try open.run(["SELECT 1 AS a", "--format", "csv"])
    #expect(behind.output == "a\n1\n")
  }

  @Test("9 CSV is read by others as what it was")
  func csv() throws {
    let query =
      "SELECT E'a\\nb' AS \"x,y\", '\"q\"' AS b, '' AS c, NULL AS d, E'\\r' AS e, ' s ' AS f"
    let outcome = try open.run(["--format", "csv", query])
    let read = try BuiltProgram(absolute: "/usr/bin/python3").run(
      [
        "-c",
        "import csv, io, sys; print(list(csv.reader(io.StringIO(sys.stdin.buffer.read().decode(), newline=''))))",
      ],
      input: .text(outcome.output))
    #expect(
      read.output == """
        [['x,y', 'b', 'c', 'd', 'e', 'f'], ['a\\nb', '"q"', '', '', '\\r', ' s ']]

        """)
    let again = try open.run(
      [
        "CREATE TEMP TABLE t(x text, b text, c text, d text, e text, f text)",
        "COPY t FROM STDIN CSV HEADER", "SELECT c IS NULL, d IS NULL, x = E'a\\nb' FROM t",
      ], input: .text(outcome.output))
    #expect(again.output == "f\tt\tt\n", "\(again.errors)")
  }

  @Test("10 no value from a shell becomes SQL")
  func injection() throws {
    let value = "x'; DROP TABLE pg_class; --"
    #expect(try open.run(["-p", value, "SELECT $1::text"]).output == value + "\n")
    #expect(try open.run(["-v", "v=" + value, "SELECT :'v'"]).output == value + "\n")
    let name = try open.run(["--format", "csv", "-v", "v=a\"b; --", "SELECT 1 AS :\"v\""])
    #expect(name.output == "\"a\"\"b; --\"\n1\n")
  }

  @Test(
    "11 memory does not grow with the result",
    arguments: ["csv", "tsv", "jsonl", "json", "table", "nul"])
  func memory(format: String) throws {
    let outcome = try open.run([
      "--format", format, "SELECT n, repeat('x', 100) AS t FROM generate_series(1, 300000) n",
    ])
    #expect(outcome.end == .exit(0))
    #expect(outcome.peakMemory > 0)
    #expect(outcome.peakMemory < 60 * 1024, "\(outcome.peakMemory) KiB")
  }

  @Test("12 a password may hold any character, and a mistake in an IRI is shown where it is")
  func passwords() throws {
    let password = "p@ss:w/o?r#d%[ü] '\\&="
    let db = try open.server.connect()
    defer { db.close() }
    // The only role that may log in through TCP and that no other test logs in as.
    try db.execute("ALTER ROLE postgres PASSWORD \(try SQL.quoteLiteral(password))")
    let encoded = password.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    let place = "127.0.0.1:\(open.server.port)/postgres"
    let secret = try open.file("password", password + "\n")
    let quoted = password.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
    for arguments in [
      ["postgres://postgres:\(encoded)@\(place)"], ["pq://postgres:\(encoded)@\(place)"],
      ["--password-file", secret, "postgres://postgres@\(place)"],
      ["host=127.0.0.1 port=\(open.server.port) user=postgres password='\(quoted)'"],
    ] {
      let outcome = try open.program.run(arguments + ["SELECT 1"])
      #expect(outcome.output == "1\n", "\(arguments): \(outcome.errors)")
    }
    let wrong = try open.program.run(["postgres://u:p%zz@h/db", "SELECT 1"])
    #expect(wrong.end == .exit(64))
    #expect(wrong.errors.contains("cannot be read at byte 15: \"%\" must"), "\(wrong.errors)")
    #expect(!wrong.errors.contains("p%zz"))
  }
}
