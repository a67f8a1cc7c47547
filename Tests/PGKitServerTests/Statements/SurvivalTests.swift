import Foundation
import PGErrorCodes
import PGKit
import PGTestCluster
import Synchronization
import Testing

/// A connection survives whatever happens in the middle of an operation: afterwards it is idle and
/// usable, or it is closed and says why.
@Suite("Survival", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct SurvivalTests {
  private let server: TestServer

  init() throws { server = try TestServer.shared.get() }

  /// What happens in the middle.
  enum Mishap: CaseIterable {
    case serverError, cancelled, terminated

    /// Every server's word for it.
    var code: SQLState {
      switch self {
      case .serverError: .divisionByZero
      case .cancelled: .queryCanceled
      case .terminated: .adminShutdown
      }
    }
  }

  /// In the middle of what.
  enum Place: CaseIterable {
    case execute, all, rows, chunks, oneShot, text, cursor, loadRows, loadChunks, copyIn, copyOut
    case block
  }

  /// Rows of which number 30,000 fails, or takes for ever; most of them come before it is sent.
  private static func query(_ mishap: Mishap) -> String {
    let middle =
      mishap == .serverError
      ? "1 / (30000 - i)" : "CASE WHEN i = 30000 THEN length(pg_sleep(60)::text) ELSE i END"
    return "SELECT \(middle) AS v, repeat('x', 100) AS t FROM generate_series(1, 60000) AS i"
  }

  @Test(
    "leaves the connection idle and usable, or closed with the reason", arguments: Place.allCases,
    Mishap.allCases)
  func survives(_ place: Place, _ mishap: Mishap) throws {
    let db = try server.connect()
    try db.execute("CREATE TEMP TABLE filled(i int CHECK (1 / i > -2))")
    let process = db.backendID
    let strike = { @Sendable [server, interruption = db.interruption] () throws in
      switch mishap {
      case .serverError: return
      case .cancelled: try interruption.cancel()
      case .terminated:
        try server.connect().execute("SELECT pg_terminate_backend(\(process), 10000)")
      }
    }
    let error = try #require(throws: PGError.self) { try run(place, mishap, db, strike) }
    // A server process that is ended while it waits for us to take its rows cannot say why.
    let isMute = mishap == .terminated && error.code == .connectionFailure
    #expect(error.code == mishap.code || isMute, "\(error.report)")
    guard mishap != .terminated else {
      #expect(db.isClosed)
      let later = #expect(throws: PGError.self) { try db.query("SELECT 1") }
      #expect(later?.code == error.code)
      return
    }
    if place == .block {
      #expect(db.transactionStatus == .failed)
      try db.execute("ROLLBACK")
    }
    #expect(!db.isClosed)
    #expect(try db.query.first("SELECT count(*) FROM filled", as: Int.self) == 0)
    #expect(db.transactionStatus == .idle)
    #expect(db.backendID == process)
    // Nothing of the mishap is left for whoever comes next.
    #expect(try db.prepare("SELECT $1::text")("next")[0][0, as: String.self] == "next")
  }

  private func run(
    _ place: Place, _ mishap: Mishap, _ db: Connection,
    _ strike: @escaping @Sendable () throws -> Void
  ) throws {
    let query = Self.query(mishap)
    switch place {
    case .rows, .block:
      if place == .block { try db.execute("BEGIN") }
      let rows = try db.prepare(query).rows()
      for _ in 0..<1000 { _ = try rows.next() }
      try strike()
      while try rows.next() != nil {}
    case .chunks:
      let chunks = try db.prepare(query).chunks()
      _ = try chunks.next()
      try strike()
      while try chunks.next() != nil {}
    case .oneShot:
      let rows = try db.query.column(query, as: Int.self)
      _ = try rows.next()
      try strike()
      _ = try rows.collect()
    case .text:
      let chunks = try db.query.text(query)
      _ = try chunks.next()
      try strike()
      try chunks.finish()
    case .execute, .all, .cursor, .loadRows, .loadChunks:
      try runWhole(place, mishap, db, strike)
    case .copyOut:
      let stream = try db.copyOut("COPY (\(query)) TO STDOUT")
      _ = try stream.next()
      try strike()
      while try stream.next() != nil {}
    case .copyIn:
      let stream = try db.copyIn("COPY filled FROM STDIN")
      try stream.write(Array("1\n1\n".utf8))
      try strike()
      for _ in 0..<100_000 {
        try stream.write(Array((mishap == .serverError ? "0\n" : "1\n").utf8))
      }
      _ = try stream.finish()
    }
  }

  /// What gives nothing before its end is struck by another thread.
  private func runWhole(
    _ place: Place, _ mishap: Mishap, _ db: Connection,
    _ strike: @escaping @Sendable () throws -> Void
  ) throws {
    let marker = "survives \(UInt64.random(in: 0...UInt64.max))"
    let slow =
      mishap == .serverError ? "SELECT 1/0" : "SELECT pg_sleep(60)::text /* \(marker) */"
    let load = """
      INSERT INTO filled SELECT \(mishap == .serverError ? "1 / (350 - $1::int)" : "$1::int") /* \(marker) */
      FROM pg_sleep(CASE WHEN $1 = 350 THEN 60 ELSE 0 END)
      """
    let struck = mishap == .serverError ? nil : Background(strike, when: marker, on: server)
    defer { struck?.wait() }
    switch place {
    case .execute: try db.execute(slow)
    case .all: try db.prepare(slow)()
    case .cursor:
      // A cursor with hold has all of its rows already; one without has not.
      let query =
        mishap == .serverError ? "SELECT 1 / (2 - i) FROM generate_series(1, 3) AS i" : slow
      try db.execute("BEGIN; DECLARE \"\(marker)\" CURSOR FOR \(query)")
      defer { if !db.isClosed { try? db.execute("ROLLBACK") } }
      _ = try db.cursor(id: marker).read()
    case .loadRows, .loadChunks:
      // One transaction, so that the batches before the mishap go with it.
      try db.withTransaction { _ in
        let insert = try db.prepare(load)
        let rows: [[(any PGEncodable)?]] = (1...600).map { [$0] }
        if place == .loadRows {
          try insert.loadRows(rows)
        } else {
          try insert.loadChunks([Array(rows[..<100]), Array(rows[100...])])
        }
      }
    default: Issue.record("\(place) gives rows")
    }
  }

  /// Something that another thread does once a statement runs.
  private final class Background: Sendable {
    private let outcome = Mutex<Result<Void, any Error>?>(nil)
    private let done = DispatchSemaphore(value: 0)

    init(
      _ body: @escaping @Sendable () throws -> Void, when marker: String, on server: TestServer
    ) {
      Thread.detachNewThread { [self] in
        let result = Result {
          try server.waitUntilSleeps(matching: "%\(marker)%")
          try body()
        }
        outcome.withLock { $0 = result }
        done.signal()
      }
    }

    func wait() {
      done.wait()
      #expect(throws: Never.self) { try outcome.withLock { try $0?.get() } }
    }
  }
}
