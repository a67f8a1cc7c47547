import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

extension Documents {
  @Suite("Queries")
  struct QueriesTests {
    private let db: Connection

    init() throws { db = try TestServer.shared.connect() }

    @Test("Queries: query gives the whole result, and leaves no statement behind")
    func call() throws {
      let rows = try db.query("SELECT $1::int AS i, $2::text AS t", 7, "x")
      #expect(try rows.map { try $0.values() } == [[.int32(7), .string("x")]])
      #expect(
        try db.query.first(
          "SELECT count(*) FROM pg_prepared_statements WHERE name <> ''", as: Int.self) == 0)
    }

    @Test("Queries: query.rows streams rows")
    func rows() throws {
      var sum = 0
      try db.query.rows("SELECT generate_series(1, $1::int)", 100).forEach {
        sum += try $0[0, as: Int.self]
      }
      #expect(sum == 5050)
    }

    @Test("Queries: query.column streams the first column")
    func column() throws {
      let values = try db.query.column("SELECT generate_series(1, $1::int)", 3, as: Int.self)
      #expect(try values.collect() == [1, 2, 3])
    }

    @Test("Queries: query.first gives the first value, row or count")
    func first() throws {
      guard case .value(.int32(8)) = try db.query.first("SELECT $1::int + 1", 7) else {
        throw Documents.Unexpected()
      }
      #expect(try db.query.first("SELECT $1::int + 1", 7, as: Int.self) == 8)
    }

    @Test("Queries: query.chunks gives rows as they come")
    func chunks() throws {
      let chunks = try db.query.chunks("SELECT generate_series(1, $1::int)", 1000)
      var count = 0
      while let chunk = try chunks.next() { count += chunk.count }
      #expect(count == 1000)
    }

    @Test("Queries: query.declare gives a cursor")
    func declare() throws {
      let cursor = try db.query.declare("SELECT generate_series(1, $1::int)", 10)
      try cursor.seek(2, from: .fromEnd)
      #expect(try cursor.read().map { try $0[0, as: Int.self] } == [10])
    }

    @Test("Queries: query.load_rows and query.load_chunks execute for each row")
    func load() throws {
      try db.execute("CREATE TEMP TABLE t(i int)")
      try db.query.loadRows("INSERT INTO t VALUES ($1)", [[1], [2]])
      // The document leaves the SQL out; without it there is nothing to execute.
      try db.query.loadChunks("INSERT INTO t VALUES ($1)", [[[3]], [[4], [5]]])
      try db.query.loadLines("COPY t FROM STDIN", [Array("6\n".utf8)])
      #expect(try db.query.column("SELECT i FROM t", as: Int.self).collect() == Array(1...6))
    }

    @Test("Queries: the method can be kept for a sequence of queries")
    func kept() throws {
      let qrows = db.query.rows
      var values: [Int?] = []
      for sql in ["SELECT 1", "SELECT 2", "SELECT 3"] {
        values.append(try qrows(sql).next()?[0, as: Int.self])
      }
      #expect(values == [1, 2, 3])
    }
  }
}
