import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

// Also: names and types of parameters and columns as they are printed, in StatementMetadataTests; `first` of
// each kind of statement, and one that is taken up by its name, in LoadingTests; rows that are not all taken
// before something else begins, in StatementTests; messageHook of a statement, in MessageHookTests.

extension Documents {
  @Suite("Prepared Statements")
  struct PreparedStatementsTests {
    private let db: Connection

    init() throws { db = try TestServer.shared.connect() }

    private func prepared() throws -> Int? {
      try db.query.first(
        "SELECT count(*) FROM pg_prepared_statements WHERE name <> ''", as: Int.self)
    }

    @Test("Prepared Statements: prepare makes a statement, which is called")
    func prepare() throws {
      let ps = try db.prepare("SELECT 1")
      let rows = try ps()
      #expect(try rows.map { try $0.values() } == [[.int32(1)]])
      #expect(ps.string == "SELECT 1")
    }

    @Test("Prepared Statements: statement_from_id takes up what was prepared on the server")
    func fromID() throws {
      try db.execute("PREPARE a_statement_id AS SELECT 1;")
      let ps = try db.statement(id: "a_statement_id")
      #expect(try ps().map { try $0.values() } == [[.int32(1)]])
      #expect(ps.string == nil && ps.statementID == "a_statement_id")
      let error = #expect(throws: PGError.self) { try db.statement(id: "not_prepared") }
      #expect(error?.code == .invalidSqlStatementName)
    }

    @Test("Prepared Statements: those no longer referenced are closed, those by name are not")
    func released() throws {
      try db.execute("PREPARE by_name AS SELECT 1")
      do {
        let statements = try (1...3).map { try db.prepare("SELECT \($0)") }
        let byName = try db.statement(id: "by_name")
        #expect(try prepared() == 4 && byName().count == 1 && statements.count == 3)
      }
      _ = try db.query("SELECT 1")
      #expect(try prepared() == 1)
    }

    @Test("Prepared Statements: once closed, they can no longer be used")
    func oneTime() throws {
      let ps = try db.prepare("SELECT 1")
      try ps.close()
      let uses: [() throws -> Void] = [
        { try ps() }, { _ = try ps.rows() }, { _ = try ps.chunks() }, { _ = try ps.first() },
        { _ = try ps.column(as: Int.self) }, { _ = try ps.declare() }, { try ps.loadRows([[]]) },
      ]
      for use in uses {
        let error = #expect(throws: PGError.self) { try use() }
        #expect(error?.code == .invalidSqlStatementName)
      }
    }

    // MARK: Statement Interface Points

    @Test("Statement Interface Points: executed just like functions")
    func call() throws {
      let ps = try db.prepare("SELECT 'hello, world!'")
      #expect(try ps().map { try $0.values() } == [[.string("hello, world!")]])
      #expect(try ps()[0][0] == .string("hello, world!"))
    }

    @Test("Statement Interface Points: rows of tables, streamed one by one")
    func rows() throws {
      let ps = try db.prepare("SELECT table_name FROM information_schema.tables")
      var names: [String] = []
      try ps.rows().forEach { names.append(try $0[0, as: String.self]) }
      #expect(names.contains("pg_class") && names.contains("tables"))
    }

    @Test("Statement Interface Points: column gives the first column and drops the others")
    func column() throws {
      let ps = try db.prepare("SELECT i, 'dropped' FROM generate_series(1, $1::int) AS i")
      #expect(try ps.column(3, as: Int.self).collect() == [1, 2, 3])
    }

    @Test("Statement Interface Points: first is the value of a single column")
    func firstValue() throws {
      let ps = try db.prepare("SELECT 'hello, world!'")
      guard case .value(let value) = try ps.first() else { throw Documents.Unexpected() }
      #expect(value == .string("hello, world!"))
      #expect(try ps.first(as: String.self) == "hello, world!")
    }

