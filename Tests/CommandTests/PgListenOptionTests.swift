import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What pg-listen prints, until when, and for how slow a reader.
@Suite(
  "pg-listen, options", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgListenOptionTests {
  private let program = BuiltProgram("pg-listen")
  private let shell = BuiltProgram("/bin/sh")
  private let server: TestServer
  private let db: Connection
  /// A channel of this test's own.
  private let channel = "op\(UInt64.random(in: 0...(.max)))"

  init() throws {
    server = try TestServer.shared.get()
    db = try server.connect()
  }

  private func started(
    _ arguments: String..., environment: [String: String]? = nil
  ) throws -> RunningProgram {
    let running = try program.start(
      [server.iri()] + arguments, environment: environment)
    try running.waitForErrors("listening on ")
    return running
  }

  // MARK: Until when

  @Test("--until ends with 0 at the event that it waits for")
  func until() throws {
    for condition in [".payload==\"o\\\"k\"", ".payload == o\"k"] {
      let running = try started(channel, "--until", condition, "--timeout", "20s")
      try db.notify([(channel, "no"), (channel, "o\"k"), (channel, "later")])
      let outcome = try running.wait()
      #expect(outcome.end == .exit(0))
      #expect(outcome.lines.count == 3)
    }
    let both = try started(
      channel, "b \(channel)", "--until", ".channel==\"b \(channel)\"", "--until", ".payload==\"x\""
    )
    try db.notify([(channel, "x"), ("b \(channel)", "y"), ("b \(channel)", "x")])
    #expect(try both.wait().lines.count == 4)
  }

  @Test("--until with --count ends with 6 when none of them was the one")
  func untilInVain() throws {
    let running = try started(channel, "--until", ".payload==\"ok\"", "--count", "2")
    try db.notify([(channel, "1"), (channel, "2")])
    let outcome = try running.wait()
    #expect(outcome.end == .exit(6))
    #expect(outcome.errors.contains("none of 2 events"))
  }

  @Test("--idle-timeout ends with 4 when nothing has come for so long")
  func idleTimeout() throws {
    let running = try started(channel, "--idle-timeout", "1s")
    let start = ContinuousClock.now
    for number in 0..<4 {
      usleep(400_000)
      try db.notify(channel, payload: "\(number)")
    }
    let outcome = try running.wait()
    #expect(outcome.end == .exit(4))
    #expect(ContinuousClock.now - start > .milliseconds(2_400))
    #expect(outcome.lines.count == 5)
    #expect(outcome.errors.contains("--idle-timeout is over after 4 events"))
  }

  @Test("--drain ends with 0 at once")
  func drain() throws {
    let outcome = try program.run([
      server.iri(), channel, "--drain", "--on-ready-sql", "SELECT pg_notify('\(channel)', 'x')",
    ])
    #expect(outcome.end == .exit(0))
    #expect(outcome.lines.last?.contains("\"payload\":\"x\"") == true)
  }

  // MARK: What is printed

  @Test("other formats: payload, nul, tsv")
  func formats() throws {
    let expected = [
      "payload": "a\tb\\\nc\n", "nul": "a\tb\\\0c\0",
      "tsv": "\(channel)\t\(db.backendID)\ta\\tb\\\\\n\(channel)\t\(db.backendID)\tc\n",
    ]
    for (format, text) in expected {
      let running = try started(channel, "--format", format, "--count", "2")
      try db.notify([(channel, "a\tb\\"), (channel, "c")])
      let outcome = try running.wait()
      #expect(outcome.output == text)
      // What is no event does not stand among them.
      #expect(outcome.errors.contains("\"event\":\"ready\""))
    }
  }

  @Test("--format payload refuses a payload of two lines")
  func severalLines() throws {
    let running = try started(channel, "--format", "payload")
    try db.notify(channel, payload: "a\nb")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(1))
    #expect(outcome.errors.contains("--format nul"))
    #expect(outcome.output == "")
  }

  @Test("--events says where other lines go")
  func controlEvents() throws {
    for (place, isOnErrors) in [("off", false), ("stderr", true)] {
      let running = try started(channel, "--events", place, "--count", "1")
      try db.notify(channel)
      let outcome = try running.wait()
      #expect(outcome.lines.count == 1)
      #expect(outcome.errors.contains("\"event\":\"ready\"") == isOnErrors)
    }
  }

  @Test("--from-pid prints one session's events only, --fold folds names")
  func filters() throws {
    let other = try server.connect()
    let running = try started(
      channel.uppercased(), "--fold", "--from-pid", "\(other.backendID)", "--count", "1")
    try db.notify(channel, payload: "not this")
    try other.notify(channel, payload: "this")
    let outcome = try running.wait()
    #expect(outcome.lines.count == 2)
    #expect(outcome.output.contains("\"seq\":1,\"channel\":\"\(channel)\",\"payload\":\"this\""))
  }

  @Test("without an IRI the environment says where")
  func environment() throws {
    let running = try program.start(
      [channel, "--count", "1"],
      environment: ["PGKIT_IRI": server.iri(), "PATH": "/usr/bin:/bin"])
    try running.waitForErrors("listening on ")
    try db.notify(channel)
    #expect(try running.wait().end == .exit(0))
  }

  // MARK: Sending

  @Test("--notify sends one notification, also from stdin")
  func notify() throws {
    try db.listen(channel)
    #expect(try program.run([server.iri(), "--notify", channel, "a'b\\"]).end == .exit(0))
    #expect(
      try program.run([server.iri(), "--notify", channel, "-"], input: .text("c\nd\n")).end
        == .exit(0))
    #expect(try program.run([server.iri(), "--notify", channel]).end == .exit(0))
    let longest = String(repeating: "x", count: 7999)
    #expect(
      try program.run([server.iri(), "--notify", channel, "-"], input: .text(longest)).end
        == .exit(0))
    var heard: [String] = []
    while heard.count < 4 {
      heard += try db.notifications(until: .after(.seconds(10))).map(\.payload)
    }
    #expect(heard == ["a'b\\", "c\nd", "", longest])
  }

  @Test("--notify says how long a payload is that is too long, before it connects")
  func notifyTooLong() throws {
    let long = String(repeating: "é", count: 4000)
    let outcome = try program.run(["postgres://nowhere.invalid/", "--notify", channel, long])
    #expect(outcome.end == .exit(64))
    #expect(outcome.errors.contains("has 8000 bytes"))
    let piped = try program.run(
      ["postgres://nowhere.invalid/", "--notify", channel, "-"], input: .text(long))
    #expect(piped.end == .exit(64))
    #expect(piped.errors.contains("on stdin has 8000 bytes; the server takes at most 7999"))
    for (input, message) in [
      ([0xff], "is not text in UTF-8"), ([0x61, 0, 0x62], "has a zero byte, byte 2"),
      ([UInt8](repeating: 0x61, count: 300_000), "has 300000 bytes"),
    ] {
      let outcome = try program.run(
        ["postgres://nowhere.invalid/", "--notify", channel, "-"], input: .bytes(input))
      #expect(outcome.end == .exit(64))
      #expect(outcome.errors.contains(message))
    }
  }

  // MARK: Slow readers

  /// Floods a listener whose reader sleeps, then lets the reader go on.
  private func flood(_ arguments: String...) throws -> BuiltProgram.Outcome {
    let names = (1...arguments.count).map { "\"${\($0 + 2)}\"" }.joined(separator: " ")
    let running = try shell.start(
      [
        "-c", "{ \"$0\" \"$1\" \"$2\" \(names); echo \"status $?.\" >&2; } | (sleep 4; cat)",
        program.path, server.iri(), channel,
      ] + arguments)
    try running.waitForErrors("listening on ")
    try db.query(
      "SELECT pg_notify($1, i || repeat('x', 1000)) FROM generate_series(1, 4000) AS i", channel)
    try db.notify(channel, payload: "last")
    return try running.wait()
  }

  private func isObject(_ line: Substring) -> Bool {
    (try? JSONSerialization.jsonObject(with: Data(line.utf8))) != nil
  }

  @Test("a reader that is slow loses the oldest, and is told how many")
  func drops() throws {
    let outcome = try flood("--buffer", "1MB", "--until", ".payload==\"last\"", "--timeout", "30s")
    #expect(outcome.errors.contains("status 0."))
    #expect(outcome.lines.allSatisfy(isObject))
    let dropped = outcome.lines.filter { $0.hasPrefix("{\"event\":\"dropped\"") }
    #expect(dropped.count == 1)
    let count = try #require(dropped.first?.firstMatch(of: /"count":(\d+)/)).output.1
    let printed = outcome.lines.filter { $0.hasPrefix("{\"event\":\"notify\"") }
    #expect((Int(count) ?? 0) + printed.count == 4001)
    #expect(printed.last?.contains("\"payload\":\"last\"") == true)
    let numbers = printed.compactMap { Int($0.firstMatch(of: /"seq":(\d+)/)?.output.1 ?? "") }
    #expect(numbers == numbers.sorted())
    // The place of the line is where they are missing.
    let place = try #require(outcome.lines.firstIndex { $0.hasPrefix("{\"event\":\"dropped\"") })
    let before = Int(outcome.lines[place - 1].firstMatch(of: /"seq":(\d+)/)?.output.1 ?? "") ?? 0
    let after = Int(outcome.lines[place + 1].firstMatch(of: /"seq":(\d+)/)?.output.1 ?? "") ?? 0
    #expect(after - before - 1 == Int(count))
  }

  @Test("how many were dropped is said where other lines are, and payloads stay whole")
  func droppedElsewhere() throws {
    for events in ["stderr", "off"] {
      let outcome = try flood(
        "--buffer", "1MB", "--format", "payload", "--events", events, "--until",
        ".payload==\"last\"", "--timeout", "30s")
      let tail = String(repeating: "x", count: 1000)
      #expect(outcome.lines.dropLast().allSatisfy { $0.hasSuffix(tail) && $0.count <= 1004 })
      #expect(outcome.lines.last == "last")
      let counts = outcome.errors.matches(of: /{"event":"dropped","count":(\d+)}/)
        .compactMap { Int($0.output.1) }
      #expect(counts.reduce(0, +) == (events == "off" ? 0 : 4001 - outcome.lines.count))
      #expect(outcome.lines.count < 4001)
    }
  }

  @Test("with room enough a slow reader loses nothing")
  func buffers() throws {
    let outcome = try flood("--count", "4001")
    #expect(outcome.errors.contains("status 0."))
    #expect(outcome.lines.count == 4002)
    #expect(outcome.lines.allSatisfy(isObject))
  }

  @Test("--on-overflow fail ends with 1, --on-overflow block loses nothing")
  func overflow() throws {
    let failed = try flood("--buffer", "1MB", "--on-overflow", "fail", "--count", "4001")
    #expect(failed.errors.contains("the reader of stdout is too slow"))
    #expect(failed.errors.contains("status 1."))
    let blocked = try flood("--buffer", "1MB", "--on-overflow", "block", "--count", "4001")
    #expect(blocked.lines.count == 4002)
    #expect(blocked.errors.contains("status 0."))
  }

  // MARK: Services

  @Test("tells systemd that it is ready, and its watchdog after each heartbeat")
  func service() throws {
    let receiver = try ServiceReceiver()
    let running = try started(
      channel,
      environment: [
        "NOTIFY_SOCKET": receiver.path, "WATCHDOG_USEC": "400000", "PATH": "/usr/bin:/bin",
      ])
    let states = (0..<3).map { _ in receiver.next() }
    #expect(states == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"])
    running.signal(SIGTERM)
    _ = try running.wait()
  }
}
