import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// `pg-listen --durable` that is killed at random moments.
///
/// `make soak` asks for more of them.
@Suite(
  "pg-listen, killed", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgListenKillTests {
  /// How rows are seen to.
  private enum Way: CaseIterable {
    case printed, handed

    var options: [String] {
      switch self {
      case .printed: []
      // What `cat` prints is the payload, which is the number of the row.
      case .handed:
        ["--exec", "--events", "off", "--max-parallel", "2", "--", "/bin/sh", "-c", "cat; echo"]
      }
    }

    func rows(_ output: String) throws -> [Int] {
      switch self {
      case .printed: try DurableScene.rows(output).map(\.id)
      case .handed: output.split(separator: "\n").compactMap { Int($0) }
      }
    }
  }

  private static func count(_ variable: String, _ usual: Int) -> Int {
    ProcessInfo.processInfo.environment[variable].flatMap { Int($0) } ?? usual
  }

  /// Adds single rows until it is told to end; the payload is the row's number.
  private final class Writer: @unchecked Sendable {
    private let end = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private var failure: (any Error)?

    init(_ iri: String) {
      Thread.detachNewThread { [self] in
        do {
          let db = try PGKit.open(iri)
          defer { db.close() }
          while end.wait(timeout: .now() + .milliseconds(3)) == .timedOut {
            try db.execute("INSERT INTO outbox (payload) SELECT count(*) + 1 FROM outbox")
          }
        } catch { failure = error }
        ended.signal()
      }
    }

    func stop() throws {
      end.signal()
      ended.wait()
      if let failure { throw failure }
    }
  }

  @Test("killed between writing and acknowledging: every row comes, only unacknowledged ones twice")
  func kills() throws {
    let scene = try DurableScene()
    defer { scene.close() }
    // Acknowledging takes its time, so that kills meet it.
    try scene.db.execute(
      """
      CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(random() * 0.02); RETURN NEW; END $$;
      CREATE TRIGGER slow BEFORE UPDATE ON outbox_consumers FOR EACH ROW EXECUTE FUNCTION slow()
      """)
    let writer = Writer(scene.iri)
    let rounds = Self.count("PGKIT_SOAK_LISTENER_KILLS", 10)
    let seed = UInt64(Self.count("PGKIT_SOAK_SEED", Int(time(nil))))
    var generator = SeededGenerator(seed: seed)
    var seen: Set<Int> = []
    var repeated = 0
    for round in 0..<rounds {
      let way = Way.allCases[round % Way.allCases.count]
      let place = try acknowledged(scene)
      let running = try scene.program.start(scene.arguments("c", way.options))
      _ = try running.waitForOutput { (try? way.rows($0).isEmpty) == false }
      usleep(UInt32(generator.number(below: 150_000)))
      running.signal(SIGKILL)
      _ = try running.wait()
      try waitUntilFree(scene)
      let rows = try way.rows(running.output)
      let what = "seed \(seed), round \(round), \(way)"
      // What was acknowledged does not come again, and nothing is acknowledged that was not seen to.
      #expect(rows.allSatisfy { $0 > place }, "\(what)")
      repeated += rows.filter { seen.contains($0) }.count
      seen.formUnion(rows)
      let end = try acknowledged(scene)
      #expect(end <= rows.max() ?? place, "\(what)")
      #expect((1...max(end, 1)).allSatisfy(seen.contains), "\(what): a row is lost")
      if way == .printed { #expect(rows == Array(place + 1..<place + 1 + rows.count), "\(what)") }
    }
    try writer.stop()
    let rest = try DurableScene.rows(try scene.run("c", "--drain").output).map(\.id)
    let added = try scene.db.query.first("SELECT count(*) FROM outbox", as: Int.self)
    #expect(seen.union(rest) == Set(1...(added ?? 0)))
    print("\(rounds) kills, \(added ?? 0) rows, \(repeated) of them came again")
    #expect(repeated > 0 || rounds < 10, "kills that meet no acknowledgement prove nothing")
  }

  /// The last row that is acknowledged; rows are numbered in the order of their transactions here.
  private func acknowledged(_ scene: DurableScene) throws -> Int {
    try scene.db.query.first("SELECT id FROM outbox_consumers", as: Int.self) ?? 0
  }

  /// Waits until the server has seen that the reader is gone.
  private func waitUntilFree(_ scene: DurableScene) throws {
    for _ in 0..<500 {
      let readers = try scene.db.query.first(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pg-listen:%'",
        as: Int.self)
      if readers == 0 { return }
      usleep(10_000)
    }
    throw BuiltProgram.Fault(description: "the killed program's session lives on")
  }
}
