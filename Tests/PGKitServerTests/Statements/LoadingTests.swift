import Foundation
import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

/// The sections "Inserting and DML" and "COPY Statements".
@Suite("Loading", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct LoadingTests {
  private let db: Connection
  private let other: Connection
  private let name = "load_\(UInt64.random(in: 0...UInt64.max))"

  init() throws {
    db = try TestServer.shared.connect()
    other = try db.clone()
    try db.execute("CREATE TABLE \(name)(i int PRIMARY KEY, t text)")
  }

  private func count() throws -> Int? {
    try other.query.first("SELECT count(*) FROM \(name)", as: Int.self)
  }

  private func rows(_ range: Range<Int>) -> [[(any PGEncodable)?]] {
    range.map { [$0, $0.isMultiple(of: 3) ? nil : "t\($0)"] }
  }

  // MARK: Rows

  @Test("Inserting and DML: one call inserts one row, and says so")
  func insert() throws {
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1, $2)")
    let result = try insert(1, "one")
    #expect(result.tag.name == "INSERT" && result.tag.rowCount == 1)
    #expect(!insert.givesRows)
  }

  @Test("loads rows in batches, in few round trips")
  func loads() throws {
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1, $2)")
    #expect(try insert.loadRows(rows(0..<10_000)) == 10_000)
    #expect(try count() == 10_000)
    let sums = try db.query.first("SELECT sum(i), count(t) FROM \(name)", as: (Int, Int).self)
    #expect(sums?.0 == 49_995_000 && sums?.1 == 6666)
    #expect(try insert.loadRows([[(any PGEncodable)?]]()) == 0)
    #expect(try db.query.loadRows("DELETE FROM \(name) WHERE i = $1", [[1], [2], [-1]]) == 2)
  }

  @Test("what gives rows is run for each row of parameters; its rows are dropped")
  func dropsRows() throws {
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1, $2) RETURNING *")
    #expect(try insert.loadRows(rows(0..<1000)) == 1000)
    #expect(try db.prepare("SELECT generate_series(1, $1::int)").loadRows([[3], [4]]) == 7)
    #expect(try db.prepare("").loadRows([[], []]) == 0)
  }

  @Test("a value that does not fit names its row, and nothing of its batch is sent")
  func misfit() throws {
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1, $2)")
    var all = rows(0..<600)
    all[300] = [300, 5]
    let error = #expect(throws: PGError.self) { try insert.loadRows(all) }
    #expect(error?.code == .parameterError)
    #expect(error?.report.contains("ROW: 300") == true)
    #expect(try count() == 256)
    all[300] = [300]
    #expect(throws: PGError.self) { try insert.loadRows(all) }
    #expect(try db.query.first("SELECT 1", as: Int.self) == 1)
  }

  @Test("an error of the server names its row; its batch is rolled back, those before stay")
  func refused() throws {
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1, $2)")
    var all = rows(0..<600)
    all[300] = [7, "again"]
    let error = #expect(throws: PGError.self) { try insert.loadRows(all) }
    #expect(error?.code == .uniqueViolation)
    #expect(error?.report.contains("ROW: 300") == true)
    #expect(try count() == 256)
    #expect(db.transactionStatus == .idle)
    #expect(try insert(1000, "after").tag.rowCount == 1)
  }

  @Test("inside a block all of it is one transaction")
  func inBlock() throws {
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1, $2)")
    #expect(throws: PGError.self) {
      try db.withTransaction { _ in
        try insert.loadRows(rows(0..<600))
        try insert(7, "again")
      }
    }
    #expect(try count() == 0)
  }

  @Test("chunks go as they are, from Swift or from another connection")
  func chunks() throws {
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1, $2)")
    #expect(try insert.loadChunks([rows(0..<100), [], rows(100..<1000)]) == 1000)
    try db.execute("CREATE TABLE \(name)_2 (LIKE \(name)); CREATE TABLE \(name)_3(t text, i int8)")
    let source = "SELECT i, t FROM \(name)"
    #expect(
      try other.query.loadChunks(
        "INSERT INTO \(name)_2 VALUES ($1, $2)", db.query.chunks(source)) == 1000)
    // A parameter of another type takes what can be converted.
    #expect(
      try db.query.loadChunks(
        "INSERT INTO \(name)_3 VALUES ($2, $1)", db.query.chunks(source)) == 1000)
    #expect(
      try db.query.first(
        """
        SELECT (SELECT count(*) FROM \(name) JOIN \(name)_2 USING (i) WHERE
          \(name).t IS NOT DISTINCT FROM \(name)_2.t) + (SELECT count(*) FROM \(name) JOIN
          \(name)_3 USING (i) WHERE \(name).t IS NOT DISTINCT FROM \(name)_3.t)
        """, as: Int.self) == 2000)
    #expect(throws: PGError.self) {
      try db.query.loadChunks("DELETE FROM \(name) WHERE i = $1", db.query.chunks(source))
    }
  }

  @Test("a chunk is one transaction, however large it is")
  func largeChunk() throws {
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1, $2)")
    let text = String(repeating: "x", count: 100_000)
    let rows: [[(any PGEncodable)?]] = (0..<50).map { [$0 == 49 ? 0 : $0, text] }
    let error = #expect(throws: PGError.self) { try insert.loadChunks([rows]) }
    #expect(error?.code == .uniqueViolation)
    #expect(try count() == 0)
    #expect(try insert.loadChunks([Array(rows[..<49])]) == 49)
  }

  // MARK: While a batch is under way

  /// Rows that do something when one of them is asked for.
  private func rows(
    _ range: Range<Int>, at place: Int, _ action: @escaping () -> Void
  ) -> some Sequence<[(any PGEncodable)?]> {
    range.lazy.map { number in
      if number == place { action() }
      return [number, "t\(number)"] as [(any PGEncodable)?]
    }
  }

  @Test("what is done with the connection while a batch is under way comes after it")
  func usedMeanwhile() throws {
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1, $2)")
    var seen: [Int] = []
    let counting = (0..<95).lazy.map { [db, name] number in
      seen.append(
        (try? db.query.first("SELECT count(*) FROM \(name)", as: Int.self)) ?? -1)
      return [number, "t"] as [(any PGEncodable)?]
    }
    #expect(try insert.loadRows(counting, batchSize: 10) == 95)
    #expect(seen == (0..<95).map { $0 / 10 * 10 })
    #expect(db.transactionStatus == .idle)
    // Another loading on the same connection, too.
    let nested = rows(200..<230, at: 215) { [rows] in
      _ = try? insert.loadRows(rows(300..<330), batchSize: 7)
    }
    #expect(try insert.loadRows(nested, batchSize: 10) == 30)
    #expect(try count() == 155)
  }

  @Test("a batch that fails is told of before anything behind it is sent", arguments: [0, 1, 2])
  func failsUnderWay(meanwhile: Int) throws {
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1, $2)")
    let all = (0..<100).lazy.map { [db] number in
      // What is wrong with a later row, or what is done meanwhile, does not hide it.
      if meanwhile == 1, number == 27 { return ["no integer", 5] as [(any PGEncodable)?] }
      if meanwhile == 2, number == 27 { _ = try? db.query.first("SELECT 1", as: Int.self) }
      return [number == 13 ? 3 : number, "t"] as [(any PGEncodable)?]
    }
    let error = #expect(throws: PGError.self) { try insert.loadRows(all, batchSize: 10) }
    #expect(error?.code == .uniqueViolation)
    #expect(error?.report.contains("ROW: 13") == true, "\(error?.report ?? "")")
    #expect(try count() == 10)
    #expect(try insert(1000, "after").tag.rowCount == 1)
  }

  @Test(
    "inside a block, what was sent behind a batch that fails leaves nothing, and the block can end")
  func failsInBlock() throws {
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1, $2)")
    let all = (0..<100).map { [$0 == 13 ? 3 : $0, "t"] as [(any PGEncodable)?] }
    let error = #expect(throws: PGError.self) {
      try db.withTransaction { _ in try insert.loadRows(all, batchSize: 10) }
    }
    #expect(error?.code == .uniqueViolation)
    #expect(error?.report.contains("ROW: 13") == true, "\(error?.report ?? "")")
    #expect(try count() == 0)
    try db.execute("BEGIN; SAVEPOINT s")
    #expect(throws: PGError.self) { try insert.loadRows(all, batchSize: 10) }
    #expect(db.transactionStatus == .failed)
    try db.execute("ROLLBACK TO s")
    var seen: [Int] = []
    let counting = (0..<95).lazy.map { [db, name] number in
      if number % 7 == 0 {
        seen.append((try? db.query.first("SELECT count(*) FROM \(name)", as: Int.self)) ?? -1)
      }
      return [number, String(repeating: "x", count: 20_000)] as [(any PGEncodable)?]
    }
    #expect(try insert.loadRows(counting, batchSize: 10) == 95)
    #expect(seen == stride(from: 0, to: 95, by: 7).map { $0 / 10 * 10 })
    try db.execute("COMMIT")
    #expect(try count() == 95)
  }

  @Test("inside a block a misfit comes after the batches before it")
  func misfitInBlock() throws {
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1, $2) RETURNING *")
    var all = rows(0..<100)
    all[57] = [57, 5]
    let error = try db.withTransaction { _ in
      let error = #expect(throws: PGError.self) { try insert.loadRows(all, batchSize: 10) }
      let stored = try db.query.first("SELECT count(*) FROM \(name)", as: Int.self)
      #expect(stored == 50)
      return error
    }
    #expect(error?.code == .parameterError)
    #expect(error?.report.contains("ROW: 57") == true)
    #expect(try count() == 50)
  }

  @Test("a statement that has to be prepared anew between two batches is, and no row is lost")
  func renewedUnderWay() throws {
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1, $2) RETURNING *")
    let before = insert.statementID
    let all = rows(0..<100, at: 35) { [other, name] in
      try? other.execute("ALTER TABLE \(name) ADD COLUMN more int DEFAULT 7")
    }
    #expect(try insert.loadRows(all, batchSize: 10) == 100)
    #expect(insert.statementID != before)
    #expect(
      try db.query.first(
        "SELECT count(*), sum(i), sum(more) FROM \(name)", as: (Int, Int, Int).self)
        ?? (0, 0, 0) == (100, 4950, 700))
  }

  @Test("a connection that is closed while a batch is under way ends the loading")
  func closedUnderWay() throws {
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1, $2)")
    let all = rows(0..<100, at: 35) { [db] in db.close() }
    #expect(throws: PGError.self) { try insert.loadRows(all, batchSize: 10) }
    #expect(db.isClosed)
  }

  @Test("a source that fails leaves the batch under way stored, and the connection usable")
  func failingSource() throws {
    let insert = try db.prepare("INSERT INTO \(name) VALUES ($1, $2)")
    let source = try other.prepare(
      "SELECT i, (1000 / (3000 - i))::text FROM generate_series(1, 5000) AS i")
    let error = #expect(throws: PGError.self) { try insert.loadChunks(try source.chunks()) }
    #expect(error?.code == .divisionByZero)
    let stored = try #require(try count())
    #expect(stored > 0 && stored < 3000)
    #expect(db.transactionStatus == .idle)
  }

  // MARK: COPY

  @Test("a COPY of standard input or output is not loaded with parameters, and not run as a query")
  func copyIsNoQuery() throws {
    let copy = try db.prepare("/* in */ copy \(name) FROM /* x */ Stdin")
    let attempts: [() throws -> Void] = [
      { try copy.loadRows([[]]) }, { try copy.loadRows([[1, "x"]]) },
      { try copy.loadChunks([[[1, "x"]]]) }, { try copy.loadChunks(db.query.chunks("SELECT 1")) },
      { try copy() }, { _ = try db.query.first("COPY \(name) TO STDOUT") },
    ]
    for attempt in attempts {
      let error = #expect(throws: PGError.self) { try attempt() }
      #expect(error?.code == .operationError)
      #expect(try count() == 0)
    }
  }

  @Test("a COPY of a file of the server runs as any statement, and first gives its count")
  func serverSideCopy() throws {
    try db.query.loadRows("INSERT INTO \(name) VALUES ($1, $2)", rows(0..<10))
    let path = "/tmp/pgkit-\(name).tsv"
    defer { try? FileManager.default.removeItem(atPath: path) }
    guard case .count(10) = try db.query.first("COPY \(name)(i, t) TO '\(path)'") else {
      throw PGError.operation("no count")
    }
    try db.execute("CREATE TABLE \(name)_4 (LIKE \(name))")
    #expect(try db.prepare("COPY \(name)_4 FROM '\(path)'")().tag.rowCount == 10)
    #expect(
      try db.query("COPY (SELECT 'stdout' AS stdin) TO PROGRAM 'cat >/dev/null'").tag.rowCount == 1)
  }

  @Test("COPY Statements: rows come out as bytes, and go in as bytes")
  func copy() throws {
    let out = try db.prepare("COPY (SELECT i FROM generate_series(0, 99) AS g(i)) TO STDOUT")
    var lines: [String] = []
    let stream = try out.copyOut()
    while let chunk = try stream.next() {
      chunk.forEach { lines.append(String(decoding: $0, as: UTF8.self)) }
    }
    #expect(lines.count == 100 && lines.first == "0\n" && lines.last == "99\n")
    let into = try db.prepare("COPY \(name) FROM STDIN")
    #expect(
      try into.loadLines([Array("123\tone twenty three\n".utf8), Array("350\ttree fitty\n".utf8)])
        == 2)
    #expect(try into.loadLines([[UInt8]]()) == 0)
    #expect(try count() == 2)
  }

  @Test("from one connection to another")
  func copyAcross() throws {
    try db.execute("INSERT INTO \(name) SELECT i, 'x' FROM generate_series(1, 10000) AS i")
    try db.execute("CREATE TABLE \(name)_2 (LIKE \(name))")
    let source = try db.prepare("COPY \(name) TO STDOUT").copyOut()
    #expect(try other.query.loadChunks("COPY \(name)_2 FROM STDIN", source) == 10_000)
    // And on one connection, where what comes out waits for the way in.
    let again = try db.prepare("COPY \(name) TO STDOUT").copyOut()
    #expect(try db.query.loadChunks("COPY \(name)_2 FROM STDIN", again) == 10_000)
  }

  @Test("a COPY run as if it gave rows is refused before anything is sent; so is no COPY as one")
  func wrongWay() throws {
    for text in ["COPY \(name) FROM STDIN", "/* x */ copy \(name) TO STDOUT"] {
      let statement = try db.prepare(text)
      let error = #expect(throws: PGError.self) { _ = try statement() }
      #expect(error?.code == .operationError)
      #expect(throws: PGError.self) { try db.query(text) }
    }
    let select = try db.prepare("SELECT 1")
    #expect(throws: PGError.self) { try select.copyOut() }
    #expect(throws: PGError.self) { try select.loadLines([[UInt8]]()) }
    #expect(try db.query.first("SELECT 1", as: Int.self) == 1)
  }

  @Test("an error in the lines leaves nothing, and the connection usable")
  func badLines() throws {
    let into = try db.prepare("COPY \(name) FROM STDIN")
    let error = #expect(throws: PGError.self) {
      try into.loadLines([Array("1\ta\n".utf8), Array("x\tb\n".utf8)])
    }
    #expect(error?.code == .invalidTextRepresentation)
    #expect(try count() == 0)
    #expect(db.transactionStatus == .idle)
  }

  // MARK: First, column, statements by name

  @Test("first: the value, the row, or the count of rows")
  func first() throws {
    func first(_ sql: String) throws -> String {
      switch try db.query.first(sql) {
      case .none: "none"
      case .value(let value): "value \(value)"
      case .row(let row): "row of \(row.count)"
      case .count(let count): "count \(count)"
      case .tag(let tag): "tag \(tag)"
      }
    }
    #expect(try first("SELECT 'hello, world!'") == "value hello, world!")
    #expect(try first("SELECT 1, 2") == "row of 2")
    #expect(try first("SELECT 1 WHERE false") == "none")
    #expect(try first("SELECT FROM generate_series(1, 3)") == "count 3")
    #expect(try first("CREATE TEMP TABLE x(i int)") == "tag CREATE TABLE")
    #expect(try first("INSERT INTO x VALUES (1), (2), (3)") == "count 3")
    #expect(try first("UPDATE x SET i = 0 WHERE i < 3") == "count 2")
    #expect(try first("DELETE FROM x") == "count 3")
    #expect(try first("DELETE FROM x") == "count 0")
    #expect(try first("INSERT INTO x VALUES (9) RETURNING i") == "value 9")
    #expect(try first("") == "none")
    #expect(try db.prepare("SELECT $1::int").first(-400, as: Int.self) == -400)
    #expect(try db.prepare("SELECT NULL::int").first(as: Int?.self) == .some(nil))
    #expect(try db.prepare("SELECT 1 WHERE false").first(as: Int?.self) == nil)
  }

  @Test("column: the first column's values, NULL among them")
  func column() throws {
    let statement = try db.prepare(
      "SELECT nullif(i, 2), 'dropped' FROM generate_series(1, $1::int) AS i")
    #expect(try statement.column(3, as: Int?.self).collect() == [1, nil, 3])
    #expect(
      try db.query.column("SELECT generate_series(1, 3)", as: Int.self).collect() == [1, 2, 3])
    #expect(throws: PGError.self) { try statement.column(3, as: Int.self).collect() }
    #expect(throws: PGError.self) { try db.query.column("SELECT", as: Int.self).collect() }
  }

  @Test("a statement is taken up by its name, and closed only when told")
  func byName() throws {
    try db.execute("PREPARE \"A Statement\" AS SELECT $1::int + 1 AS more")
    do {
      let statement = try db.statement(id: "A Statement")
      #expect(statement.string == nil && statement.columnNames == ["more"])
      #expect(try statement.first(41, as: Int.self) == 42)
      #expect(throws: PGError.self) { try statement.clone() }
      #expect(throws: PGError.self) { try statement.declare(1) }
    }
    let again = try db.statement(id: "A Statement")
    try again.close()
    let error = #expect(throws: PGError.self) { _ = try again(1) }
    #expect(error?.code == .invalidSqlStatementName)
    let missing = #expect(throws: PGError.self) { try db.statement(id: "A Statement") }
    #expect(missing?.code == .invalidSqlStatementName)
    let clone = try db.prepare("SELECT 5").clone()
    #expect(try clone.first(as: Int.self) == 5)
  }
}
