import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// `pg-listen --exec`: a command for each event.
@Suite(
  "pg-listen, commands", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgListenExecTests {
  private let program = BuiltProgram("pg-listen")
  private let server: TestServer
  private let db: Connection
  /// A channel of this test's own.
  private let channel = "ex\(UInt64.random(in: 0...(.max)))"

  init() throws {
    server = try TestServer.shared.get()
    db = try server.connect()
  }

  private func started(_ options: [String], _ command: String...) throws -> RunningProgram {
    let running = try program.start(
      [server.iri(), channel, "--exec", "--events", "off"] + options + ["--"] + command)
    try running.waitForErrors("listening on ")
    return running
  }

  @Test("the payload is its stdin, the event its environment, and nothing its arguments")
  func input() throws {
    let running = try started(
      ["--count", "2"], "/bin/sh", "-c",
      "echo \"$PGKIT_EVENT $PGKIT_CHANNEL $PGKIT_PID $PGKIT_SEQ $# $PGKIT_SOURCE\"; cat; echo")
    try db.notify([(channel, "a\nb"), (channel, "")])
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    let head = "notify \(channel) \(db.backendID)"
    #expect(outcome.lines.first?.hasPrefix("\(head) 1 0 pq://") == true)
    #expect(outcome.lines.dropFirst().prefix(2) == ["a", "b"])
    #expect(outcome.lines.dropFirst(3).first?.hasPrefix("\(head) 2 0 pq://") == true)
  }

  @Test("many events keep their order and leave no process behind")
  func order() throws {
    let running = try started(["--count", "500"], "/bin/cat")
    try db.query("SELECT pg_notify($1, i || E'\\n') FROM generate_series(1, 500) AS i", channel)
    try running.waitForOutput("500", timeout: .seconds(60))
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(outcome.lines == (1...500).map { "\($0)" })
  }

  @Test("every child is collected, and no more run at once than may")
  func bounded() throws {
    let running = try started(["--max-parallel", "3"], "/bin/sleep", "0.3")
    try db.query("SELECT pg_notify($1, i::text) FROM generate_series(1, 12) AS i", channel)
    var most = 0
    let path = "/proc/\(running.process)/task"
    for _ in 0..<160 {
      let threads = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      let children = threads.flatMap {
        ((try? String(contentsOfFile: "\(path)/\($0)/children", encoding: .utf8)) ?? "")
          .split(separator: " ")
      }
      most = max(most, children.count)
      usleep(10_000)
    }
    #expect(most == 3)
    usleep(300_000)
    let left = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).map {
      (try? String(contentsOfFile: "\(path)/\($0)/children", encoding: .utf8)) ?? ""
    }
    // Not even dead ones.
    #expect(left.joined().isEmpty)
    running.signal(SIGTERM)
    #expect(try running.wait().end == .signal(SIGTERM))
  }

  @Test("a command that fails: continue, stop, retry")
  func failures() throws {
    let goesOn = try started(["--count", "2"], "/bin/sh", "-c", "cat; echo; exit 3")
    try db.notify([(channel, "1"), (channel, "2")])
    let outcome = try goesOn.wait()
    #expect(outcome.end == .exit(0))
    #expect(outcome.lines == ["1", "2"])
    #expect(outcome.errors.contains("event 1 exited with status 3"))
    let stops = try started(["--on-fail", "stop"], "/bin/sh", "-c", "cat; echo; exit 3")
    try db.notify([(channel, "1"), (channel, "2")])
    let stopped = try stops.wait()
    #expect(stopped.end == .exit(1))
    #expect(stopped.lines == ["1"])
    let retries = try started(
      ["--on-fail", "retry:2", "--count", "1"], "/bin/sh", "-c", "echo try; kill -9 $$")
    try db.notify(channel)
    let retried = try retries.wait()
    #expect(retried.lines == ["try", "try", "try"])
    #expect(retried.errors.contains("was ended by signal 9"))
  }

  @Test("a command that is not there ends it with 1, before it listens")
  func missing() throws {
    for path in ["/nowhere/command", "/etc/passwd", "no-such-command"] {
      let outcome = try program.run([server.iri(), channel, "--exec", "--", path])
      #expect(outcome.end == .exit(1))
      #expect(outcome.errors.contains(path))
    }
    #expect(try program.run([server.iri(), channel, "--exec"]).end == .exit(64))
  }

  @Test("a command is looked for in PATH")
  func path() throws {
    let running = try started(["--count", "1"], "cat")
    try db.notify(channel, payload: "found\n")
    #expect(try running.wait().output == "found\n")
  }

  @Test("one that leaves a process behind with its stdout holds nothing up")
  func daemon() throws {
    let running = try started(["--count", "1"], "/bin/sh", "-c", "sleep 20 & echo done")
    try db.notify(channel)
    let begin = ContinuousClock.now
    let outcome = try running.wait()
    #expect(ContinuousClock.now - begin < .seconds(10))
    #expect(outcome.lines == ["done"])
  }

  @Test("a command hears of the signal, and is waited for")
  func signals() throws {
    let running = try started(
      [], "/bin/sh", "-c", "trap 'echo heard; exit 0' TERM; echo begun; while :; do sleep 0.1; done"
    )
    try db.notify(channel)
    try running.waitForOutput("begun")
    running.signal(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.end == .signal(SIGTERM))
    #expect(outcome.lines == ["begun", "heard"])
  }

  @Test("a long line stays whole, and one that is longer than may wait is a failure")
  func longLines() throws {
    let line = "head -c 200000 /dev/zero | tr '\\0' x; echo; echo end"
    let running = try started(["--count", "2", "--max-parallel", "2"], "/bin/sh", "-c", line)
    try db.notify([(channel, "1"), (channel, "2")])
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(outcome.lines.map(\.count).sorted() == [3, 3, 200_000, 200_000])
    let bounded = try started(["--on-fail", "stop", "--buffer", "100kB"], "/bin/sh", "-c", line)
    try db.notify(channel, payload: "1")
    let failed = try bounded.wait()
    #expect(failed.end == .exit(1))
    #expect(failed.output == "")
    #expect(failed.errors.contains("has printed a line of more than 102400 bytes"))
  }
}
