import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

// Also: the last hook of messages and the format of errors, replaced and reset, in MessageHookTests, which
// runs its tests one by one; libpath, in LibraryBindingTests.

extension Documents {
  @Suite("postgresql.sys")
  struct PostgresqlSysTests {
    private let db: Connection

    init() throws { db = try TestServer.shared.connect() }

    @Test("postgresql.sys: the text of an error has its code, its fields and what it happened to")
    func errorFormat() throws {
      try db.execute("CREATE TEMP TABLE t(i int CONSTRAINT positive CHECK (i > 0))")
      let insert = try db.prepare("INSERT INTO t VALUES ($1)")
      let error = try #require(throws: PGError.self) { try insert(-1) }
      let text = error.report
      for part in [
        "ERROR 23514: new row for relation \"t\" violates check constraint \"positive\"\n",
        "  DETAIL: ", "  CONSTRAINT: positive\n", "  LOCATION: execMain.c:",
        "STATEMENT: INSERT INTO t VALUES ($1)",
      ] {
        #expect(text.contains(part), "\(part) in \(text)")
      }
    }
  }
}
