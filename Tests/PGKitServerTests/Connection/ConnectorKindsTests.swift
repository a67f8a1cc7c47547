import PGKit
import PGTestCluster
import Testing

/// "Connectors" and "Connections": ways to a server, and connections that are established once.
@Suite("Connectors", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ConnectorKindsTests {
  private let server: TestServer

  init() throws { server = try TestServer.shared.get() }

  private var credentials: ConnectionOptions {
    var options = ConnectionOptions()
    options.user = "scram"
    options.password = TestServer.password
    options.database = "postgres"
    options.sslMode = .disable
    return options
  }

  @Test("each kind of connector leads to its server")
  func kinds() throws {
    let options = credentials
    let host = try Connector.host("localhost", port: server.port, options).connect()
    #expect(host.endpoint == .tcp(host: "localhost", address: nil, port: server.port))
    let ip4 = try Connector.ip4("127.0.0.1", port: server.port, options).connect()
    #expect(try ip4.clientAddress() == "127.0.0.1")
    if TestServer.hasIPv6 {
      let ip6 = try Connector.ip6("::1", port: server.port, options).connect()
      #expect(try ip6.clientAddress() == "::1")
    }
    var local = ConnectionOptions()
    local.user = "postgres"
    local.database = "postgres"
    let path = try #require(server.connect().endpoint).description
    let unix = try Connector.unix(path, local).connect()
    #expect(unix.endpoint == .unix(path: path))
    #expect(try unix.query.first("SELECT 1", as: Int.self) == 1)
  }

  @Test("a connector takes no place that is not of its kind, nor one twice")
  func mistakes() throws {
    #expect(throws: PGError.self) { try Connector.ip4("::1") }
    #expect(throws: PGError.self) { try Connector.ip4("localhost") }
    #expect(throws: PGError.self) { try Connector.ip6("127.0.0.1") }
    #expect(throws: PGError.self) { try Connector.unix("run/.s.PGSQL.5432") }
    #expect(throws: PGError.self) { try Connector.host("/run/postgresql") }
    #expect(throws: PGError.self) { try Connector.host("") }
    var options = ConnectionOptions()
    options.ports = [5432]
    let error = #expect(throws: PGError.self) { try Connector.unix("/x/.s.PGSQL.1", options) }
    #expect(error?.code == .clientParameterError)
  }

  @Test("a connection that is not established yet can only be connected, once")
  func establishing() throws {
    let db = try server.connect().connector.connection()
    #expect(db.isClosed && db.endpoint == nil && db.backendID == 0 && db.fileDescriptor == -1)
    for attempt in [
      { () throws in try db.execute("SELECT 1") }, { _ = try db.prepare("SELECT 1") },
      { try db.settings.set("a.b", to: "c") }, { try db.interruption.cancel() },
      { _ = try db.notifications(until: .after(.zero)) },
    ] {
      let error = #expect(throws: PGError.self) { try attempt() }
      #expect(error?.code == .connectionDoesNotExist)
    }
    try db.connect()
    let first = db.backendID
    #expect(try db.query.first("SELECT 42", as: Int.self) == 42)
    try db.connect()
    #expect(db.backendID == first)
    db.close()
    for attempt in [{ () throws in try db.connect() }, { try db.execute("SELECT 1") }] {
      let error = #expect(throws: PGError.self) { try attempt() }
      #expect(error?.code == .connectionDoesNotExist)
    }
    #expect(try db.clone().query.first("SELECT 42", as: Int.self) == 42)
  }

  @Test("what is heard of messages is heard of all servers that are tried")
  func tracing() throws {
    let db = try PGKit.open(server.iri(options: ["target_session_attrs=prefer-standby"]))
      .connector.connection()
    var lines = 0
    db.traceHandler = { _ in lines += 1 }
    try db.connect()
    lines = 0
    try db.execute("SELECT 1")
    #expect(lines > 3)
  }

  @Test("who hears of a message cannot use the connection that it is on")
  func tracingAndUsing() throws {
    let db = try server.connect()
    var refusals: Set<SQLState> = []
    db.traceHandler = { [unowned db] _ in
      let error = #expect(throws: PGError.self) { try db.execute("SELECT 2") }
      if let error { refusals.insert(error.code) }
    }
    #expect(try db.query.first("SELECT 1", as: Int.self) == 1)
    db.traceHandler = nil
    #expect(refusals == [.operationError])
    #expect(try db.query.first("SELECT 3", as: Int.self) == 3)
  }

  @Test(
    "an encoding that texts do not have here is refused",
    arguments: ["client_encoding=LATIN1", "client_encoding=utf-8"])
  func encodings(option: String) throws {
    let iri = server.iri(options: [option])
    if option.hasSuffix("utf-8") {
      #expect(try PGKit.open(iri).query.first("SELECT 'é'", as: String.self) == "é")
    } else {
      let error = #expect(throws: PGError.self) { try PGKit.open(iri) }
      #expect(error?.code == .clientParameterError && error?.message.contains("LATIN1") == true)
    }
  }

  @Test("a failure to connect is final, and says afterwards what it was")
  func failing() throws {
    var options = credentials
    options.password = "wrong"
    let db = try Connector.ip4("127.0.0.1", port: server.port, options).connection()
    let error = #expect(throws: PGError.self) { try db.connect() }
    #expect(error?.code == .invalidPassword)
    #expect(error?.report.contains("CONNECTOR: ") == true)
    #expect(error?.report.contains("wrong") == false)
    #expect(db.isClosed)
    let later = #expect(throws: PGError.self) { try db.execute("SELECT 1") }
    #expect(later?.code == .connectionDoesNotExist)
    #expect(later?.message.contains("password authentication failed") == true)
    let again = #expect(throws: PGError.self) { try db.connect() }
    #expect(again?.code == .connectionDoesNotExist)
  }

  @Test("an error's report names what it happened to: value, row, statement, connection, connector")
  func creators() throws {
    let db = try PGKit.open(server.tcpIRI(user: "scram", password: TestServer.password))
    func labels(_ body: () throws -> Void) throws -> [String] {
      let error = try #require(throws: PGError.self) { try body() }
      #expect(!error.report.contains(TestServer.password))
      #expect(error.report.contains("CONNECTION: server process \(db.backendID), PostgreSQL "))
      #expect(error.report.contains("CONNECTOR: p"))
      return error.origin.creators.map(\.label)
    }
    let end = ["CONNECTION", "CONNECTOR"]
    #expect(try labels { try db.execute("SELECT 1/0") } == ["STATEMENT"] + end)
    #expect(try labels { _ = try db.prepare("SELEC") } == ["STATEMENT"] + end)
    #expect(try labels { try db.query("SELECT 1/$1::int", 0) } == ["STATEMENT"] + end)
    #expect(
      try labels { try db.query("SELECT $1::int", true) } == ["PARAMETER", "STATEMENT"] + end)
    let divide = try db.prepare("SELECT 1/$1::int")
    #expect(try labels { try divide(0) } == ["STATEMENT"] + end)
    #expect(
      try labels { try divide.loadRows([[1], [true]]) } == ["PARAMETER", "ROW", "STATEMENT"] + end)
    #expect(try labels { try divide.loadRows([[1], [0]]) } == ["ROW", "STATEMENT"] + end)
    let cursor = try db.query.declare("SELECT 1")
    try cursor.close()
    #expect(try labels { _ = try cursor.read() } == ["CURSOR"] + end)
    #expect(try labels { _ = try cursor.seek(0) } == ["CURSOR"] + end)
    #expect(try labels { _ = try db.copyOut("COPY absent TO STDOUT") } == ["STATEMENT"] + end)
    try db.execute("CREATE TEMP TABLE filled(i int)")
    let copying = try db.copyIn("COPY filled FROM STDIN")
    try copying.write(Array("x\n".utf8))
    #expect(try labels { _ = try copying.finish() } == ["STATEMENT"] + end)
    let transaction = db.transaction(isolation: .serializable)
    try transaction.start()
    try db.execute("SELECT 1")
    #expect(
      try labels { try db.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED") }
        == ["STATEMENT"] + end)
  }
}
