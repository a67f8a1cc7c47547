import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// pg-listen under mixed load: events of all sizes, bursts, rows, commands, and lost connections.
///
/// `make soak` makes it ten minutes, in which there are as many heartbeats as in a day.
@Suite(
  "pg-listen, mixed load",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgListenSoakTests {
  /// A program under load, and what it has taken of the system.
  private final class Subject {
    let name: String
    let running: RunningProgram
    /// Resident memory in KiB, over time.
    private(set) var memory: [Int] = []
    private(set) var zombies = 0

    init(_ name: String, _ running: RunningProgram) {
      (self.name, self.running) = (name, running)
    }

    private var folder: String { "/proc/\(running.process)" }

    var descriptors: Int {
      (try? FileManager.default.contentsOfDirectory(atPath: folder + "/fd").count) ?? 0
    }

    /// The children that have ended and were not collected.
    private func deadChildren() -> Set<Substring> {
      let tasks = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/task")) ?? []
      let children = tasks.flatMap {
        ((try? String(contentsOfFile: "\(folder)/task/\($0)/children", encoding: .utf8)) ?? "")
          .split(separator: " ")
      }
      return Set(
        children.filter {
          let facts = (try? String(contentsOfFile: "/proc/\($0)/stat", encoding: .utf8)) ?? ""
          return facts.contains(") Z ")
        })
    }

    func sample() {
      memory.append(ProcessMemory.resident(running.process))
      // One that has just ended is collected in a moment.
      let dead = deadChildren()
      guard !dead.isEmpty else { return }
      usleep(300_000)
      zombies += dead.intersection(deadChildren()).count
    }

    /// The most memory in a part of the time, in eighths.
    func peak(_ part: Range<Int>) -> Int {
      memory[memory.count * part.lowerBound / 8..<memory.count * part.upperBound / 8].max() ?? 0
    }
  }

  private static let seconds =
    ProcessInfo.processInfo.environment["PGKIT_SOAK_LISTENER_SECONDS"].flatMap { Int($0) } ?? 8
  /// How much more memory the last quarter may have than the second.
  private static let allowance = 4096

  private let scene: DurableScene

  init() throws { scene = try DurableScene() }

  private func start(
    _ name: String, to output: String = "/dev/null", _ arguments: String...
  ) throws -> Subject {
    let running = try BuiltProgram(absolute: "/bin/sh").start(
      [
        "-c", "output=$0; exec \"$@\" >$output", output, scene.program.path, scene.iri,
        "--heartbeat", "200ms",
      ] + arguments)
    try running.waitForErrors("listening on ")
    return Subject(name, running)
  }

  /// A reader that sleeps for longer than it reads.
  private func slowReader(of pipe: String) throws -> RunningProgram {
    try BuiltProgram(absolute: "/bin/sh").start([
      "-c", "exec <\"$0\"; while head -c 400000 >/dev/null; do sleep 2; done", pipe,
    ])
  }

  @Test("memory and descriptors stay what they were, and no process is left uncollected")
  func day() throws {
    defer { scene.close() }
    let folder = try ScratchFolder()
    let pipe = folder.path + "/slow"
    try #require(mkfifo(pipe, 0o600) == 0)
    let reader = try slowReader(of: pipe)
    defer {
      reader.signal(SIGKILL)
      _ = try? reader.wait()
    }
    let subjects = [
      try start("printing", "plain", "--parse", "--buffer", "1MB"),
      try start("gathering", "plain", "--debounce", "20ms"),
      try start(
        "commands", "command", "--exec", "--max-parallel", "4", "--", "/bin/sh", "-c", "cat"),
      try start("rows", "--durable", scene.table, "--consumer", "rows"),
      try start("slow reader", to: pipe, "plain", "--buffer", "1MB"),
      try start("payloads", to: pipe, "plain", "--coalesce", "payload", "--buffer", "1MB"),
      try start(
        "stuck command", "plain", "--buffer", "1MB", "--exec", "--", "/bin/sleep", "100000"),
    ]
    // The command that is stuck begins.
    try scene.db.notify("plain")
    usleep(1_000_000)
    let descriptors = subjects.map(\.descriptors)
    let rows = try load(subjects)
    try scene.waitUntilAcknowledged("rows")
    usleep(1_500_000)
    for (subject, count) in zip(subjects, descriptors) {
      #expect(subject.running.isRunning, "\(subject.name): \(subject.running.errors.suffix(500))")
      // One that has just lost its connection has it back in a moment.
      for _ in 0..<100 where subject.descriptors != count { usleep(100_000) }
      #expect(subject.descriptors == count, "\(subject.name)")
      #expect(subject.zombies == 0, "\(subject.name)")
      let (early, late) = (subject.peak(2..<4), subject.peak(6..<8))
      print("\(subject.name): \(early) KiB in the second quarter, \(late) in the last")
      #expect(late <= early + Self.allowance, "\(subject.name): \(subject.memory)")
    }
    // None was lost, and none came twice: every row has its number.
    subjects[3].running.signal(SIGUSR1)
    try subjects[3].running.waitForErrors("\(rows) events, connection lost")
    for subject in subjects {
      subject.running.signal(SIGTERM)
      #expect(try subject.running.wait().end == .signal(SIGTERM))
    }
  }

  /// Loads them for the time that is asked for; the number of rows that were added.
  private func load(_ subjects: [Subject]) throws -> Int {
    var generator = SeededGenerator(seed: 42)
    var rows = 0
    var round = 0
    var nextSample = ContinuousClock.now
    let end = ContinuousClock.now + .seconds(Self.seconds)
    while ContinuousClock.now < end {
      round += 1
      let text = String(repeating: "é", count: generator.number(below: 3900))
      try scene.db.notify([("plain", "{\"text\": \"\(text)\"}"), ("command", "\(round)")])
      if round % 4 == 0 {
        let texts = (0..<generator.number(below: 20)).map { _ in
          String(repeating: "x", count: generator.number(below: 20_000))
        }
        try scene.add(texts)
        rows += texts.count
      }
      if round % 25 == 0 {
        try scene.db.query(
          "SELECT pg_notify('plain', i || repeat('y', 100)) FROM generate_series(1, 2000) AS i")
        // Rows that are acknowledged are cleared away.
        try scene.db.execute(
          "DELETE FROM outbox WHERE (xid, id) <= (SELECT xid, id FROM outbox_consumers)")
      }
      if round % 150 == 0 {
        try scene.db.query(
          """
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name LIKE 'pg-listen:%'
          """)
      }
      if nextSample <= .now {
        for subject in subjects { subject.sample() }
        nextSample = .now + .milliseconds(Self.seconds > 60 ? 1000 : 200)
      }
      usleep(15_000)
    }
    return rows
  }
}
