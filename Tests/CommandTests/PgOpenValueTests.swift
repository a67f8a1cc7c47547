import Foundation
import PGKit
import PGTestCluster
import Testing

@Suite("pg-open: values", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgOpenValueTests {
  private let open: OpenFixture

  init() throws { open = try OpenFixture() }

  // MARK: Parameters

  @Test("fills numbers in order, around those that are given by file, environment and NULL")
  func parameters() throws {
    let path = try open.file("value", "from a file\n")
    let outcome = try open.run(
      [
        "-p", "first", "-p", "-1", "--param-file", "2=\(path)", "--param-env", "4=OPEN_TEST",
        "--param-null", "5", "SELECT $1::text, $2::text, $3::int, $4::text, $5::text",
      ], environment: ["OPEN_TEST": "@x; env:y"])
    #expect(outcome.output == "first\tfrom a file\\n\t-1\t@x; env:y\t\\N\n", "\(outcome.errors)")
  }

  @Test("never interprets a value")
  func hostileValues() throws {
    for value in [
      "'; DROP TABLE x; --", "@/etc/passwd", "env:HOME", "$1", ":'x'", "--format=csv", "",
    ] {
      let outcome = try open.run(["--format", "nul", "-p", value, "SELECT $1::text"])
      #expect(outcome.output == value + "\0", "\(outcome.errors)")
    }
  }

  @Test("sends any file's bytes as bytea, and refuses them as text")
  func binaryFile() throws {
    let path = try open.file("value", [0, 0xFF, 0x5C, 0x27])
    let bytes = try open.run(["--param-file", "1=\(path)", "SELECT encode($1::bytea, 'hex')"])
    #expect(bytes.output == "00ff5c27\n", "\(bytes.errors)")
    let text = try open.run(["--param-file", "1=\(path)", "SELECT $1::text"])
    #expect(text.end == .exit(1))
    #expect(text.errors.contains("the file of parameter $1 is not UTF-8 text"))
  }

  @Test("each statement takes the parameters that it has")
  func severalStatements() throws {
    let outcome = try open.run([
      "-p", "1", "-p", "2", "SELECT $1::int", "SELECT 0", "SELECT $2::int, $1::int",
    ])
    #expect(outcome.output == "1\n0\n2\t1\n", "\(outcome.errors)")
  }

  @Test(
    "refuses parameters that do not fit, before anything runs",
    arguments: [
      (["-p", "x"], "no statement has one"),
      (["SELECT $1::text"], "there are 0 values"),
      (["--param-null", "2", "SELECT $2::text"], "parameter $1 has no value"),
      (["--param-null", "1", "--param-env", "1=HOME", "SELECT 1"], "given twice"),
      (["--param-env", "1=NO_SUCH_VARIABLE", "SELECT 1"], "NO_SUCH_VARIABLE"),
      (["--param-file", "x", "SELECT 1"], "--param-file"), (["--param-null", "0", "x"], "1 to"),
      (["-v", "x", "SELECT 1"], "name=value"),
    ])
  func misfits(arguments: [String], message: String) throws {
    let outcome = try open.run(["CREATE TABLE nobody_made_this()"] + arguments)
    #expect(outcome.end == .exit(64))
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect(try open.ask("SELECT to_regclass('nobody_made_this')") == nil)
  }

  // MARK: Variables

  @Test("replaces variables in quotes everywhere, and none without quotes")
  func variables() throws {
    let path = try open.file("x.sql", "SELECT :'v', '{1}'::\"char\" AS :\"w\"")
    for source in [["-f", path], ["-c", "SELECT :'v', '{1}'::\"char\" AS :\"w\""]] {
      let outcome = try open.run(["--format", "csv", "-v", "v=o'b\\", "-v", "w=a b"] + source)
      #expect(outcome.output == "?column?,a b\no'b\\,{\n", "\(outcome.errors)")
    }
    let bare = try open.run(["-v", "v=1", "SELECT :v"])
    #expect(bare.end == .exit(3))
    #expect(bare.errors.contains("42601"))
  }

  // MARK: Rows as parameters

  private func makeTable() throws -> String {
    _ = try open.ask("CREATE TABLE \(open.name)(id int PRIMARY KEY, v text, xs int[], j jsonb)")
    return open.name
  }

  @Test("runs a statement for each row of NDJSON, typed by the server")
  func eachNDJSON() throws {
    let table = try makeTable()
    let path = try open.file(
      "rows.ndjson",
      """
      {"id": 1, "v": "a\\u00e9\\ud83d\\ude00", "xs": [1, 2], "j": {"k": [1, "x"]}}

      {"id": 2, "j": [1]}
      """)
    let outcome = try open.run(["--each", path, "INSERT INTO \(table) VALUES ($1, $2, $3, $4)"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    let rows = try open.run(["SELECT * FROM \(table) ORDER BY id", "DROP TABLE \(table)"])
    #expect(rows.output == "1\taé😀\t{1,2}\t{\"k\": [1, \"x\"]}\n2\t\\N\t\\N\t[1]\n")
  }

  @Test("runs a statement for each row of CSV, and prints what each gives as one result")
  func eachCSV() throws {
    let path = try open.file(
      "rows.csv", "id,name,extra\r\n1,\"a\n\"\"b\"\"\",x\r\n2,,y\r\n3,\"\",z\r\n")
    let outcome = try open.run([
      "--each", path, "--each-columns", "name,id", "--format", "csv",
      "SELECT $2::int AS id, $1::text AS name",
    ])
    #expect(outcome.output == "id,name\n1,\"a\n\"\"b\"\"\"\n2,\n3,\"\"\n", "\(outcome.errors)")
  }

  @Test("reads rows from stdin and stores a hundred thousand quickly, in few round trips")
  func eachMany() throws {
    let table = try makeTable()
    let rows = (1...100_000).map { "{\"id\":\($0),\"v\":\"row \($0)\"}\n" }.joined()
    let start = ContinuousClock.now
    let outcome = try open.run(
      [
        "--each", "-", "--each-format", "ndjson",
        "INSERT INTO \(table)(id, v) VALUES ($1, $2)",
      ], input: .text(rows))
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    // One by one over this socket it would be some fifty microseconds a row and a commit each.
    #expect(ContinuousClock.now - start < .seconds(60))
    #expect(try open.ask("SELECT count(*)::text FROM \(table)") == "100000")
    _ = try open.ask("DROP TABLE \(table)")
  }

  @Test("stops at the first row that is refused, with its line, and has stored those before it")
  func eachFailure() throws {
    let table = try makeTable()
    let lines = (1...1000).map { "{\"id\":\($0 == 700 ? 5 : $0)}\n" }.joined()
    let path = try open.file("rows.ndjson", lines)
    let insert = "INSERT INTO \(table)(id) VALUES ($1)"
    let outcome = try open.run(["--each", path, insert])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("23505") && outcome.errors.contains("(\(path):700)"))
    #expect(try open.ask("SELECT count(*)::text FROM \(table)") == "699")
    _ = try open.ask("TRUNCATE \(table)")
    #expect(try open.run(["-1", "--each", path, insert]).end == .exit(3))
    #expect(try open.ask("SELECT count(*)::text FROM \(table)") == "0")
    _ = try open.ask("DROP TABLE \(table)")
  }

  @Test("keeps refused rows in a file that can be given again", arguments: [[], ["-1"]])
  func rejects(mode: [String]) throws {
    let table = try makeTable()
    let bad = Set([1, 2, 300, 301, 999, 1000])
    let lines = (1...1000).map { bad.contains($0) ? "x\($0),\"v\n\"\n" : "\($0),v\n" }.joined()
    let path = try open.file("rows.csv", "id,v\n" + lines)
    let refused = open.folder.appending(path: "refused.csv").path
    let outcome = try open.run(
      mode + [
        "--each", path, "--rejects", refused, "--summary", "json",
        "INSERT INTO \(table)(id, v) VALUES ($1, $2)",
      ])
    #expect(outcome.end == .exit(3))
    #expect(
      outcome.errors.contains("\"stored\":994,\"rejected\":6"), "\(outcome.errors.suffix(300))")
    #expect(outcome.errors.contains("(\(path):303)"))
    #expect(try open.ask("SELECT count(*)::text FROM \(table)") == "994")
    let again = try #require(open.contents("refused.csv"))
    #expect(again == "id,v\n" + bad.sorted().map { "x\($0),\"v\n\"\n" }.joined())
    _ = try open.ask("DROP TABLE \(table)")
  }

  @Test("finds the row that breaks a constraint only when the batch ends")
  func eachDeferred() throws {
    _ = try open.ask("CREATE TABLE \(open.name)(a int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    let path = try open.file("rows.csv", "a\n1\n2\n3\n2\n5\n")
    let refused = open.folder.appending(path: "refused.csv").path
    let outcome = try open.run([
      "--each", path, "--rejects", refused, "INSERT INTO \(open.name) VALUES ($1)",
    ])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("(\(path):5)"), "\(outcome.errors)")
    #expect(open.contents("refused.csv") == "a\n2\n")
    #expect(try open.ask("SELECT count(*)::text FROM \(open.name)") == "4")
    _ = try open.ask("DROP TABLE \(open.name)")
  }

  @Test(
    "says what is wrong with a file of rows, and where",
    arguments: [
      ("x.ndjson", "{\"a\":1}\n{\"a\":tru}\n", "x.ndjson:2:6", 1),
      ("x.ndjson", "{\"a\":1}\n{\"b\":1}\n", "no key \"b\"", 1),
      ("x.ndjson", "[1]\n[1,2]\n", "x.ndjson:2", 1),
      ("x.ndjson", "1\n", "an object or an array", 1),
      ("x.csv", "a\n1,2\n", "x.csv:2", 1), ("x.csv", "a\n\"1\n", "has no end", 1),
      ("x.csv", "", "the line with the columns", 1),
      ("x.csv", "a,b\n1,2\n", "has 2 columns: a, b", 64),
      ("x.txt", "a\n", "--each-format", 64),
    ])
  func badRows(name: String, text: String, message: String, status: Int32) throws {
    let outcome = try open.run(["--each", try open.file(name, text), "SELECT $1::int"])
    #expect(outcome.end == .exit(status))
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
  }
}
