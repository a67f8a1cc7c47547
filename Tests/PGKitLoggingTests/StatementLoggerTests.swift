import InMemoryLogging
import Logging
import PGKit
import PGKitLogging
import PGTestCluster
import Testing

@Suite(
  "Statement logger", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct StatementLoggerTests {
  private let log = InMemoryLogHandler()

  private func connect(
    level: Logger.Level = .debug, includingParameters: Bool = false
  ) throws -> Connection {
    var logger = Logger(label: "test", factory: { _ in log })
    logger.logLevel = level
    let server = try TestServer.shared.get()
    var connector = try Connector(
      ConnectionIRI.parse(server.tcpIRI(user: "scram", password: TestServer.password)))
    connector.log(to: logger, includingParameters: includingParameters)
    return try connector.connect()
  }

  /// What was written, without what differs from run to run.
  private var lines: [String] {
    log.entries.map { entry in
      let fields = ["operation", "statement", "parameters", "count", "tag", "code"].compactMap {
        entry.metadata["pg.\($0)"]?.description
      }
      return (["\(entry.level)", "\(entry.message)"] + fields).joined(separator: "|")
    }
  }

  @Test("writes each statement at level debug, with its time, and without values")
  func statements() throws {
    let db = try connect()
    #expect(log.entries.count == 1)
    #expect(lines[0].hasPrefix("debug|done|connect|p"))
    #expect(log.entries[0].metadata["pg.process"]?.description == "\(db.backendID)")
    #expect(!lines[0].contains(TestServer.password))
    log.clear()
    try db.execute("CREATE TEMP TABLE t(i int)")
    let insert = try db.prepare("INSERT INTO t VALUES ($1)")
    try insert(42)
    try insert.loadRows([[1], [2]])
    _ = try db.query.first("SELECT $1::text", "secret")
    let rows = try db.query.rows("SELECT 1")
    try db.copyIn("COPY t FROM STDIN").finish()
    _ = rows
    let out = try db.copyOut("COPY t TO STDOUT")
    while try out.next() != nil {}
    try db.withTransaction { _ in }
    #expect(
      lines == [
        "debug|done|execute|CREATE TEMP TABLE t(i int)|CREATE TABLE",
        "debug|done|prepare|INSERT INTO t VALUES ($1)",
        "debug|done|execute|INSERT INTO t VALUES ($1)|INSERT 0 1",
        "debug|done|execute|INSERT INTO t VALUES ($1)|2",
        "debug|done|execute|SELECT $1::text|SELECT 1",
        "debug|done, left unread|execute|SELECT 1",
        "debug|done|copy|COPY t FROM STDIN|COPY 0",
        "debug|done|copy|COPY t TO STDOUT|COPY 3",
        "debug|done|execute|START TRANSACTION|START TRANSACTION",
        "debug|done|execute|COMMIT|COMMIT",
      ])
    for entry in log.entries {
      #expect(Double(entry.metadata["pg.duration"]?.description ?? "") ?? -1 >= 0)
      #expect(entry.metadata["pg.process"]?.description == "\(db.backendID)")
      #expect(!"\(entry)".contains("secret"))
    }
  }

  @Test("writes failures with their code, and their words only where values may be written")
  func failures() throws {
    for isAsked in [false, true] {
      let db = try connect(includingParameters: isAsked)
      log.clear()
      #expect(throws: PGError.self) { try db.query("SELECT $1::text::int", "secret") }
      #expect(throws: PGError.self) { try db.prepare("SELEC") }
      #expect(throws: PGError.self) { try db.copyOut("COPY absent TO STDOUT") }
      let parameters = isAsked ? "[\"secret\"]|" : ""
      #expect(
        lines == [
          "debug|failed|execute|SELECT $1::text::int|\(parameters)22P02",
          "debug|failed|prepare|SELEC|42601",
          "debug|failed|copy|COPY absent TO STDOUT|42P01",
        ])
      #expect("\(log.entries)".contains("secret") == isAsked)
    }
  }

  @Test("writes values where that is asked for, and that something begins at level trace")
  func parameters() throws {
    let db = try connect(level: .trace, includingParameters: true)
    log.clear()
    _ = try db.query.first("SELECT $1::int, $2::text", 42, nil)
    #expect(
      lines == [
        "trace|begins|execute|SELECT $1::int, $2::text|[\"42\", \"NULL\"]",
        "debug|done|execute|SELECT $1::int, $2::text|[\"42\", \"NULL\"]|SELECT 1",
      ])
  }

  @Test("one connection alone has a log of its own, asynchronous ones too")
  func oneConnection() async throws {
    let server = try TestServer.shared.get()
    var logger = Logger(label: "test", factory: { _ in log })
    logger.logLevel = .debug
    let (db, other) = (try server.connect(), try server.connect())
    db.log(to: logger)
    try db.execute("SELECT 1")
    try other.execute("SELECT 2")
    let async = try await AsyncConnection.open(server.iri())
    try await async.log(to: logger, includingParameters: true)
    _ = try await async.first("SELECT $1::int", 3, as: Int.self)
    #expect(
      lines == [
        "debug|done|execute|SELECT 1|SELECT 1",
        "debug|done|execute|SELECT $1::int|[\"3\"]|SELECT 1",
      ])
  }

  @Test("two logs hear the same, and only the one that asked for them has the values")
  func twoLogs() throws {
    let server = try TestServer.shared.get()
    let second = InMemoryLogHandler()
    var (plain, full) = (
      Logger(label: "plain", factory: { _ in log }), Logger(label: "full", factory: { _ in second })
    )
    (plain.logLevel, full.logLevel) = (.debug, .debug)
    var connector = Connector(try ConnectionIRI.parse(server.iri()))
    connector.log(to: plain)
    connector.log(to: full, includingParameters: true)
    let db = try connector.connect()
    _ = try db.query.first("SELECT $1::text", "secret")
    #expect(log.entries.count == 2 && second.entries.count == 2)
    #expect(!"\(log.entries)".contains("secret") && "\(second.entries)".contains("secret"))
  }

  @Test("rows under way when the connection is closed have an end in the log")
  func closed() throws {
    let db = try connect()
    log.clear()
    do {
      let rows = try db.query.rows("SELECT generate_series(1, 1000000)")
      _ = try rows.next()
      db.close()
    }
    #expect(lines.count == 1 && lines[0].hasPrefix("debug|done, left unread|execute"))
  }

  @Test("writes nothing where the level is higher")
  func quiet() throws {
    let db = try connect(level: .info)
    #expect(throws: PGError.self) { try db.execute("SELEC") }
    #expect(log.entries.isEmpty)
  }
}
