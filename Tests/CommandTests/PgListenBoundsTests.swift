import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What pg-listen does not exceed: memory, time, and what is dropped without a word.
@Suite(
  "pg-listen, bounds", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgListenBoundsTests {
  private let program = BuiltProgram("pg-listen")
  private let shell = BuiltProgram("/bin/sh")
  private let server: TestServer
  private let db: Connection
  /// A channel of this test's own.
  private let channel = "bo\(UInt64.random(in: 0...(.max)))"

  init() throws {
    server = try TestServer.shared.get()
    db = try server.connect()
  }

  /// Starts it with a reader that sleeps, and says which process it is.
  private func startUnread(_ arguments: String...) throws -> (RunningProgram, pid_t) {
    let names = (1...arguments.count).map { "\"${\($0 + 2)}\"" }.joined(separator: " ")
    let running = try shell.start(
      [
        "-c",
        "{ sh -c 'echo \"pid $$.\" >&2; exec \"$0\" \"$@\"' \"$0\" \"$1\" \"$2\" \(names); "
          + "echo \"status $?.\" >&2; } | (sleep 6; cat)", program.path, server.iri(), channel,
      ] + arguments)
    try running.waitForErrors("listening on ")
    let process = try #require(running.errors.firstMatch(of: /pid (\d+)\./)?.output.1)
    return (running, try #require(pid_t(process)))
  }

  private func notify(_ count: Int, bytes: Int) throws {
    try db.query(
      "SELECT pg_notify($1, i || repeat('x', $3)) FROM generate_series(1, $2) AS i", channel, count,
      bytes)
  }

  @Test("what waits for a command that hangs, and is dropped, is not kept in memory")
  func droppedJobs() throws {
    let running = try program.start([
      server.iri(), channel, "--events", "off", "--buffer", "1MB", "--exec", "--", "/bin/sleep",
      "100",
    ])
    try running.waitForErrors("listening on ")
    try notify(5_000, bytes: 1000)
    usleep(1_000_000)
    let before = ProcessMemory.resident(running.process)
    for _ in 0..<2 { try notify(30_000, bytes: 1000) }
    usleep(2_000_000)
    #expect(ProcessMemory.resident(running.process) < before + 24_000)
    running.signal(SIGTERM)
    _ = try running.wait()
  }

  @Test("a command whose output nobody reads is slowed down by its pipe")
  func commandOutput() throws {
    let (running, process) = try startUnread(
      "--events", "off", "--buffer", "1MB", "--count", "1", "--exec", "--", "/bin/sh", "-c",
      "yes 0123456789 | head -c 55000000")
    let before = ProcessMemory.resident(process)
    try db.notify(channel)
    usleep(3_500_000)
    #expect(ProcessMemory.resident(process) < before + 20_000)
    let outcome = try running.wait()
    #expect(outcome.output.utf8.count == 55_000_000)
    #expect(outcome.errors.contains("status 0."))
  }

  @Test("--coalesce payload takes time and memory as they should be, however many are held")
  func gathering() throws {
    let (running, process) = try startUnread(
      "--coalesce", "payload", "--buffer", "1MB", "--until", ".payload==\"last\"")
    let before = (ProcessMemory.resident(process), ProcessMemory.seconds(process))
    for number in 1...40 {
      try db.query(
        "SELECT pg_notify($1, ($2 * 1000 + i)::text) FROM generate_series(1, 1000) AS i", channel,
        number)
    }
    usleep(1_500_000)
    #expect(ProcessMemory.seconds(process) - before.1 < 8)
    #expect(ProcessMemory.resident(process) < before.0 + 24_000)
    try db.notify(channel, payload: "last")
    let outcome = try running.wait()
    #expect(outcome.errors.contains("status 0."))
    let counts = outcome.output.matches(of: /{"event":"dropped","count":(\d+)}/)
      .compactMap { Int($0.output.1) }
    let printed = outcome.lines.filter { $0.hasPrefix("{\"event\":\"notify\"") }
    #expect(counts.reduce(0, +) + printed.count == 40_001)
    #expect(printed.last?.contains("\"last\"") == true)
  }

  @Test("--coalesce takes twice the time for twice as many that are held, and not four times")
  func heldPayloads() throws {
    let times = try [10_000, 40_000].map { count in
      let running = try program.start([
        server.iri(), channel, "--events", "off", "--coalesce", "payload", "--debounce", "4s",
        "--until", ".payload==\"last\"",
      ])
      try running.waitForErrors("listening on ")
      // Each twice, so that there is something to find; a few at a time, so that they are looked at often.
      try db.execute(
        """
        DO $$ BEGIN FOR i IN 1..\(count * 2) LOOP
          PERFORM pg_notify('\(channel)', (i % \(count))::text);
          IF i % 4 = 0 THEN COMMIT; END IF;
        END LOOP; END $$
        """)
      try db.notify(channel, payload: "last")
      let begin = ContinuousClock.now
      var time = 0.0
      while running.isRunning, ContinuousClock.now - begin < .seconds(40) {
        time = max(time, ProcessMemory.seconds(running.process))
        usleep(5_000)
      }
      let outcome = try running.wait()
      #expect(outcome.end == .exit(0))
      let lines = try EventLines.objects(outcome.output)
      #expect(lines.reduce(0) { $0 + ($1["count"] as? Int ?? 1) } == 2 * count + 1)
      return time
    }
    #expect(times[1] < times[0] * 7 + 0.5, "\(times)")
  }

  @Test("what was dropped before it could be taken is told in the stream, at its place")
  func droppedByTheLibrary() throws {
    let running = try program.start([
      server.iri(), channel, "--on-ready-sql", "SELECT pg_sleep(6)", "--coalesce", "channel",
      "--debounce", "300ms", "--count", "1",
    ])
    try running.waitForOutput("\"event\":\"ready\"")
    try notify(12_000, bytes: 7_900)
    let outcome = try running.wait(timeout: .seconds(60))
    #expect(outcome.end == .exit(0))
    #expect(outcome.lines.count == 4)
    let missing = outcome.lines[2].wholeMatch(of: /{"event":"dropped","count":(\d+)}/)?.output.1
    let kept = outcome.lines[3].firstMatch(of: /"count":(\d+)/)?.output.1
    let counts = [missing, kept].map { Int($0 ?? "") ?? 0 }
    #expect(counts[0] > 0)
    #expect(counts[0] + counts[1] == 12_000)
  }

  @Test("a signal in a burst leaves no command behind")
  func signalInBurst() throws {
    for pause in [10_000, 30_000, 60_000] {
      // A duration that nobody else's command has.
      let duration = "77.\(UInt32.random(in: 100_000...999_999))"
      let running = try program.start([
        server.iri(), channel, "--events", "off", "--exec", "--max-parallel", "100", "--",
        "/bin/sleep", duration,
      ])
      try running.waitForErrors("listening on ")
      try notify(100, bytes: 1)
      usleep(UInt32(pause))
      running.signal(SIGTERM)
      #expect(try running.wait().end == .signal(SIGTERM))
      let left = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter {
        let words = (try? String(contentsOfFile: "/proc/\($0)/cmdline", encoding: .utf8)) ?? ""
        return Int($0) != nil && words.contains(duration)
      }
      #expect(left.isEmpty)
      for process in left.compactMap({ pid_t($0) }) { kill(process, SIGKILL) }
    }
  }

  @Test("--drain and --timeout: a server that says nothing ends it with 4")
  func drainOfSilence() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && listen(listener, 8) == 0
          && getsockname(listener, $0, &size) == 0
      }
    }
    try #require(isBound)
    let begin = ContinuousClock.now
    let running = try program.start([
      "postgres://u@127.0.0.1:\(UInt16(bigEndian: address.sin_port))/d", channel, "--drain",
      "--timeout", "1s",
    ])
    usleep(4_000_000)
    running.signal(SIGKILL)
    let outcome = try running.wait()
    #expect(outcome.end == .exit(4))
    #expect(ContinuousClock.now - begin < .seconds(20))
  }

  @Test("--notify with stdin sends the same to all servers")
  func notifyAll() throws {
    try db.listen(channel)
    let outcome = try program.run(
      ["--on", server.iri(), "--on", server.iri(), "--notify", channel, "-"],
      input: .text("from stdin\n"))
    #expect(outcome.end == .exit(0))
    var heard: [String] = []
    while heard.count < 2 {
      let list = try db.notifications(until: .after(.seconds(10)))
      try #require(!list.isEmpty)
      heard += list.map(\.payload)
    }
    #expect(heard == ["from stdin", "from stdin"])
  }

  @Test("--wait is not for a table that is missing, and its end tells the server's reason")
  func waitInVain() throws {
    let begin = ContinuousClock.now
    let missing = try program.run([
      server.iri(), "--durable", "nosuch", "--consumer", "c", "--wait", "30s",
    ])
    #expect(missing.end == .exit(3))
    #expect(missing.errors.contains("42P01"))
    #expect(ContinuousClock.now - begin < .seconds(20))
  }

  @Test("the end of --wait tells what the server said, not that time was over")
  func waitForOther() throws {
    let scene = try DurableScene()
    defer { scene.close() }
    let first = try scene.start("c")
    let outcome = try scene.run("c", "--wait", "3s")
    #expect(outcome.end == .exit(3))
    let last = outcome.errors.split(separator: "\n").last { $0.contains("ERROR") } ?? ""
    #expect(last.contains("55006"))
    #expect(outcome.errors.contains("attempt 1 failed"))
    #expect(outcome.errors.contains("HINT: see which: "))
    first.signal(SIGTERM)
    _ = try first.wait()
  }

  @Test("sessions that are lost at once are tried again ever later, and are down time")
  func lostAtOnce() throws {
    let running = try program.start([
      server.iri(), channel, "--on-ready-sql", "SELECT pg_terminate_backend(pg_backend_pid())",
      "--max-downtime", "2s",
    ])
    let outcome = try running.wait(timeout: .seconds(30))
    #expect(outcome.end == .exit(2))
    #expect(outcome.errors.contains("57P01"))
    #expect(outcome.lines.filter { $0.hasPrefix("{\"event\":\"gap\"") }.count < 25)
  }
}
