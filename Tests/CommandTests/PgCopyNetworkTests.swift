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

  // MARK: Each leg

  @Test(
    "an end that cannot be reached any more has nothing, the others everything, and the status says so",
    arguments: [NetworkScene.Cut.toServer, .toClient], CutLegs.Moment.allCases)
  func legs(direction: NetworkScene.Cut, moment: CutLegs.Moment) throws {
    let legs = try CutLegs(moment)
    defer { legs.close() }
    if moment == .connecting { try legs.network.cut(direction) }
    let runs = try legs.start()
    if moment != .connecting {
      try legs.waitUntilHeld(3)
      try legs.waitUntilThere()
      try legs.network.cut(direction)
    }
    try legs.letGo()
    let outcomes = try runs.map { try $0.wait() }
    if direction == .toServer, moment == .afterTheLast {
      // What the source still has to say comes all the same.
      try legs.check(outcomes[0], .source, 0, ["committed", "committed"])
    } else {
      try legs.check(outcomes[0], .source, 2, ["rolled_back", "rolled_back"])
    }
    try legs.check(outcomes[1], .first, 5, ["rolled_back", "committed"])
    try legs.check(outcomes[2], .second, 5, ["committed", "rolled_back"])
    // The servers notice as well: no session is left that holds a lock or a snapshot.
    try legs.waitUntilGone()
  }

  @Test(
    "a leg that is cut in COMMIT: it is known, or said how to find out, what is stored",
    arguments: [NetworkScene.Cut.toServer, .toClient])
  func commit(direction: NetworkScene.Cut) throws {
    let legs = try CutLegs(.afterTheLast, holdsCommit: true)
    defer { legs.close() }
    let runs = try legs.start()
    try legs.waitUntilHeld(3)
    try legs.network.cut(direction)
    try legs.letGo()
    let outcomes = try runs.map { try $0.wait() }
    // The source has done its part.
    try legs.check(outcomes[0], .source, 0, ["committed", "committed"])
    if direction == .toServer {
      // The answer to the COMMIT that is under way still comes.
      try legs.check(outcomes[1], .first, 0, ["committed", "committed"])
    } else {
      try legs.check(outcomes[1], .first, 5, ["unknown", "committed"])
    }
    try legs.check(outcomes[2], .second, 5, ["committed", "unknown"])
    try legs.waitUntilGone()
    try legs.network.mend(direction)
    // What is said about it is the way to find out.
    if direction == .toClient { try legs.askAfterwards(outcomes[1], .first, receiver: 1) }
    try legs.askAfterwards(outcomes[2], .second, receiver: 2)
  }

  @Test("a leg that comes back in time: the tool finds out by itself what became of the COMMIT")
  func mended() throws {
    let legs = try CutLegs(.afterTheLast, holdsCommit: true)
    defer { legs.close() }
    let run = try legs.start(.first, ["--grace", "10s"])
    try legs.waitUntilHeld(1)
    try legs.network.cut(.toClient)
    try legs.letGo()
    // Longer than the connection lives, and shorter than the tool's patience.
    usleep(3_500_000)
    try legs.network.mend(.toClient)
    let outcome = try run.wait()
    #expect(outcome.errors.contains("the connection was lost in COMMIT, but the rows are stored"))
    try legs.check(outcome, .first, 0, ["committed", "committed"])
  }

  @Test("--atomic and a leg that is cut in COMMIT: resolve ends it, and all or none have the rows")
  func atomic() throws {
    let legs = try CutLegs(.afterTheLast, holdsCommit: true)
    defer { legs.close() }
    let run = try legs.start(.first, ["--atomic"])
    try legs.waitUntilHeld(1)
    try legs.network.cut(.toClient)
    try legs.letGo()
    let outcome = try run.wait()
    #expect(outcome.end == .exit(2), "\(outcome.errors)")
    let summary = try CopySummary(outcome)
    #expect(summary.statuses == ["unknown", "unknown"])
    #expect(summary.receivers[0].remedy?.contains("pg-copy resolve") == true)
    try legs.network.mend(.toClient)
    // Nobody speaks for the server that the run has reached in another way.
    let unclear = try program.run(["resolve", "--to", legs.near])
    #expect(unclear.end == .exit(3), "\(unclear.errors)")
    #expect(unclear.errors.contains("the server that decides is not among these"))
    let resolved = try program.run(["resolve", "--to", legs.near, "--decider", legs.near])
    #expect(resolved.end == .exit(0), "\(resolved.errors)")
    #expect(resolved.output.contains(#""decision":"commit""#), "\(resolved.output)")
    for number in 1...2 { #expect(try legs.rows(.first, number) == CutLegs.rowCount) }
  }
}

/// Three runs of pg-copy at a time, each with another end behind a link that can be cut: all stop at the same
/// moment, so that one cut meets them all.
final class CutLegs {
  /// The end that is behind the link.
  enum Leg: String, CaseIterable { case source, first, second }
  /// How far the rows are when the link is cut.
  enum Moment: String, CaseIterable, Sendable {
    case connecting, beforeTheFirst, onTheWay, afterTheLast
  }

  /// More than all buffers on the way hold, also behind the first tenth.
  static let rowCount = 25_000
  let network: NetworkScene
  /// The server without the link.
  let near: String
  private let moment: Moment
  private let holdsCommit: Bool
  private static let key = 4711

