import Foundation
import PGKit
import PGTestCluster
import Testing

/// "postgresql.notifyman", with the scenarios of its tests.
@Suite(
  "Notifications of many connections",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct NotificationListenerTests {
  private let server: TestServer
  private let one: Connection
  private let two: Connection
  private let channel = "listener \(UInt64.random(in: 0...UInt64.max))"

  init() throws {
    server = try TestServer.shared.get()
    one = try server.connect()
    two = try server.connect()
    try one.listen(channel)
    try two.listen(channel)
  }

  private func payloads(_ event: NotificationListener.Event?) -> [String] {
    if case .notifications(_, let list) = event { list.map(\.payload) } else { [] }
  }

  private func isIdle(_ event: NotificationListener.Event?) -> Bool {
    if case .idle = event { true } else { false }
  }

  @Test("two connections hear each other and themselves")
  func crossNotify() throws {
    let listener = NotificationListener([one, two], timeout: .seconds(60))
    for (sender, payload) in [(one, "by one"), (two, "by two")] {
      try sender.notify(channel, payload: payload)
      var heard: [ObjectIdentifier] = []
      while heard.count < 2, case .notifications(let connection, let list) = try listener.next() {
        #expect(list.map(\.payload) == [payload])
        #expect(list.map(\.processID) == [sender.backendID])
        #expect(list.map(\.channel) == [channel])
        heard.append(ObjectIdentifier(connection))
      }
      #expect(Set(heard) == [ObjectIdentifier(one), ObjectIdentifier(two)])
    }
  }

  @Test("idle events come in time, and what is done in them is heard")
  func idle() throws {
    let listener = NotificationListener([one], timeout: .milliseconds(100))
    let start = ContinuousClock.now
    var idles = 0
    var heard: [String] = []
    while heard.count < 4, let event = try listener.next() {
      if isIdle(event) {
        idles += 1
        try one.notify(channel, payload: "\(idles)")
      }
      heard += payloads(event)
    }
    #expect(heard == ["1", "2", "3", "4"])
    #expect(idles == 4)
    #expect(ContinuousClock.now - start >= .milliseconds(400))
  }

  @Test(
    "idle events come even if there is always something, after what was there when they were due")
  func idleInFlood() throws {
    let timeout = Duration.milliseconds(30)
    let listener = NotificationListener([one], timeout: timeout)
    let sender = try server.connect()
    let start = ContinuousClock.now
    var idles = 0
    var formerIdle = start
    while idles < 5, ContinuousClock.now - start < .seconds(30) {
      try sender.notify(channel, payload: "x")
      var socket = pollfd(fd: one.fileDescriptor, events: Int16(POLLIN), revents: 0)
      #expect(poll(&socket, 1, 10_000) == 1)
      let arrival = ContinuousClock.now
      guard isIdle(try listener.next()) else { continue }
      idles += 1
      // What has just come was not there when it became due.
      #expect(arrival - formerIdle >= timeout)
      #expect(try payloads(listener.next()) == ["x"])
      formerIdle = .now
    }
    #expect(idles == 5)
  }

  @Test("with a timeout of zero, what has come is given and then there is an end, again and again")
  func zero() throws {
    let listener = NotificationListener([one, two], timeout: .zero)
    #expect(try listener.next() == nil)
    // On the wire only, and not read yet.
    try server.connect().notify([(channel, "a"), (channel, "b")])
    for connection in [one, two] {
      var socket = pollfd(fd: connection.fileDescriptor, events: Int16(POLLIN), revents: 0)
      #expect(poll(&socket, 1, 10_000) == 1)
    }
    #expect(try payloads(listener.next()) == ["a", "b"])
    #expect(try payloads(listener.next()) == ["a", "b"])
    #expect(try listener.next() == nil)
    try one.notify(channel, payload: "c")
    #expect(try payloads(listener.next()) == ["c"])
  }

  @Test("what arrived while other things were done is given at once, and inside TLS as well")
  func meanwhile() throws {
    let encrypted = try PGKit.open(
      server.tcpIRI(user: "scram", password: "secret", "sslmode=require"))
    try encrypted.listen(channel)
    let listener = NotificationListener([one, encrypted])
    try two.notify(channel, payload: "x")
    #expect(try one.query("SELECT 1").count == 1)
    #expect(try encrypted.query("SELECT 1").count == 1)
    #expect(try payloads(listener.next()) == ["x"])
    #expect(try payloads(listener.next()) == ["x"])
    try two.notify(channel, payload: "y")
    #expect(try payloads(listener.next()) == ["y"])
  }

  @Test("connections are added and removed between two events")
  func addAndRemove() throws {
    let listener = NotificationListener([one], timeout: .seconds(60))
    try two.notify(channel, payload: "1")
    #expect(try payloads(listener.next()) == ["1"])
    listener.add(two)
    listener.add(two)
    #expect(listener.connections.count == 2)
    listener.remove(one)
    #expect(try payloads(listener.next()) == ["1"])
    try one.notify(channel, payload: "2")
    guard case .notifications(let connection, _) = try listener.next() else {
      Issue.record("nothing came")
      return
    }
    #expect(connection === two)
    listener.remove(two)
    #expect(try listener.next() == nil)
  }

  @Test("a connection that has failed is told of, and goes to the garbage; the others go on")
  func garbage() throws {
    let listener = NotificationListener([one, two], timeout: .seconds(60))
    try one.notify(channel, payload: "last words")
    try two.query("SELECT pg_terminate_backend($1, 5000)", one.backendID)
    var heard: [String] = []
    var lost: [NotificationListener.Lost] = []
    while lost.isEmpty, let event = try listener.next() {
      heard += payloads(event)
      if case .lost(let one) = event { lost.append(one) }
    }
    #expect(heard == ["last words", "last words"])
    #expect(lost.first?.connection === one)
    #expect(lost.first?.error.code == .adminShutdown)
    #expect(listener.garbage.map(\.error.code) == [.adminShutdown])
    #expect(listener.connections.count == 1)
    listener.garbage.removeAll()
    listener.add(try one.clone())
    try two.notify(channel, payload: "again")
    #expect(try payloads(listener.next()) == ["again"])
  }

  @Test("a connection that is closed in the loop ends it, after what it had received")
  func closed() throws {
    let listener = NotificationListener([one], timeout: .milliseconds(50))
    #expect(try isIdle(listener.next()))
    try one.notify(channel, payload: "queued")
    one.close()
    #expect(try payloads(listener.next()) == ["queued"])
    var event = try listener.next()
    while isIdle(event) { event = try listener.next() }
    guard case .lost(let lost) = event else {
      Issue.record("it does not say that it is closed")
      return
    }
    #expect(lost.error.code == .connectionDoesNotExist)
    #expect(try listener.next() == nil)
  }

  @Test("what was dropped is told of each connection, before what was kept")
  func dropped() throws {
    try one.listen("flood \(channel)")
    try two.listen("flood \(channel)")
    try server.connect().execute(
      """
      SELECT pg_notify('flood \(channel)', i || repeat('x', 7900)) FROM generate_series(1, 9000) i
      """)
    try one.execute("SELECT 1")
    try two.execute("SELECT 1")
    let listener = NotificationListener([one, two], timeout: .seconds(60))
    for connection in [one, two] {
      guard case .dropped(let origin, let count) = try listener.next() else {
        Issue.record("it does not say what was dropped")
        return
      }
      #expect(origin === connection)
      let kept = try payloads(listener.next())
      #expect(count > 0 && count + kept.count == 9000)
      #expect(kept.last?.hasPrefix("9000x") == true)
    }
  }

  @Test("what was kept is given when the connection is over, and then why it is")
  func droppedAndLost() throws {
    try one.listen("flood \(channel)")
    let db = try server.connect()
    try db.execute(
      """
      SELECT pg_notify('flood \(channel)', i || repeat('x', 7900)) FROM generate_series(1, 9000) i
      """)
    try one.execute("SELECT 1")
    try db.query("SELECT pg_terminate_backend($1, 5000)", one.backendID)
    #expect(throws: PGError.self) { try one.execute("SELECT 1") }
    let listener = NotificationListener([one], timeout: .seconds(60))
    guard case .dropped(_, let count) = try listener.next() else {
      Issue.record("it does not say what was dropped")
      return
    }
    let kept = try payloads(listener.next())
    #expect(count + kept.count == 9000)
    guard case .lost(let lost) = try listener.next() else {
      Issue.record("it does not say that it is lost")
      return
    }
    #expect(lost.error.code != .insufficientResources)
  }

  @Test("other descriptors end the waiting")
  func watches() throws {
    var ends: [CInt] = [0, 0]
    try #require(pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[1]) }
    let listener = NotificationListener([one, two])
    let watch = DescriptorWatch(ends[0], .readable)
    #expect(try listener.wait(until: .after(.milliseconds(20)), orFor: [watch]).isEmpty)
    #expect(
      try listener.wait(until: .never, orFor: [DescriptorWatch(ends[1], .writable)]).isEmpty)
    try #require(write(ends[1], "x", 1) == 1)
    #expect(try listener.wait(until: .never, orFor: [watch]).isEmpty)
    close(ends[0])
    #expect(try listener.wait(until: .never, orFor: [DescriptorWatch(ends[1], .hangUp)]).isEmpty)
    try two.notify(channel, payload: "x")
    #expect(try listener.wait(until: .never).count >= 1)
  }

  @Test("sixty connections in one thread")
  func sixty() throws {
    let db = try server.connect()
    let others = try (0..<60).map { _ in try server.connect() }
    for connection in others { try connection.listen(channel) }
    let listener = NotificationListener(others, timeout: .seconds(60))
    for number in 0..<20 { try db.notify(channel, payload: "\(number)") }
    var heard: [ObjectIdentifier: [String]] = [:]
    while heard.values.reduce(0, { $0 + $1.count }) < 60 * 20,
      case .notifications(let connection, let list) = try listener.next()
    {
      heard[ObjectIdentifier(connection), default: []] += list.map(\.payload)
    }
    #expect(heard.count == 60)
    #expect(heard.values.allSatisfy { $0 == (0..<20).map { "\($0)" } })
  }
}
