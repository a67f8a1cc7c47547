import PGKit
import PGTestCluster
import Testing

@Suite("Statement", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct StatementTests {
  private let db: Connection

  init() throws { db = try TestServer.shared.connect() }

  @Test("gives what its text and parameters ask for")
  func callsWithParameters() throws {
    let add = try db.prepare("SELECT $1::int4 + $2::int8 AS sum")
    #expect(add.pgParameterTypes == [.int4, .int8])
    #expect(add.columnNames == ["sum"])
    #expect(try add(20, 22)[0][0, as: Int.self] == 42)
    #expect(try add(-1, nil)[0][0, as: Int?.self] == nil)
  }

  @Test("decodes tuples and optionals by position, values by name")
  func decodesTuples() throws {
    let row = try #require(
      try db.query("SELECT 7::int4 AS id, 'x'::text AS t, NULL::text AS n").first)
    let (id, text, missing) = try row.decode((Int, String, String?).self)
    #expect(id == 7)
    #expect(text == "x")
    #expect(missing == nil)
    #expect(try row["t", as: String.self] == "x")
    #expect(throws: PGError.self) { try row["n", as: String.self] }
    #expect(throws: PGError.self) { try row["absent", as: String.self] }
    #expect(throws: PGError.self) { try row[3, as: Int.self] }
  }

  @Test("streams a million rows in batches without keeping them")
  func streamsRows() throws {
    let chunks = try db.query.chunks("SELECT i FROM generate_series(1, 1000000) AS i")
    var (count, sum) = (0, 0)
    while let batch = try chunks.next() {
      count += batch.count
      for row in batch { sum += try row[0, as: Int.self] }
    }
    #expect(count == 1_000_000)
    #expect(sum == 500_000_500_000)
    #expect(chunks.tag?.rowCount == 1_000_000)
    #expect(chunks.tag?.name == "SELECT")
  }

  @Test("keeps batches valid after the next ones have arrived")
  func keepsBatches() throws {
    let chunks = try db.query.chunks(
      "SELECT i, repeat('x', i % 100) FROM generate_series(1, 20000) AS i")
    var batches: [RowBatch] = []
    while let batch = try chunks.next() { batches.append(batch) }
    var expected = 0
    for row in batches.joined() {
      expected += 1
      #expect(try row[0, as: Int.self] == expected)
      #expect(try row[1, as: String.self].utf8.count == expected % 100)
    }
    #expect(expected == 20_000)
    #expect(batches.count > 1)
  }

  @Test("keeps the rest of its rows when another operation begins")
  func keepsRows() throws {
    let rows = try db.query.rows("SELECT i FROM generate_series(1, 100000) AS i")
    for expected in 1...100_000 {
      #expect(try rows.next()?[0, as: Int.self] == expected)
      if expected.isMultiple(of: 30_000) {
        #expect(try db.query("SELECT 2")[0][0, as: Int.self] == 2)
      }
    }
    #expect(try rows.next() == nil)
    #expect(rows.tag?.rowCount == 100_000)
  }

  @Test("keeps an error too that came behind the rows")
  func keepsErrors() throws {
    let rows = try db.query.rows("SELECT 1 / (i - 50000) FROM generate_series(1, 100000) AS i")
    #expect(try rows.next() != nil)
    #expect(try db.query("SELECT 2")[0][0, as: Int.self] == 2)
    var count = 1
    let error = #expect(throws: PGError.self) {
      while try rows.next() != nil { count += 1 }
    }
    #expect(error?.code == .divisionByZero)
    #expect(count == 49_999)
  }

  @Test("is prepared again when its tables have changed, outside a block")
  func renews() throws {
    try db.execute("CREATE TEMP TABLE changing(i int); INSERT INTO changing VALUES (1)")
    let statement = try db.prepare("SELECT * FROM changing WHERE i = $1")
    #expect(try statement(1)[0].count == 1)
    try db.execute("ALTER TABLE changing ADD COLUMN t text DEFAULT 'new'")
    let name = statement.statementID
    let row = try #require(try statement(1).first)
    #expect(try row.count == 2 && row["t", as: String.self] == "new")
    #expect(statement.columnNames == ["i", "t"] && statement.statementID != name)
    #expect(
      try db.query.first(
        "SELECT count(*) FROM pg_prepared_statements WHERE name <> ''", as: Int.self) == 1)
    let error = #expect(throws: PGError.self) {
      try db.withTransaction { _ in
        try db.execute("ALTER TABLE changing DROP COLUMN t")
        _ = try statement(1)
      }
    }
    #expect(error?.code == .featureNotSupported)
    #expect(try statement(1)[0].count == 2)
    try db.execute("ALTER TABLE changing ALTER COLUMN i TYPE int8")
    #expect(try statement(1)[0][0, as: Int64.self] == 1)
  }

  @Test("drops the rest of its rows when they are closed, before or after another operation")
  func closesRows() throws {
    for isFirst in [true, false] {
      let chunks = try db.query.chunks("SELECT i FROM generate_series(1, 100000) AS i")
      _ = try chunks.next()
      if !isFirst { try db.execute("SELECT 1") }
      try chunks.close()
      let error = #expect(throws: PGError.self) { _ = try chunks.next() }
      #expect(error?.code == .operationError)
      #expect(db.transactionStatus == .idle)
    }
  }

  @Test("drops the rest of its rows where they are too many to keep, and says so")
  func dropsRows() throws {
    let query = "SELECT repeat('x', 1000000) FROM generate_series(1, 300)"
    let rows = try db.query.rows(query)
    #expect(try rows.next() != nil)
    #expect(try db.query("SELECT 2")[0][0, as: Int.self] == 2)
    let error = #expect(throws: PGError.self) { while try rows.next() != nil {} }
    #expect(error?.code == .operationError)
    #expect(try db.query("SELECT 3")[0][0, as: Int.self] == 3)
  }

  @Test("leaves the connection usable after an error in the middle of rows")
  func survivesErrorsInRows() throws {
    let error = #expect(throws: PGError.self) {
      try db.query("SELECT 1 / (i - 30000) FROM generate_series(1, 60000) AS i")
    }
    #expect(error?.code == .divisionByZero)
    #expect(db.transactionStatus == .idle)
    #expect(try db.query("SELECT 1")[0][0, as: Int.self] == 1)
  }

  @Test("refuses a wrong number of values and values that do not fit, before anything is sent")
  func refusesParameters() throws {
    let add = try db.prepare("SELECT $1::int4")
    let tooFew = #expect(throws: PGError.self) { try add() }
    #expect(tooFew?.code == .parameterError)
    let tooLarge = #expect(throws: PGError.self) { try add(Int64(1) << 40) }
    #expect(tooLarge?.code == .parameterError)
    #expect(tooLarge?.description.contains("1099511627776") == false)
    #expect(db.transactionStatus == .idle)
  }

  @Test("takes 65,535 parameters, and says that there cannot be more")
  func manyParameters() throws {
    func insert(_ count: Int) -> String {
      "INSERT INTO many VALUES " + (1...count).map { "($\($0))" }.joined(separator: ",")
    }
    try db.execute("CREATE TEMP TABLE many(i int)")
    let values: [String?] = (0..<65_536).map { "\($0)" }
    #expect(
      try db.query.text(insert(65_535), Array(values.dropLast())).finish()?.rowCount == 65_535)
    let statement = try db.prepare(insert(65_535))
    let rows: [(any PGEncodable)?] = (0..<65_535).map { $0 == 7 ? nil : $0 }
    #expect(try statement.loadRows([rows]) == 65_535)
    #expect(statement.pgParameterTypes.count == 65_535)
    #expect(
      try db.query.first("SELECT count(*), count(i), sum(i) FROM many", as: (Int, Int, Int).self)
        ?? (0, 0, 0) == (131_070, 131_069, 65_534 * 65_535 - 7))
    let tooMany = #expect(throws: PGError.self) { try db.query.text(insert(65_536), values) }
    #expect(tooMany?.code == .parameterError)
    #expect(tooMany?.message.contains("65535") == true)
    let refused = #expect(throws: PGError.self) { try db.prepare(insert(65_536)) }
    #expect(refused?.code == .tooManyArguments && refused?.fault == .caller)
    #expect(refused?.message.contains("65536") == true)
    #expect(try db.query.first("SELECT 1", as: Int.self) == 1)
  }

  @Test("refuses two statements in one text with 42601")
  func refusesScripts() {
    let error = #expect(throws: PGError.self) { try db.prepare("SELECT 1; SELECT 2") }
    #expect(error?.code == .syntaxError)
  }

  @Test("is closed on the server soon after its last reference is gone")
  func releasesStatements() throws {
    for number in 0..<50 { _ = try db.prepare("SELECT \(number)") }
    _ = try db.query("SELECT 1")
    let left = try db.query("SELECT count(*) FROM pg_catalog.pg_prepared_statements")
    #expect(try left[0][0, as: Int.self] <= 1)
  }

  @Test("cannot be used after it was closed")
  func refusesUseAfterClose() throws {
    let statement = try db.prepare("SELECT 1")
    try statement.close()
    try statement.close()
    let error = #expect(throws: PGError.self) { try statement() }
    #expect(error?.code == .invalidSqlStatementName)
  }

  @Test("gives rows without columns, and commands without rows")
  func emptyShapes() throws {
    let none = try db.query("SELECT FROM generate_series(1, 3)")
    #expect(none.count == 3)
    #expect(none[0].count == 0)
    let created = try db.query("CREATE TEMP TABLE shape(a int)")
    #expect(created.isEmpty)
    #expect(created.tag.description == "CREATE TABLE")
    #expect(try db.query("INSERT INTO shape VALUES (1), (2)").tag.rowCount == 2)
    #expect(try db.query("").isEmpty)
  }

  @Test("carries a value of many megabytes")
  func largeValues() throws {
    let text = String(repeating: "é", count: 8 << 20)
    let result = try db.query("SELECT $1::text, length($1::text)", text)
    #expect(try result[0][1, as: Int.self] == 8 << 20)
    #expect(try result[0][0, as: String.self] == text)
  }

  @Test("takes values as text in one round trip, with types that the server infers")
  func textQueries() throws {
    let chunks = try db.query.text("SELECT $1::int + 1, $2::text", ["41", nil])
    let batch = try #require(try chunks.next())
    #expect(try batch[0][0, as: String.self] == "42")
    #expect(try batch[0].isNull(1))
    #expect(try chunks.next() == nil)
  }

  @Test("carries what the server says with an error, and where it happened")
  func errorReports() throws {
    let error = #expect(throws: PGError.self) { try db.query("SELECT * FROM no_such_table") }
    #expect(error?.code == .undefinedTable)
    #expect(error?.fault == .server)
    #expect(error?.fields?.position == 15)
    #expect(error?.report.contains("STATEMENT: SELECT * FROM no_such_table") == true)
    #expect(error?.description == "ERROR 42P01: relation \"no_such_table\" does not exist")
  }
}
