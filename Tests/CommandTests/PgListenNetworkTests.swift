import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// pg-listen behind a network that loses what is sent without a word.
@Suite(
  "pg-listen, a network that swallows everything",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"),
  .enabled(if: NetworkScene.canBeMade, "this user may not make networks (ip netns)"))
struct PgListenNetworkTests {
  private static let interval = Duration.milliseconds(500)
  private static let limit = Duration.seconds(1)
  /// What a busy machine takes to schedule everybody.
  private static let slack = Duration.seconds(2)

  private let program = BuiltProgram("pg-listen")

  @Test(
    "the heartbeat notices within its deadline, and the gap comes before the first later event",
    arguments: NetworkScene.Cut.allCases)
  func blackHole(cut: NetworkScene.Cut) throws {
    let scene = try NetworkScene()
    defer { scene.close() }
    let running = try scene.start(
      program,
      [try scene.iri(), "ch", "--heartbeat", "500ms", "--heartbeat-timeout", "1s", "--count", "2"])
    try running.waitForErrors("listening on ")
    try scene.db.notify("ch", payload: "before")
    try running.waitForOutput("before")
    // Healthy for some heartbeats.
    usleep(1_200_000)
    try scene.cut(cut)
    let begin = ContinuousClock.now
    try running.waitForErrors("lost the connection")
    #expect(ContinuousClock.now - begin < Self.interval + Self.limit + Self.slack)
    try scene.db.notify("ch", payload: "missed")
    usleep(500_000)
    try scene.mend(cut)
    _ = try running.waitForOutput { $0.split(separator: "\"ready\"").count == 3 }
    try scene.db.notify("ch", payload: "after")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(
      try EventLines.story(outcome.output) == ["[ready]", "before", "[gap]", "[ready]", "after"])
    #expect(outcome.output.contains("\"reason\":\"heartbeat: "))
  }

  @Test(
    "a consumer of a table misses nothing: what was added meanwhile comes afterwards",
    arguments: NetworkScene.Cut.allCases)
  func durable(cut: NetworkScene.Cut) throws {
    let scene = try NetworkScene()
    defer { scene.close() }
    try scene.db.execute(try program.run(["durable", "install", "outbox"]).output)
    let running = try scene.start(
      program,
      [
        try scene.iri(), "--durable", "outbox", "--consumer", "c", "--heartbeat", "500ms",
        "--heartbeat-timeout", "1s", "--count", "3", "--events", "off",
      ])
    try running.waitForErrors("listening on ")
    func add(_ payload: String) throws {
      try scene.db.query("INSERT INTO outbox (payload) VALUES ($1)", payload)
    }
    try add("before")
    try running.waitForOutput("before")
    try scene.cut(cut)
    try add("meanwhile")
    try running.waitForErrors("lost the connection")
    // Its server does not know yet that nobody is there.
    try scene.db.query(
      """
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name LIKE 'pg-listen:%'
      """)
    try scene.mend(cut)
    try running.waitForOutput("meanwhile", timeout: .seconds(40))
    try add("after")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(try EventLines.story(outcome.output) == ["before", "meanwhile", "after"])
  }
}