  init(_ moment: Moment, holdsCommit: Bool = false) throws {
    (self.moment, self.holdsCommit) = (moment, holdsCommit)
    network = try NetworkScene(settings: [.init("max_prepared_transactions", "4")])
    near = try network.socketIRI()
    try network.db.execute("SELECT pg_advisory_lock(\(Self.key))")
    try network.db.execute(
      """
      CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(\(Self.key)); RETURN NULL; END $$
      """)
    for leg in Leg.allCases {
      for number in 1...2 {
        try network.db.execute("CREATE TABLE \(leg)_\(number)(id int, name text)")
      }
      // COMMIT of the receiver that comes first takes until the lock is let go.
      guard holdsCommit else { continue }
      try network.db.execute(
        """
        CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON \(leg)_1 DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION hold()
        """)
    }
  }

  /// The server over the link, whose end is noticed in a second and a half.
  private func far() throws -> String {
    try network.iri()
      + "?connect_timeout=2&tcp_user_timeout=1500&keepalives_idle=1&keepalives_interval=1"
  }

  /// Rows that stop at the moment until the lock is let go.
  private var query: String {
    let hold = "SELECT 0, 'never' WHERE pg_advisory_xact_lock_shared(\(Self.key))::text = 'never'"
    func rows(_ first: Int, _ last: Int) -> String {
      "SELECT i, repeat('x', 400) FROM generate_series(\(first), \(last)) AS i"
    }
    let (some, all) = (Self.rowCount / 10, Self.rowCount)
    if holdsCommit { return rows(1, all) }
    return switch moment {
    case .connecting: rows(1, all)
    case .beforeTheFirst: "\(hold) UNION ALL \(rows(1, all))"
    case .onTheWay: "\(rows(1, some)) UNION ALL \(hold) UNION ALL \(rows(some + 1, all))"
    case .afterTheLast: "\(rows(1, all)) UNION ALL \(hold)"
    }
  }

  func start() throws -> [RunningProgram] { try Leg.allCases.map { try start($0) } }

  func start(_ leg: Leg, _ more: [String] = []) throws -> RunningProgram {
    let (source, first, second) = (
      leg == .source ? try far() : near, leg == .first ? try far() : near,
      leg == .second ? try far() : near
    )
    return try network.start(
      BuiltProgram("pg-copy"),
      [
        source, query, "--to", "\(first);table=\(leg)_1", "--to", "\(second);table=\(leg)_2",
        "--summary", "json", "--grace", "1s",
      ] + more)
  }

  /// Waits until so many sessions wait for the lock.
  func waitUntilHeld(_ count: Int) throws {
    for _ in 0..<4000 {
      let waiting = try network.db.query.first(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'", as: Int.self)
      if waiting == count { return }
      usleep(5_000)
    }
    throw BuiltProgram.Fault(description: "not all wait")
  }

  /// Waits until every receiver has what came before the moment, but for a block that servers gather.
  func waitUntilThere() throws {
    let expected =
      switch moment {
      case .connecting, .beforeTheFirst: 0
      case .onTheWay: Self.rowCount / 10 - 40
      case .afterTheLast: Self.rowCount - 40
      }
    for _ in 0..<2000 where expected > 0 {
      let receivers = try network.db.query.first(
        "SELECT count(*) FROM pg_stat_progress_copy WHERE type = 'PIPE' AND command = 'COPY FROM' AND tuples_processed >= $1",
        expected, as: Int.self)
      if receivers == 6 { return }
      usleep(10_000)
    }
    if expected > 0 { throw BuiltProgram.Fault(description: "the rows do not come") }
  }

  func letGo() throws { try network.db.execute("SELECT pg_advisory_unlock(\(Self.key))") }

  /// Waits until the server has no session of pg-copy any more.
  func waitUntilGone() throws {
    for _ in 0..<3000 {
      let left = try network.db.query.first(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pg-copy%'", as: Int.self
      )
      if left == 0 { return }
      usleep(10_000)
    }
    throw BuiltProgram.Fault(description: "a session is left")
  }

  func rows(_ leg: Leg, _ number: Int) throws -> Int? {
    try network.db.query.first("SELECT count(*) FROM \(leg)_\(number)", as: Int.self)
  }

  /// Compares the status, the summary and the tables.
  func check(
    _ outcome: BuiltProgram.Outcome, _ leg: Leg, _ status: Int32, _ words: [String]
  ) throws {
    #expect(outcome.end == .exit(status), "\(leg): \(outcome.errors)")
    let summary = try CopySummary(outcome)
    #expect(summary.exit_code == status)
    #expect(summary.statuses == words, "\(leg): \(outcome.errors)")
    for (index, word) in words.enumerated() where word != "unknown" {
      #expect(
        try rows(leg, index + 1) == (word == "committed" ? Self.rowCount : 0), "\(leg) \(index + 1)"
      )
    }
  }

  /// Runs the statement that the summary names, and compares its answer with the table.
  func askAfterwards(_ outcome: BuiltProgram.Outcome, _ leg: Leg, receiver: Int) throws {
    let remedy = try CopySummary(outcome).receivers[receiver - 1].remedy ?? ""
    #expect(outcome.errors.contains(remedy))
    let statement = remedy.prefix { $0 != ")" } + ")"
    let answer = try network.db.query.first(String(statement), as: String.self)
    let rows = try rows(leg, receiver)
    #expect(rows == (answer == "committed" ? Self.rowCount : 0), "\(leg): \(answer ?? "nothing")")
    #expect(answer == "committed" || answer == "aborted")
  }

  func close() { network.close() }
}
