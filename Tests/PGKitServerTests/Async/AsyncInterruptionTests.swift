import Foundation
import PGKit
import PGTestCluster
import Testing

/// What is cancelled or ended from elsewhere: nothing is waited for, and nothing goes unheard.
@Suite(
  "Async interruption", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct AsyncInterruptionTests {
  private let server: TestServer
  private let db: AsyncConnection
  private let process: Int32

  init() async throws {
    server = try TestServer.shared.get()
    db = try await AsyncConnection.open(server.iri())
    process = await db.backendID
  }

  /// What takes its time on the server, and of which nobody takes more than the first row.
  private static let slowRows =
    "SELECT pg_sleep(0.01), repeat('x', 9000) FROM generate_series(1, 100000)"

  @Test("cancelled while it waits for rows that were left, a statement does not begin")
  func whileDraining() async throws {
    let db = db
    try await db.execute("BEGIN")
    for try await _ in try await db.rows(Self.slowRows) { break }
    let task = Task { try await db.execute("SELECT pg_sleep(60)") }
    try await Task.sleep(for: .milliseconds(500))
    let begin = ContinuousClock.now
    task.cancel()
    let error = await #expect(throws: PGError.self) { try await task.value }
    #expect(error?.code == .queryCanceled)
    #expect(ContinuousClock.now - begin < .seconds(9))
    #expect(await !db.isClosed)
    try await db.execute("ROLLBACK")
  }

  @Test("cancelled between two statements of one operation, the second does not begin")
  func betweenStatements() async throws {
    let (db, begun) = (db, Signal())
    let task = Task {
      try await db.perform { connection throws(PGError) in
        try connection.execute("SELECT 1")
        begun.give()
        Thread.sleep(forTimeInterval: 0.5)
        try connection.execute("SELECT pg_sleep(60)")
      }
    }
    await begun.wait()
    let begin = ContinuousClock.now
    task.cancel()
    let error = await #expect(throws: PGError.self) { try await task.value }
    #expect(error?.code == .queryCanceled)
    #expect(ContinuousClock.now - begin < .seconds(9))
    #expect(try await db.first("SELECT 1", as: Int.self) == 1)
  }

  @Test("an operation that catches its cancellation is cancelled again")
  func obstinate() async throws {
    let (db, begun) = (db, Signal())
    let task = Task {
      try await db.perform { connection throws(PGError) in
        begun.give()
        try connection.execute(
          """
          DO $$ BEGIN
            BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END;
            PERFORM pg_sleep(60);
          END $$
          """)
      }
    }
    await begun.wait()
    try await server.waitUntilSleeps(process)
    let begin = ContinuousClock.now
    task.cancel()
    let error = await #expect(throws: PGError.self) { try await task.value }
    #expect(error?.code == .queryCanceled)
    #expect(ContinuousClock.now - begin < .seconds(9))
    #expect(try await db.first("SELECT 1", as: Int.self) == 1)
  }

  @Test("connecting hears of its cancellation, and so does a pool")
  func connecting() async throws {
    let mute = try MuteServer()
    var options = ConnectionOptions()
    options.user = "nobody"
    options.hosts = [mute.folder]
    options.ports = [5432]
    let connector = Connector(options)
    let begin = ContinuousClock.now
    let task = Task {
      _ = try await AsyncConnection.connect(connector, until: .after(.seconds(60)))
    }
    try await Task.sleep(for: .milliseconds(300))
    task.cancel()
    let error = await #expect(throws: PGError.self) { try await task.value }
    #expect(error?.code == .queryCanceled && error?.fault == .caller)
    let pool = ConnectionPool(connector)
    let taking = Task { _ = try await pool.take() }
    try await Task.sleep(for: .milliseconds(300))
    taking.cancel()
    let second = await #expect(throws: PGError.self) { try await taking.value }
    #expect(second?.code == .queryCanceled)
    #expect(await pool.statistics.busy == 0)
    #expect(ContinuousClock.now - begin < .seconds(25))
  }

  @Test("what runs can be interrupted from any task")
  func interruption() async throws {
    let db = db
    let task = Task { try await db.execute("SELECT pg_sleep(30)") }
    try await server.waitUntilSleeps(process)
    let begin = ContinuousClock.now
    try db.interruption.cancel()
    let error = await #expect(throws: PGError.self) { try await task.value }
    #expect(error?.code == .queryCanceled)
    #expect(ContinuousClock.now - begin < .seconds(20))
  }

  @Test("closing does not wait for another task's statement")
  func closing() async throws {
    let db = db
    let task = Task { try await db.execute("SELECT pg_sleep(30)") }
    try await server.waitUntilSleeps(process)
    let begin = ContinuousClock.now
    await db.close()
    #expect(ContinuousClock.now - begin < .seconds(20))
    let error = await #expect(throws: PGError.self) { try await task.value }
    #expect(error?.code == .queryCanceled)
    #expect(await db.isClosed)
  }

  @Test("a session that was given up leaves no lock behind, though its connection is still held")
  func locks() async throws {
    let other = try await AsyncConnection.open(server.iri())
    let table = "async_l_\(UInt32.random(in: 0...UInt32.max))"
    try await other.execute("CREATE TABLE \(table) (n int)")
    try await db.execute("BEGIN; LOCK TABLE \(table)")
    await #expect(throws: PGError.self) {
      try await db.execute("SELECT pg_sleep(2)", until: .after(.milliseconds(500)))
    }
    let begin = ContinuousClock.now
    try await other.execute("SET lock_timeout = '30s'; DROP TABLE \(table)")
    #expect(ContinuousClock.now - begin < .seconds(29))
    #expect(await db.isClosed)
  }

  @Test("a loop that is left is cancelled by what comes next, if it only reads")
  func leftLoop() async throws {
    let begin = ContinuousClock.now
    for try await _ in try await db.rows(Self.slowRows) { break }
    #expect(try await db.first("SELECT 1", as: Int.self) == 1)
    let rows = try await db.rows(Self.slowRows)
    for try await _ in rows { break }
    try await rows.close()
    #expect(try await db.first("SELECT 2", as: Int.self) == 2)
    let statement = try await db.prepare("  -- slowly\n" + Self.slowRows)
    for try await _ in try await statement.rows() { break }
    #expect(try await db.first("SELECT 3", as: Int.self) == 3)
    #expect(ContinuousClock.now - begin < .seconds(25))
  }

  @Test("a loop that is left in a transaction, or that stores, comes to its end all the same")
  func leftLoopThatStores() async throws {
    try await db.execute("CREATE TEMP TABLE kept (n int)")
    let insert = """
      WITH slowly AS (SELECT pg_sleep(0.001), i FROM generate_series(1, 500) i)
        INSERT INTO kept SELECT i FROM slowly RETURNING n
      """
    for try await _ in try await db.rows(insert) { break }
    #expect(try await db.first("SELECT count(*) FROM kept", as: Int.self) == 500)
    try await db.withTransaction { db in
      try await db.execute("INSERT INTO kept VALUES (0)")
      for try await _ in try await db.rows(
        "SELECT pg_sleep(0.001), repeat('x', 9000) FROM generate_series(1, 300)")
      { break }
      #expect(try await db.first("SELECT count(*) FROM kept", as: Int.self) == 501)
    }
  }
}

/// Something that accepts connections and says nothing.
private final class MuteServer {
  let folder: String
  private let descriptor: Int32

  init() throws {
    folder = NSTemporaryDirectory() + "/mute_\(UInt32.random(in: 0...UInt32.max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) {
      $0.copyBytes(from: "\(folder)/.s.PGSQL.5432".utf8.prefix($0.count - 1))
    }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
    }
    #expect(status == 0 && listen(descriptor, 8) == 0)
  }

  deinit {
    close(descriptor)
    try? FileManager.default.removeItem(atPath: folder)
  }
}
