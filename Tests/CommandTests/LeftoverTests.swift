import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What stays behind of throwaway clusters: nothing, whoever is killed and when.
///
/// `make soak` asks for more kills and more starts.
@Suite(
  "Leftovers of pg-cluster", .serialized,
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct LeftoverTests {
  private static func count(_ variable: String, _ usual: Int) -> Int {
    ProcessInfo.processInfo.environment[variable].flatMap { Int($0) } ?? usual
  }

  /// Who is killed.
  private enum Victim: String, CaseIterable {
    case tool, supervisor, server, command, toolAndSupervisor, groups, all

    /// Whether it is there to be killed.
    func isMet(in census: ClusterScene.Census) -> Bool {
      switch self {
      case .tool: !census.tools.isEmpty
      case .supervisor: !census.supervisors.isEmpty
      case .server: !census.servers.isEmpty
      case .command: !census.commands.isEmpty
      case .toolAndSupervisor: !census.tools.isEmpty && !census.supervisors.isEmpty
      case .groups: !census.tools.isEmpty && !census.commands.isEmpty
      case .all: ![census.tools, census.supervisors, census.servers].contains { $0.isEmpty }
      }
    }

    var includesTool: Bool { [.tool, .toolAndSupervisor, .groups, .all].contains(self) }

    func kill(_ census: ClusterScene.Census, group: pid_t) {
      switch self {
      case .tool: Self.kill(census.tools)
      case .supervisor: Self.kill(census.supervisors)
      case .server: Self.kill(census.servers)
      case .command: Self.kill(census.commands)
      case .toolAndSupervisor: Self.kill(census.supervisors + census.tools)
      case .groups:
        // Whichever group a server leads is its own.
        for member in [group] + census.commands.map({ getpgid($0) }) where member > 1 {
          Glibc.kill(-member, SIGKILL)
        }
      case .all: Self.kill(census.supervisors + census.tools + census.servers)
      }
    }

    private static func kill(_ processes: [pid_t]) {
      for process in processes { Glibc.kill(process, SIGKILL) }
    }
  }

  @Test("kills at random moments leave nothing, at the latest after gc", arguments: Account.all)
  func kills(account: Account) throws {
    let scene = try ClusterScene(account: account)
    defer { scene.remove() }
    let rounds = Self.count("PGKIT_SOAK_KILLS", 10)
    let seed = UInt64(Self.count("PGKIT_SOAK_SEED", Int(time(nil))))
    var generator = SeededGenerator(seed: seed)
    var met: [Victim: Int] = [:]
    for round in 0..<rounds {
      let victim = Victim.allCases[round % Victim.allCases.count]
      let server = TestServer.installations[round % TestServer.installations.count]
      let tool = try scene.start(
        ["run", "--pg", server.binaryDirectory, "--", "sleep", "60"], inOwnGroup: true)
      // Every other round begins when the command runs; the others meet whatever there is by then, as
      // the making of a template in the first ones.
      if round % 2 == 1 { try scene.waitForCommand() }
      let patience = generator.number(below: round % 2 == 1 ? 20_000 : 300_000)
      usleep(UInt32(patience))
      let census = try scene.census()
      if victim.isMet(in: census) { met[victim, default: 0] += 1 }
      victim.kill(census, group: tool.process)
      tool.signal(victim.includesTool ? SIGKILL : SIGTERM)
      _ = try tool.wait(timeout: .seconds(60))
      let what = "seed \(seed), round \(round), \(victim) of \(server.majorVersion), \(patience) us"
      try scene.waitUntilNothingIsHeld()
      #expect(try scene.commandsEnd(), "\(what): the command runs on")
      _ = try scene.run(["gc"])
      let left = try scene.leftovers()
      #expect(left.isEmpty, "\(what): \(left)")
      if !left.isEmpty { return }
    }
    #expect(try scene.newSegments().isEmpty)
    let sum = met.values.reduce(0, +)
    let details = met.map { "\($0.key.rawValue) \($0.value)" }.sorted().joined(separator: ", ")
    print("\(account): \(rounds) kills, \(sum) met their victims: \(details)")
    #expect(sum >= rounds / 2, "kills that meet nobody prove nothing")
    if rounds >= 4 * Victim.allCases.count { #expect(met.count == Victim.allCases.count) }
  }

  @Test(
    "of many first starts at once one runs initdb, and all have a cluster",
    arguments: Account.all)
  func firstStarts(account: Account) throws {
    let scene = try ClusterScene(countingInits: true, account: account)
    defer { scene.remove() }
    let count = Self.count("PGKIT_SOAK_STARTS", 8)
    let runs = try (0..<count).map { _ in
      try scene.start([
        "run", "--pg", scene.programs, "--set", "max_connections=10", "--",
        "sh", "-c", "test -S $PGHOST/.s.PGSQL.5432 && echo ready",
      ])
    }
    for run in runs {
      let outcome = try run.wait(timeout: .seconds(300))
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      #expect(outcome.output == "ready\n")
    }
    #expect(try scene.initCount() == 1)
    #expect(try scene.leftovers().isEmpty)
  }
}
