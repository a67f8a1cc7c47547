import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

/// The sections "Stored Procedures", "Stored Procedure Interface Points" and "Stored Procedure Type Support".
@Suite("Procedures", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ProcedureTests {
  private let db: Connection

  init() throws {
    db = try TestServer.shared.connect()
    try db.execute(
      """
      CREATE FUNCTION pg_temp.composite(OUT i int, OUT t text) LANGUAGE SQL AS
        $$ SELECT 900::int AS i, 'sample text'::text AS t $$;
      CREATE FUNCTION pg_temp.srfcomposite(OUT i int, OUT t text) RETURNS SETOF record LANGUAGE SQL
        AS $$ SELECT 900, 'sample text' UNION ALL SELECT 450, 'more sample text' $$;
      CREATE FUNCTION pg_temp.defaults(a int, b int DEFAULT 10, "C" int DEFAULT 100) RETURNS int
        LANGUAGE SQL AS $$ SELECT a + b + "C" $$;
      CREATE FUNCTION pg_temp.variadic(t text, VARIADIC n int[]) RETURNS text LANGUAGE SQL
        AS $$ SELECT t || array_to_string(n, '+') $$;
      CREATE PROCEDURE pg_temp.proc(a int, INOUT b int, OUT c text) LANGUAGE plpgsql
        AS $$ BEGIN b := a + b; c := 'out'; END $$;
      CREATE PROCEDURE pg_temp.silent(a int) LANGUAGE plpgsql AS $$ BEGIN END $$;
      CREATE FUNCTION pg_temp.over(int) RETURNS int LANGUAGE SQL AS 'SELECT 1';
      CREATE FUNCTION pg_temp.over(text) RETURNS int LANGUAGE SQL AS 'SELECT 2';
      CREATE FUNCTION pg_temp.anonymous() RETURNS record LANGUAGE SQL AS 'SELECT 1, 2';
      CREATE FUNCTION pg_temp.nothing() RETURNS void LANGUAGE SQL AS '';
      CREATE TYPE pg_temp.pair AS (x int, y text);
      CREATE FUNCTION pg_temp.paired(n int) RETURNS pg_temp.pair LANGUAGE SQL
        AS $$ SELECT n, 'y' $$;
      CREATE FUNCTION pg_temp.tabled(n int) RETURNS TABLE (k int, v text) LANGUAGE SQL
        AS $$ SELECT i, 'v' || i FROM generate_series(1, n) i $$;
      """)
  }

  @Test("a function of one value gives it")
  func value() throws {
    let version = try db.proc("version()")
    #expect(try version.value(as: String.self).hasPrefix("PostgreSQL "))
    guard case .value(let value) = try version() else { throw PGError.mismatch }
    #expect(value.description.hasPrefix("PostgreSQL "))
    #expect(try db.proc("initcap").value("abc", as: String.self) == "Abc")
    #expect(try db.proc("lower(text)").value(nil, as: String?.self) == nil)
    guard case .value = try db.proc("pg_temp.nothing()")() else { throw PGError.mismatch }
  }

  @Test("is found by its OID, the same as by its signature")
  func byOID() throws {
    let proc = try db.proc("pg_catalog.abs(int)")
    #expect(try db.proc(proc.oid).value(-7, as: Int.self) == 7)
    #expect(proc.name == "pg_catalog.abs")
    let missing = #expect(throws: PGError.self) { try db.proc(4_294_967_290) }
    #expect(missing?.code == .undefinedFunction)
    let unknown = #expect(throws: PGError.self) { try db.proc("no_such(int)") }
    #expect(unknown?.code == .undefinedFunction)
    let several = #expect(throws: PGError.self) { try db.proc("pg_temp.over") }
    #expect(several?.code == .ambiguousFunction)
    #expect(try db.proc("pg_temp.over(text)").value("x", as: Int.self) == 2)
  }

  @Test("a function of a set of values gives them one by one")
  func values() throws {
    let series = try db.proc("generate_series(int,int)")
    guard case .values(let values) = try series(1, 20) else { throw PGError.mismatch }
    #expect(try values.next() == .int32(1))
    #expect(try values.collect().count == 19)
    #expect(try series.values(1, 3, as: Int.self).collect() == [1, 2, 3])
  }

  @Test("a function with output parameters or a composite type gives a row")
  func row() throws {
    guard case .row(let row) = try db.proc("pg_temp.composite()")() else { throw PGError.mismatch }
    #expect(try row["i", as: Int.self] == 900 && row["t", as: String.self] == "sample text")
    guard case .row(let pair) = try db.proc("pg_temp.paired(int)")(5) else {
      throw PGError.mismatch
    }
    #expect(try pair.decode((Int, String).self) == (5, "y"))
    guard case .value(let record) = try db.proc("pg_temp.anonymous()")() else {
      throw PGError.mismatch
    }
    #expect(record.description == "(1,2)")
  }

  @Test("a function of a set of rows gives a cursor")
  func cursor() throws {
    guard case .cursor(let cursor) = try db.proc("pg_temp.srfcomposite()")() else {
      throw PGError.mismatch
    }
    #expect(cursor.columnNames == ["i", "t"])
    #expect(try cursor.next()?["i", as: Int.self] == 900)
    #expect(try cursor.next()?["t", as: String.self] == "more sample text")
    #expect(try cursor.next() == nil)
    try db.withTransaction { (_) throws in
      guard case .cursor(let table) = try db.proc("pg_temp.tabled(int)")(3) else {
        throw PGError.mismatch
      }
      #expect(try table.read().count == 3)
    }
  }

  @Test("arguments with defaults may be left out, by position and by name")
  func defaults() throws {
    let proc = try db.proc("pg_temp.defaults")
    #expect(try proc.value(1, as: Int.self) == 111)
    #expect(try proc.value(1, 2, as: Int.self) == 103)
    #expect(try proc.value(1, 2, 3, as: Int.self) == 6)
    guard case .value(let value) = try proc.call(named: ["C": 5, "a": 1]) else {
      throw PGError.mismatch
    }
    #expect(value == .int32(16))
    guard case .value(.int32(16)) = try proc.call(1, named: ["C": 5]) else {
      throw PGError.mismatch
    }
    for wrong: () throws -> Void in [
      { _ = try proc() }, { _ = try proc(1, 2, 3, 4) }, { _ = try proc.call(named: ["c": 1]) },
      { _ = try proc.call(1, named: ["a": 1]) }, { _ = try proc.call(1, 2, 3, 4, named: [:]) },
    ] {
      let error = #expect(throws: PGError.self) { try wrong() }
      #expect(error?.code == .parameterError)
    }
  }

  @Test("one value is not to be had of what gives more, nor a set of what gives one")
  func otherShapes() throws {
    try db.execute(
      """
      CREATE FUNCTION pg_temp.two(OUT a int, OUT b int) LANGUAGE sql AS 'SELECT 1, 2';
      CREATE PROCEDURE pg_temp.front(OUT a int, b int, OUT c int, d int DEFAULT 7)
        LANGUAGE plpgsql AS $$ BEGIN a := b * 10; c := d; END $$
      """)
    let attempts: [() throws -> Void] = [
      { _ = try db.proc("pg_temp.two").value(as: Int.self) },
      { _ = try db.proc("pg_catalog.abs(int)").values(-1, as: Int.self) },
      { _ = try db.proc("generate_series(int, int)").value(1, 2, as: Int.self) },
    ]
    for attempt in attempts {
      let error = #expect(throws: PGError.self) { try attempt() }
      #expect(error?.code == .columnError)
    }
    let front = try db.proc("pg_temp.front")
    for result in [
      try front(3, 5), try front.call(3, named: ["d": 5]), try front.call(named: ["b": 3, "d": 5]),
    ] {
      guard case .row(let row) = result else { throw PGError.mismatch }
      #expect(try row.decode((Int, Int).self) == (30, 5))
    }
  }

  @Test("an argument of a type that has a length keeps all of its value")
  func lengths() throws {
    try db.execute(
      """
      CREATE FUNCTION pg_temp.padded(bpchar) RETURNS text LANGUAGE sql AS 'SELECT $1::text';
      CREATE FUNCTION pg_temp.bits(bit) RETURNS text LANGUAGE sql AS 'SELECT $1::text';
      CREATE FUNCTION pg_temp.many(VARIADIC bpchar[]) RETURNS text LANGUAGE sql
        AS 'SELECT array_to_string($1, ''+'')'
      """)
    #expect(try db.proc("pg_temp.padded").value("hello", as: String.self) == "hello")
    #expect(try db.proc("pg_temp.bits").value("1011", as: String.self) == "1011")
    #expect(try db.proc("pg_temp.many").value("ab", "cd", as: String.self) == "ab+cd")
  }

  @Test("a variadic argument takes any number")
  func variadic() throws {
    let proc = try db.proc("pg_temp.variadic")
    #expect(try proc.value("s", 1, 2, 3, as: String.self) == "s1+2+3")
    #expect(try proc.value("s", 1, as: String.self) == "s1")
    #expect(throws: PGError.self) { try proc.value(as: String.self) }
  }

  @Test("a procedure is called, and gives its output as a row")
  func procedures() throws {
    guard case .row(let row) = try db.proc("pg_temp.proc")(1, 2) else { throw PGError.mismatch }
    #expect(try row["b", as: Int.self] == 3 && row["c", as: String.self] == "out")
    guard case .row(let named) = try db.proc("pg_temp.proc").call(named: ["b": 5, "a": 4]) else {
      throw PGError.mismatch
    }
    #expect(try named["b", as: Int.self] == 9)
    guard case .value(.null) = try db.proc("pg_temp.silent")(1) else { throw PGError.mismatch }
  }
}

extension PGError {
  /// A call gave another kind of result than the test expects.
  fileprivate static var mismatch: PGError {
    PGError(code: .internalError, message: "another kind of result", fault: .caller)
  }
}
