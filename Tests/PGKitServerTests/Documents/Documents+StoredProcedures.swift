import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

// Also: `version()`, `generate_series(int,int)`, `composite()` and `srfcomposite()` as they are printed,
// names of arguments, defaults, and procedures called with CALL, in ProcedureTests.

extension Documents {
  @Suite("Stored Procedures")
  struct StoredProceduresTests {
    private let db: Connection

    init() throws { db = try TestServer.shared.connect() }

    @Test("Stored Procedures: an OID refers to one as well")
    func byOID() throws {
      let oid = try db.query.first(
        """
        SELECT oid FROM pg_proc
        WHERE proname = 'generate_series' AND proargtypes = '23 23'::oidvector
        """, as: UInt32.self)
      let generateSeries = try db.proc(try #require(oid))
      #expect(try generateSeries.values(1, 5, as: Int.self).collect() == [1, 2, 3, 4, 5])
      // The reference's number, which is that of bigint.
      #expect(try db.proc(1069).values(1, 5, as: Int.self).collect() == [1, 2, 3, 4, 5])
    }

    @Test("Stored Procedure Type Support: a sequence is given value by value")
    func sequence() throws {
      let generateSeries = try db.proc("generate_series(int,int)")
      guard case .values(let gs) = try generateSeries(1, 20) else { throw Documents.Unexpected() }
      #expect(try gs.next() == .int32(1))
      #expect(try gs.collect() == (2...20).map { .int32($0) })
    }

    @Test("Stored Procedure Type Support: rows of several are those of a cursor, by the OUT names")
    func cursor() throws {
      try db.execute(
        """
        CREATE FUNCTION pg_temp.srfcomposite(out i int, out t text)
        RETURNS SETOF RECORD
        LANGUAGE SQL AS
        $body$
          SELECT 900::int AS i, 'sample text'::text AS t
          UNION ALL
          SELECT 450::int AS i, 'more sample text'::text AS t
        $body$;
        """)
      // The same in a block, in a savepoint, and outside.
      func check() throws {
        guard case .cursor(let r) = try db.proc("pg_temp.srfcomposite()")() else {
          throw Documents.Unexpected()
        }
        #expect(try r.next()?.values() == [.int32(900), .string("sample text")])
        let v = try #require(try r.next())
        #expect(try v["i"] == .int32(450) && v["t"] == .string("more sample text"))
        #expect(try r.next() == nil)
      }
      try check()
      try db.withTransaction { _ in
        try check()
        try db.withTransaction { _ in try check() }
      }
    }
  }
}
