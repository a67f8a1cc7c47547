import Logging
import PGKit
import PGKitServices
import ServiceLifecycle
import Testing

/// The pool inside a group of services.
@Suite("Pool service") struct PoolServiceTests {
  /// A service that uses the pool until the group shuts down, and once more then.
  private struct Work: Service {
    let pool: ConnectionPool
    let begun: AsyncStream<Void>.Continuation
    let answers: AsyncStream<Int>.Continuation

    func run() async throws {
      while await pool.statistics.idle < 2 { try await Task.sleep(for: .milliseconds(5)) }
      begun.yield()
      try await gracefulShutdown()
      answers.yield(
        try await pool.withConnection { try await $0.first("SELECT 7", as: Int.self) } ?? 0)
      answers.finish()
    }
  }

  private var logger: Logger {
    Logger(label: "services", factory: { _ in SwiftLogNoOpLogHandler() })
  }

  private func pool() throws -> ConnectionPool {
    var options = ConnectionPool.Options()
    options.minimum = 2
    return ConnectionPool(try ServiceCluster.connector(), options)
  }

  @Test("keeps connections ready, serves to the end of a graceful shutdown, and closes the pool")
  func graceful() async throws {
    let pool = try pool()
    let (begun, begins) = AsyncStream.makeStream(of: Void.self)
    let (answers, answering) = AsyncStream.makeStream(of: Int.self)
    let group = ServiceGroup(
      services: [pool.service, Work(pool: pool, begun: begins, answers: answering)],
      logger: logger)
    let running = Task { try await group.run() }
    for await _ in begun { break }
    await group.triggerGracefulShutdown()
    try await running.value
    var all: [Int] = []
    for await answer in answers { all.append(answer) }
    #expect(all == [7], "the pool was there as long as whoever uses it")
    let error = await #expect(throws: PGError.self) { _ = try await pool.take() }
    #expect(error?.code == .connectionDoesNotExist)
    let statistics = await pool.statistics
    #expect(statistics.idle == 0 && statistics.busy == 0 && statistics.made >= 2)
  }

  @Test("ends with a cancelled group")
  func cancelled() async throws {
    let pool = try pool()
    let group = ServiceGroup(services: [pool.service], logger: logger)
    let running = Task { try await group.run() }
    while await pool.statistics.idle < 2 { try await Task.sleep(for: .milliseconds(5)) }
    running.cancel()
    _ = await running.result
    #expect(await pool.statistics.idle == 0)
  }
}
