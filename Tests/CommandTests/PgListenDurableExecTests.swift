import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// `pg-listen --durable --exec`: a row is acknowledged when its command has ended with 0.
@Suite(
  "pg-listen, commands for rows",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgListenDurableExecTests {
  private let scene: DurableScene

  init() throws { scene = try DurableScene() }

  private func start(_ options: String..., script: String) throws -> RunningProgram {
    let arguments = ["--exec", "--events", "off"] + options + ["--", "/bin/sh", "-c", script]
    let running = try scene.program.start(scene.arguments("c", arguments))
    try running.waitForErrors("listening on ")
    return running
  }

  /// The payloads that still come.
  private func rest() throws -> [String] {
    try DurableScene.rows(try scene.run("c", "--drain").output).map(\.payload)
  }

  @Test("the row is in its environment, and its payload of any size its stdin")
  func environment() throws {
    defer { scene.close() }
    try scene.add(["one", String(repeating: "x", count: 1 << 20)], channel: "mail")
    let running = try start(
      "--drain", script: "echo \"$PGKIT_ID $PGKIT_CHANNEL $PGKIT_STORED_AT $PGKIT_PID.\"; wc -c")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    let words = outcome.lines.map { $0.split(separator: " ") }
    #expect(words[0].prefix(2) == ["1", "mail"])
    #expect(words[0][2].wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/) != nil)
    #expect(words[0].last == ".")
    #expect([words[1], words[3]] == [["3"], ["1048576"]])
    #expect(try rest() == [])
  }

  @Test("a command that fails ends it with 1, and its row and the next ones come again")
  func stops() throws {
    defer { scene.close() }
    try scene.add(["1", "2", "3", "4"])
    let running = try start(script: "read -r x; echo $x; test $x != 3")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(1))
    #expect(outcome.lines == ["1", "2", "3"])
    #expect(outcome.errors.contains("the command for event 3 exited with status 1"))
    #expect(try rest() == ["3", "4"])
  }

  @Test("retry:N tries again, and ends it with 1 rather than leave a row behind")
  func retries() throws {
    defer { scene.close() }
    try scene.add(["1", "2", "3"])
    let file = FileManager.default.temporaryDirectory.appending(path: "retry-\(UUID())").path
    defer { unlink(file) }
    let running = try start(
      "--on-fail", "retry:2",
      script: """
        read -r x; echo $x >>\(file)
        test $x = 1 || test $x = 2 -a $(grep -c 2 \(file)) -ge 3
        """)
    let outcome = try running.wait()
    #expect(outcome.end == .exit(1))
    let tries = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    #expect(tries == ["1", "2", "2", "2", "3", "3", "3"])
    #expect(try rest() == ["3"])
  }

  @Test("every row has its command, however little may wait")
  func smallBuffer() throws {
    defer { scene.close() }
    try scene.add((1...60).map { "\($0)" + String(repeating: "x", count: 10_000) })
    let running = try start("--buffer", "64kB", "--drain", script: "echo $PGKIT_ID")
    let outcome = try running.wait(timeout: .seconds(60))
    #expect(outcome.end == .exit(0))
    #expect(outcome.lines == (1...60).map { "\($0)" })
    #expect(try scene.status("c").waiting == 0)
  }

  @Test("continue says that a command has failed, and goes on")
  func continues() throws {
    defer { scene.close() }
    try scene.add(["1", "2"])
    let running = try start("--on-fail", "continue", "--drain", script: "cat; echo; exit 9")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(outcome.lines == ["1", "2"])
    #expect(outcome.errors.contains("event 1 exited with status 9"))
    #expect(try rest() == [])
  }

  @Test("with several at once, no row is acknowledged before those that precede it")
  func parallel() throws {
    defer { scene.close() }
    try scene.add(["1", "2", "3"])
    let running = try start(
      "--max-parallel", "3", script: "read -r x; test $x = 2 && sleep 60; echo $x")
    _ = try running.waitForOutput(timeout: .seconds(60)) {
      let lines = $0.split(separator: "\n")
      return lines.contains("1") && lines.contains("3")
    }
    for _ in 0..<200 where try scene.status("c").waiting != 2 { usleep(20_000) }
    #expect(try scene.status("c").waiting == 2)
    running.signal(SIGKILL)
    _ = try running.wait()
    #expect(try rest() == ["2", "3"])
    try scene.add((1...60).map { "\($0)" })
    let all = try start("--max-parallel", "8", "--count", "60", script: "cat; echo")
    let outcome = try all.wait()
    #expect(outcome.end == .exit(0))
    #expect(Set(outcome.lines) == Set((1...60).map { Substring("\($0)") }))
    #expect(outcome.lines.count == 60)
    #expect(try rest() == [])
  }

  @Test("a signal is passed on: the row whose command ends well is acknowledged, the next one not")
  func signal() throws {
    defer { scene.close() }
    try scene.add(["1", "2"])
    let running = try start(
      script: "trap 'echo heard; exit 0' TERM; echo begun; while :; do sleep 0.1; done")
    try running.waitForOutput("begun")
    running.signal(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.end == .signal(SIGTERM))
    #expect(outcome.lines == ["begun", "heard"])
    #expect(try rest() == ["2"])
  }

  @Test("a connection that is lost while a command runs: its row is acknowledged by the next one")
  func reconnects() throws {
    defer { scene.close() }
    try scene.add(["1", "2", "3"])
    let running = try start(
      "--count", "3", script: "read -r x; echo begun $x; sleep 1; echo ended $x")
    try running.waitForOutput("begun 2")
    try scene.terminateReader(of: "c")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(outcome.lines == (1...3).flatMap { ["begun \($0)", "ended \($0)"] })
    #expect(try rest() == [])
  }
}
