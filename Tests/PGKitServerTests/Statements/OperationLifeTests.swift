import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

/// What happens between operations: to errors, deadlines, hooks, statements and transactions.
@Suite("Operations", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct OperationLifeTests {
  private let db: Connection
  private final class Heard {
    var texts: [String] = []
  }
  private let heard = Heard()

  init() throws {
    db = try TestServer.shared.get().connect()
    let heard = heard
    db.messageHook = {
      heard.texts.append("connection: \($0.message)")
      return true
    }
    try db.execute("CREATE TEMP TABLE t(i int, d date)")
  }

  private func labels(_ body: () throws -> Void) throws -> [String] {
    try #require(throws: PGError.self) { try body() }.origin.creators.map(\.label)
  }

  @Test("an error that was told is not warned of, and is told again")
  func toldOnce() throws {
    for isKept in [false, true] {
      do {
        let chunks = try db.query.chunks("SELECT 1 / (3 - i) FROM generate_series(1, 5) AS i")
        if isKept { try db.execute("SELECT 1") }
        for _ in 0..<2 {
          let error = #expect(throws: PGError.self) { while try chunks.next() != nil {} }
          #expect(error?.code == .divisionByZero)
          #expect(
            error?.origin.creators.map(\.label) == ["STATEMENT", "CONNECTION", "CONNECTOR"])
        }
      }
      try db.execute("SELECT 1")
    }
    #expect(heard.texts.isEmpty)
  }

  @Test("rows that were too many to keep are no failure of their statement")
  func overflow() throws {
    do {
      let rows = try db.query.rows("SELECT repeat('x', 1000000) FROM generate_series(1, 300)")
      _ = try rows.next()
      try db.execute("SELECT 1")
    }
    try db.execute("SELECT 1")
    #expect(heard.texts.isEmpty)
  }

  @Test("a COPY whose data nobody takes, and that fails, is warned of")
  func abandonedCopy() throws {
    _ = try db.copyOut(
      "COPY (SELECT 1 / (30000 - i) FROM generate_series(1, 60000) AS i) TO STDOUT")
    try db.execute("SELECT 1")
    try db.execute("SELECT 1")
    #expect(heard.texts.count == 1 && heard.texts[0].contains("division by zero"))
  }

  @Test(
    "a statement whose renewal fails has failed, and does not wait for ever",
    arguments: [("timestamp", SQLState.parameterError), ("int USING 1", .undefinedFunction)])
  func failedRenewal(type: String, code: SQLState) throws {
    let statement = try db.prepare("SELECT d FROM t WHERE d >= $1")
    _ = try statement(PGDate("2026-11-21"))
    try db.execute("ALTER TABLE t ALTER COLUMN d TYPE \(type)")
    let rows = try statement.rows(PGDate("2026-11-21"))
    for _ in 0..<2 {
      let error = #expect(throws: PGError.self) { _ = try rows.next() }
      #expect(error?.code == code)
    }
    #expect(try db.query.first("SELECT 1", as: Int.self) == 1)
  }

  @Test("a hook may look at the result in hand")
  func hookReadsResult() throws {
    try db.execute("SET client_min_messages = notice")
    try db.execute(
      """
      CREATE FUNCTION pg_temp.say(i int) RETURNS int LANGUAGE plpgsql AS
        $$ BEGIN RAISE NOTICE '%', i; RETURN i; END $$
      """)
    var seen: [Int] = []
    let rows = try db.query.chunks("SELECT pg_temp.say(i) FROM generate_series(1, 3) AS i")
    db.messageHook = { _ in
      seen.append(rows.columns.count + (rows.tag?.rowCount ?? 0))
      return true
    }
    while try rows.next() != nil {}
    #expect(seen == [1, 1, 1])
    let stream = try db.copyOut(
      "COPY (SELECT pg_temp.say(i) FROM generate_series(1, 3) AS i) TO STDOUT")
    db.messageHook = { _ in
      seen.append(stream.columnCount + (stream.tag == nil ? 10 : 0) + (stream.isBinary ? 1 : 0))
      return true
    }
    while try stream.next() != nil {}
    #expect(seen.count >= 3 && seen.dropFirst(3).allSatisfy { $0 == 11 })
  }

  @Test("a statement's hook hears whatever the statement runs, whatever ran before it")
  func hearers() throws {
    try db.execute(
      """
      CREATE FUNCTION pg_temp.warn() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE WARNING 'row %', NEW.i; RETURN NEW; END $$;
      CREATE TRIGGER warn BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION pg_temp.warn()
      """)
    let heard = heard
    func listening(_ sql: String) throws -> Statement {
      let statement = try db.prepare(sql)
      statement.messageHook = {
        heard.texts.append("statement: \($0.message)")
        return true
      }
      return statement
    }
    let insert = try listening("INSERT INTO t(i) VALUES ($1)")
    let rows = try db.query.rows("SELECT i FROM generate_series(1, 100000) AS i")
    _ = try rows.next()
    try insert.loadRows([[1], [2]])
    try listening("COPY t(i) FROM STDIN").loadLines([Array("3\n".utf8)])
    #expect(heard.texts == ["statement: row 1", "statement: row 2", "statement: row 3"])
    _ = rows
  }

  @Test("a declared query has the columns that its table has now")
  func declaredAnew() throws {
    try db.execute("INSERT INTO t(i) VALUES (1)")
    let statement = try db.prepare("SELECT i FROM t")
    try db.execute("ALTER TABLE t ALTER COLUMN i TYPE float8")
    #expect(try statement.declare().read()[0][0, as: Double.self] == 1)
    let all = try db.prepare("SELECT * FROM t")
    try db.execute("ALTER TABLE t ADD COLUMN n text DEFAULT 'new'")
    #expect(try all.declare().read()[0][2, as: String.self] == "new")
  }

  @Test("a deadline covers what must be done first")
  func deadlines() throws {
    let rows = try db.query.rows("SELECT pg_sleep(30), i FROM generate_series(1, 2) AS i")
    let start = ContinuousClock.now
    let error = #expect(throws: PGError.self) {
      try db.execute("SELECT 1", until: .after(.milliseconds(200)))
    }
    #expect(error?.isTimeout == true)
    #expect(start.duration(to: .now) < .seconds(15))
    #expect(db.isClosed)
    _ = rows
  }

  @Test("a transaction that something else has ended is not taken for committed")
  func endedOtherwise() throws {
    for ending in ["ROLLBACK", "reset"] {
      try db.execute("CREATE TABLE IF NOT EXISTS \(name)(i int)")
      let error = #expect(throws: PGError.self) {
        try db.withTransaction { _ in
          try db.execute("INSERT INTO \(name) VALUES (1)")
          if ending == "reset" { try db.reset() } else { try db.execute(ending) }
        }
      }
      #expect(error?.code == .inFailedSqlTransaction)
      #expect(try db.query.first("SELECT count(*) FROM \(name)", as: Int.self) == 0)
    }
    // What was committed inside is committed, even if the connection was closed then.
    try db.withTransaction { transaction in
      try db.execute("INSERT INTO \(name) VALUES (1)")
      try transaction.commit()
      db.close()
    }
    let other = try db.clone()
    #expect(try other.query.first("SELECT count(*) FROM \(name)", as: Int.self) == 1)
    try other.execute("DROP TABLE \(name)")
  }
  private let name = "ended_\(UInt64.random(in: 0...UInt64.max))"

  @Test("chunks of another result are loaded after a reset, and by no closed statement")
  func loadingAfterReset() throws {
    try db.execute("CREATE TABLE \(name)(i int)")
    defer { try? db.execute("DROP TABLE \(name)") }
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1)")
    try db.reset()
    let source = try db.clone()
    #expect(
      try insert.loadChunks(source.query.chunks("SELECT i FROM generate_series(1, 3) AS i")) == 3)
    let returning = try db.prepare("INSERT INTO \(name) VALUES ($1) RETURNING *")
    try db.execute("ALTER TABLE \(name) ADD COLUMN t text")
    #expect(try returning.loadRows([[4], [5]]) == 2)
    try insert.close()
    let error = #expect(throws: PGError.self) {
      try insert.loadChunks(source.query.chunks("SELECT 1"))
    }
    #expect(error?.code == .invalidSqlStatementName && error?.fault == .caller)
  }

  @Test("an error names each thing it happened to once, innermost first")
  func chains() throws {
    let end = ["CONNECTION", "CONNECTOR"]
    try db.execute("CREATE TEMP TABLE gone(i int)")
    let statement = try db.prepare("SELECT * FROM gone")
    try db.reset()
    #expect(try labels { try statement() } == ["STATEMENT"] + end)
    let kept = try db.query.rows("SELECT 1 / (3 - i) FROM generate_series(1, 5) AS i")
    try db.execute("SELECT 1")
    #expect(try labels { try kept.close() } == ["STATEMENT"] + end)
    let library = try Library("[bad]\nSELECT 1/0\n", name: "l").bind(to: db)
    #expect(try labels { try library.bad() } == ["STATEMENT", "QUERY"] + end)
    var connector = db.connector
    connector.category = try LibraryCategory([Library("[bad:const]\nSELECT 1/0\n", name: "l")])
    #expect(try labels { _ = try connector.connect() } == ["STATEMENT", "QUERY"] + end)
    let select = try db.prepare("SELECT 1")
    #expect(try labels { _ = try select.copyOut() } == ["STATEMENT"] + end)
  }

  @Test("the place of an error in a declared query is marked in what was sent")
  func declaredPlace() throws {
    let statement = try db.prepare("SELECT i FROM t")
    try db.execute("DROP TABLE t")
    let error = try #require(throws: PGError.self) { _ = try statement.declare() }
    let lines = error.report.split(separator: "\n")
    let mark = try #require(lines.firstIndex { $0.hasSuffix("^") })
    let column = lines[mark].distance(from: lines[mark].startIndex, to: lines[mark].endIndex) - 1
    #expect(lines[mark - 1].dropFirst(column).hasPrefix("t"))
    #expect(lines[mark - 1].hasSuffix("FROM t"))
  }

  @Test("a statement that could not be closed now is closed later")
  func closing() throws {
    try db.execute("SET client_min_messages = notice")
    let statement = try db.prepare("SELECT 1")
    var refused: PGError?
    db.messageHook = { _ in
      do throws(PGError) { try statement.close() } catch { refused = error }
      return true
    }
    try db.execute("DROP TABLE IF EXISTS absent")
    #expect(refused?.code == .operationError)
    #expect(!statement.isClosed)
    try statement.close()
    #expect(
      try db.query.first("SELECT count(*) FROM pg_prepared_statements", as: Int.self) == 0)
  }

  @Test("a hook that hears a warning of our own cannot use the connection either")
  func ownWarnings() throws {
    var refused: PGError?
    db.messageHook = { [db] _ in
      do throws(PGError) { try db.execute("SELECT 1") } catch { refused = error }
      return true
    }
    _ = try db.query.rows("INSERT INTO t SELECT 1 / 0 RETURNING i")
    try db.execute("SELECT 1")
    try db.execute("SELECT 1")
    #expect(refused?.code == .operationError)
  }
}
