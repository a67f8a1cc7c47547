import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

// The classes of the reference; what the driver document says of the same is tested under its headings.
// Also: Transaction's states, in TransactionTests; Settings, in SettingsTests; Cluster and Installation, in
// ClusterTests and InstallationTests; `reset`, in SessionTests.

extension Documents {
  @Suite("postgresql.api")
  struct PostgresqlAPITests {
    private let db: Connection

    init() throws { db = try TestServer.shared.connect() }

    @Test("postgresql.api.Message: two with the same fields are consistent")
    func messages() throws {
      var heard: [ServerMessage] = []
      db.messageHook = {
        heard.append($0)
        return true
      }
      for text in ["a", "a", "b"] {
        try db.execute("DO $$ BEGIN RAISE WARNING '\(text)'; END $$")
      }
      try #require(heard.count == 3)
      #expect(heard[0] == heard[1] && heard[1] != heard[2])
    }

    @Test("postgresql.api.Statement: identifier and string")
    func statement() throws {
      let ps = try db.prepare("SELECT 1 AS column1, 'x' AS emp_name")
      #expect(ps.string == "SELECT 1 AS column1, 'x' AS emp_name")
      #expect(ps.columnNames == ["column1", "emp_name"])
      #expect(
        try db.query.first(
          "SELECT statement FROM pg_prepared_statements WHERE name = $1", ps.statementID,
          as: String.self) == ps.string)
    }

    @Test("postgresql.api.Cursor: reading none gives none, and does not move")
    func cursor() throws {
      let cursor = try db.query.declare("SELECT generate_series(1, 3)")
      #expect(try cursor.read(0).isEmpty && cursor.read(0, .backward).isEmpty)
      #expect(try cursor.read().map { try $0[0, as: Int.self] } == [1, 2, 3])
    }

    // "If direction is BACKWARD, ABSOLUTE positioning will effectively be FROM_END, RELATIVE's position will
    // be negated, and FROM_END will effectively be ABSOLUTE."
    @Test("postgresql.api.Cursor: direction effects whence")
    func direction() throws {
      let cursor = try db.query.declare("SELECT generate_series(1, 9)")
      func next() throws -> Int? { try cursor.next()?[0, as: Int.self] }
      cursor.direction = .backward
      try cursor.seek(0)
      #expect(try next() == 9)
      try cursor.seek(3)
      #expect(try next() == 6)
      try cursor.seek(2, from: .relative)
      #expect(try next() == 3)
      try cursor.seek(0, from: .fromEnd)
      #expect(try next() == nil)
      cursor.direction = .forward
      #expect(try next() == 1)
    }

    @Test("postgresql.api.Database: prepare, and the statement's first row")
    func prepare() throws {
      let s = try db.prepare("SELECT 1")
      let c = try s.rows()
      #expect(try c.next()?.values() == [.int32(1)])
      #expect(try c.next() == nil)
    }

    @Test("postgresql.api.Database: proc by name and by OID")
    func proc() throws {
      #expect(try db.proc("version()").value(as: String.self).hasPrefix("PostgreSQL "))
      let error = #expect(throws: PGError.self) { try db.proc("no_such_function()") }
      #expect(error?.code == .undefinedFunction)
    }

    @Test("postgresql.api.Database: reset brings the session to where it began")
    func reset() throws {
      var options = db.connector.options
      options.settings = [.init("search_path", "pg_catalog")]
      let db = try PGKit.connect(options)
      try db.execute("SET search_path = public; SET work_mem = '9MB'; CREATE TEMP TABLE t(i int)")
      try db.reset()
      // What the connector set is reapplied.
      #expect(try db.settings["search_path"] == "pg_catalog")
      #expect(try db.settings["work_mem"] != "9MB")
      let error = #expect(throws: PGError.self) { try db.query("SELECT * FROM t") }
      #expect(error?.code == .undefinedTable)
    }

    @Test("postgresql.api.Connection: closed, and closing again does nothing")
    func closed() {
      #expect(!db.isClosed)
      db.close()
      #expect(db.isClosed)
      db.close()
      #expect(db.isClosed)
    }

    @Test("postgresql.api.Connection: query.method(sql) is prepare(sql).method()")
    func query() throws {
      let sql = "SELECT i, 't' || i FROM generate_series(1, $1::int) AS i"
      let (ps, q) = (try db.prepare(sql), db.query)
      func text(_ rows: some Sequence<Row>) throws -> [String] {
        try rows.map { "\(try $0.values())" }
      }
      #expect(try text(ps(3)) == text(q(sql, 3)))
      #expect(
        try ps.column(3, as: Int.self).collect() == q.column(sql, 3, as: Int.self).collect())
      #expect(try text(ps.declare(3).read()) == text(q.declare(sql, 3).read()))
      #expect(try ps.first(3, as: Int.self) == q.first(sql, 3, as: Int.self))
    }

    @Test("postgresql.api.Transaction: read only, read committed, and savepoints inside a block")
    func transaction() throws {
      try db.withTransaction(mode: .readOnly) { (_) throws in
        #expect(try db.settings["transaction_read_only"] == "on")
      }
      try db.withTransaction(isolation: .readCommitted) { (_) throws in
        #expect(try db.settings["transaction_isolation"] == "read committed")
      }
      try db.withTransaction { outer in
        try db.withTransaction { inner in #expect(!outer.isSavepoint && inner.isSavepoint) }
      }
    }

    @Test("postgresql.api.Settings: get has a default, values need no quotes")
    func settings() throws {
      #expect(try db.settings.get("no_such_setting") == nil)
      #expect(try db.settings.get("no_such_setting", default: "x") == "x")
      try db.settings.set("application_name", to: "it's \"a\" \\ name; --")
      #expect(try db.settings["application_name"] == "it's \"a\" \\ name; --")
    }
  }
}
