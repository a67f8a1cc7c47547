import Foundation
import PGKit
import PGTestCluster
import Testing

/// The examples of the article "Coming from py-postgresql", which run as they are printed there.
@Suite(
  "Coming from py-postgresql",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ComingFromPyPostgreSQLTests {
  private let server: TestServer
  private let db: Connection

  init() throws {
    server = try TestServer.shared.get()
    db = try server.connect()
  }

  @Test("opening: options are given to a connector, which makes connections that are alike")
  func opening() throws {
    let (host, port) = (server.cluster.directory, server.port)
    // EXAMPLE
    var options = ConnectionOptions()
    options.hosts = [host]
    options.ports = [port]
    options.user = "postgres"
    options.settings = [.init("search_path", "public"), .init("timezone", "MST")]

    let connector = Connector(options)  // a constant, which inherits nothing
    let db = try connector.connect()
    let second = try db.clone()  // another one like it, connected
    // END
    #expect(try second.settings["TimeZone"] == "MST")
    #expect(try db.settings["search_path"] == "public")
    #expect(try second.query.first("SELECT user::text", as: String.self) == "postgres")
  }

  @Test("statements: one call for each way of taking the results")
  func statements() throws {
    try db.execute("CREATE TEMP TABLE employee (name text, salary numeric, born date)")
    // EXAMPLE
    let insert = try db.prepare("INSERT INTO employee VALUES ($1, $2, $3)")
    let result = try insert("John Johnson", 92000, PGDate(year: 1950, month: 12, day: 10))
    print(result.tag.name, result.tag.rowCount ?? 0)  // INSERT 1
    try insert.loadRows([
      ["Jack Johnson", 85000, PGDate(year: 1962, month: 11, day: 23)],
      ["Debra McGuffer", 52000, nil],
    ])

    let names = try db.prepare("SELECT name FROM employee WHERE salary > $1 ORDER BY 1")
    for row in try names(60000) { print(try row["name", as: String.self]) }
    let rows = try names.rows(0)
    while let row = try rows.next() { print(try row[0]) }  // one batch in memory at a time

    let count = try db.query.first("SELECT count(*) FROM employee", as: Int.self)
    // END
    #expect(count == 3)
    #expect(result.tag == CommandTag("INSERT 0 1"))
  }

  @Test("COPY: lines in, chunks out, and from one connection to another")
  func copying() throws {
    let (src, dst) = (db, try server.connect())
    try src.execute("CREATE TEMP TABLE sample (n int, t text)")
    try dst.execute("CREATE TEMP TABLE sample (n int, t text)")
    var output: [UInt8] = []
    // EXAMPLE
    let copyIn = try src.prepare("COPY sample FROM STDIN")
    try copyIn.loadLines([Array("123\tone twenty three\n".utf8), Array("350\ttree fitty\n".utf8)])

    let copyOut = try src.prepare("COPY sample TO STDOUT")
    let stream = try copyOut.copyOut()
    while let chunk = try stream.next() {
      chunk.forEach { line in output += line }
    }

    let target = try dst.prepare("COPY sample FROM STDIN")
    try target.loadChunks(copyOut.copyOut())
    // END
    #expect(String(decoding: output, as: UTF8.self) == "123\tone twenty three\n350\ttree fitty\n")
    #expect(try dst.query.first("SELECT sum(n) FROM sample", as: Int.self) == 473)
  }

  @Test("cursors: a backward cursor is a forward one over the opposite order")
  func cursors() throws {
    var same = true
    // EXAMPLE
    let backward = try db.prepare("SELECT generate_series(99, 0, -1)").declare()
    let forward = try db.prepare("SELECT generate_series(0, 99)").declare()
    backward.direction = .backward
    for cursor in [backward, forward] {
      try cursor.seek(0, from: .fromEnd)
      try cursor.seek(-10, from: .relative)
      try cursor.seek(50)
    }
    same = try backward.read(10).map { try $0[0] } == forward.read(10).map { try $0[0] }
    same = try same && backward.read(5, .backward).count == forward.read(5, .backward).count
    // END
    #expect(same)
    #expect(try forward.next()?[0] == backward.next()?[0])
  }

  @Test("rows: by name, by position, and changed")
  func rows() throws {
    // EXAMPLE
    let row = try db.query(
      "SELECT 'XX9301423'::text AS product_code, 2 AS quantity, 4.92 AS total")[0]
    let quantity = try row["quantity", as: Int.self]
    let (code, _, total) = try row.decode((String, Int, PGNumeric).self)
    let plain = try row.transform(
      { .string(String($0.description.dropFirst(2))) }, nil, { .string($0.description) })
    // END
    #expect(quantity == 2 && code == "XX9301423" && total == PGNumeric("4.92"))
    #expect(plain.values == [.string("9301423"), .int32(2), .string("4.92")])
  }

  @Test("procedures: a call gives a value, values, a row or a cursor")
  func procedures() throws {
    var numbers: [PGValue] = []
    // EXAMPLE
    let version = try db.proc("version()").value(as: String.self)
    let series = try db.proc("generate_series(int,int)")
    if case .values(let values) = try series(1, 20) { numbers = try values.collect() }
    // END
    #expect(version.hasPrefix("PostgreSQL ") && numbers.count == 20)
  }

  @Test("transactions: what was caught inside is not taken for a commit")
  func transactions() throws {
    try db.execute("CREATE TEMP TABLE t (i int PRIMARY KEY)")
    var code: SQLState?
    // EXAMPLE
    try db.withTransaction(isolation: .serializable) { _ in
      try db.execute("INSERT INTO t VALUES (1)")
    }
    do {
      try db.withTransaction { _ in
        try db.withTransaction { _ in try db.execute("INSERT INTO t VALUES (2)") }  // a savepoint
        do throws(PGError) { try db.execute("INSERT INTO t VALUES (1)") } catch {
          guard error.code == .uniqueViolation else { throw error }  // caught in the wrong place
        }
      }
    } catch let error as PGError where error.code == .inFailedSqlTransaction {
      code = error.code  // rolled back: 25P02, and error.fault is .caller
    }
    // END
    #expect(code == "25P02")
    #expect(try db.query.column("SELECT i FROM t", as: Int.self).collect() == [1])
  }

  @Test("settings: several in one request, and some for a while")
  func settings() throws {
    var inside = ""
    // EXAMPLE
    try db.settings.set("search_path", to: "$user,public")
    try db.settings.update(["default_statistics_target": "1000", "work_mem": "5MB"])
    let some = try db.settings.values(for: ["search_path", "work_mem"])
    try db.settings.with(["search_path": "local,public", "timezone": "MST"]) {
      inside = try db.settings["search_path"]
    }
    // END
    #expect(some == ["search_path": "$user,public", "work_mem": "5MB"])
    #expect(inside == "local,public")
    #expect(try db.settings["search_path"] == "$user,public")
  }

  @Test("messages: a statement's hook hears its own notices first")
  func messages() throws {
    var heard: [String] = []
    // EXAMPLE
    let drop = try db.prepare("DROP TABLE IF EXISTS that")
    drop.messageHook = { message in
      heard.append("\(message.severity) \(message.code): \(message.message)")
      return message.severity == "NOTICE"  // true: nobody else hears of it
    }
    try drop()
    // END
    #expect(heard == ["NOTICE 00000: table \"that\" does not exist, skipping"])
  }

  @Test("notifications: in order, in one transaction")
  func notifications() throws {
    var heard: [String] = []
    // EXAMPLE
    try db.listen("channel1", "different_channel")
    try db.notify([("channel1", ""), ("different_channel", "payload")])
    let events = db.notifications(timeout: .milliseconds(500))
    while case .notification(let event)? = try events.next() {  // until idle or lost
      heard.append("\(event.channel) \(event.payload) \(event.processID == db.backendID)")
    }
    // END
    #expect(heard == ["channel1  true", "different_channel payload true"])
  }
}

/// Hides Swift's own, so that the examples print nothing.
private func print(_ parts: Any...) {}

/// The article's text.
@Suite("Coming from py-postgresql, the text") struct ComingFromPyPostgreSQLTextTests {
  private let article: String

  init() throws {
    article = try String(
      contentsOf: URL(filePath: #filePath).appending(
        path: "../../../Sources/PGKit/PGKit.docc/ComingFromPyPostgreSQL.md"
      ).standardized, encoding: .utf8)
  }

  private func lines(_ text: String) -> [String] {
    text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
  }

  @Test("its examples are those that were run")
  func examples() throws {
    let own = try String(contentsOfFile: #filePath, encoding: .utf8)
    let run = own.components(separatedBy: "    // EXAMPLE\n").dropFirst().map {
      lines($0.components(separatedBy: "    // END\n")[0])
    }
    let shown = article.components(separatedBy: "```swift\n").dropFirst().map {
      lines($0.components(separatedBy: "```")[0])
    }
    #expect(run.count >= 10)
    for example in shown { #expect(run.contains(example), "\(example.first ?? "")") }
    for example in run { #expect(shown.contains(example), "\(example.first ?? "")") }
  }

  @Test("it leaves out no name of py-postgresql's two documents")
  func names() {
    let names = Self.names.split(whereSeparator: \.isWhitespace)
    #expect(names.count > 200)
    let letters = CharacterSet.alphanumerics.union(["_"])
    for name in names {
      let isThere = article.components(separatedBy: name).dropFirst().contains {
        $0.unicodeScalars.first.map { !letters.contains($0) } ?? true
      }
      #expect(isThere, "\(name)")
    }
  }

  @Test("every exception that it names has the code that it gives")
  func exceptions() {
    var count = 0
    for line in article.split(separator: "\n") where line.hasPrefix("| `") {
      let cells = line.split(separator: "|").map { $0.split(separator: "`") }
      guard cells.count > 1 else { continue }
      let names = cells[0].filter { $0.hasSuffix("Error") || $0.hasSuffix("Warning") }
      let codes = cells[1].filter { $0.count == 5 }.compactMap { SQLState($0) }
      for (name, code) in zip(names.suffix(codes.count), codes) {
        #expect(SQLState.named(name).contains(code), "\(name) \(code)")
        count += 1
      }
    }
    #expect(count > 40)
  }

  /// The names, in the documents' order.
  private static let names = """
    postgresql.open prompt_title postgresql.driver.connect postgresql.driver.default.host
    postgresql.driver.default.ip4 postgresql.driver.default.ip6 postgresql.driver.default.unix
    `user` `password` `database` `host` `port` `unix` `settings` `connect_timeout` `server_encoding`
    `sslmode` `disable` `allow` `prefer` `require` `sslcrtfile` `sslkeyfile` `sslrootcrtfile`
    `sslrootcrlfile` ConnectionDoesNotExistError

    Connection.prepare Connection.proc Connection.statement_from_id Connection.cursor_from_id
    Connection.do Connection.execute Connection.xact Connection.settings Connection.clone
    Connection.msghook Connection.listen Connection.unlisten Connection.listening_channels
    Connection.notify Connection.iternotifies Connection.version Connection.version_info
    Connection.security Connection.backend_id Connection.backend_start Connection.client_address
    Connection.client_port Connection.fileno

    Statement(*parameters) Statement.rows iter(Statement) Statement.column Statement.first
    Statement.chunks Statement.declare Statement.close Statement.load_rows Statement.load_chunks
    Statement.clone Statement.msghook Statement.sql_parameter_types Statement.sql_column_types
    Statement.pg_parameter_types Statement.pg_column_types Statement.parameter_types
    Statement.column_types Statement.column_names ParameterError

    Cursor.read Cursor.seek next(Cursor) Cursor.close Cursor.clone Cursor.msghook Cursor.direction
    Cursor.sql_column_types Cursor.pg_column_types Cursor.column_types Cursor.column_names
    Cursor.statement 'ABSOLUTE' 'RELATIVE' 'FROM_END' 'FORWARD' 'BACKWARD'

    Row.keys Row.values Row.get Row.items iter(Row) Row[key_or_index] Row.index_from_key
    Row.key_from_index Row.transform Row.column_names

    Connection.query Connection.query.rows Connection.query.column Connection.query.first
    Connection.query.chunks Connection.query.declare Connection.query.load_rows
    Connection.query.load_chunks func(*args

    `isolation` `mode` x.start x.commit x.rollback InFailedTransactionError Connection.settings[k]
    Connection.settings.update Connection.settings.getset Connection.settings.keys
    Connection.settings.values Connection.settings.items transaction_isolation

    `smallint` `integer` `bigint` `float4` `float8` `varchar` `char` `text` `xml` `date` `timestamp`
    `timestamptz` `time` `timetz` `interval` `numeric` `bytea` `hstore` postgresql.types.Array
    postgresql.types.Row

    postgresql.sys Message.message Message.code Message.source Message.location Message.details
    'severity' 'context' 'detail' 'hint' 'position' 'file' 'function' 'line' 'internal_position'
    'internal_query'

    postgresql.version postgresql.version_info postgresql.api.Message Message.isconsistent
    postgresql.api.Statement Statement.statement_id Statement.string postgresql.api.Cursor
    postgresql.api.Connector postgresql.api.Category postgresql.api.Database Database.backend_id
    Database.client_address Database.client_port Database.cursor_from_id Database.do
    Database.execute Database.iternotifies Database.listen Database.listening_channels
    Database.notify Database.prepare Database.proc Database.reset Database.settings
    Database.statement_from_id Database.unlisten Database.version_info Database.xact
    postgresql.api.Connection Connection.close Connection.closed Connection.connect
    Connection.connector postgresql.api.Transaction Transaction.abort Transaction.begin
    Transaction.commit Transaction.isolation Transaction.mode Transaction.rollback
    Transaction.start postgresql.api.Settings Settings.get Settings.getset Settings.items
    Settings.keys Settings.update Settings.values postgresql.api.StoredProcedure
    postgresql.api.Driver Driver.connect postgresql.api.Installation Installation.ssl
    Installation.type Installation.version Installation.version_info postgresql.api.Cluster
    Cluster.data_directory Cluster.drop Cluster.init Cluster.installation Cluster.kill
    Cluster.restart Cluster.settings Cluster.start Cluster.stop Cluster.wait_until_started
    Cluster.wait_until_stopped

    libpath excformat postgresql.sys.default_errformat postgresql.sys.default_msghook
    postgresql.sys.errformat postgresql.sys.msghook postgresql.sys.reset_errformat
    postgresql.sys.reset_msghook

    postgresql.string.escape_ident postgresql.string.escape_literal postgresql.string.qname
    postgresql.string.quote_ident postgresql.string.quote_ident_if_needed
    postgresql.string.quote_literal postgresql.string.split postgresql.string.split_ident
    postgresql.string.split_qname postgresql.string.split_sql postgresql.string.split_sql_str
    postgresql.string.split_using postgresql.string.unsplit

    AuthenticationMethodError CFError CardinalityError ClientCannotConnectError
    ConnectTimeoutError ConnectionFailureError DPDSEError Disconnection DriverError EREError
    ERIEError Error EscapeCharacterError Exception FeatureError ICVError IRError ITSError
    IgnoredClientParameterWarning InconsistentCursorIsolationError InsecurityError LoadError
    OIError ONIPSError OperationError PLEError PLPGSQLError PLPGSQLRaiseError
    ReadOnlyTransactionError SEARVError SIOError SREError SavepointError
    SchemaAndDataStatementsError ServerNotReadyError TRError TypeConversionWarning TypeIOError
    map_errors_and_warnings ErrorLookup WarningLookup

    postgresql.temporal.Temporal Temporal.cluster_dirname pg_tmp
    postgresql.installation.Installation postgresql.installation.default default_pg_config
    pg_config_dictionary postgresql.cluster.Cluster Cluster.address Cluster.connect
    Cluster.connection Cluster.connector Cluster.daemon_path Cluster.get_pid_from_file
    Cluster.hba_file Cluster.initialized Cluster.pid Cluster.ready_for_connections Cluster.reload
    Cluster.running Cluster.shutdown ClusterError ClusterInitializationError
    ClusterNotRunningError ClusterStartupError ClusterTimeoutError ClusterWarning InitDBError

    CallReceiver CopyFail CopyManager CopyManager.reconcile NullProducer ProducerFault
    ProtocolProducer ProtocolProducer.recover ReceiverFault WireState WireState.update
    default_buffer_size postgresql.copyman.transfer ulong_pack postgresql.alock.ALock ALock.acquire
    ALock.locked ALock.mode ALock.release
    """
}
