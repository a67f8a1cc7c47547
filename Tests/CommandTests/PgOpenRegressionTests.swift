import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// PostgreSQL's own regression scripts for data types, run by pg-open and by psql.
///
/// Both get the same statements, those of psql's own left out, with a marker in front of each; so both
/// outputs can be taken apart statement by statement.
@Suite(
  "pg-open: PostgreSQL's regression scripts",
  .enabled(
    if: RegressionRun.isPossible, "scripts/fetch-regression brings no scripts, or no psql 15"))
struct PgOpenRegressionTests {
  /// In the order of PostgreSQL's schedule: the later ones use tables of the earlier ones.
  private static let scripts = [
    "boolean", "char", "name", "varchar", "text", "int2", "int4", "int8", "oid", "float4",
    "float8", "bit", "numeric", "uuid", "enum", "money", "rangetypes", "pg_lsn", "regproc",
    "strings", "numerology", "point", "lseg", "line", "box", "path", "polygon", "circle", "date",
    "time", "timetz", "timestamp", "timestamptz", "interval", "inet", "macaddr", "macaddr8",
    "multirangetypes", "geometry", "horology", "tstypes", "regex", "comments", "expressions",
    "arrays", "json", "jsonb", "jsonpath", "jsonb_jsonpath", "rowtypes", "domain", "xml",
    "tsearch", "tsdicts", "select_distinct_on", "case", "union", "window", "groupingsets",
    "polymorphism", "xmlmap", "numeric_big",
  ]

  @Test("every statement gives the rows and the success or SQLSTATE that it gives with psql --csv")
  func comparison() throws {
    let run = try RegressionRun()
    defer { run.close() }
    var statements = 0
    for name in Self.scripts {
      let script = try RegressionScript(named: name)
      let theirs = try run.psql(script)
      let ours = try run.open(script, format: "csv")
      statements += script.count
      #expect(theirs.errors == ours.errors, "\(name)")
      let failed = Set(theirs.errors.map(\.statement))
      for index in 0..<script.count where !failed.contains(index) {
        // Of rows without columns psql prints one line, and pg-open a line for each, and the header's.
        if theirs.rows[index] == "\n", ours.rows[index]?.allSatisfy({ $0 == "\n" }) == true {
          continue
        }
        #expect(
          theirs.rows[index] == ours.rows[index], "\(name), statement \(script.statements[index])")
      }
      #expect(theirs.rows.count > script.count / 4)
    }
    print("\(Self.scripts.count) scripts, \(statements) statements")
    #expect(statements > 5_000)
  }

  @Test("every row of them is an object for a strict reader of JSON")
  func json() throws {
    let run = try RegressionRun()
    defer { run.close() }
    var count = 0
    for name in Self.scripts {
      let script = try RegressionScript(named: name)
      for (index, rows) in try run.open(script, format: "jsonl").rows {
        // What COPY prints is not a result.
        if script.statements[index].lowercased().hasPrefix("copy") { continue }
        for line in rows.split(separator: "\n") {
          count += 1
          // Numbers with more digits than Foundation takes are right all the same.
          let short = line.replacing(#/\d{300,}/#, with: "1")
          let object = try? JSONSerialization.jsonObject(with: Data(short.utf8))
          #expect(object is [String: Any], "\(name), \(script.statements[index]): \(line)")
        }
      }
    }
    print("\(count) rows as JSON")
    #expect(count > 20_000)
  }
}

/// A script whose statements stand apart.
private struct RegressionScript {
  private(set) var text = """
    SET datestyle = 'Postgres, MDY'; SET intervalstyle = 'postgres_verbose';
    SET timezone = 'PST8PDT';

    """
  private(set) var statements: [String] = []
  /// On which lines each statement stands.
  private var lines: [ClosedRange<Int>] = []
  private var line = 3

  var count: Int { statements.count }

