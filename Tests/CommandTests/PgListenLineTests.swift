import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What stands in pg-listen's lines, in which order, and in every format.
@Suite(
  "pg-listen, lines", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgListenLineTests {
  private let program = BuiltProgram("pg-listen")
  private let shell = BuiltProgram("/bin/sh")
  private let server: TestServer
  private let db: Connection
  /// A channel of this test's own.
  private let channel = "li\(UInt64.random(in: 0...(.max)))"

  init() throws {
    server = try TestServer.shared.get()
    db = try server.connect()
  }

  private func started(_ arguments: String...) throws -> RunningProgram {
    let running = try program.start([server.iri(), channel] + arguments)
    try running.waitForErrors("listening on ")
    return running
  }

  private func terminate(_ name: String) throws {
    try db.query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1",
      name)
  }

  /// A second database, as long as `body` runs.
  private func withDatabase(
    _ options: String = "", _ body: (_ name: String, _ iri: String) throws -> Void
  ) throws {
    let name = "lines\(UInt32.random(in: 0...(.max)))"
    try db.execute("CREATE DATABASE \(name) TEMPLATE template0 \(options)")
    defer { try? db.execute("DROP DATABASE \(name) WITH (FORCE)") }
    try body(name, server.iri(database: name))
  }

  // MARK: Order

  @Test("what is held back comes before the gap after which it would come")
  func heldBeforeGap() throws {
    let running = try started("--debounce", "2s", "--count", "2")
    try db.notify(channel, payload: "held")
    usleep(500_000)
    try terminate("pg-listen:\(channel)")
    _ = try running.waitForOutput { $0.split(separator: "\"ready\"").count == 3 }
    try db.notify(channel, payload: "after")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(
      try EventLines.story(outcome.output) == ["[ready]", "held", "[gap]", "[ready]", "after"])
  }

  @Test("rows of --on-ready-sql are data, whatever the format is and where other lines go")
  func rows() throws {
    let query = "SELECT 42 AS a UNION ALL SELECT 43"
    for options in [["--events", "off"], ["--format", "payload"], ["--format", "tsv"]] {
      let outcome = try program.run(
        [server.iri(), channel, "--drain", "--on-ready-sql", query] + options)
      #expect(outcome.end == .exit(0))
      let rows = try EventLines.objects(outcome.output).map { $0["row"] as? [String: Int] }
      #expect(rows == [["a": 42], ["a": 43]], "\(options)")
      #expect(!outcome.errors.contains("\"row\""))
    }
  }

  // MARK: Formats

  @Test("with --format nul every line ends with a zero byte")
  func zeroBytes() throws {
    let running = try started(
      "--format", "nul", "--events", "inline", "--count", "1", "--on-ready-sql", "SELECT 1 AS a")
    try db.notify(channel, payload: "a\nb")
    let outcome = try running.wait()
    let parts = outcome.output.split(separator: "\0", omittingEmptySubsequences: false)
    #expect(parts.count == 4)
    #expect(parts[0].hasPrefix("{\"event\":\"ready\"") && parts[0].hasSuffix("}"))
    #expect(parts[1].hasSuffix("\"row\":{\"a\":1}}"))
    #expect(parts[2...] == ["a\nb", ""])
  }

  @Test("--format tsv escapes as COPY does, and COPY reads it back")
  func tabs() throws {
    let text = "\u{8}\t\n\u{b}\u{c}\r\\ é\u{1}\u{7f}"
    let running = try started("--format", "tsv", "--count", "1")
    try db.notify(channel, payload: text)
    let outcome = try running.wait()
    #expect(
      outcome.output
        == "\(channel)\t\(db.backendID)\t\\b\\t\\n\\v\\f\\r\\\\ é\u{1}\u{7f}\n")
    try db.execute("CREATE TEMP TABLE heard (channel text, pid int, payload text)")
    let copy = try db.copyIn("COPY heard FROM STDIN")
    try copy.write(Array(outcome.output.utf8))
    try copy.finish()
    #expect(try db.query.first("SELECT payload FROM heard", as: String.self) == text)
  }

  @Test("bytes that are not UTF-8 stay apart in every format")
  func otherBytes() throws {
    try withDatabase("ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'") { _, iri in
      let other = try PGKit.open(iri)
      defer { other.close() }
      for (format, parts) in [("tsv", ["a\\xffé", "\\xfe"]), ("json", ["Yf/DqQ==", "/g=="])] {
        let running = try program.start([
          iri, channel, "--format", format, "--events", "off", "--count", "2",
        ])
        try running.waitForErrors("listening on ")
        for payload in ["a\\xffé", "\\xfe"] {
          try other.execute("SELECT pg_notify('\(channel)', E'\(payload)')")
        }
        let outcome = try running.wait()
        #expect(outcome.end == .exit(0))
        #expect(outcome.lines.count == 2)
        for (line, part) in zip(outcome.lines, parts) {
          #expect(line.contains(part), "\(format)")
        }
      }
    }
  }

  // MARK: What was dropped

  /// Floods listeners whose reader sleeps.
  private func flood(_ count: Int, _ arguments: String...) throws -> BuiltProgram.Outcome {
    let names = (1...arguments.count).map { "\"${\($0)}\"" }.joined(separator: " ")
    let running = try shell.start(
      [
        "-c", "{ \"$0\" \(names); echo \"status $?.\" >&2; } | (sleep 3; cat)", program.path,
      ] + arguments)
    try running.waitForErrors("listening on ")
    usleep(300_000)
    try db.query(
      "SELECT pg_notify($1, i || repeat('x', 1000)) FROM generate_series(1, $2) AS i", channel,
      count)
    return try running.wait()
  }

  @Test("--count does not count what was dropped")
  func countOfPrinted() throws {
    let outcome = try flood(
      3000, server.iri(), channel, "--buffer", "500kB", "--count", "2000", "--timeout", "6s",
      "--events", "off")
    let printed = outcome.lines.count
    #expect(printed > 100 && printed < 2000)
    #expect(outcome.errors.contains("status 4."))
    #expect(outcome.errors.contains("over after \(printed) of 2000 events"))
    // When there is enough at last, it ends well.
    let running = try shell.start([
      "-c",
      "{ \"$0\" \"$1\" \"$2\" --buffer 500kB --count 1500 --events off; echo \"status $?.\" >&2; } "
        + "| (sleep 3; cat)",
      program.path, server.iri(), channel,
    ])
    try running.waitForErrors("listening on ")
    for _ in 0..<2 {
      try db.query(
        "SELECT pg_notify($1, i || repeat('y', 1000)) FROM generate_series(1, 1400) AS i", channel)
      usleep(3_500_000)
    }
    let enough = try running.wait()
    #expect(enough.errors.contains("status 0."))
    #expect(enough.lines.count == 1500)
  }

  @Test("events for which no command was run are not counted either")
  func countOfCommands() throws {
    let running = try started(
      "--buffer", "100kB", "--count", "900", "--timeout", "4s", "--exec", "--", "/bin/echo", "ran")
    try db.query(
      "SELECT pg_notify($1, i || repeat('x', 5000)) FROM generate_series(1, 1000) AS i", channel)
    let outcome = try running.wait()
    #expect(outcome.end == .exit(4))
    let ran = outcome.lines.filter { $0 == "ran" }.count
    let given = outcome.errors.firstMatch(of: /over after (\d+) of 900 events/)?.output.1
    #expect(ran > 0 && Int(given ?? "") == ran)
  }

  @Test("a dropped line counts the events that a line stood for, and names the source")
  func droppedOfSources() throws {
    try withDatabase { _, iri in
      let sessions = try [server.iri(), iri].map { try PGKit.open($0) }
      defer { for session in sessions { session.close() } }
      let running = try shell.start([
        "-c",
        "\"$0\" --on \"$1\" --on \"$2\" \"$3\" --coalesce payload --debounce 300ms "
          + "--buffer 300kB --until '.payload==\"last\"' | (sleep 6; cat)",
        program.path, server.iri(), iri, channel,
      ])
      try running.waitForErrors("listening on ", times: 2)
      // What fills the pipe.
      let query = "SELECT pg_notify($1, i || repeat($2, 1000)) FROM generate_series(1, $3) AS i"
      try sessions[0].query(query, channel, "x", 150)
      usleep(700_000)
      for round in 0..<3 {
        for session in sessions {
          for _ in 0..<2 { try session.query(query, channel, "\(round)", 200) }
        }
        usleep(700_000)
      }
      for session in sessions { try session.notify(channel, payload: "last") }
      let lines = try EventLines.objects(try running.wait().output)
      let places = Set(
        lines.compactMap { $0["event"] as? String == "ready" ? $0["source"] as? String : nil })
      #expect(places.count == 2)
      var total = 0
      for line in lines where ["notify", "dropped"].contains(line["event"] as? String) {
        total += line["count"] as? Int ?? 1
      }
      let dropped = lines.filter { $0["event"] as? String == "dropped" }
      #expect(!dropped.isEmpty)
      #expect(dropped.allSatisfy { places.contains($0["source"] as? String ?? "") })
      // The last one of the other source may come after the end.
      #expect([2551, 2552].contains(total))
    }
  }

  @Test("--on-overflow fail says so in the stream, after all that had come")
  func overflow() throws {
    let outcome = try flood(
      3000, server.iri(), channel, "--buffer", "500kB", "--on-overflow", "fail")
    #expect(outcome.errors.contains("status 1."))
    let events = try EventLines.objects(outcome.output).map { $0["event"] as? String }
    #expect(events.last == "overflow")
    #expect(events.filter { $0 == "overflow" }.count == 1 && events.count > 400)
  }

  // MARK: Messages

  @Test("with several sources a message says which it is about")
  func namedMessages() throws {
    try withDatabase { name, iri in
      let running = try program.start(["--on", server.iri(), "--on", iri, channel])
      try running.waitForErrors("listening on ", times: 2)
      try db.query(
        """
        SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE application_name = $1 AND datname = $2
        """, "pg-listen:\(channel)", name)
      try running.waitForErrors("lost the connection")
      try running.waitForErrors("listening on ", times: 3)
      let message = running.errors.split(separator: "\n").first {
        $0.contains("lost the connection")
      }
      #expect(message?.hasSuffix("\(name))") == true)
      running.signal(SIGTERM)
      _ = try running.wait()
    }
  }

  @Test("a channel that is given twice is one")
  func twice() throws {
    let running = try started(channel, "Upper\(channel)", "Upper\(channel)")
    #expect(running.errors.split(separator: "an unquoted NOTIFY").count == 2)
    #expect(running.errors.contains(/listening on li\d+, "Upperli\d+" \(/))
    running.signal(SIGTERM)
    _ = try running.wait()
  }
}
