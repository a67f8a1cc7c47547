import Foundation
import PGKit
import PGTestCluster
import Testing

/// Cancelled tasks, wherever they are.
@Suite(
  "Async cancellation", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct AsyncCancellationTests {
  private let server: TestServer

  init() throws { server = try TestServer.shared.get() }

  @Test("over TLS the statement is cancelled on the server, and the session goes on")
  func encrypted() async throws {
    let db = try await AsyncConnection.open(
      server.tcpIRI(
        host: "localhost", user: "tlsonly", password: TestServer.password,
        "sslmode=verify-full", "sslrootcert=\(server.rootCertificate)"))
    let process = await db.backendID
    for _ in 0..<3 {
      let task = Task { try await db.query("SELECT pg_sleep(60)") }
      try await server.waitUntilSleeps(process)
      task.cancel()
      let error = await #expect(throws: PGError.self) { try await task.value }
      #expect(error?.code == .queryCanceled && error?.fault == .server)
      #expect(
        try await db.first(
          "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", as: Bool.self)
          == true)
    }
    #expect(await db.backendID == process)
  }

  @Test(
    "inside withConnection a task's cancellation is that of its own statement, and of no other's")
  func staying() async throws {
    let db = try await AsyncConnection.open(server.iri())
    let process = await db.backendID
    let begun = Signal()
    // Another task stays there as well, and has nothing to do with it.
    let other = Task {
      try await db.withConnection { db in
        begun.give()
        for _ in 0..<20 { try await Task.sleep(for: .milliseconds(10)) }
        return try await db.first("SELECT 2", as: Int.self)
      }
    }
    await begun.wait()
    let task = Task {
      try await db.withConnection { db in
        let pause = try await db.prepare("SELECT pg_sleep($1)")
        // One stay inside of another, and operations before.
        try await db.withConnection { db in
          try await db.execute("SELECT 1")
          try await pause(60.0)
        }
      }
    }
    try await server.waitUntilSleeps(process)
    task.cancel()
    let error = await #expect(throws: PGError.self) { try await task.value }
    #expect(error?.code == .queryCanceled && error?.fault == .server)
    #expect(try await other.value == 2)
    #expect(try await db.first("SELECT 1", as: Int.self) == 1)
    #expect(await db.backendID == process)
  }

  @Test("a task that one inside withConnection starts is cancelled by itself")
  func startedWhileStaying() async throws {
    let db = try await AsyncConnection.open(server.iri())
    let process = await db.backendID
    let child = Shared<Task<QueryResult, any Error>?>(nil)
    let task = Task {
      try await db.withConnection { db in
        let started = Task { try await db.query("SELECT pg_sleep(60)") }
        child.change { $0 = started }
        let error = await #expect(throws: PGError.self) { try await started.value }
        #expect(error?.code == .queryCanceled)
        return try await db.first("SELECT 1 + 1", as: Int.self)
      }
    }
    try await server.waitUntilSleeps(process)
    child.value?.cancel()
    #expect(try await task.value == 2)
  }

  @Test("a task that was cancelled inside withConnection begins nothing more")
  func cancelledWhileStaying() async throws {
    let db = try await AsyncConnection.open(server.iri())
    let begun = Signal()
    let task = Task {
      try await db.withConnection { db in
        begun.give()
        while !Task.isCancelled { await Task.yield() }
        try await db.execute("SELECT 1")
      }
    }
    await begun.wait()
    task.cancel()
    let error = await #expect(throws: PGError.self) { try await task.value }
    #expect(error?.code == .queryCanceled && error?.fault == .caller)
    #expect(try await db.first("SELECT 1", as: Int.self) == 1)
  }

  @Test("a cancelled copy, either way, leaves the connection idle and nothing stored")
  func copies() async throws {
    let db = try await AsyncConnection.open(server.iri())
    try await db.execute("CREATE TEMP TABLE a (n int)")
    let (begun, begins) = AsyncStream.makeStream(of: Void.self)
    let sending = Task {
      try await db.copyIn("COPY a FROM STDIN") { stream in
        while true {
          try await stream.write(Array(repeating: 49, count: 8) + [10])
          begins.yield()
        }
      }
    }
    for await _ in begun { break }
    sending.cancel()
    await #expect(throws: PGError.self) { try await sending.value }
    #expect(try await db.first("SELECT count(*) FROM a", as: Int.self) == 0)

    let (arrived, arrives) = AsyncStream.makeStream(of: Void.self)
    let receiving = Task {
      let copy = try await db.copyOut(
        "COPY (SELECT generate_series(1, 1000000000)) TO STDOUT")
      for try await _ in copy { arrives.yield() }
    }
    for await _ in arrived { break }
    receiving.cancel()
    let error = await #expect(throws: PGError.self) { try await receiving.value }
    #expect(error?.code == .queryCanceled)
    #expect(try await db.first("SELECT 1", as: Int.self) == 1)
    #expect(await db.transactionStatus == .idle)
  }

  @Test("rows that a cancelled task has not taken are cancelled on the server, and not received")
  func betweenBatches() async throws {
    let db = try await AsyncConnection.open(server.iri())
    let (arrived, arrives) = AsyncStream.makeStream(of: Void.self)
    let (cancelled, cancels) = AsyncStream.makeStream(of: Void.self)
    let reading = Task {
      let batches = try await db.chunks("SELECT generate_series(1, 1000000000)")
      _ = try await batches.next()
      arrives.yield()
      // A wait that does not hear of it.
      await Task.detached { for await _ in cancelled { break } }.value
      _ = try await batches.next()
    }
    for await _ in arrived { break }
    let watcher = try await AsyncConnection.open(server.iri())
    reading.cancel()
    cancels.yield()
    let error = await #expect(throws: PGError.self) { try await reading.value }
    #expect(error?.code == .queryCanceled && error?.isSafeToRetry == false)
    let state = try await watcher.first(
      "SELECT state FROM pg_stat_activity WHERE pid = $1", await db.backendID, as: String.self)
    #expect(state == "idle")
    #expect(try await db.first("SELECT 1", as: Int.self) == 1)
  }

  // As long as the promise: the server is given ten seconds.
  @Test("a server that does not obey loses the session, and nobody waits for it")
  func disobedient() async throws {
    let db = try await AsyncConnection.open(server.iri())
    let process = await db.backendID
    let task = Task { try await db.query("SELECT pg_sleep(60)") }
    try await server.waitUntilSleeps(process)
    #expect(kill(process, SIGSTOP) == 0)
    defer {
      kill(process, SIGCONT)
      kill(process, SIGTERM)
    }
    let begin = ContinuousClock.now
    task.cancel()
    let error = await #expect(throws: PGError.self) { try await task.value }
    #expect(error?.code != .queryCanceled)
    #expect(ContinuousClock.now - begin >= .milliseconds(9900))
    #expect(await db.isClosed)
  }

  @Test("one that waits behind another task's statement goes away, and that one goes on")
  func queued() async throws {
    let db = try await AsyncConnection.open(server.iri())
    let process = await db.backendID
    let first = Task { try await db.first("SELECT pg_sleep(1)::text || 'done'", as: String.self) }
    try await server.waitUntilSleeps(process)
    let second = Task { try await db.execute("SELECT 1") }
    second.cancel()
    let error = await #expect(throws: PGError.self) { try await second.value }
    #expect(error?.code == .queryCanceled && error?.fault == .caller)
    #expect(try await first.value == "done")
  }
}
