import Glibc
import PGKit
import PGTestCluster
import Testing

/// pg-copy over a link that swallows everything.
@Suite(
  "pg-copy over a network",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"),
  .enabled(if: NetworkScene.canBeMade, "this user may not make networks here"))
struct PgCopyNetworkTests {
  private let program = BuiltProgram("pg-copy")

  @Test(
    "a leg that is cut ends in time, by the deadline or by the network's own limit",
    arguments: [
      ["--deadline", "2s"], [],
    ])
  func cut(how: [String]) throws {
    let scene = try NetworkScene()
    defer { scene.close() }
    try scene.db.execute(
      "CREATE TABLE here(id int, name text); CREATE TABLE there(id int, name text); "
        + "CREATE TABLE also(id int, name text)")
    let limit = how.isEmpty ? "?tcp_user_timeout=2000" : ""
    let iri = try scene.iri() + limit
    let query = "SELECT generate_series(1, 1000000000), repeat('x', 100)"
    let running = try scene.start(
      program,
      [iri, query, "--to", "\(iri);table=there", "--summary", "json", "--grace", "1s"] + how)
    for _ in 0..<1000 {
      let size = try scene.db.query.first("SELECT pg_relation_size('there')", as: Int.self) ?? 0
      if size > 1 << 20 { break }
      usleep(5_000)
    }
    let start = ContinuousClock.now
    try scene.cut(.both)
    let outcome = try running.wait()
    #expect(ContinuousClock.now - start < .seconds(50))
    #expect(outcome.end == .exit(how.isEmpty ? 2 : 4), "\(outcome.errors)")
    // The server does not know that anything ended; whoever reads sees no rows.
    #expect(try scene.db.query.first("SELECT count(*) FROM there", as: Int.self) == 0)
    try scene.mend(.both)
  }
}
