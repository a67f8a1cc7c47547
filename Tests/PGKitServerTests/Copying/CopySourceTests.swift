import PGKit
import PGTestCluster
import Testing

@Suite(
  "copy source and table", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed")
)
struct CopySourceTests {
  private let db: Connection

  init() throws { db = try TestServer.shared.connect() }

  @Test(
    "reads names as SQL does",
    arguments: [
      ("jobs", ["jobs"], []), ("Public.Jobs", ["public", "jobs"], []),
      ("\"My \"\"Jobs\"", ["My \"Jobs"], []), (" a . \"b.c\" ", ["a", "b.c"], []),
      ("t(id, \"Full name\")", ["t"], ["id", "Full name"]), ("ÄB", ["Äb"], []),
      ("user", ["user"], []), ("\"table\"", ["table"], []),
    ])
  func names(text: String, path: [String], columns: [String]) {
    #expect(CopySource(parsing: text) == .table(CopyTable(path, columns: columns)))
  }

  @Test(
    "takes everything else for a query",
    arguments: [
      "SELECT 1", "VALUES (1)", "values(a)", "TABLE jobs", "WITH x AS (SELECT 1) TABLE x", "select",
      "jobs; DROP TABLE jobs", "t(", "t()", "1", "\"open", "\"\"", "", "jobs --", "f(1)",
    ])
  func queries(text: String) {
    #expect(CopySource(parsing: text) == .query(text))
  }

  @Test("drops the semicolons at a query's end")
  func semicolons() {
    #expect(CopySource(parsing: "SELECT 1 ; ;\n") == .query("SELECT 1"))
  }

  @Test("puts every part of a name in quotes")
  func quotes() throws {
    let table = CopyTable(["s\"; DROP TABLE t; --", "t"], columns: ["a\"b"])
    #expect(
      try table.copyIn() == "COPY \"s\"\"; DROP TABLE t; --\".\"t\" (\"a\"\"b\") FROM STDIN "
        + "WITH (FORMAT text)")
    #expect(throws: PGError.self) { try CopyTable(["a\0b"]).copyOut() }
  }

  @Test("lists the columns that have data of their own")
  func columns() throws {
    try db.execute(
      """
      CREATE TEMP TABLE "Odd one"(b int, gone int, "A" text, twice int GENERATED ALWAYS AS (b * 2) STORED);
      ALTER TABLE "Odd one" DROP COLUMN gone
      """)
    let source = try db.resolve(CopySource(parsing: "\"Odd one\""))
    #expect(source == .table(CopyTable(["Odd one"], columns: ["b", "A"])))
    try db.execute("INSERT INTO \"Odd one\" VALUES (1, 'x')")
    let stream = try db.copyOut(try source.copyOut(.csv))
    var text: [UInt8] = []
    while let chunk = try stream.next() { chunk.forEach { text += $0 } }
    #expect(String(decoding: text, as: UTF8.self) == "1,x\n")
  }

  @Test("reads views and partitioned tables, which COPY cannot name, through a query")
  func views() throws {
    try db.execute(
      """
      CREATE TEMP TABLE part(a int, "B" text) PARTITION BY LIST (a);
      CREATE TEMP TABLE part_1 PARTITION OF part FOR VALUES IN (1);
      INSERT INTO part VALUES (1, 'x');
      CREATE TEMP VIEW shown AS TABLE part
      """)
    for name in ["part", "shown"] {
      let source = try db.resolve(CopySource(parsing: name))
      #expect(source == .view(CopyTable([name], columns: ["a", "B"])))
      let stream = try db.copyOut(try source.copyOut())
      var text: [UInt8] = []
      while let chunk = try stream.next() { chunk.forEach { text += $0 } }
      #expect(String(decoding: text, as: UTF8.self) == "1\tx\n")
    }
  }

  @Test(
    "refuses a query that would end the COPY it is put into",
    arguments: [
      "SELECT 1) TO PROGRAM 'true' --", "SELECT 1; SELECT 2", "SELECT 1 /*", "SELECT 'open",
      "SELECT $q$open",
    ])
  func hostileQueries(text: String) {
    #expect(throws: PGError.self) { try db.resolve(CopySource(parsing: text)) }
  }

  @Test("takes a query that ends with a comment")
  func comment() throws {
    let source = try db.resolve(CopySource(parsing: "SELECT 1 -- one"))
    let stream = try db.copyOut(try source.copyOut())
    #expect(try stream.next()?.count == 1)
  }

  @Test("tells tables apart, whatever way leads to them")
  func identities() throws {
    try db.execute("CREATE TEMP TABLE one(); CREATE TEMP TABLE two()")
    let one = try db.identity(of: CopyTable(["one"]))
    #expect(try db.identity(of: CopyTable(["pg_temp", "one"])) == one)
    #expect(try db.identity(of: CopyTable(["two"])) != one)
    let catalogue = CopyTable(["pg_class"])
    let other = try TestServer.shared.connect()
    #expect(try db.identity(of: catalogue) == (try other.identity(of: catalogue)))
    #expect(throws: PGError.self) { try db.identity(of: CopyTable(["nowhere"])) }
  }
}
