import Foundation
import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

/// What the texts say of codes, held against servers.
@Suite(.enabled(if: TestServer.isAvailable)) struct PgErrcodeTextTests {
  /// A statement, the code that servers answer it with, and the one since 16, 17 or 18 if another.
  struct Claim {
    let sql: String
    let code: SQLState
    var since = 15
    /// What older servers say; `nil` if the statement is not for them.
    var before: SQLState?

    init(_ code: SQLState, _ sql: String, since: Int = 15, before: SQLState? = nil) {
      self.sql = sql
      self.code = code
      self.since = since
      self.before = before
    }
  }

  static let preparation = """
    CREATE TABLE the_table (a integer PRIMARY KEY);
    CREATE VIEW the_view AS SELECT a FROM the_table WHERE a < 5 WITH CHECK OPTION;
    CREATE FUNCTION the_function() RETURNS integer LANGUAGE sql AS 'SELECT 1';
    CREATE TYPE the_type AS ENUM ('a');
    CREATE ROLE plain;
    CREATE TABLE rows_of_plain (a integer);
    ALTER TABLE rows_of_plain ENABLE ROW LEVEL SECURITY;
    GRANT ALL ON rows_of_plain, the_table TO plain;
    CREATE POLICY small ON rows_of_plain USING (a < 5);
    CREATE TABLE restricted (a integer REFERENCES the_table ON DELETE RESTRICT);
    CREATE TABLE child (a integer REFERENCES the_table);
    INSERT INTO the_table VALUES (1), (2);
    INSERT INTO restricted VALUES (1);
    INSERT INTO child VALUES (2);
    CREATE FUNCTION writes() RETURNS integer STABLE LANGUAGE plpgsql
      AS 'BEGIN DELETE FROM the_table; RETURN 1; END';
    CREATE FUNCTION writes_sql() RETURNS bigint STABLE LANGUAGE sql
      AS 'DELETE FROM child; SELECT 1::bigint';
    CREATE FUNCTION commits() RETURNS integer LANGUAGE plpgsql AS 'BEGIN COMMIT; RETURN 1; END';
    CREATE FUNCTION commits_sql() RETURNS integer LANGUAGE sql AS 'COMMIT; SELECT 1';
    """

  static let claims = [
    Claim("44000", "INSERT INTO the_view VALUES (7)"),
    Claim("42501", "SET LOCAL ROLE plain; INSERT INTO rows_of_plain VALUES (7)"),
    Claim("22038", #"SELECT jsonb_path_query('{"a":"x"}', 'strict $.a + 1')"#),
    Claim("22038", #"SELECT jsonb_path_query('{"a":[1,2]}', '$.a[*] + 1')"#),
    Claim("22036", #"SELECT jsonb_path_query('{"a":"x"}', '$.a.double()')"#),
    Claim("22036", #"SELECT jsonb_path_query('{"a":"x"}', '$.a.abs()')"#),
    Claim("2203B", #"SELECT jsonb_path_query('{"a":"x"}', '-$.a')"#),
    Claim("2203A", "SELECT jsonb_path_query('{}', 'strict $.a')"),
    Claim("2203A", "SELECT jsonb_path_query('[1]', 'strict $.a')"),
    Claim("2203C", #"SELECT jsonb_path_query('{"a":1}', '$.a.keyvalue()')"#),
    Claim("2200C", ##"SELECT substring('a' FROM 'a#"b#"c#"d' FOR '#')"##),
    Claim("22025", "SELECT 'abc' LIKE 'a%' ESCAPE 'xx'"),
    Claim("22025", "SELECT 'abc' SIMILAR TO 'a' ESCAPE 'xx'"),
    Claim("22025", #"SELECT 'a' LIKE '\'"#),
    Claim("0A000", "SELECT writes()"), Claim("0A000", "SELECT writes_sql()"),
    Claim("2D000", "SELECT commits()"), Claim("0A000", "SELECT commits_sql()"),
    Claim("22023", "SET ROLE nosuch"), Claim("42704", "DROP ROLE nosuch"),
    Claim("42704", "GRANT SELECT ON the_table TO nosuch"), Claim("42939", "CREATE ROLE public"),
    Claim("42939", #"CREATE ROLE "none""#), Claim("42939", "CREATE ROLE pg_x"),
    Claim("0LP01", "GRANT plain TO plain"), Claim("0LP01", "GRANT USAGE ON the_table TO plain"),
    Claim("22P02", "SELECT 'x'::json"), Claim("22P02", "SELECT 'x'::jsonb"),
    Claim("22030", "SELECT JSON_OBJECT('a': 1, 'a': 2 WITH UNIQUE KEYS)", since: 16),
    Claim("23001", "DELETE FROM the_table WHERE a = 1", since: 18, before: "23503"),
    Claim("23503", "DELETE FROM the_table WHERE a = 2"),
    Claim("23503", "INSERT INTO child VALUES (3)"), Claim("42P01", "SELECT * FROM nowhere"),
  ]

  private static func major(_ installation: Installation) -> Int {
    Int(installation.majorVersion) ?? 0
  }

  private func open(_ installation: Installation) throws -> (TemporaryCluster, Connection) {
    let cluster = try TemporaryCluster(installation: installation)
    let db = try PGKit.connect(cluster.connectionOptions())
    try db.execute(Self.preparation)
    return (cluster, db)
  }

  @Test("codes come as the texts say", arguments: TestServer.installations)
  func claims(installation: Installation) throws {
    let (cluster, db) = try open(installation)
    for claim in Self.claims {
      let isOld = Self.major(installation) < claim.since
      guard let want = isOld ? claim.before : claim.code else { continue }
      try db.execute("BEGIN")
      let error = #expect(throws: PGError.self, "\(claim.sql)") { () throws in
        try db.execute(claim.sql)
      }
      try db.execute("ROLLBACK")
      #expect(error?.code == want, "\(claim.sql)")
    }
    withExtendedLifetime(cluster) {}
  }

  @Test(
    "an invalid XPath expression is XX000 or 22000 before 18", arguments: TestServer.installations)
  func paths(installation: Installation) throws {
    let (cluster, db) = try open(installation)
    for (path, old) in [("count(//a", "XX000"), ("", "22000")] {
      let error = #expect(throws: PGError.self) { () throws in
        try db.execute("SELECT xpath('\(path)', '<a/>')")
      }
      // A server may be built without XML.
      guard let code = error?.code, code != "0A000" else { continue }
      #expect(code.description == (Self.major(installation) < 18 ? old : "10608"))
    }
    withExtendedLifetime(cluster) {}
  }

  @Test("every query of the texts runs", arguments: TestServer.installations)
  func queries(installation: Installation) throws {
    let (cluster, db) = try open(installation)
    var count = 0
    for definition in SQLState.definitions {
      // What a server of another version has is not asked of this one.
      guard Self.major(installation) >= definition.since ?? 0,
        Self.major(installation) <= definition.until ?? .max,
        let query = definition.advice?.query
      else { continue }
      let sql = query.replacing("the_setting", with: "work_mem")
        .replacing("'1234'", with: "'3'")
      do { try db.execute(sql) } catch { Issue.record("\(definition.code): \(sql): \(error)") }
      count += 1
    }
    #expect(count > 70)
    withExtendedLifetime(cluster) {}
  }

  @Test("the query of a foreign key shows it from both sides, that of a table its other spellings")
  func answers() throws {
    let installation = try #require(TestServer.installations.first)
    let (cluster, db) = try open(installation)
    func rows(_ code: SQLState, _ table: String) throws -> Int {
      let query = try #require(code.definition?.advice?.query)
      return try db.query(query.replacing("the_table", with: table)).count
    }
    #expect(try rows("23503", "the_table") == 2)
    #expect(try rows("23503", "child") == 1)
    #expect(try rows("42P01", "The_View") == 1)
    #expect(try rows("42P01", "nowhere") == 0)
    withExtendedLifetime(cluster) {}
  }
}
