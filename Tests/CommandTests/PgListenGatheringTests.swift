import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What pg-listen makes of events: fewer, with their JSON; and how it is asked to end, or how far it is.
@Suite(
  "pg-listen, gathering", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgListenGatheringTests {
  private let program = BuiltProgram("pg-listen")
  private let server: TestServer
  private let db: Connection
  /// A channel of this test's own.
  private let channel = "ga\(UInt64.random(in: 0...(.max)))"

  init() throws {
    server = try TestServer.shared.get()
    db = try server.connect()
  }

  private func started(_ arguments: String...) throws -> RunningProgram {
    let running = try program.start([server.iri(), channel, "--events", "off"] + arguments)
    try running.waitForErrors("listening on ")
    return running
  }

  private func payloads(_ output: String) throws -> [String] {
    try EventLines.objects(output).compactMap { $0["payload"] as? String }
  }

  private func notify(_ payloads: String..., on channel: String? = nil) throws {
    try db.notify(payloads.map { (channel ?? self.channel, $0) })
  }

  // MARK: Fewer events

  @Test("--debounce waits until a channel is quiet, and prints the last with how many there were")
  func debounce() throws {
    let other = "other \(channel)"
    let running = try started(other, "--debounce", "700ms", "--count", "3")
    let begin = ContinuousClock.now
    for number in 1...4 {
      try notify("\(number)")
      usleep(200_000)
    }
    try notify("alone", on: other)
    let first = try running.waitForOutput { $0.contains("\"4\"") }
    #expect(ContinuousClock.now - begin >= .milliseconds(1_300))
    #expect(try payloads(first).first == "4")
    try running.waitForOutput("alone")
    try notify("5")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    let events = try EventLines.objects(outcome.output)
    #expect(events.map { $0["payload"] as? String } == ["4", "alone", "5"])
    // One that stands for itself has no count.
    #expect(events.map { $0["count"] as? Int } == [4, nil, nil])
    #expect(events.map { $0["seq"] as? Int } == [4, 5, 6])
  }

  @Test("--debounce holds a channel that is never quiet for ten times as long at most")
  func debounceForever() throws {
    let running = try started("--debounce", "200ms", "--count", "1")
    let begin = ContinuousClock.now
    while running.isRunning, ContinuousClock.now - begin < .seconds(20) {
      try notify("x")
      usleep(50_000)
    }
    #expect(ContinuousClock.now - begin < .seconds(15))
    #expect((try EventLines.objects(running.wait().output).first?["count"] as? Int ?? 0) > 10)
  }

  @Test("--debounce loses nothing at the end: what is held is printed when time is over")
  func debounceEnd() throws {
    let running = try started("--debounce", "1m", "--timeout", "2s")
    try notify("1", "2")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(4))
    #expect(try payloads(outcome.output) == ["2"])
  }

  @Test("--coalesce makes one of those that wait for a command, by channel or by payload")
  func coalesce() throws {
    let expected = [
      "channel": ["1 a", "4 a"], "payload": ["1 a", "2 a", "2 b"],
    ]
    for (part, lines) in expected {
      let running = try started(
        "--coalesce", part, "--count", "\(lines.count)", "--exec", "--", "/bin/sh", "-c",
        "read -r x; echo $PGKIT_COUNT $x; sleep 2")
      try notify("a\n")
      try running.waitForOutput("1 a")
      for payload in ["b\n", "a\n", "b\n", "a\n"] { try notify(payload) }
      let outcome = try running.wait()
      #expect(outcome.end == .exit(0))
      #expect(outcome.lines.map(String.init).sorted() == lines.sorted(), "\(part)")
    }
  }

  @Test("--coalesce makes one of those that wait for the reader of stdout")
  func coalesceForReader() throws {
    let shell = BuiltProgram("/bin/sh")
    let running = try shell.start([
      "-c", "\"$0\" \"$1\" \"$2\" --coalesce payload --until '.payload==\"last\"' | (sleep 3; cat)",
      program.path, server.iri(), channel,
    ])
    try running.waitForErrors("listening on ")
    // Fills the pipe.
    try db.query(
      "SELECT pg_notify($1, i || repeat('x', 1000)) FROM generate_series(1, 200) AS i", channel)
    for _ in 0..<50 { try notify("same") }
    try notify("last")
    let lines = try EventLines.objects(try running.wait().output)
    let events = lines.filter { $0["event"] as? String == "notify" }
    let same = events.filter { $0["payload"] as? String == "same" }
    #expect(same.count < 50)
    #expect(same.reduce(0) { $0 + ($1["count"] as? Int ?? 1) } == 50)
    #expect(events.count == 200 + same.count + 1)
  }

  // MARK: JSON

  @Test("--parse adds what is JSON as JSON, and leaves the rest as it is")
  func parse() throws {
    let nested = { (depth: Int) in
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    let cases: [(payload: String, json: String?)] = [
      (" { \"a\" : [1, 2.50e1 ,null]}\n", " { \"a\" : [1, 2.50e1 ,null]} "),
      ("12345678901234567890123.4500", "12345678901234567890123.4500"), ("null", "null"),
      ("\"a\u{2028}b\"", nil), ("\"\\u2028\\ud83d\\ude00\"", nil), ("[1,\n2]", "[1, 2]"),
      (nested(1000), nested(1000)),
    ]
    let invalid = [
      "", "{", "{'a':1}", "[1,]", "01", "NaN", "\"\n\"", "1 2", nested(1001), "\"\\x\"", "tru",
    ]
    let running = try started("--parse", "--count", "\(cases.count + invalid.count)")
    for (payload, _) in cases { try notify(payload) }
    for payload in invalid { try notify(payload) }
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(outcome.lines.count == cases.count + invalid.count)
    #expect(!outcome.lines.contains { $0.unicodeScalars.contains { $0.value < 0x20 } })
    for (line, (payload, json)) in zip(outcome.lines, cases) {
      let start = try #require(line.range(of: ",\"json\":"), "\(payload.prefix(40))")
      if let json { #expect(line[start.upperBound...].hasPrefix(json + ",\"pid\"")) }
      // Foundation reads a thousand levels no more.
      if payload.hasPrefix("[[") { continue }
      let object = try #require(try EventLines.objects(String(line)).first)
      #expect(object["payload"] as? String == payload)
      let wanted = try JSONSerialization.jsonObject(
        with: Data(payload.utf8), options: .fragmentsAllowed)
      #expect(object["json"] as? NSObject == wanted as? NSObject, "\(payload)")
    }
    for (line, payload) in zip(outcome.lines.dropFirst(cases.count), invalid) {
      let object = try #require(try EventLines.objects(String(line)).first)
      #expect(object["payload"] as? String == payload)
      #expect(object["json"] == nil, "\(payload)")
    }
  }

  // MARK: Its own

  @Test("--no-self leaves out what its own query has notified")
  func noSelf() throws {
    let query = "SELECT pg_notify('\(channel)', 'own')"
    let with = try started("--on-ready-sql", query, "--count", "1")
    #expect(try payloads(with.wait().output) == ["own"])
    let without = try started("--on-ready-sql", query, "--no-self", "--count", "1")
    try notify("other")
    #expect(try payloads(without.wait().output) == ["other"])
  }

  // MARK: Signals

  @Test("--graceful ends with 0 when a signal asks for it", arguments: [SIGINT, SIGTERM, SIGHUP])
  func graceful(signal: CInt) throws {
    let running = try started("--graceful")
    try notify("1")
    try running.waitForOutput("\"1\"")
    running.signal(signal)
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    let usual = try started()
    usual.signal(signal)
    #expect(try usual.wait().end == .signal(signal))
  }

  @Test("--graceful sees to what has arrived: commands that wait, events that are held back")
  func gracefulEnd() throws {
    let commands = try started(
      "--graceful", "--exec", "--", "/bin/sh", "-c", "read -r x; echo begun $x; sleep 0.3; echo $x")
    try notify("1\n", "2\n", "3\n")
    try commands.waitForOutput("begun 1")
    commands.signal(SIGTERM)
    let ended = try commands.wait()
    #expect(ended.end == .exit(0))
    #expect(ended.lines == ["begun 1", "1", "begun 2", "2", "begun 3", "3"])
    let held = try started("--graceful", "--debounce", "1m")
    try notify("held")
    usleep(500_000)
    held.signal(SIGTERM)
    let outcome = try held.wait()
    #expect(outcome.end == .exit(0))
    #expect(try payloads(outcome.output) == ["held"])
  }

  @Test("SIGUSR1 has it say on stderr how far it is, each time")
  func status() throws {
    let running = try started()
    try notify("1", "2")
    try running.waitForOutput("\"2\"")
    running.signal(SIGUSR1)
    try running.waitForErrors("listening, 2 events, connection lost 0 times")
    try notify("3")
    try running.waitForOutput("\"3\"")
    running.signal(SIGUSR1)
    try running.waitForErrors("listening, 3 events, connection lost 0 times")
    running.signal(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.end == .signal(SIGTERM))
    #expect(try payloads(outcome.output) == ["1", "2", "3"])
  }

  // MARK: The server's queue

  private static let ownQueue = TestServer.installations.first { $0.serverVersion.major >= 17 }

  @Test(
    "warns at 10 % and at 50 % of the server's queue, and names the oldest transaction",
    .enabled(if: ownQueue != nil, "no server of version 17 or later"))
  func queueUsage() throws {
    var options = TemporaryCluster.Options()
    options.settings = [.init("max_notify_queue_pages", "64")]
    let cluster = try TemporaryCluster(installation: Self.ownQueue, options)
    let iri = try cluster.iri(scheme: "postgres")
    let running = try program.start([iri, channel, "--heartbeat", "200ms"])
    try running.waitForErrors("listening on ")
    let blocker = try PGKit.open(iri)
    try blocker.listen("elsewhere")
    try blocker.execute("BEGIN; SELECT 'the culprit'")
    let sender = try PGKit.open(iri)
    let long = String(repeating: "x", count: 7900)
    for _ in 0..<10 { try sender.notify("elsewhere", payload: long) }
    try running.waitForErrors("of the server's notification queue is in use")
    try running.waitForErrors("DETAIL: The oldest transaction")
    #expect(running.errors.contains(" is that of process \(blocker.backendID), since "))
    for _ in 0..<30 { try sender.notify("elsewhere", payload: long) }
    let warnings = { (text: String) in
      text.matches(of: /(\d+) % of the server's/).compactMap { Int($0.output.1) }
    }
    for _ in 0..<200 where warnings(running.errors).count < 2 { usleep(25_000) }
    usleep(600_000)
    running.signal(SIGTERM)
    let shares = warnings(try running.wait().errors)
    // Once for each limit, not at each heartbeat.
    #expect(shares.count == 2)
    #expect((10..<50).contains(shares.first ?? 0) && (50...100).contains(shares.last ?? 0))
    for db in [blocker, sender] { db.close() }
    try cluster.close()
  }

  @Test(
    "the watchdog hears nothing of a heartbeat that the server refuses",
    .enabled(if: ownQueue != nil, "no server of version 17 or later"))
  func refusedHeartbeat() throws {
    var options = TemporaryCluster.Options()
    options.settings = [.init("max_notify_queue_pages", "64")]
    let cluster = try TemporaryCluster(installation: Self.ownQueue, options)
    let iri = try cluster.iri(scheme: "postgres")
    let blocker = try PGKit.open(iri)
    try blocker.listen("elsewhere")
    let receiver = try ServiceReceiver()
    let running = try program.start(
      [iri, channel],
      environment: [
        "NOTIFY_SOCKET": receiver.path, "WATCHDOG_USEC": "400000", "PATH": "/usr/bin:/bin",
      ])
    #expect([receiver.next(), receiver.next()] == ["READY=1", "WATCHDOG=1"])
    try blocker.execute("BEGIN; SELECT 'the culprit'")
    let sender = try PGKit.open(iri)
    let long = String(repeating: "x", count: 7900)
    let error = #expect(throws: PGError.self) {
      for _ in 0..<200 { try sender.notify("elsewhere", payload: long) }
    }
    #expect(error?.code == .programLimitExceeded)
    try running.waitForErrors("54000")
    while receiver.next(within: 0) != nil {}
    #expect(receiver.next(within: 1_500) == nil)
    // When there is room again, so is the heartbeat.
    try blocker.execute("COMMIT")
    #expect(receiver.next() == "WATCHDOG=1")
    running.signal(SIGTERM)
    _ = try running.wait()
    for db in [blocker, sender] { db.close() }
    try cluster.close()
  }
}
