import Glibc
import PGKit
import PGTestCluster
import Testing

/// What asynchronous connections leave behind in their process.
@Suite(
  "Residue of asynchronous connections",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct AsyncResidueTests {
  /// What a process has.
  private struct Holdings {
    var descriptors = 0
    var threads = 0

    static func now() -> Holdings {
      Holdings(descriptors: entries(of: "/proc/self/fd"), threads: entries(of: "/proc/self/task"))
    }

    private static func entries(of path: String) -> Int {
      guard let directory = opendir(path) else { return 0 }
      defer { closedir(directory) }
      var count = 0
      while readdir(directory) != nil { count += 1 }
      return count
    }

    /// Waits until there is no more than `limit` says: threads end soon after what they were for.
    static func settled(_ limit: Holdings) async throws -> Holdings {
      let end = ContinuousClock.now + .seconds(30)
      var holdings = now()
      while holdings.descriptors > limit.descriptors || holdings.threads > limit.threads,
        .now < end
      {
        try await Task.sleep(for: .milliseconds(20))
        holdings = now()
      }
      return holdings
    }
  }

  /// More than there are threads for tasks, so that no number of those explains what is left.
  private static let connections = 3 * Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) + 8

  /// Uses a connection in all ways that take a thread or a descriptor.
  private static func use(_ iri: String, closes: Bool) async throws {
    let db = try await AsyncConnection.open(iri)
    let statement = try await db.prepare("SELECT $1::int")
    _ = try await statement(1)
    let rows = try await db.rows("SELECT generate_series(1, 100000)")
    for try await _ in rows { break }
    let news = try await db.listen("residue")
    let waiting = Task { for try await _ in news {} }
    let sleeping = Task { try await db.execute("SELECT pg_sleep(60)") }
    try await Task.sleep(for: .milliseconds(20))
    sleeping.cancel()
    waiting.cancel()
    _ = await (sleeping.result, waiting.result)
    if closes { await db.close() }
  }

  private static func useConnections(_ iri: String) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<connections {
        group.addTask { try await use(iri, closes: number.isMultiple(of: 2)) }
      }
      try await group.waitForAll()
    }
    let refused = await #expect(throws: PGError.self) {
      _ = try await AsyncConnection.open(iri + "&user=nobody_like_that&password=x")
    }
    #expect(refused != nil)
  }

  private static func usePool(_ iri: String, closes: Bool) async throws {
    var options = ConnectionPool.Options()
    options.maximum = connections / 2
    options.patience = .seconds(60)
    let pool = ConnectionPool(Connector(try ConnectionIRI.parse(iri)), options)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<connections {
        group.addTask {
          let sum = try await pool.withConnection { db in
            try await db.first("SELECT $1::int FROM pg_sleep(0.01)", number, as: Int.self)
          }
          #expect(sum == number)
        }
      }
      try await group.waitForAll()
    }
    if closes { await pool.close() }
  }

  private static func trial(_ iri: String) async throws {
    // What is made once for all, as threads for tasks, is there afterwards.
    try await useConnections(iri)
    try await usePool(iri, closes: true)
    try await Task.sleep(for: .seconds(1))
    let before = Holdings.now()
    #expect(before.threads < connections, "\(before)")
    // What is held is seen: each has a thread, a pipe and a socket.
    var held: [AsyncConnection] = []
    for _ in 0..<connections { held.append(try await AsyncConnection.open(iri)) }
    let most = Holdings.now()
    #expect(most.threads >= connections, "\(most)")
    #expect(most.descriptors >= before.descriptors + 3 * connections, "\(before), then \(most)")
    held = []
    for round in 0..<3 {
      try await useConnections(iri)
      try await usePool(iri, closes: round > 0)
      let after = try await Holdings.settled(before)
      #expect(after.descriptors <= before.descriptors, "\(before), then \(after)")
      #expect(after.threads <= before.threads, "\(before), then \(after)")
    }
  }

  @Test("connections and pools that were closed, or let go of, leave no descriptor and no thread")
  func nothing() async throws {
    let iri = try TestServer.shared.get().iri()
    // In a process of its own: other tests open and close all the time.
    await #expect(processExitsWith: .success) { [iri = iri as String] in
      do { try await Self.trial(iri) } catch { Issue.record(error) }
    }
  }
}
