import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

/// "Database Interface Points": what a session is asked as a whole.
@Suite("Session", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct SessionTests {
  private let server: TestServer
  private let db: Connection
  private let name = "session_\(UInt64.random(in: 0...UInt64.max))"

  init() throws {
    server = try TestServer.shared.get()
    db = try server.connect()
  }

  @Test("a DO block runs in the language that it names, whatever is in it")
  func doBlock() throws {
    try db.do(
      language: "plpgsql",
      source: "BEGIN CREATE TEMP TABLE made(t text); "
        + "INSERT INTO made VALUES ('it''s \\ $$'); END")
    #expect(try db.query.first("SELECT t FROM made", as: String.self) == "it's \\ $$")
    let error = #expect(throws: PGError.self) { try db.do(language: "klingon", source: "") }
    #expect(error?.code == .undefinedObject)
    try db.settings.set("standard_conforming_strings", to: "off")
    try db.do(
      language: "plpgsql", source: "BEGIN UPDATE made SET t = E'\\\\'; END")
    #expect(try db.query.first("SELECT t FROM made", as: String.self) == "\\")
  }

  @Test("a clone is another session of the same connector")
  func clone() throws {
    try db.execute("CREATE TABLE \(name)(i int)")
    let other = try db.clone()
    #expect(!other.isClosed && other.backendID != db.backendID)
    #expect(try other.query("SELECT i FROM \(name)").isEmpty)
  }

  @Test("tells the server's version, and when and from where the session came")
  func metadata() throws {
    #expect(try db.version().hasPrefix("PostgreSQL \(db.serverVersion.major)."))
    #expect(
      try db.query.first(
        "SELECT $1::timestamptz = backend_start FROM pg_stat_activity WHERE pid = $2::int",
        db.backendStart(), db.backendID, as: Bool.self) == true)
    #expect(try db.clientAddress() == nil)
    #expect(try db.clientPort() == nil)
    #expect(db.security == nil)
    let tcp = try PGKit.open(server.tcpIRI(user: "scram", password: TestServer.password))
    #expect(try tcp.clientAddress() == "127.0.0.1")
    #expect(try (tcp.clientPort() ?? 0) > 1023)
    #expect(tcp.security == "ssl")
  }

  @Test("reset leaves nothing of what a session has gathered")
  func reset() throws {
    try db.execute(
      """
      CREATE TEMP TABLE t(i int); SET work_mem = '9MB'; PREPARE p AS SELECT 1; LISTEN c;
      SELECT pg_advisory_lock(4711); DECLARE h CURSOR WITH HOLD FOR SELECT 1; BEGIN
      """)
    let kept = try db.prepare("SELECT 1")
    let found = try db.statement(id: "p")
    try found()
    let add = try db.proc("pg_catalog.int4pl(int, int)")
    #expect(try add.value(1, 1, as: Int.self) == 2)
    try db.reset()
    #expect(db.transactionStatus == .idle)
    #expect(try db.listeningChannels().isEmpty)
    #expect(try db.settings["work_mem"] != "9MB")
    #expect(
      try db.query.first(
        """
        SELECT (SELECT count(*) FROM pg_prepared_statements WHERE name <> '')
          + (SELECT count(*) FROM pg_cursors WHERE name <> '')
          + (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())
          + (SELECT count(*) FROM pg_class WHERE relname = 't' AND pg_table_is_visible(oid))
        """, as: Int.self) == 0)
    // What PGKit prepared, it prepares again; what the server was told to prepare is gone.
    #expect(try kept()[0][0, as: Int.self] == 1)
    #expect(try add.value(1, 2, as: Int.self) == 3)
    let error = #expect(throws: PGError.self) { try found() }
    #expect(error?.code == .invalidSqlStatementName)
    try db.execute("BEGIN")
    try? db.execute("SELEKT")
    try db.reset()
    #expect(db.transactionStatus == .idle)
  }

  @Test("after close everything says that the connection does not exist")
  func closed() throws {
    let statement = try db.prepare("SELECT 1")
    db.close()
    db.close()
    let uses: [() throws -> Void] = [
      { try db.execute("SELECT 1") }, { _ = try db.prepare("SELECT 1") }, { _ = try statement() },
      { try db.query("SELECT 1") }, { _ = try db.settings["port"] }, { try db.reset() },
      { try db.transaction().start() }, { try db.listen("c") },
      { try db.do(language: "plpgsql", source: "") },
    ]
    for use in uses {
      let error = #expect(throws: PGError.self) { try use() }
      #expect(error?.code == .connectionDoesNotExist)
    }
    try statement.close()
  }

  // MARK: Notifications

  @Test("notifies in order, in one transaction, whatever is in names and payloads")
  func notifies() throws {
    let other = try db.clone()
    let channels = [name, name + "'\"x; y", "Ü\(name)"]
    try other.listen(channels)
    #expect(try other.listeningChannels() == channels.sorted())
    try db.notify([(channels[0], ""), (channels[1], "it's \\ a \"payload\""), (channels[0], "2")])
    try db.notify(channels[2])
    try db.notify([])
    var events: [PGNotification] = []
    let deadline = Deadline.after(.seconds(10))
    while events.count < 4, !deadline.hasPassed {
      events += try other.notifications(until: deadline)
    }
    #expect(events.map(\.channel) == [channels[0], channels[1], channels[0], channels[2]])
    #expect(events.map(\.payload) == ["", "it's \\ a \"payload\"", "2", ""])
    #expect(events.allSatisfy { $0.processID == db.backendID })
    let tooLong = #expect(throws: PGError.self) {
      try db.notify([(channels[0], "lost"), (channels[0], String(repeating: "x", count: 8000))])
    }
    #expect(tooLong?.code == .invalidParameterValue)
    try other.unlisten(channels[0], channels[1])
    #expect(try other.listeningChannels() == [channels[2]])
    #expect(try other.notifications(until: .after(.milliseconds(50))).isEmpty)
  }
}
