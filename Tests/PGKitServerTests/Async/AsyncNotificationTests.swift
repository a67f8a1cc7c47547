import Foundation
import PGKit
import PGTestCluster
import Testing

/// Notifications of a connection that has other things to do as well.
@Suite(
  "Async notifications", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct AsyncNotificationTests {
  private let db: AsyncConnection
  private let sender: AsyncConnection
  private let a = "async_a_\(UInt32.random(in: 0...UInt32.max))"
  private let b = "async_b_\(UInt32.random(in: 0...UInt32.max))"
  private let c = "async_c_\(UInt32.random(in: 0...UInt32.max))"

  init() async throws {
    let server = try TestServer.shared.get()
    db = try await AsyncConnection.open(server.iri())
    sender = try await AsyncConnection.open(server.iri())
  }

  private func payloads(_ news: AsyncNotifications, _ count: Int) async throws -> [String] {
    var payloads: [String] = []
    for try await notification in news {
      payloads.append(notification.payload)
      if payloads.count == count { break }
    }
    return payloads
  }

  @Test("a loop that is left leaves the rest to the next one")
  func left() async throws {
    let news = try await db.listen(a)
    try await sender.execute("NOTIFY \(a), '1'; NOTIFY \(a), '2'; NOTIFY \(a), '3'")
    #expect(try await payloads(news, 1) == ["1"])
    let rest = Task { try await payloads(news, 2) }
    // Where they are lost nothing would ever come.
    let alarm = Task {
      try await Task.sleep(for: .seconds(60))
      rest.cancel()
    }
    #expect(try await rest.value == ["2", "3"])
    alarm.cancel()
  }

  @Test("two tasks that listen on one connection each hear what they listen for")
  func channels() async throws {
    let (forA, forB) = (try await db.listen(a), try await db.listen(b))
    let first = Task { try await payloads(forA, 3) }
    let second = Task { try await payloads(forB, 2) }
    for (channel, payload) in [(a, "1"), (b, "2"), (a, "3")] {
      try await sender.query("SELECT pg_notify($1, $2)", channel, payload)
    }
    try await sender.execute("NOTIFY \(a), '4'; NOTIFY \(b), '5'")
    let alarm = Task {
      try await Task.sleep(for: .seconds(60))
      first.cancel()
      second.cancel()
    }
    #expect(try await first.value == ["1", "3", "4"])
    #expect(try await second.value == ["2", "5"])
    alarm.cancel()
  }

  @Test("several tasks that wait cost nothing, and each goes when it is cancelled")
  func idle() async throws {
    let news = [try await db.listen(a), try await db.listen(b), try await db.listen()]
    let waiting = news.map { news in Task { try await payloads(news, 1) } }
    func time() async throws -> Double {
      try await db.perform { _ in
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
      }
    }
    let before = try await time()
    try await Task.sleep(for: .seconds(2))
    #expect(try await time() - before < 0.3)
    for task in waiting.reversed() {
      task.cancel()
      let error = await #expect(throws: PGError.self) { _ = try await task.value }
      #expect(error?.code == .queryCanceled)
    }
    #expect(try await db.first("SELECT 1", as: Int.self) == 1)
  }

  @Test("a task that waits for notifications leaves another's rows to it")
  func streaming() async throws {
    let news = try await db.listen(a)
    let waiting = Task { try await payloads(news, 1) }
    try await Task.sleep(for: .milliseconds(100))
    // More than would be kept.
    var (count, batches) = (0, 0)
    let rows = try await db.chunks("SELECT repeat('x', 60000) FROM generate_series(1, 6000)")
    for try await batch in rows {
      count += batch.count
      batches += 1
      if batches == 3 { try await sender.execute("NOTIFY \(a), 'amid'") }
    }
    #expect(count == 6000)
    #expect(try await waiting.value == ["amid"])
  }

  // Whoever waits has looked for it, and then lets another have the thread before it waits: a thousand times,
  // because only now and then the notification comes just then.
  @Test("what comes while another's rows end is heard, whoever has the thread", arguments: [1, 3])
  func meetings(listeners: Int) async throws {
    let news = try await db.listen(a)
    for round in 0..<(1000 / listeners) {
      let waiting = (0..<listeners).map { _ in Task { try await payloads(news, 1) } }
      let alarm = Task {
        try await Task.sleep(for: .seconds(60))
        for task in waiting { task.cancel() }
      }
      let (db, sender, a) = (db, sender, a)
      let sending = Task {
        for _ in waiting { try await sender.execute("NOTIFY \(a), '\(round)'") }
      }
      var count = 0
      let rows = try await db.chunks("SELECT repeat('x', 2000) FROM generate_series(1, 200)")
      for try await batch in rows { count += batch.count }
      #expect(count == 200)
      try await sending.value
      for task in waiting { #expect(try await task.value == ["\(round)"]) }
      alarm.cancel()
    }
  }

  @Test("what one task receives for another that waits is told to that one")
  func strangers() async throws {
    let (forA, forB, forC) = (
      try await db.listen(a), try await db.listen(b), try await db.listen(c)
    )
    let watching = Task { try await payloads(forA, 1) }
    try await Task.sleep(for: .milliseconds(100))
    let waiting = Task { try await payloads(forC, 1) }
    try await Task.sleep(for: .milliseconds(100))
    let (db, c) = (db, c)
    let receiving = Task {
      try await db.withConnection { db in
        try await db.execute("NOTIFY \(c), 'x'")
        return try await payloads(forB, 1)
      }
    }
    let alarm = Task {
      try await Task.sleep(for: .seconds(60))
      waiting.cancel()
    }
    #expect(try await waiting.value == ["x"])
    alarm.cancel()
    for task in [watching, receiving] {
      task.cancel()
      let error = await #expect(throws: PGError.self) { _ = try await task.value }
      #expect(error?.code == .queryCanceled)
    }
  }

  // The one that watches for the others goes, and the one that would be next goes with it.
  @Test("of those that wait some are cancelled at the same time, and the rest hear what comes")
  func cancelledTogether() async throws {
    let news = try await db.listen(a)
    for round in 0..<200 {
      let waiting = (0..<6).map { _ in Task { try await payloads(news, 1) } }
      try await Task.sleep(for: .microseconds(Int.random(in: 0...2000)))
      for task in waiting.prefix(5) { task.cancel() }
      for task in waiting.prefix(5) {
        let error = await #expect(throws: PGError.self) { _ = try await task.value }
        #expect(error?.code == .queryCanceled)
      }
      let alarm = Task {
        try await Task.sleep(for: .seconds(60))
        waiting[5].cancel()
      }
      try await sender.execute("NOTIFY \(a), '\(round)'")
      #expect(try await waiting[5].value == ["\(round)"])
      alarm.cancel()
    }
  }

  @Test("all that wait hear that the connection is lost")
  func loss() async throws {
    let news = [try await db.listen(a), try await db.listen(b)]
    let waiting = news.map { news in Task { try await payloads(news, 1) } }
    try await sender.query("SELECT pg_terminate_backend($1)", await db.backendID)
    for task in waiting {
      let error = await #expect(throws: PGError.self) { _ = try await task.value }
      #expect(error?.code == .adminShutdown)
    }
  }
}
