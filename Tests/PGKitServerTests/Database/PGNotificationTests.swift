import Glibc
import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

@Suite("PGNotification", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PGNotificationTests {
  private let server: TestServer
  /// The one who listens, and the one who notifies.
  private let (db, other): (Connection, Connection)

  init() throws {
    server = try TestServer.shared.get()
    (db, other) = (try server.connect(), try server.connect())
  }

  private func notify(_ channel: String, _ payload: String = "", by sender: Connection) throws {
    try sender.query("SELECT pg_notify($1, $2)", channel, payload)
  }

  /// Exactly so many notifications, or as many as come within ten seconds.
  private func take(_ count: Int, from db: Connection) throws -> [PGNotification] {
    let deadline = Deadline.after(.seconds(10))
    var events: [PGNotification] = []
    while events.count < count, !deadline.hasPassed {
      events += try db.notifications(until: deadline)
    }
    return events
  }

  // MARK: What is heard

  @Test("hears what is sent to its channels, in order, with the sender's process")
  func order() throws {
    try db.listen("one", "two")
    try notify("one", "a", by: other)
    try notify("three", "not heard", by: other)
    try notify("two", by: other)
    try notify("one", "c", by: db)
    let events = try take(3, from: db)
    #expect(events.map(\.channel) == ["one", "two", "one"])
    #expect(events.map(\.payload) == ["a", "", "c"])
    #expect(events.map(\.processID) == [other.backendID, other.backendID, db.backendID])
    #expect(events.allSatisfy { $0.rawPayload == nil })
  }

  @Test(
    "takes channel names exactly as they are",
    arguments: [
      "we\"ird Ch", "Upper", "sélect", "a;b--", "select", " ", "'", "\\", "😀",
      String(repeating: "x", count: 63),
    ])
  func names(channel: String) throws {
    try db.listen(channel)
    try notify(channel, "p", by: other)
    #expect(try take(1, from: db).map(\.channel) == [channel])
    try db.unlisten(channel)
    #expect(try db.query("SELECT pg_listening_channels()").count == 0)
  }

  @Test("listens on all channels or on none")
  func allOrNone() throws {
    let error = #expect(throws: PGError.self) { try db.listen("good", "") }
    #expect(error?.code == .syntaxError)
    let nul = #expect(throws: PGError.self) { try db.listen("good", "a\0b") }
    #expect(nul?.code == .parameterError)
    #expect(try db.query("SELECT pg_listening_channels()").count == 0)
    try db.listen([])
    try db.listen((0..<1000).map { "channel \($0)" } + ["channel 7"])
    #expect(try db.query("SELECT pg_listening_channels()").count == 1000)
  }

  @Test("keeps what arrives while other things are done")
  func meanwhile() throws {
    try db.listen("meanwhile")
    try notify("meanwhile", "1", by: other)
    #expect(try db.query("SELECT 1").count == 1)
    try notify("meanwhile", "2", by: other)
    #expect(throws: PGError.self) { try db.execute("SELECT 1/0") }
    try notify("meanwhile", "3", by: other)
    #expect(try take(3, from: db).map(\.payload) == ["1", "2", "3"])
  }

  @Test("says so when more came than was taken, and goes on with the rest")
  func dropped() throws {
    try db.listen("flood")
    try other.execute(
      "SELECT pg_notify('flood', i || repeat('x', 7900)) FROM generate_series(1, 9000) AS i")
    try db.execute("SELECT 1")
    let error = #expect(throws: PGError.self) { _ = try db.notifications(until: .after(.zero)) }
    #expect(error?.code == .insufficientResources)
    #expect(error?.message.contains("notifications were dropped") == true)
    let left = try db.notifications(until: .after(.zero))
    #expect(left.last?.payload.hasPrefix("9000x") == true)
    // One after the other, they are given after the error, too, and in bytes there is none.
    for takesBatch in [false, true] {
      try other.execute(
        "SELECT pg_notify('flood', i || repeat('x', 7900)) FROM generate_series(1, 9000) AS i")
      try db.execute("SELECT 1")
      if takesBatch {
        let batch = try db.notificationBatch(until: .after(.zero))
        #expect(batch.dropped > 0 && batch.dropped + batch.count == 9000)
        continue
      }
      let events = db.notifications(timeout: .zero)
      #expect(throws: PGError.self) { _ = try events.next() }
      var count = 0
      while try events.next() != nil { count += 1 }
      #expect(count == left.count)
    }
  }

  @Test("keeps rows that nobody has taken")
  func runningRows() throws {
    try db.listen("rows")
    let rows = try db.query.rows("SELECT generate_series(1, 100000)")
    _ = try rows.next()
    try notify("rows", "p", by: other)
    #expect(try take(1, from: db).map(\.payload) == ["p"])
    var count = 1
    while try rows.next() != nil { count += 1 }
    #expect(count == 100_000)
  }

  @Test("loses none of many, in the clear and inside TLS", arguments: [false, true])
  func many(isEncrypted: Bool) throws {
    let iri =
      isEncrypted
      ? server.tcpIRI(user: "scram", password: "secret", "sslmode=require") : server.iri()
    let db = try PGKit.open(iri)
    #expect(db.isEncrypted == isEncrypted)
    let channel = "many \(isEncrypted)"
    try db.listen(channel)
    for start in stride(from: 0, to: 3000, by: 500) {
      // Each is nearly as long as can be, so that messages and reads never fall together.
      try other.query(
        """
        SELECT pg_notify($2, lpad(i::text, 4000 + i, '.'))
        FROM generate_series($1::int, $1::int + 499) AS i
        """, start, channel)
    }
    let events = try take(3000, from: db)
    #expect(events.map(\.payload.count) == (0..<3000).map { 4000 + $0 })
    #expect(events.map { $0.payload.drop { $0 == "." } } == (0..<3000).map { "\($0)"[...] })
  }

  @Test("gives the bytes of a payload that is not UTF-8")
  func notUTF8() throws {
    try other.execute("DROP DATABASE IF EXISTS plain_bytes")
    try other.execute(
      "CREATE DATABASE plain_bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    let db = try PGKit.open(server.iri(database: "plain_bytes"))
    // Else the server ends the session: it would have to send what is not UTF-8.
    try db.execute("SET client_encoding = 'SQL_ASCII'")
    try db.listen("c")
    try db.execute("SELECT pg_notify('c', 'a' || chr(255)), pg_notify('c', 'b')")
    let events = try take(2, from: db)
    #expect(events.map(\.rawPayload) == [[0x61, 0xff], nil])
    #expect(events.map(\.payload) == ["a\u{fffd}", "b"])
    // As they came, for who passes them on.
    try db.execute("SELECT pg_notify('c', 'a' || chr(255)), pg_notify('c', 'b')")
    var bytes: [[UInt8]] = []
    try db.notificationBatch(until: .after(.seconds(10))).forEachBytes {
      #expect(String(decoding: $0.channel, as: UTF8.self) == "c")
      #expect($0.processID == db.backendID)
      bytes.append(Array($0.payload))
    }
    #expect(bytes == [[0x61, 0xff], [0x62]])
  }

  // MARK: How waiting ends

  @Test("waits until the deadline, and after it takes only what is there")
  func deadline() throws {
    try db.listen("late")
    let start = ContinuousClock.now
    #expect(try db.notifications(until: .after(.milliseconds(50))).isEmpty)
    #expect(ContinuousClock.now - start >= .milliseconds(50))
    try notify("late", "p", by: db)
    #expect(try db.notifications(until: .after(.zero)).map(\.payload) == ["p"])
    #expect(try db.notifications(until: .after(.zero)).isEmpty)
  }

  @Test("stops waiting when another descriptor can be read, or an output has no reader any more")
  func descriptors() throws {
    var ends: [CInt] = [0, 0]
    try #require(pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[1]) }
    try #require(write(ends[1], "x", 1) == 1)
    #expect(try db.notifications(until: .never, orReadable: ends[0]).isEmpty)
    let soon = Deadline.after(.milliseconds(20))
    #expect(try db.notifications(until: soon, orHungUp: ends[1]).isEmpty)
    #expect(soon.hasPassed)
    close(ends[0])
    #expect(try db.notifications(until: .never, orHungUp: ends[1]).isEmpty)
  }

  @Test("gives what came before the session was ended, then the reason, however often it is asked")
  func terminated() throws {
    try db.listen("last")
    try other.query("SELECT pg_notify('last', 'words')")
    var socket = pollfd(fd: db.fileDescriptor, events: Int16(POLLIN), revents: 0)
    #expect(poll(&socket, 1, 10_000) == 1)
    try other.query("SELECT pg_terminate_backend($1, 5000)", db.backendID)
    #expect(try db.notifications(until: .after(.seconds(10))).map(\.payload) == ["words"])
    for _ in 0..<2 {
      let error = #expect(throws: PGError.self) {
        try db.notifications(until: .after(.seconds(10)))
      }
      #expect(error?.code == .adminShutdown)
    }
    #expect(db.isClosed)
  }

  @Test("says that a connection is closed")
  func closed() throws {
    db.close()
    let error = #expect(throws: PGError.self) { try db.notifications(until: .never) }
    #expect(error?.code == .connectionDoesNotExist)
  }

  @Test("a command whose deadline passes ends the session")
  func commandDeadline() throws {
    let error = #expect(throws: PGError.self) {
      try db.execute("SELECT pg_sleep(5)", until: .after(.milliseconds(50)))
    }
    #expect(error?.isTimeout == true)
    #expect(db.isClosed)
  }
}
