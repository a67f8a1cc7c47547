import Foundation
import PGKit
import PGTestCluster
import Synchronization
import Testing

/// The library and the programs behind a pooler that hands each transaction to another server process.
@Suite(
  "Behind a pooler", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"),
  .enabled(if: Pooler.isInstalled, "pgbouncer is not installed"))
struct PoolerTests {
  private let server: TestServer

  init() throws { server = try TestServer.shared.get() }

  /// How often each kind of question was answered rightly, with another client's answer, and not at all.
  private struct Tally {
    var right = 0
    var wrong = 0
    var refused: [SQLState: Int] = [:]
  }

  /// Has eight clients ask for their own numbers, over two server processes.
  private func ask(
    _ pooler: Pooler, _ question: @escaping @Sendable (Connection, Int) throws -> Int?
  ) throws -> Tally {
    let tally = Mutex(Tally())
    let iri = pooler.iri
    DispatchQueue.concurrentPerform(iterations: 8) { client in
      do {
        let db = try PGKit.open(iri)
        defer { db.close() }
        for round in 0..<40 {
          let number = client * 1000 + round
          do {
            let answer = try question(db, number)
            tally.withLock { if answer == number { $0.right += 1 } else { $0.wrong += 1 } }
          } catch let error as PGError {
            tally.withLock { $0.refused[error.code, default: 0] += 1 }
          }
        }
      } catch { Issue.record(error) }
    }
    return tally.withLock { $0 }
  }

  @Test(
    "one-shot statements have their own answers, though every one may have another server process")
  func oneShots() throws {
    let pooler = try Pooler(in: "transaction", before: server, sessions: 2)
    defer { pooler.stop() }
    let texts = try ask(pooler) { db, number in
      try db.query.first("SELECT \(number)", as: Int.self)
    }
    #expect(texts.right == 320, "\(texts)")
    let values = try ask(pooler) { db, number in
      try db.query("SELECT $1::int", number)[0][0, as: Int.self]
    }
    #expect(values.right == 320, "\(values)")
    let rows = try ask(pooler) { db, number in
      var last: Int?
      for row in try db.query("SELECT n FROM generate_series(1, $1::int) AS n", number) {
        last = try row[0, as: Int.self]
      }
      return last ?? 0
    }
    #expect(rows.right == 320, "\(rows)")
  }

  @Test("a prepared statement that another server process does not have is refused, never mistaken")
  func prepared() throws {
    let pooler = try Pooler(in: "transaction", before: server, sessions: 2)
    defer { pooler.stop() }
    let tally = try ask(pooler) { db, number in
      try db.prepare("SELECT \(number)").first(as: Int.self)
    }
    #expect(tally.wrong == 0, "\(tally)")
    #expect(Set(tally.refused.keys).isSubset(of: [.invalidSqlStatementName]), "\(tally)")
    // In a transaction there is one process for all of it.
    let within = try ask(pooler) { db, number in
      try db.withTransaction { _ in try db.prepare("SELECT \(number)").first(as: Int.self) }
    }
    #expect(within.right == 320, "\(within)")
  }

  @Test("pg-open asks through it", arguments: ["session", "transaction"])
  func openJob(mode: String) throws {
    let pooler = try Pooler(in: mode, before: server)
    defer { pooler.stop() }
    let outcome = try BuiltProgram("pg-open").run([pooler.iri, "SELECT interval '90 minutes'"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(outcome.output.contains("PT1H30M"), "\(outcome.output)")
  }

  @Test("a setting that the pooler refuses when a session begins is named, and what helps")
  func refusedSetting() throws {
    let pooler = try Pooler(in: "transaction", before: server)
    defer { pooler.stop() }
    let error = #expect(throws: PGError.self) {
      _ = try PGKit.open(pooler.iri.replacing("postgres://", with: "pq://") + "?work_mem=64MB")
    }
    #expect(
      error?.message.contains("unsupported startup parameter") == true,
      "\(String(describing: error))")
    #expect(error?.hint?.contains("ignore_startup_parameters") == true)
  }

  @Test("pg-copy --single leaves no lock with the pooler's session")
  func single() throws {
    let pooler = try Pooler(in: "transaction", before: server)
    defer { pooler.stop() }
    let scene = try CopyFixture()
    let name = ["--single", "s\(UInt32.random(in: 0...UInt32.max))", "--replace", "delete"]
    for iri in [pooler.iri, scene.iri, pooler.iri] {
      let outcome = try scene.copy(["--to", "\(iri);table=\(scene.name)_1"] + name)
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      #expect(!outcome.errors.contains("skipped"), "\(outcome.errors)")
      #expect(try scene.isEqual(1))
      try scene.db.execute("TRUNCATE \(scene.name)_1")
    }
  }
}
