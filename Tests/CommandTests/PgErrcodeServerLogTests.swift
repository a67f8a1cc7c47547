import Foundation
import Glibc
import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

/// `pg-errcode filter` on the logs of servers that were provoked with every error they know.
@Suite(.enabled(if: TestServer.isAvailable)) struct PgErrcodeServerLogTests {
  let program = BuiltProgram.errorCode

  /// The logs of one server, in its three formats.
  struct Logs {
    let text: [UInt8]
    let csv: [UInt8]
    let json: [UInt8]
  }

  static let prefix = "%m [%p] %e %q%u@%d "

  /// Lines of background processes end before the code.
  static let shortPrefix = "%m [%p] %q%u@%d %e "

  private func provoke(
    _ installation: Installation, prefix: String = prefix
  ) throws -> Logs {
    var options = TemporaryCluster.Options()
    options.settings = [
      .init("logging_collector", "on"), .init("log_destination", "stderr,csvlog,jsonlog"),
      .init("log_directory", "logs"), .init("log_filename", "server.log"),
      .init("log_line_prefix", prefix), .init("log_connections", "on"),
    ]
    let cluster = try TemporaryCluster(installation: installation, options)
    let db = try PGKit.connect(cluster.connectionOptions())
    for definition in SQLState.definitions {
      guard definition.condition != nil, definition.severity != .success else { continue }
      let level = definition.severity == .warning ? "WARNING" : "EXCEPTION"
      _ = try? db.execute(
        """
        DO $$ BEGIN RAISE \(level) E'provoked "\(definition.code)",\\n23505: % {', 'é'
          USING ERRCODE = '\(definition.code)', DETAIL = '{"state_code":"42P01",';
        END $$
        """)
    }
    for sql in Self.natural { _ = try? db.execute(sql) }
    _ = try? db.execute("DO $$ BEGIN RAISE EXCEPTION 'the last' USING ERRCODE = 'ZZ999'; END $$")
    return try read(cluster.directory + "/data/logs/")
  }

  static let natural = [
    "SELECT 1 / 0", "SELEC 1", "SELECT * FROM nowhere", "SELECT nowhere()", "SELECT 'x'::integer",
    "CREATE TABLE t (a integer PRIMARY KEY CHECK (a > 0)); INSERT INTO t VALUES (1), (1)",
    "INSERT INTO t VALUES (-1)", "INSERT INTO t VALUES (NULL)", "SET statement_timeout = 'x'",
    "SELECT '{'::json", "SELECT 99999999999::integer", "CREATE DATABASE postgres",
    "SELECT 'a\nb'::date",
  ]

  /// The files, once the last error is in all three.
  private func read(_ directory: String) throws -> Logs {
    func bytes(_ name: String) throws -> [UInt8] {
      try [UInt8](Data(contentsOf: URL(filePath: directory + name)))
    }
    for _ in 0..<500 {
      let logs = try? Logs(
        text: bytes("server.log"), csv: bytes("server.csv"), json: bytes("server.json"))
      if let logs,
        [logs.text, logs.csv, logs.json].allSatisfy({
          String(decoding: $0, as: UTF8.self).contains("the last")
            && String(decoding: $0.suffix(400), as: UTF8.self).contains("ZZ999")
        })
      {
        return logs
      }
      usleep(20_000)
    }
    throw BuiltProgram.Fault(description: "no complete logs in \(directory)")
  }

  @Test(
    "names every code of a real log and changes nothing else", arguments: TestServer.installations)
  func realLogs(installation: Installation) throws {
    let logs = try provoke(installation)
    try checkText(logs.text, ["--prefix", Self.prefix])
    try checkText(logs.text, [])
    try checkCSV(logs.csv)
    try checkJSON(logs.json)
    let mixed = logs.text + logs.csv + logs.json
    let run = try program.run(["filter"], input: .bytes(mixed))
    let parts = try [logs.text, logs.csv, logs.json].map {
      try program.run(["filter"], input: .bytes($0)).output
    }
    #expect(run.output == parts.joined())
  }

  @Test("names only what is a code where background lines have none")
  func shortPrefix() throws {
    let installation = try #require(TestServer.installations.first)
    let log = try provoke(installation, prefix: Self.shortPrefix).text
    for options in [["--prefix", Self.shortPrefix], []] {
      let run = try program.run(["filter"] + options, input: .bytes(log))
      let input = String(decoding: log, as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false)
      let output = run.output.split(separator: "\n", omittingEmptySubsequences: false)
      var codes: Set<Substring> = []
      for (before, after) in zip(input, output) {
        let words = before.split(separator: " ")
        // The day, the time, the zone, the process, user and database, the code.
        guard before.first?.isNumber == true, words.count > 5, words[4].contains("@"),
          words[5] != "00000"
        else {
          #expect(before == after)
          continue
        }
        let (condition, title) = names(words[5])
        let name = title.map { " [\(condition ?? "?"), class \(words[5].prefix(2)) \($0)]" } ?? ""
        #expect(after == before + name)
        codes.insert(words[5])
      }
      #expect(codes.count > 230)
    }
  }

  /// Records of clients that are called like codes, as one prefix writes them.
  private func provoke(
    _ installation: Installation, prefix: String, applications: [String]
  ) throws -> [UInt8] {
    var options = TemporaryCluster.Options()
    options.settings = [
      .init("logging_collector", "on"), .init("log_destination", "stderr,csvlog,jsonlog"),
      .init("log_directory", "logs"), .init("log_filename", "server.log"),
      .init("log_line_prefix", prefix),
    ]
    let cluster = try TemporaryCluster(installation: installation, options)
    let db = try PGKit.connect(cluster.connectionOptions())
    for application in applications {
      try db.execute("SET application_name = '\(application)'")
      for sql in Self.natural { _ = try? db.execute(sql) }
    }
    _ = try? db.execute("DO $$ BEGIN RAISE EXCEPTION 'the last' USING ERRCODE = 'ZZ999'; END $$")
    return try read(cluster.directory + "/data/logs/").text
  }

  @Test(
    "names the code, and no application, wherever the prefix has them",
    arguments: ["%m [%p] %a <%e> ", "%m [%p] <%e> %a ", "%m [%p] %q%u@%d %a <%e> "])
  func applications(prefix: String) throws {
    let installation = try #require(TestServer.installations.first)
    let names = ["42P02", "00000", "psql", "x 42P02", "42P02 x"]
    let log = try provoke(installation, prefix: prefix, applications: names)
    // The brackets say to the test where the code is; without them, nothing does.
    let marked = String(decoding: log, as: UTF8.self)
    let plain = marked.replacing(/<(.....)>/, maxReplacements: .max) { "\($0.output.1)" }
    let plainPrefix = prefix.replacing("<%e>", with: "%e")
    for (text, options) in [
      (marked, ["--prefix", prefix]), (marked, []), (plain, ["--prefix", plainPrefix]), (plain, []),
    ] {
      let run = try program.run(["filter"] + options, input: .text(text))
      var count = 0
      let lines = zip(marked.split(separator: "\n"), text.split(separator: "\n"))
      for ((line, before), after) in zip(lines, run.lines) {
        let code = line.firstMatch(of: /^20[^<]*<(.....)>/)?.output.1
        let (condition, title) = code.map(names(_:)) ?? (nil, nil)
        let isNamed = code != nil && code != "00000" && title != nil
        let name = " [\(condition ?? "?"), class \(code?.prefix(2) ?? "") \(title ?? "")]"
        #expect(after == before + (isNamed ? name : ""), "\(options)")
        if isNamed { count += 1 }
      }
      #expect(count > 100)
      #expect(run.errors.isEmpty)
    }
  }

  @Test("reads the log of a server that speaks German", arguments: TestServer.installations)
  func german(installation: Installation) throws {
    let folder = try ScratchFolder()
    chmod(folder.path, 0o777)
    // Without a client: the server's own single-user mode, which root may not use.
    let script = """
      set -e
      cd '\(folder.path)'
      bin='\(installation.binaryDirectory)'
      "$bin/initdb" -D data -A trust -N --locale=C.UTF-8 >/dev/null
      printf '%s\\n' 'SELECT 1/0' 'SELEC' 'SELECT 2/0' | LANGUAGE=de "$bin/postgres" --single \\
        -D data -c lc_messages=C.UTF-8 -c log_line_prefix='%m [%p] %e ' postgres >/dev/null 2>log
      """
    let path = try folder.write(script, to: "script")
    let words = geteuid() == 0 ? ["su", "postgres", "-s", "/bin/sh", path] : ["sh", path]
    let run = try BuiltProgram(absolute: "/usr/bin/env").run(words)
    #expect(run.end == .exit(0), "\(run.errors)")
    let log = try String(contentsOfFile: folder.path + "/log", encoding: .utf8)
    guard log.contains("FEHLER") else {
      print("\(installation) has no German messages")
      return
    }
    for options in [[], ["--prefix", "%m [%p] %e "]] {
      let filtered = try program.run(["filter", "--summary"] + options, input: .text(log))
      let named = filtered.lines.filter { $0.contains(" [division_by_zero, class 22 ") }
      #expect(named.contains { $0.contains("FEHLER:  ") })
      #expect(named.contains { $0.contains("ANWEISUNG:  ") })
      #expect(filtered.errors.contains("2  66.7%  22012  division_by_zero"))
      #expect(filtered.errors.contains("1  33.3%  42601  syntax_error"))
      #expect(!filtered.errors.contains("pg-errcode:"))
    }
  }

  @Test("the table's data are the servers' own errcodes.txt", arguments: TestServer.installations)
  func errorCodeFiles(installation: Installation) throws {
    let data = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../scripts/data/errcodes-\(installation.majorVersion).txt")
    let configuration = BuiltProgram(absolute: installation.binaryDirectory + "/pg_config")
    let folder = try? configuration.run(["--sharedir"]).lines.first
    let beside = installation.binaryDirectory + "/../share/postgresql"
    let theirs = [folder.map(String.init), beside].compactMap { $0 }
      .compactMap { try? String(contentsOfFile: $0 + "/errcodes.txt", encoding: .utf8) }.first
    guard let theirs else {
      print("\(installation) has no errcodes.txt to compare with")
      return
    }
    #expect(try Self.rows(String(contentsOf: data, encoding: .utf8)) == Self.rows(theirs))
  }

  private static func rows(_ text: String) -> [[Substring]] {
    text.split(separator: "\n").filter { !$0.hasPrefix("#") }
      .map { $0.split(whereSeparator: \.isWhitespace) }.filter { !$0.isEmpty }
  }

  private func names(_ code: Substring) -> (condition: String?, title: String?) {
    let code = SQLState(code)
    return (code?.definition?.condition, code.flatMap(SQLStateClass.init(of:))?.title)
  }

  private func checkText(_ log: [UInt8], _ options: [String]) throws {
    let run = try program.run(["filter"] + options, input: .bytes(log))
    let input = String(decoding: log, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    let output = run.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(input.count == output.count)
    var codes: Set<Substring> = []
    for (before, after) in zip(input, output) {
      let words = before.split(separator: " ")
      // The day, the time, the zone, the process, the code.
      guard before.first?.isNumber == true, words.count > 4, words[4] != "00000" else {
        #expect(before == after)
        continue
      }
      let (condition, title) = names(words[4])
      let name = title.map { " [\(condition ?? "?"), class \(words[4].prefix(2)) \($0)]" } ?? ""
      #expect(after == before + name)
      codes.insert(words[4])
    }
    #expect(codes.count > 230)
  }

  private func checkCSV(_ log: [UInt8]) throws {
    let run = try program.run(["filter"], input: .bytes(log))
    let input = records(log)
    let output = records(Array(run.output.utf8))
    #expect(input.count == output.count)
    var codes: Set<Substring> = []
    for (before, after) in zip(input, output) {
      let code = try #require(before.firstMatch(of: /,(?:LOG|ERROR|WARNING|FATAL),(.....),/)).output
        .1
      let (condition, title) = names(code)
      let columns = [condition, title].map { "," + ($0.map { "\"\($0)\"" } ?? "") }.joined()
      #expect(after == before + columns)
      codes.insert(code)
    }
    #expect(codes.count > 230)
  }

  /// The records of a log, newlines between quotation marks being part of them.
  private func records(_ log: [UInt8]) -> [String] {
    var records: [String] = []
    var record: [UInt8] = []
    var isQuoted = false
    for byte in log {
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      if byte == UInt8(ascii: "\n"), !isQuoted {
        records.append(String(decoding: record, as: UTF8.self))
        record = []
      } else {
        record.append(byte)
      }
    }
    return records
  }

  private func checkJSON(_ log: [UInt8]) throws {
    let run = try program.run(["filter"], input: .bytes(log))
    let input = String(decoding: log, as: UTF8.self).split(separator: "\n")
    #expect(input.count == run.lines.count)
    var codes: Set<String> = []
    for (before, after) in zip(input, run.lines) {
      let object = try JSONSerialization.jsonObject(with: Data(after.utf8)) as? [String: Any]
      guard let code = object?["state_code"] as? String else {
        #expect(before == after)
        continue
      }
      let (condition, title) = names(code[...])
      #expect(object?["state_condition"] as? String == condition)
      #expect(object?["state_class"] as? String == title)
      let added = ["condition": condition, "class": title].mapValues { $0.map { "\"\($0)\"" } }
      let members =
        ",\"state_condition\":\((added["condition"] ?? nil) ?? "null")"
        + ",\"state_class\":\((added["class"] ?? nil) ?? "null")"
      #expect(after.replacing(members, with: "", maxReplacements: 1) == String(before)[...])
      codes.insert(code)
    }
    #expect(codes.count > 230)
  }
}
