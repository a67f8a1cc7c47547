import Foundation
import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

/// `postgresql.lib`: libraries bound to a connection.
@Suite(
  "Query libraries", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct LibraryBindingTests {
  private let server: TestServer
  private let db: Connection

  init() throws {
    server = try TestServer.shared.get()
    db = try server.connect()
  }

  /// The library of py-postgresql's own tests, and one query for each method.
  private static let text = """
    preface

    [sym]
    select 1
    [sym_ref]
    *[sym]
    [sym_ref_trail]
    *[sym] WHERE FALSE
    [sym_first::first]
    select 1
    [sym_rows::rows]
    select 1
    [sym_chunks::chunks]
    select 1
    [sym_declare::declare]
    select 1
    [sym_column::column]
    select 1
    [sym_const:const]
    select 1
    [sym_const_column:const:column]
    select 1
    [sym_const_rows:const:rows]
    select 1
    [sym_const_first:const:first]
    select 1
    [sym_const_ddl:const:]
    create temp table sym_const_ddl (i int);
    [sym_preload:preload:first]
    select 1
    [sym_proc:proc]
    test_ilf_proc(int)
    [sym_srf_proc:proc]
    test_ilf_srf_proc(int)
    [sym_transient:transient:first]
    select 1
    [&sym_reference]
    SELECT 'SELECT 1'
    [&sym_const_reference:const:first]
    SELECT 'SELECT', 1 UNION ALL SELECT '+', 1
    [&sym_reference_params]
    SELECT 'SELECT ' || $1::text
    [&sym_reference_proc:proc]
    SELECT 'test_ilf_proc(int)'::text
    [sym_load::load_rows]
    INSERT INTO sym_const_ddl VALUES ($1)
    """

  private func bound() throws -> LibraryBinding {
    try db.execute(
      """
      CREATE OR REPLACE FUNCTION pg_temp.test_ilf_proc(int) RETURNS int LANGUAGE sql
        AS 'SELECT $1';
      CREATE OR REPLACE FUNCTION pg_temp.test_ilf_srf_proc(int) RETURNS SETOF int LANGUAGE sql
        AS 'SELECT $1 UNION ALL SELECT $1';
      """)
    let text = Self.text.replacing("\ntest_ilf", with: "\npg_temp.test_ilf")
      .replacing("'test_ilf", with: "'pg_temp.test_ilf")
    return try Library(text, name: "ilf").bind(to: db)
  }

  @Test("a query runs by its method")
  func methods() throws {
    let lib = try bound()
    guard case .result(let rows) = try lib.sym() else { throw Unexpected() }
    #expect(try rows.map { try $0[0, as: Int.self] } == [1])
    guard case .result(let included) = try lib.sym_ref() else { throw Unexpected() }
    #expect(included.count == 1)
    guard case .result(let none) = try lib.sym_ref_trail() else { throw Unexpected() }
    #expect(none.isEmpty)
    guard case .first(.value(.int32(1))) = try lib.sym_first() else { throw Unexpected() }
    guard case .rows(let stream) = try lib.sym_rows() else { throw Unexpected() }
    #expect(try stream.next()?[0, as: Int.self] == 1)
    guard case .chunks(let chunks) = try lib.sym_chunks() else { throw Unexpected() }
    #expect(try chunks.next()?.count == 1)
    guard case .cursor(let cursor) = try lib.sym_declare() else { throw Unexpected() }
    #expect(try cursor.read().count == 1)
    guard case .column(let column) = try lib.sym_column() else { throw Unexpected() }
    #expect(try column.collect() == [.int32(1)])
  }

  @Test("a constant has run when the library is bound, and not again")
  func constants() throws {
    let lib = try bound()
    try db.execute("INSERT INTO sym_const_ddl VALUES (7)")
    guard case .result(let made) = try lib.sym_const_ddl() else { throw Unexpected() }
    #expect(made.tag.name == "CREATE TABLE")
    guard case .result(let rows) = try lib.sym_const() else { throw Unexpected() }
    #expect(rows.count == 1)
    guard case .values([.int32(1)]) = try lib.sym_const_column() else { throw Unexpected() }
    guard case .result(let list) = try lib.sym_const_rows() else { throw Unexpected() }
    #expect(list.count == 1)
    guard case .first(.value(.int32(1))) = try lib.sym_const_first() else { throw Unexpected() }
  }

  @Test(
    "a static query is prepared on its first use and kept, a preload at once, a transient never")
  func kinds() throws {
    func prepared() throws -> [String] {
      try db.query.text("SELECT statement FROM pg_prepared_statements ORDER BY 1").collect()
        .map { try $0[0, as: String.self] }
    }
    let lib = try Library(
      "[s::first]\nSELECT 11\n[p:preload:first]\nSELECT 12\n[t:transient:first]\nSELECT 13\n",
      name: "k"
    ).bind(to: db)
    #expect(try prepared() == ["SELECT 12\n"])
    for _ in 0..<2 {
      for name in ["s", "p", "t"] { try lib[name]() }
    }
    try db.execute("")
    #expect(try prepared() == ["SELECT 11\n", "SELECT 12\n"])
    let statement = try lib.s.statement()
    #expect(statement.pgColumnTypes == [.int4])
    #expect(try statement.first(as: Int.self) == 11)
    #expect(try lib.s.statement().statementID == statement.statementID)
    try statement.close()
    #expect(try lib.s.statement().first(as: Int.self) == 11)
  }

  @Test("a proc is a function, whose arguments are its parameters")
  func procedures() throws {
    let lib = try bound()
    guard case .procedure(.value(.int32(2))) = try lib.sym_proc(2) else { throw Unexpected() }
    guard case .procedure(.values(let values)) = try lib.sym_srf_proc(2) else {
      throw Unexpected()
    }
    #expect(try values.collect() == [.int32(2), .int32(2)])
    #expect(try lib.sym_proc.procedure().value(5, as: Int.self) == 5)
    let error = #expect(throws: PGError.self) { try lib.sym_proc.statement() }
    #expect(error?.code == .loadError)
    #expect(error?.report.contains("QUERY: ilf, [sym_proc], line 31") == true)
  }

  @Test("a reference gives the text of the query that is run")
  func references() throws {
    let lib = try bound()
    guard case .result(let rows) = try lib.sym_reference() else { throw Unexpected() }
    #expect(try rows[0][0, as: Int.self] == 1)
    guard case .first(.value(.int32(2))) = try lib.sym_const_reference() else { throw Unexpected() }
    #expect(try lib.sym_const_reference.referent().symbol.sql == "SELECT 1\n+ 1")
    let made = try lib.sym_reference_params.referent("$1::int * 2")
    guard case .result(let doubled) = try made(21) else { throw Unexpected() }
    #expect(try doubled[0][0, as: Int.self] == 42)
    guard case .procedure(.value(.int32(3))) = try lib.sym_reference_proc(3) else {
      throw Unexpected()
    }
  }

  @Test("a query that loads takes its rows through its statement, and says so")
  func loading() throws {
    let lib = try bound()
    let error = #expect(throws: PGError.self) { try lib.sym_load(1) }
    #expect(error?.code == .loadError && error?.hint?.contains("loadRows") == true)
    #expect(try lib.sym_load.statement().loadRows([[1], [2], [3]]) == 3)
  }

  @Test("a name that the library does not have is an error that lists those that it has")
  func unknown() throws {
    let lib = try Library("[a]\nSELECT 1\n[b]\nSELECT 2\n", name: "two").bind(to: db)
    let error = #expect(throws: PGError.self) { try lib.c() }
    #expect(error?.message == "the library two has no query \"c\"")
    #expect(error?.hint == "It has a, b.")
  }

  @Test("what the server refuses is said to have happened to the query of the library")
  func refused() throws {
    let lib = try Library("\n[bad]\nSELEC 1\n", name: "two").bind(to: db)
    let error = #expect(throws: PGError.self) { try lib.bad() }
    #expect(error?.code == .syntaxError)
    #expect(error?.report.contains("QUERY: two, [bad], line 2") == true)
  }

  @Test("a category binds its libraries when the connection is established")
  func category() throws {
    let staff = try Library("[boss:const:first]\nSELECT 'Ada'::text\n", name: "staff")
    var connector = db.connector
    connector.category = try LibraryCategory([staff], named: ["people": staff])
    let other = try connector.connect()
    for name in ["staff", "people"] {
      guard case .first(.value(.string("Ada"))) = try other.library(name).boss() else {
        throw Unexpected()
      }
    }
    let error = #expect(throws: PGError.self) { try other.library("nobody") }
    #expect(error?.code == .loadError)
    #expect(throws: PGError.self) { try LibraryCategory([staff, staff]) }
    connector.category = try LibraryCategory([try Library("[x:const]\nSELEC 1", name: "broken")])
    let failed = connector.connection()
    let refused = #expect(throws: PGError.self) { try failed.connect() }
    #expect(refused?.code == .syntaxError)
    #expect(failed.isClosed)
  }

  @Test("a category does not keep a connection alive that nobody refers to")
  func categoryLifetime() throws {
    var connector = db.connector
    connector.category = try LibraryCategory([
      try Library("[a:preload]\nSELECT 1\n", name: "a")
    ])
    weak var forgotten: Connection?
    do {
      let other = try connector.connect()
      _ = try other.library("a").a()
      forgotten = other
    }
    #expect(forgotten == nil)
  }

  @Test("a library is found by its name in the folders of the search path, or by its path")
  func files() throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "pgkit-library-\(UUID().uuidString)")
    let queries = folder.appending(path: "staff")
    try FileManager.default.createDirectory(at: queries, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func write(_ text: String, _ path: String) throws {
      try text.write(to: folder.appending(path: path), atomically: true, encoding: .utf8)
    }
    try write("[one::first]\nSELECT 1\n", "libnumbers.sql")
    try write("SELECT 'all'", "staff/everybody.sql")
    try write("-- x\n[first::first]\nSELECT 'first'\n", "staff/more.sql")
    try write("ignored", "staff/README")
    try write("-- All.\nSELECT 2024", "staff/2024 a:b.sql")

    let saved = Library.searchPath
    defer { Library.searchPath = saved }
    Library.searchPath = ["/nowhere", folder.path]
    #expect(try Library.load("numbers").symbols.map(\.name) == ["one"])
    #expect(try Library.load("numbers").name == "numbers")
    let staff = try Library.load("staff")
    #expect(staff.symbols.map(\.name) == ["2024 a:b", "everybody", "first"])
    #expect(staff["2024 a:b"]?.documentation == "All.")
    #expect(try staff.bind(to: db).everybody.statement().first(as: String.self) == "all")
    let path = folder.appending(path: "libnumbers.sql").path
    #expect(try Library.load(path).name == "numbers")
    let error = #expect(throws: PGError.self) { try Library.load("absent") }
    #expect(error?.code == .loadError && error?.hint?.contains(folder.path) == true)
    let missing = #expect(throws: PGError.self) { try Library.load("/no/such.sql") }
    #expect(missing?.message == "the library /no/such.sql cannot be read: it does not exist")
  }

  private struct Unexpected: Error {}
}