  init(named name: String) throws {
    let source = try String(
      contentsOfFile: "\(RegressionRun.folder)/sql/\(name).sql", encoding: .utf8)
    // Lines that are commands of psql's; in data, a backslash stands before N, a dot or a backslash.
    let plain = source.split(separator: "\n", omittingEmptySubsequences: false).filter {
      $0.prefixMatch(of: #/\\[a-z]/#) == nil
    }
    var reader = ScriptReader(plain.joined(separator: "\n"))
    var conforming = true
    while let piece = try reader.next(standardConformingStrings: conforming) {
      var statement = String(piece.text) + ";\n"
      if piece.streamCopy == .fromProgram {
        let data = String(decoding: try reader.takeCopyData(), as: UTF8.self)
        statement += data + (data.isEmpty || data.hasSuffix("\n") ? "" : "\n") + "\\.\n"
      }
      let words = piece.text.lowercased()
      if words.hasPrefix("set standard_conforming_strings") { conforming = !words.hasSuffix("off") }
      append("SELECT '@@\(statements.count)' AS \"@@\";\n")
      let first = line
      append(statement)
      lines.append(first...line - 1)
      statements.append(String(piece.text))
    }
  }

  private mutating func append(_ part: String) {
    text += part
    line += part.count { $0 == "\n" }
  }

  /// The statement on a line, or what ends right in front of it.
  func statement(onLine number: Int) -> Int {
    lines.firstIndex { $0.upperBound >= number } ?? count
  }

  /// The output of each statement that has one.
  func parts(of output: String, marker: String) -> [Int: String] {
    var parts: [Int: String] = [:]
    for part in output.components(separatedBy: marker).dropFirst() {
      let number = part.prefix { $0.isNumber }
      guard let index = Int(number) else { continue }
      // Behind the number come what ends the marker's row, and the newline.
      let rest = part.dropFirst(number.count).drop { $0 == "\"" || $0 == "}" }.dropFirst()
      parts[index] = String(rest)
    }
    return parts
  }
}

/// A server with a database for each run.
private final class RegressionRun {
  struct Fault: Hashable, CustomStringConvertible {
    let statement: Int
    let state: String
    var description: String { "\(statement): \(state)" }
  }

  struct Result {
    let rows: [Int: String]
    let errors: [Fault]
  }

  static let folder = ProcessInfo.processInfo.environment["PGKIT_REGRESSION"] ?? ""

  private static let psql: String? = {
    let installation = TestServer.installations.first { $0.majorVersion == "15" }
    let path = installation.map { $0.binaryDirectory + "/psql" } ?? ""
    return access(path, X_OK) == 0 ? path : nil
  }()

  static var isPossible: Bool { !folder.isEmpty && psql != nil }

  private let cluster: TemporaryCluster
  private let scratch = try? ScratchFolder()
  private let host: String
  private let port: Int

  init() throws {
    var options = TemporaryCluster.Options()
    options.settings = [.init("max_prepared_transactions", "2")]
    cluster = try TemporaryCluster(installation: .find("15"), options)
    let place = try cluster.connectionOptions()
    (host, port) = (place.hosts?.first ?? "", place.ports?.first ?? 0)
    let db = try PGKit.open(try cluster.iri(scheme: "postgres"))
    defer { db.close() }
    try db.execute("CREATE DATABASE theirs")
    // It says much about functions in C that are not here.
    _ = try psql(["-d", "theirs", "-f", Self.folder + "/sql/test_setup.sql"])
    try db.execute("CREATE DATABASE ours TEMPLATE theirs")
  }

  func close() { try? cluster.close() }

  private func psql(_ arguments: [String]) throws -> BuiltProgram.Outcome {
    try BuiltProgram(absolute: Self.psql ?? "psql").run(
      ["-X", "-q", "-h", host, "-p", "\(port)", "-U", TemporaryCluster.superuser] + arguments,
      environment: [
        "PG_ABS_SRCDIR": Self.folder, "PGCLIENTENCODING": "UTF8", "PATH": "/usr/bin:/bin",
      ],
      timeout: .seconds(300))
  }

  func psql(_ script: RegressionScript) throws -> Result {
    let file = try #require(scratch).write(script.text)
    let outcome = try psql([
      "-d", "theirs", "--csv", "-P", "null=(null)", "-v", "VERBOSITY=sqlstate", "-f", file,
    ])
    #expect(outcome.end == .exit(0))
    let errors = outcome.errors.matches(of: #/psql:[^:\n]*:(\d+): ERROR: +(\w{5})/#).compactMap {
      match in
      Int(match.1).map { Fault(statement: script.statement(onLine: $0), state: String(match.2)) }
    }
    return Result(
      // Schemas of XML name the database.
      rows: script.parts(
        of: outcome.output.replacing(".theirs.", with: ".ours."), marker: "@@\n@@"),
      errors: errors.filter { $0.state != "25P02" })
  }

  func open(_ script: RegressionScript, format: String) throws -> Result {
    let file = try #require(scratch).write(script.text)
    let encoded = host.replacing("/", with: "%2F")
    let null = format == "csv" ? ["--null", "(null)"] : []
    let outcome = try BuiltProgram("pg-open").run(
      [
        "postgres://\(TemporaryCluster.superuser)@\(encoded):\(port)/ours", "--format", format,
        "--keep-going", "--errors", "json", "--notices", "off", "-f", file,
      ] + null, timeout: .seconds(300))
    var errors: [Fault] = []
    for line in outcome.errors.split(separator: "\n") {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
      guard object["exit_code"] != nil, let number = object["source_line"] as? Int else { continue }
      let state = object["sqlstate"] as? String ?? "none"
      // psql does not count it as an error that COMMIT rolls back.
      if state == "40000" { continue }
      errors.append(Fault(statement: script.statement(onLine: number), state: state))
    }
    let marker = format == "csv" ? "@@\n@@" : "{\"@@\":\"@@"
    return Result(rows: script.parts(of: outcome.output, marker: marker), errors: errors)
  }
}
