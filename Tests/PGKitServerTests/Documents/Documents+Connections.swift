import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

// Also: all uses of a closed connection, `do`, `clone`, `reset`, when and from where the session came, and
// NOTIFY with any name and payload, in SessionTests; one that the server ends, the descriptor and the
// process, in ConnectionTests; `listen` and `unlisten`, in PGNotificationTests; `iternotifies`, in
// NotificationsTests; a failure to connect, which is final, in ConnectorKindsTests; server versions, in
// ServerVersionTests.

extension Documents {
  @Suite("Connections")
  struct ConnectionsTests {
    private let server: TestServer
    private let db: Connection

    init() throws {
      server = try TestServer.shared.get()
      db = try server.connect()
    }

    @Test("Connections: once closed, it can no longer be used; a new one must be established")
    func oneTime() throws {
      db.close()
      let error = #expect(throws: PGError.self) { try db.query("SELECT 1") }
      #expect(error?.code == .connectionDoesNotExist)
      #expect(try db.connector.connect().query.first("SELECT 1", as: Int.self) == 1)
    }

    @Test("Connections: one that was lost can no longer be used either")
    func lost() throws {
      let other = try db.clone()
      try other.query("SELECT pg_terminate_backend($1, 5000)", db.backendID)
      for _ in 1...2 { #expect(throws: PGError.self) { try db.query("SELECT 1") } }
      #expect(db.isClosed)
    }

    @Test("Connections: a failure to connect says what failed")
    func cannotConnect() throws {
      var options = ConnectionOptions()
      (options.user, options.hosts, options.ports) = ("scram", ["127.0.0.1"], [1])
      let error = #expect(throws: PGError.self) { try PGKit.connect(options) }
      #expect(error?.code == .sqlclientUnableToEstablishSqlconnection)
      #expect(error?.message.contains("127.0.0.1") == true)
    }

    // MARK: Database Interface Points

    @Test("Database Interface Points: execute runs a block of SQL and stops at the first error")
    func execute() throws {
      try db.execute("CREATE TEMP TABLE a(i int); INSERT INTO a VALUES (1); SELECT * FROM a;")
      let error = #expect(throws: PGError.self) {
        try db.execute(
          "BEGIN; INSERT INTO a VALUES (2); COMMIT; SELECT 1/0; INSERT INTO a VALUES (3)")
      }
      #expect(error?.code == .divisionByZero)
      #expect(try db.query.column("SELECT i FROM a", as: Int.self).collect() == [1, 2])
      try db.execute("")
    }

    @Test("Database Interface Points: xact does not start anything before it is told")
    func transaction() throws {
      let transaction = db.transaction()
      #expect(db.transactionStatus == .idle)
      try transaction.start()
      #expect(db.transactionStatus == .inTransaction)
      try transaction.rollback()
    }

    @Test("Database Interface Points: do executes source in a language")
    func doStatement() throws {
      try db.do(language: "plpgsql", source: "BEGIN CREATE TEMP TABLE done(i int); END")
      #expect(try db.query("SELECT * FROM done").isEmpty)
    }

    @Test("Database Interface Points: listen, listening_channels, unlisten")
    func listening() throws {
      try db.listen("one", "two")
      #expect(try db.listeningChannels() == ["one", "two"])
      try db.unlisten("one", "two")
      #expect(try db.listeningChannels().isEmpty)
    }

    private func events(_ count: Int, on listener: Connection) throws -> [String] {
      var events: [PGNotification] = []
      let deadline = Deadline.after(.seconds(10))
      while events.count < count, !deadline.hasPassed {
        events += try listener.notifications(until: deadline)
      }
      #expect(events.allSatisfy { $0.processID == db.backendID })
      return events.map { "\($0.channel)=\($0.payload)" }
    }

    @Test("Database Interface Points: notify sends a channel, then a channel with its payload")
    func notify() throws {
      let names = (Documents.uniqueName("channel1"), Documents.uniqueName("different_channel"))
      let listener = try db.clone()
      try listener.listen(names.0, names.1)
      try db.notify([(names.0, ""), (names.1, "payload")])
      #expect(try events(2, on: listener) == ["\(names.0)=", "\(names.1)=payload"])
    }

    @Test("Database Interface Points: notify by a name with its payload")
    func notifyPayload() throws {
      let name = Documents.uniqueName("channel_name")
      let listener = try db.clone()
      try listener.listen(name)
      try db.notify(name, payload: "payload_data")
      #expect(try events(1, on: listener) == ["\(name)=payload_data"])
    }

    @Test("Database Interface Points: all of a notify are in one transaction")
    func notifyTogether() throws {
      let name = Documents.uniqueName()
      let listener = try db.clone()
      try listener.listen(name)
      let error = #expect(throws: PGError.self) {
        try db.notify([(name, "lost"), (name, String(repeating: "x", count: 8000))])
      }
      #expect(error?.code == .invalidParameterValue)
      try db.notify(name, payload: "next")
      #expect(try events(1, on: listener) == ["\(name)=next"])
    }

    @Test("Database Interface Points: version, version_info, security, backend_id, fileno")
    func attributes() throws {
      #expect(try db.version() == db.query.first("SELECT version()", as: String.self))
      let number = try db.query.first(
        "SELECT current_setting('server_version_num')::int / 10000", as: Int.self)
      #expect(db.serverVersion.major == number)
      #expect(db.serverVersion.state == "final")
      #expect(db.security == nil)
      #expect(
        try PGKit.open(server.tcpIRI(user: "scram", password: "secret", "sslmode=require"))
          .security == "ssl")
      #expect(try db.query.first("SELECT pg_backend_pid()", as: Int32.self) == db.backendID)
      #expect(db.fileDescriptor >= 0)
    }

    @Test("Database Interface Points: backend_start, client_address, client_port")
    func activity() throws {
      let tcp = try PGKit.open(server.tcpIRI(user: "scram", password: "secret"))
      let row = try #require(
        try tcp.query(
          """
          SELECT backend_start, host(client_addr), client_port FROM pg_stat_activity
          WHERE pid = pg_backend_pid()
          """
        ).first)
      #expect(try tcp.backendStart() == row[0, as: PGTimestampTZ.self])
      #expect(try tcp.clientAddress() == row[1, as: String.self])
      #expect(try tcp.clientPort() == row[2, as: Int.self])
    }
  }
}
