import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

@Suite(
  "pg-cluster: what it says of failures, and who owns what it makes",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgClusterFailureTests {
  private let scene: ClusterScene
  private let data: String

  init() throws {
    scene = try ClusterScene()
    data = scene.home + "/data"
  }

  private func cluster(_ arguments: String...) throws -> BuiltProgram.Outcome {
    try scene.run(arguments)
  }

  @Test("a start that fails shows what the server said before it gave up")
  func reasons() throws {
    defer { scene.remove() }
    #expect(try cluster("init", "--no-sync", data).end == .exit(0))
    #expect(try cluster("config", "set", data, "work_mem=much").end == .exit(0))
    let outcome = try cluster("start", data)
    #expect(outcome.end == .exit(1))
    #expect(outcome.errors.contains("parameter \"work_mem\": \"much\""), "\(outcome.errors)")
    #expect(outcome.errors.contains("FATAL:  configuration file"))
  }

  @Test(
    "a read-only file system is called that, and not full",
    .enabled(if: ToolContractServerTests.mayMount, "this user may not mount"))
  func readOnly() throws {
    defer { scene.remove() }
    #expect(try cluster("init", "--no-sync", data).end == .exit(0))
    let script =
      "exec unshare --mount sh -c 'mount --bind $0 $0 && mount -o remount,bind,ro $0 && exec \"$@\"' \"$@\""
    let outcome = try BuiltProgram(absolute: "/bin/sh").run(
      ["-c", script, "sh", data, scene.program.path, "start", data],
      environment: scene.environment)
    #expect(outcome.end == .exit(1))
    #expect(outcome.errors.contains("mounted read-only"), "\(outcome.errors)")
    #expect(!outcome.errors.contains(" free"))
  }

  @Test(
    "a cluster that cannot be looked into is not said to be none",
    .enabled(if: geteuid() == 0, "the tests do not run as root"))
  func closed() throws {
    defer { scene.remove() }
    #expect(try cluster("init", "--no-sync", data).end == .exit(0))
    let other = try ClusterScene(account: Account(userID: 65_534))
    defer { other.remove() }
    let outcome = try other.run(["drop", data])
    #expect(outcome.end == .exit(1))
    #expect(outcome.errors.contains("Permission denied"), "\(outcome.errors)")
    #expect(!outcome.errors.contains("there is no cluster"))
  }

  /// Starts `temp` with a pipe as descriptor 7, whose other end a process holds; returns the IRI and that.
  private func owned(by holder: String) throws -> (outcome: BuiltProgram.Outcome, pid: pid_t) {
    let pidFile = scene.home + "/holder"
    let script =
      "exec 7< <(exec \(holder)); echo $! >\(pidFile); exec \"$0\" temp --ttl 1h --owner-fd 7"
    let outcome = try BuiltProgram(absolute: "/bin/bash").run(
      ["-c", script, scene.program.path], environment: scene.environment)
    let text = try String(contentsOfFile: pidFile, encoding: .utf8)
    return (outcome, try #require(pid_t(text.filter { $0.isNumber })))
  }

  @Test("a cluster lives as long as the other end of its owner's descriptor")
  func ownerDescriptor() throws {
    defer { scene.remove() }
    let (outcome, holder) = try owned(by: "sleep 600")
    defer { kill(holder, SIGKILL) }
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    let iri = try ConnectionOptions.parse(String(try #require(outcome.lines.first)))
    usleep(1_500_000)
    try Connector(iri).connect().close()
    kill(holder, SIGKILL)
    try scene.waitUntilNothingIsHeld()
    #expect(try scene.leftovers().isEmpty)
    // Whose owner has gone meanwhile is gone at once.
    #expect(try owned(by: "true").outcome.end == .exit(0))
    try scene.waitUntilNothingIsHeld()
    #expect(try scene.leftovers().isEmpty)
  }

  @Test(
    "a descriptor that has no other end owns nothing",
    arguments: ["7</dev/null", "7<&-", "7> >(cat)"])
  func wrongDescriptor(redirection: String) throws {
    defer { scene.remove() }
    let outcome = try BuiltProgram(absolute: "/bin/bash").run(
      ["-c", "exec \"$0\" temp --owner-fd 7 \(redirection)", scene.program.path],
      environment: scene.environment)
    #expect(outcome.end == .exit(64))
    #expect(outcome.errors.contains("--owner-fd: descriptor 7"), "\(outcome.errors)")
  }

  @Test("mistakes in a command line are told with what was meant")
  func mistakes() throws {
    defer { scene.remove() }
    let mistakes = [
      (["stat"], "did you mean status"), (["run", "--wait", "-5s", "--", "true"], "--wait=-5s"),
      (["temp", "--ttl", "soon"], "ms, s, m, h or d"),
    ]
    for (arguments, words) in mistakes {
      let outcome = try scene.run(arguments)
      #expect(outcome.end == .exit(64))
      #expect(outcome.errors.contains("HINT: ") && outcome.errors.contains(words))
    }
  }
}
