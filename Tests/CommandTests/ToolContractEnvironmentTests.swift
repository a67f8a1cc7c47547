import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What all programs promise about where they run: the environment, the locale, limits, users and disks.
@Suite(
  "The contract of all programs: surroundings",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ToolContractEnvironmentTests {
  /// What a run is compared with: that of the tests' own surroundings.
  private func expectSame(
    _ tool: ContractTool, after prelude: String = "", environment: [String: String]? = nil
  ) throws {
    let (mistake, status) = try tool.mistake()
    for (arguments, status) in [(try tool.work(), 0), (mistake, status)] {
      let usual = try tool.program.run(arguments)
      let outcome = try tool.run(arguments, after: prelude, environment: environment)
      #expect(outcome.end == .exit(status), "\(outcome)")
      #expect(
        ContractTool.withoutTimes(outcome.output) == ContractTool.withoutTimes(usual.output))
      #expect(outcome.errors == usual.errors)
    }
  }

  @Test("works in an empty environment", arguments: ContractTool.allCases)
  func emptyEnvironment(tool: ContractTool) throws {
    try expectSame(tool, environment: [:])
  }

  @Test(
    "works without a home, and with one that is not there", arguments: ContractTool.allCases)
  func noHome(tool: ContractTool) throws {
    try expectSame(tool, after: "unset HOME;")
    try expectSame(tool, after: "HOME=/nonexistent; export HOME;")
  }

  @Test(
    "prints the same in every locale, also one that there is not",
    arguments: ContractTool.allCases,
    ["xx_INVALID", "tr_TR", "tr_TR.UTF-8", "C", "POSIX", "ja_JP.eucJP", "de_DE.UTF-8"])
  func locales(tool: ContractTool, locale: String) throws {
    try expectSame(
      tool,
      environment: ["LC_ALL": locale, "LANG": locale, "LANGUAGE": locale, "LC_MESSAGES": locale])
  }

  @Test("prints the same whatever language the server speaks")
  func serverLanguage() throws {
    let server = try TestServer.shared.get()
    for name in ["de_DE.UTF-8", "ja_JP.UTF-8", "tr_TR.UTF-8"] {
      let iri = server.iri(options: ["options=-c%20lc_messages%3D\(name)"])
      let outcome = try ContractTool.open.program.run([
        iri, "--errors", "json", "SELECT 1", "SELECT 1/0",
      ])
      // A server on which the locale is not installed refuses the session's setting.
      if outcome.end == .exit(2) { continue }
      #expect(outcome.end == .exit(3) && outcome.output == "1\n", "\(outcome)")
      #expect(outcome.errors.contains(#""severity":"ERROR","sqlstate":"22012""#), "\(outcome)")
    }
  }

  @Test(
    "works without a terminal and in a directory that is gone", arguments: ContractTool.allCases)
  func nowhere(tool: ContractTool) throws {
    let alone = try BuiltProgram(absolute: "/usr/bin/setsid").run(
      ["-w", tool.program.path] + tool.work())
    let usual = try tool.program.run(try tool.work())
    #expect(alone.end == .exit(0) && alone.errors == usual.errors, "\(alone)")
    #expect(ContractTool.withoutTimes(alone.output) == ContractTool.withoutTimes(usual.output))
    try expectSame(tool, after: "d=$(mktemp -d); cd \"$d\"; rmdir \"$d\";")
  }

  @Test(
    "works within narrow limits: descriptors, memory, stack", arguments: ContractTool.allCases,
    ["ulimit -n 20;", "ulimit -v 600000;", "ulimit -s 256;"])
  func limits(tool: ContractTool, limit: String) throws { try expectSame(tool, after: limit) }

  @Test(
    "with too few descriptors it works or says so, and never waits for ever",
    arguments: ContractTool.allCases, 3...9)
  func descriptors(tool: ContractTool, count: Int) throws {
    let outcome = try tool.run(try tool.work(), after: "ulimit -n \(count);")
    switch outcome.end {
    case .exit(0): #expect(!outcome.output.isEmpty)
    case .exit(1), .exit(2), .exit(127):
      // 127: the loader itself could open nothing.
      #expect(
        outcome.errors.contains("Too many open files") || outcome.errors.contains("shared object"),
        "\(outcome)")
    default: Issue.record("\(outcome)")
    }
  }

  @Test("a cluster within too few descriptors is not begun, and nothing of it stays")
  func clusterDescriptors() throws {
    let scene = try ClusterScene()
    defer { scene.remove() }
    #expect(try scene.run(["run", "--", "true"]).end == .exit(0))
    for count in stride(from: 4, through: 24, by: 4) {
      let outcome = try ContractTool.cluster.run(
        ["run", "--", "true"], after: "ulimit -n \(count);", environment: scene.environment)
      #expect(outcome.end == .exit(125), "\(count): \(outcome)")
      #expect(outcome.errors.hasPrefix("pg-cluster: "), "\(outcome)")
    }
    try scene.waitUntilNothingIsHeld()
    _ = try scene.run(["gc"])
    #expect(try scene.leftovers().isEmpty)
  }

  // MARK: Users

  @Test(
    "works as a user that has no name",
    .enabled(if: geteuid() == 0, "the tests do not run as root"),
    arguments: [ContractTool.open, .copy, .errorCode, .listen])
  func namelessUser(tool: ContractTool) throws {
    let server = try TestServer.shared.get()
    let copy = try PublicCopy(of: tool.program.path)
    defer { copy.remove() }
    let iri = server.tcpIRI(user: "scram", password: TestServer.password)
    let usual = try tool.program.run(try tool.work(iri))
    let outcome = try BuiltProgram(absolute: "/usr/bin/setpriv").run(
      ["--reuid=543210", "--regid=543210", "--clear-groups", copy.path] + tool.work(iri),
      environment: [:])
    #expect(outcome.end == .exit(0), "\(outcome)")
    #expect(
      ContractTool.withoutTimes(outcome.output) == ContractTool.withoutTimes(usual.output))
  }

  @Test(
    "a user that has no name is told that a role must be named",
    .enabled(if: geteuid() == 0, "the tests do not run as root"), arguments: ContractTool.talkers)
  func namelessRole(tool: ContractTool) throws {
    let server = try TestServer.shared.get()
    let copy = try PublicCopy(of: tool.program.path)
    defer { copy.remove() }
    let outcome = try BuiltProgram(absolute: "/usr/bin/setpriv").run(
      ["--reuid=543210", "--regid=543210", "--clear-groups", copy.path]
        + tool.work("postgres://127.0.0.1:\(server.port)/postgres"), environment: [:])
    #expect(outcome.end == .exit(64) || outcome.end == .exit(2), "\(outcome)")
    #expect(outcome.errors.contains("user"), "\(outcome)")
  }

  // MARK: Secrets

  @Test(
    "no password in its arguments is seen by others", arguments: ContractTool.talkers + [.cluster])
  func arguments(tool: ContractTool) throws {
    let server = try TestServer.shared.get()
    let iri = server.tcpIRI(user: "scram", password: TestServer.password)
    let words: [String] =
      switch tool {
      case .copy: [iri, "SELECT pg_sleep(1)", "--to", "-"]
      case .listen: [iri, "contract", "--timeout", "1s"]
      case .cluster: ["wait", "postgres://scram:secret@127.0.0.1:1/x", "--timeout", "1s"]
      default: [iri, "SELECT pg_sleep(1)"]
      }
    let running = try tool.program.start(words)
    let deadline = ContinuousClock.now + .milliseconds(700)
    var shown = ""
    while ContinuousClock.now < deadline, !shown.contains("****") {
      usleep(20_000)
      shown =
        (try? String(contentsOfFile: "/proc/\(running.process)/cmdline", encoding: .utf8)) ?? ""
    }
    #expect(shown.contains("****") && !shown.contains("secret"), "\(shown)")
    let outcome = try running.wait()
    #expect(!outcome.errors.contains("secret") && !outcome.output.contains("secret"), "\(outcome)")
  }

  @Test(
    "no password is in a message about a login that fails",
    arguments: ContractTool.talkers + [.cluster],
    [[:], ["GITHUB_ACTIONS": "true"]])
  func messages(tool: ContractTool, variables: [String: String]) throws {
    let server = try TestServer.shared.get()
    let iri = server.tcpIRI(user: "scram", password: "wrong-and-secret")
    let arguments = tool == .cluster ? ["wait", iri, "--timeout", "2s"] : try tool.work(iri)
    let outcome = try tool.program.run(arguments, environment: variables)
    #expect(outcome.end == .exit(2), "\(outcome)")
    #expect(outcome.errors.contains("28P01"), "\(outcome)")
    #expect(!(outcome.errors + outcome.output).contains("wrong-and-secret"))
  }
}
