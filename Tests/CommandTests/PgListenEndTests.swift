import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// How pg-listen ends: nothing that has arrived is lost, nothing that it has started is left unsaid.
@Suite(
  "pg-listen, ends", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgListenEndTests {
  private let program = BuiltProgram("pg-listen")
  private let shell = BuiltProgram("/bin/sh")
  private let server: TestServer
  private let db: Connection
  /// A channel of this test's own.
  private let channel = "en\(UInt64.random(in: 0...(.max)))"
  /// A time in seconds that no other command has.
  private let duration = "78.\(UInt32.random(in: 100_000...999_999))"

  init() throws {
    server = try TestServer.shared.get()
    db = try server.connect()
  }

  private func started(_ arguments: String...) throws -> RunningProgram {
    let running = try program.start([server.iri(), channel] + arguments)
    try running.waitForErrors("listening on ")
    return running
  }

  /// The processes that have a word among their arguments.
  private func processes(with word: String) -> [pid_t] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return all.compactMap { pid_t($0) }.filter {
      (try? String(contentsOfFile: "/proc/\($0)/cmdline", encoding: .utf8))?.contains(word) == true
    }
  }

  @Test("a signal has what is held back printed before the end")
  func heldEvents() throws {
    let running = try started("--debounce", "1m", "--events", "off")
    try db.notify([(channel, "1"), (channel, "2")])
    usleep(700_000)
    running.signal(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.end == .signal(SIGTERM))
    #expect(try EventLines.story(outcome.output) == ["2"])
  }

  @Test("a signal leaves a slow reader time for what waits, and a reader that stands still none")
  func slowReader() throws {
    for (pause, isRead) in [("1", true), ("9", false)] {
      let running = try shell.start([
        "-c",
        "{ sh -c 'echo \"pid $$.\" >&2; exec \"$0\" \"$1\" \"$2\" --events off' \"$0\" \"$1\" \"$2\"; "
          + "date +'ended %s.' >&2; } | (sleep \(pause); date +'read %s.' >&2; cat)",
        program.path, server.iri(), channel,
      ])
      try running.waitForErrors("listening on ")
      let process = try #require(running.errors.firstMatch(of: /pid (\d+)\./)?.output.1)
      try db.query(
        "SELECT pg_notify($1, i || repeat('x', 7000)) FROM generate_series(1, 100) AS i", channel)
      usleep(400_000)
      kill(try #require(pid_t(process)), SIGTERM)
      let outcome = try running.wait()
      if isRead {
        #expect(outcome.lines.count == 100)
      } else {
        #expect(outcome.errors.contains("the reader of stdout has not taken all that was printed"))
        let times = try [/ended (\d+)\./, /read (\d+)\./].map {
          try #require(Int(outcome.errors.firstMatch(of: $0)?.output.1 ?? ""))
        }
        #expect(times[0] < times[1])
      }
    }
  }

  @Test("a terminal that is stopped holds up neither signals nor questions")
  func stoppedTerminal() throws {
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    defer { close(master) }
    var (lock, number): (CInt, CInt) = (0, 0)
    // TIOCSPTLCK and TIOCGPTN, macros that Swift does not see.
    try #require(ioctl(master, 0x4004_5431, &lock) == 0)
    try #require(ioctl(master, 0x8004_5430, &number) == 0)
    let name = "/dev/pts/\(number)"
    let slave = open(name, O_RDWR | O_NOCTTY)
    try #require(slave >= 0)
    defer { close(slave) }
    let running = try shell.start([
      "-c", "exec \"$0\" \"$1\" \"$2\" --events off > \(name)", program.path, server.iri(), channel,
    ])
    try running.waitForErrors("listening on ")
    // As Ctrl-S does.
    try #require(tcflow(slave, TCOOFF) == 0)
    for _ in 0..<50 { try db.notify(channel, payload: String(repeating: "x", count: 7000)) }
    usleep(300_000)
    running.signal(SIGUSR1)
    try running.waitForErrors("the reader of stdout is slow")
    let begin = ContinuousClock.now
    running.signal(SIGTERM)
    #expect(try running.wait().end == .signal(SIGTERM))
    #expect(ContinuousClock.now - begin < .seconds(8))
  }

  @Test("what --on-ready runs is ended with the program", arguments: ["--graceful", "--no-self"])
  func hook(option: String) throws {
    let running = try program.start([
      server.iri(), channel, option, "--on-ready", "exec sleep \(duration)",
    ])
    try running.waitForOutput("\"ready\"")
    for _ in 0..<200 where processes(with: duration).isEmpty { usleep(25_000) }
    #expect(!processes(with: duration).isEmpty)
    running.signal(SIGTERM)
    let end = try running.wait().end
    #expect(end == (option == "--graceful" ? .exit(0) : .signal(SIGTERM)))
    #expect(processes(with: duration).isEmpty)
  }

  @Test("what --on-ready runs has no more time than the program")
  func hookAndTimeout() throws {
    let running = try program.start([
      server.iri(), channel, "--timeout", "1s", "--on-ready", "exec sleep \(duration)",
    ])
    let begin = ContinuousClock.now
    #expect(try running.wait().end == .exit(4))
    #expect(ContinuousClock.now - begin < .seconds(10))
    #expect(processes(with: duration).isEmpty)
  }

  @Test("a command that does not end is left running, and that is said")
  func stubbornCommand() throws {
    let running = try started(
      "--exec", "--", "/bin/sh", "-c",
      "trap '' TERM; echo begun; while :; do sleep 0.1; done # \(duration)")
    try db.notify(channel)
    try running.waitForOutput("begun")
    running.signal(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.end == .signal(SIGTERM))
    let left = processes(with: duration)
    #expect(left.count == 1)
    #expect(outcome.errors.contains("left running: process \(left.first ?? 0)"))
    for process in left { kill(process, SIGKILL) }
  }

  @Test("systemd is told that the service is stopping")
  func stopping() throws {
    let receiver = try ServiceReceiver()
    let running = try program.start(
      [server.iri(), channel, "--graceful"],
      environment: ["NOTIFY_SOCKET": receiver.path, "PATH": "/usr/bin:/bin"])
    try running.waitForErrors("listening on ")
    running.signal(SIGTERM)
    #expect(try running.wait().end == .exit(0))
    #expect([receiver.next(), receiver.next()] == ["READY=1", "STOPPING=1"])
  }

  @Test("commands that run as root are warned of")
  func root() throws {
    let running = try started("--exec", "--", "/bin/true")
    #expect(running.errors.contains("commands run as root") == (geteuid() == 0))
    let plain = try started()
    #expect(!plain.errors.contains("commands run as root"))
    for each in [running, plain] {
      each.signal(SIGTERM)
      _ = try each.wait()
    }
  }
}
