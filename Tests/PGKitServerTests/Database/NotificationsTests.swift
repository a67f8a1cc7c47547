import Foundation
import PGKit
import PGTestCluster
import Synchronization
import Testing

/// "Connection.iternotifies".
@Suite(
  "Notifications of a connection",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct NotificationsTests {
  private let server: TestServer
  private let db: Connection
  /// The server is shared with other tests.
  private let channel = "notifications_\(UInt64.random(in: 0...UInt64.max))"

  init() throws {
    server = try TestServer.shared.get()
    db = try server.connect()
    try db.listen(channel)
  }

  private func payload(_ event: Notifications.Event?) -> String? {
    if case .notification(let notification) = event { notification.payload } else { nil }
  }

  @Test("with a timeout of zero, what has come is given and then there is an end")
  func zero() throws {
    #expect(try db.notifications(timeout: .zero).next() == nil)
    try db.notify([(channel, "1"), (channel, "2")])
    let events = db.notifications(timeout: .zero)
    #expect(try payload(events.next()) == "1")
    #expect(try payload(events.next()) == "2")
    #expect(try events.next() == nil)
    try db.notify(channel, payload: "3")
    #expect(try events.next() == nil)
    #expect(try payload(db.notifications(timeout: .zero).next()) == "3")
  }

  @Test("with a timeout there is an idle event after each such time without any")
  func idle() throws {
    let other = try server.connect()
    let events = db.notifications(timeout: .milliseconds(20))
    #expect(try events.next() == .idle)
    #expect(try events.next() == .idle)
    try other.notify(channel, payload: "x")
    var seen: [Notifications.Event] = []
    while let event = try events.next(), seen.count < 500 {
      seen.append(event)
      if event != .idle { break }
    }
    #expect(payload(seen.last) == "x")
    #expect(try events.next() == .idle)
  }

  @Test("a channel whose name the server would cut is refused, and a payload is in no report")
  func names() throws {
    let long = String(repeating: "x", count: 64)
    for attempt in [
      { () throws in try db.listen(long) }, { try db.unlisten(long) }, { try db.notify(long) },
    ] {
      let error = #expect(throws: PGError.self) { try attempt() }
      #expect(error?.code == .parameterError)
    }
    let payload = String(repeating: "secret", count: 2000)
    let error = #expect(throws: PGError.self) { try db.notify(channel, payload: payload) }
    #expect(error?.fault == .server)
    #expect(error?.report.contains("secret") == false)
    #expect(error?.report.contains("STATEMENT: NOTIFY") == true)
  }

  @Test("without a timeout it waits for as long as it takes")
  func never() throws {
    let other = try server.connect()
    try other.execute("SELECT pg_notify('\(channel)', 'first')")
    let events = db.notifications()
    #expect(try payload(events.next()) == "first")
    // The server sends the rest by itself, from a session that sleeps first.
    let running = try other.query.rows(
      "SELECT pg_sleep(0.2), pg_notify('\(channel)', 'second') FROM pg_sleep(0.1)")
    #expect(try payload(events.next()) == "second")
    try running.close()
  }

  @Test("a loop in a thread of its own goes on until it hears the channel that ends it")
  func thread() throws {
    let (iri, channel) = (server.iri(), channel)
    let heard = Heard()
    let (listens, isDone) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    Thread.detachNewThread {
      defer { isDone.signal() }
      do {
        let db = try PGKit.open(iri)
        try db.listen(channel, "end \(channel)")
        listens.signal()
        let events = db.notifications()
        while case .notification(let event) = try events.next() {
          if event.channel == "end \(channel)" { break }
          heard.payloads.withLock { $0.append(event.payload) }
        }
      } catch { Issue.record(error) }
    }
    listens.wait()
    for number in 1...3 { try db.notify(channel, payload: "\(number)") }
    try db.notify([("end \(channel)", ""), (channel, "late")])
    #expect(isDone.wait(timeout: .now() + 20) == .success)
    #expect(heard.payloads.withLock { $0 } == ["1", "2", "3"])
  }

  private final class Heard: Sendable {
    let payloads = Mutex<[String]>([])
  }

  @Test("closed in the loop, or while it is idle, it gives what it had received, and then an end")
  func closed() throws {
    let events = db.notifications(timeout: .milliseconds(20))
    #expect(try events.next() == .idle)
    try db.notify([(channel, "1"), (channel, "2")])
    db.close()
    #expect(try payload(events.next()) == "1")
    #expect(try payload(events.next()) == "2")
    #expect(try events.next() == nil)
    let other = try server.connect()
    try other.listen(channel)
    try other.notify([(channel, "1"), (channel, "2")])
    let rest = other.notifications()
    #expect(try payload(rest.next()) == "1")
    other.close()
    #expect(try payload(rest.next()) == "2")
    #expect(try rest.next() == nil)
  }

  @Test("when the connection is lost, what has come is given, and then there is an end")
  func lost() throws {
    let other = try server.connect()
    try other.notify(channel, payload: "last")
    try other.execute("SELECT pg_terminate_backend(\(db.backendID), 5000)")
    let events = db.notifications(timeout: .seconds(20))
    #expect(try payload(events.next()) == "last")
    #expect(try events.next() == nil)
    #expect(try events.next() == nil)
    #expect(db.isClosed)
    let error = #expect(throws: PGError.self) { try db.execute("SELECT 1") }
    #expect(error?.code == .adminShutdown)
  }
}