    @Test("Statement Interface Points: first is the first row of several columns")
    func firstRow() throws {
      let ps = try db.prepare("SELECT i, 't' || i AS t FROM generate_series(1, 3) AS i")
      guard case .row(let row) = try ps.first() else { throw Documents.Unexpected() }
      #expect(try row["i", as: Int.self] == 1 && row["t", as: String.self] == "t1")
      let pair = try ps.first(as: (Int, String).self)
      #expect(pair?.0 == 1 && pair?.1 == "t1")
    }

    @Test("Statement Interface Points: first is the row count of DML, but not with RETURNING")
    func firstCount() throws {
      try db.execute("CREATE TEMP TABLE t(i int)")
      let insert = try db.prepare("INSERT INTO t SELECT generate_series(1, $1::int)")
      guard case .count(3) = try insert.first(3) else { throw Documents.Unexpected() }
      guard case .value(.int32(9)) = try db.prepare("INSERT INTO t VALUES (9) RETURNING i").first()
      else { throw Documents.Unexpected() }
    }

    @Test("Statement Interface Points: chunks gives sequences of rows")
    func chunks() throws {
      let chunks = try db.prepare("SELECT i, -i FROM generate_series(1, 50000) AS i").chunks()
      var expected = 0
      var batches = 0
      try chunks.forEach { (batch) throws in
        batches += 1
        for row in batch {
          expected += 1
          #expect(try row.decode((Int, Int).self) == (expected, -expected))
        }
      }
      #expect(expected == 50_000 && batches > 1)
    }

    @Test("Statement Interface Points: declare gives a scrollable cursor with hold")
    func declare() throws {
      let cursor = try db.withTransaction { _ in
        try db.prepare("SELECT generate_series(1, $1::int)").declare(10)
      }
      #expect(
        try db.query.first(
          "SELECT is_scrollable AND is_holdable FROM pg_cursors WHERE name = $1", cursor.cursorID,
          as: Bool.self) == true)
      try cursor.seek(5)
      #expect(try cursor.next()?[0, as: Int.self] == 6)
    }

    @Test("Statement Interface Points: load_rows executes the statement for each iteration")
    func loadRows() throws {
      try db.execute("CREATE TEMP TABLE t(i int, t text)")
      let insert = try db.prepare("INSERT INTO t VALUES ($1, $2)")
      try insert.loadRows((1...1000).lazy.map { (n: Int) in [n, "t\(n)"] })
      #expect(try db.query.first("SELECT count(*) FROM t", as: Int.self) == 1000)
      try insert.loadChunks([[[1, "a"], [2, "b"]], [[3, nil]]])
      #expect(try db.query.first("SELECT count(*) FROM t", as: Int.self) == 1003)
    }

    @Test("Statement Interface Points: load_chunks takes what chunks of another connection gives")
    func loadChunks() throws {
      let (src, dst) = (db, try db.clone())
      try dst.execute("CREATE TEMP TABLE copied(i int, t text, d date)")
      let source = try src.prepare(
        """
        SELECT i, nullif('t' || i, 't7'), '2000-01-01'::date + i
        FROM generate_series(1, 20000) AS i
        """)
      try dst.prepare("INSERT INTO copied VALUES ($1, $2, $3)").loadChunks(source.chunks())
      let sums = try dst.query.first(
        "SELECT count(*), count(t), max(d)::text FROM copied", as: (Int, Int, String).self)
      #expect(sums?.0 == 20_000 && sums?.1 == 19_999 && sums?.2 == "2054-10-04")
    }

    @Test("Statement Interface Points: clone makes a new statement of the same text")
    func clone() throws {
      let ps = try db.prepare("SELECT $1::int * 2")
      let other = try ps.clone()
      try ps.close()
      #expect(other.statementID != ps.statementID && other.string == ps.string)
      #expect(try other.first(21, as: Int.self) == 42)
    }
  }

  /// A result is of another kind than the document says.
  struct Unexpected: Error {}
}
