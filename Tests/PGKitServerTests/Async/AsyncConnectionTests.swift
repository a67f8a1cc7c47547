import Foundation
import PGKit
import PGTestCluster
import Synchronization
import Testing

/// The asynchronous interface, on the server that tests share.
@Suite(
  "Async connections", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct AsyncConnectionTests {
  private let server: TestServer

  init() throws { server = try TestServer.shared.get() }

  private func connect() async throws -> AsyncConnection {
    try await AsyncConnection.open(server.iri())
  }

  @Test("queries, statements and cursors give what the synchronous ones give")
  func asking() async throws {
    let db = try await connect()
    try await db.execute("CREATE TEMP TABLE t (a int, b text)")
    let insert = try await db.prepare("INSERT INTO t VALUES ($1, $2)")
    #expect(insert.parameterTypes == [.int4, .text])
    #expect(try await insert.loadRows([[1, "one"], [2, nil]]) == 2)
    try await insert(3, "three")
    let all = try await db.query("SELECT a, b FROM t ORDER BY a")
    #expect(try all.map { try $0["b", as: String?.self] } == ["one", nil, "three"])
    #expect(try await db.first("SELECT b FROM t WHERE a = $1", 3, as: String.self) == "three")
    #expect(try await db.first("SELECT b FROM t WHERE a = $1", 9, as: String.self) == nil)
    let cursor = try await db.declare("SELECT a FROM t ORDER BY a")
    try await cursor.seek(1)
    #expect(try await cursor.read(2).map { try $0[0, as: Int.self] } == [2, 3])
    #expect(try await cursor.next() == nil)
    try await cursor.close()
    let sum = try await db.perform { connection throws(PGError) in
      try connection.query.first("SELECT sum(a) FROM t", as: Int.self)
    }
    #expect(sum == 6)
    await db.close()
    #expect(await db.isClosed)
    await #expect(throws: PGError.self) { try await db.execute("SELECT 1") }
  }

  @Test("rows arrive batch by batch, and only as far as they are asked for")
  func rows() async throws {
    let db = try await connect()
    var count = 0
    for try await row in try await db.rows("SELECT generate_series(1, 100000) AS n") {
      count += 1
      #expect(try row[0, as: Int.self] == count)
    }
    #expect(count == 100_000)
    var batches = 0
    for try await batch in try await db.chunks("SELECT generate_series(1, $1::int)", 50_000) {
      batches += 1
      count -= batch.count
    }
    #expect(count == 50_000 && batches > 1)
    let endless = try await db.rows("SELECT generate_series(1, 300000)")
    for try await _ in endless { break }
    try await endless.close()
    #expect(try await db.first("SELECT 7", as: Int.self) == 7)
  }

  @Test("abandoned rows, statements and cursors leave nothing on the server")
  func abandonment() async throws {
    let db = try await connect()
    for _ in 0..<50 {
      _ = try await db.prepare("SELECT 1")
      _ = try await db.declare("SELECT 1")
      let rows = try await db.rows("SELECT generate_series(1, 3000)")
      for try await _ in rows { break }
    }
    // Letting go is work for the thread, before what comes here.
    _ = try await db.query("SELECT 1")
    let left = try await db.query(
      "SELECT (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_cursors)")
    #expect(try left[0][0, as: Int.self] <= 2, "\(left[0])")
    #expect(try left[0][1, as: Int.self] <= 2, "\(left[0])")
  }

  @Test("inside withConnection nothing changes the thread")
  func sameThread() async throws {
    let db = try await connect()
    let numbers = try await db.withConnection { db in
      var numbers: Set<UInt> = [UInt(bitPattern: pthread_self().hashValue)]
      for _ in 0..<10 {
        let number = try await db.perform { _ throws(PGError) in
          UInt(bitPattern: pthread_self().hashValue)
        }
        numbers.insert(number)
        _ = try await db.query("SELECT 1")
        numbers.insert(UInt(bitPattern: pthread_self().hashValue))
      }
      return numbers
    }
    #expect(numbers.count == 1)
  }

  @Test("a loop inside withConnection lets others in between, and can be closed")
  func sharing() async throws {
    let db = try await connect()
    let rounds = Mutex(0)
    let loop = Task {
      try await db.withConnection { db in
        let statement = try await db.prepare("SELECT $1::int")
        while true {
          let number = rounds.withLock { $0 }
          #expect(try await statement(number)[0][0, as: Int.self] == number)
          rounds.withLock { $0 += 1 }
        }
      }
    }
    while rounds.withLock({ $0 }) < 10 { try await Task.sleep(for: .milliseconds(1)) }
    for number in 0..<100 {
      #expect(try await db.first("SELECT $1::int", number, as: Int.self) == number)
    }
    await db.close()
    await #expect(throws: PGError.self) { try await loop.value }
  }

  @Test("a cancelled task cancels its statement, and the connection goes on")
  func cancellation() async throws {
    let db = try await connect()
    let process = await db.backendID
    for _ in 0..<5 {
      let task = Task { try await db.query("SELECT pg_sleep(60)") }
      try await server.waitUntilSleeps(process)
      let begin = ContinuousClock.now
      task.cancel()
      let error = await #expect(throws: PGError.self) { try await task.value }
      #expect(error?.code == .queryCanceled && error?.fault == .server)
      #expect(ContinuousClock.now - begin < .seconds(8))
      #expect(try await db.first("SELECT 1", as: Int.self) == 1)
    }
    let early = Task {
      while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(1)) }
      return try await db.query("SELECT 1")
    }
    early.cancel()
    let error = await #expect(throws: PGError.self) { try await early.value }
    #expect(error?.code == .queryCanceled && error?.fault == .caller)
  }

  @Test("cancelling at any moment never leaves the connection in the middle")
  func cancellationStorm() async throws {
    let db = try await connect()
    // A cancellation that came too late for its rows is no news: it was asked for.
    let warnings = Mutex<[String]>([])
    try await db.perform { connection in
      connection.messageHook = { message in
        warnings.withLock { $0.append(message.message) }
        return true
      }
    }
    for round in 0..<60 {
      let task = Task {
        var sum = 0
        for try await row in try await db.rows("SELECT generate_series(1, 20000)") {
          sum += try row[0, as: Int.self]
        }
        return sum
      }
      try await Task.sleep(for: .microseconds(Int.random(in: 0...6000)))
      task.cancel()
      switch await task.result {
      case .success(let sum): #expect(sum == 200_010_000)
      case .failure(let error): #expect((error as? PGError)?.code == .queryCanceled, "\(error)")
      }
      #expect(try await db.first("SELECT $1::int", round, as: Int.self) == round)
    }
    #expect(warnings.withLock { $0 } == [])
  }

  @Test("copies out and in")
  func copying() async throws {
    let (source, target) = (try await connect(), try await connect())
    try await source.execute("CREATE TEMP TABLE a AS SELECT generate_series(1, 30000) AS n")
    try await target.execute("CREATE TEMP TABLE a (n int)")
    let out = try await source.copyOut("COPY a TO STDOUT")
    let count = try await target.copyIn("COPY a FROM STDIN") { stream in
      for try await chunk in out { try await stream.write(chunk) }
    }
    #expect(count == 30_000)
    #expect(try await target.first("SELECT sum(n) FROM a", as: Int.self) == 450_015_000)

    struct Boom: Error {}
    await #expect(throws: Boom.self) {
      try await target.copyIn("COPY a FROM STDIN") { stream in
        try await stream.write(Array("1\n2\n".utf8))
        throw Boom()
      }
    }
    #expect(try await target.first("SELECT count(*) FROM a", as: Int.self) == 30_000)
    let error = await #expect(throws: PGError.self) {
      try await target.copyIn("COPY a FROM STDIN") { try await $0.write(Array("x\n".utf8)) }
    }
    #expect(error?.code == .invalidTextRepresentation)
    #expect(try await target.first("SELECT 1", as: Int.self) == 1)
  }

  @Test("notifications come while the connection is used, and a cancelled wait ends")
  func notifications() async throws {
    let (db, sender) = (try await connect(), try await connect())
    let channel = "async_\(UInt32.random(in: 0...UInt32.max))"
    let stream = try await db.listen(channel)
    let listening = Task {
      var payloads: [String] = []
      for try await notification in stream {
        payloads.append(notification.payload)
        if payloads.count == 3 { break }
      }
      return payloads
    }
    for number in 1...3 {
      // The thread waits for notifications, and does this meanwhile.
      #expect(try await db.first("SELECT $1::int", number, as: Int.self) == number)
      try await sender.query("SELECT pg_notify($1, $2)", channel, "\(number)")
    }
    #expect(try await listening.value == ["1", "2", "3"])
    let idle = Task {
      for try await _ in stream {}
    }
    try await Task.sleep(for: .milliseconds(50))
    idle.cancel()
    let error = await #expect(throws: PGError.self) { try await idle.value }
    #expect(error?.code == .queryCanceled)
    #expect(try await db.first("SELECT 1", as: Int.self) == 1)
  }

  @Test("a lost connection is told, and ends notifications with its reason")
  func loss() async throws {
    let (db, other) = (try await connect(), try await connect())
    let stream = try await db.listen("async_loss")
    let waiting = Task { for try await _ in stream {} }
    try await other.query("SELECT pg_terminate_backend($1)", await db.backendID)
    let error = await #expect(throws: PGError.self) { try await waiting.value }
    #expect(error?.code == .adminShutdown)
    await #expect(throws: PGError.self) { try await db.query("SELECT 1") }
    #expect(await db.isClosed)
  }
}
