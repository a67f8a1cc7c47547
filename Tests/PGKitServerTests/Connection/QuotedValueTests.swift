import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

/// The one-line form of real errors about parameters' values.
@Suite(.enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct QuotedValueTests {
  @Test(
    "the one-line form has no parameter's value, whatever the class of the error",
    arguments: [
      ("SELECT $1::regclass", "s3cret", "42P01"), ("SELECT $1::regtype", "s3cret", "42704"),
      ("SELECT $1::regtype", "s3cret)", "42601"), ("SELECT $1::regproc", "s3cret", "42883"),
      ("SELECT $1::regprocedure", "s3cret(int)", "42883"),
      ("SELECT $1::regoper", "+-s3cret", "42883"), ("SELECT $1::regoper", "+-+-+", "42883"),
      ("SELECT $1::regrole", "s3cret", "42704"), ("SELECT $1::regnamespace", "s3cret", "3F000"),
      ("SELECT $1::regconfig", "s3cret", "42704"), ("SELECT nextval($1)", "s3cret", "42P01"),
      ("SELECT has_table_privilege($1, 'pg_class', 'select')", "s3cret", "42704"),
      ("SELECT has_table_privilege('pg_class', $1)", "s3cret", "22023"),
      ("SELECT has_database_privilege($1, 'connect')", "s3cret", "3D000"),
      ("SELECT pg_read_file($1)", "s3cret", "58P01"), ("SELECT pg_ls_dir($1)", "s3cret", "58P01"),
      ("SELECT set_config($1, 'x', false)", "s3cret", "42704"),
      ("SELECT set_config('work_mem', $1, false)", "s3cret", "22023"),
      ("SELECT set_config('work_mem', $1, false)", "1", "22023"),
      ("SELECT current_setting($1)", "s3cret", "42704"), ("SELECT $1::integer", "s3cret", "22P02"),
      ("SELECT $1::integer", "99999999999", "22003"), ("SELECT $1::date", "2000-13-47", "22008"),
      ("SELECT to_tsquery($1)", "s3cret & &", "42601"),
      ("SELECT $1::jsonpath", "$.s3cret +", "42601"), ("SELECT $1::json", "{s3cret", "22P02"),
      ("SELECT date_part($1, now())", "s3cret", "22023"),
      ("SELECT make_date($1::integer, 13, 1)", "4711", "22008"),
      ("SELECT lo_open($1::integer::oid, 131072)", "4711", "42704"),
      ("SELECT encode('x', $1)", "s3cret", "22023"),
      ("SELECT pg_get_serial_sequence('pg_class', $1)", "s3cret", "42703"),
      ("SELECT $1::regcollation", "s3cret", "42704"),
      ("SELECT query_to_xml($1, true, false, '')", "SELECT * FROM s3cret", "42P01"),
      ("SELECT currval($1)", "pg_class", "42809"),
    ])
  func parameters(statement: String, value: String, code: String) throws {
    let db = try TestServer.shared.get().connect()
    defer { db.close() }
    let error = try #require(
      throws: PGError.self, "\(statement)"
    ) { () throws in
      for _ in try db.prepare(statement.replacing("$1", with: "$1::text"))(value) {}
    }
    #expect(error.code.description == code, "\(error.message)")
    #expect(!error.description.contains(value), "\(error)")
    #expect(!error.description.contains("s3cret"), "\(error)")
    #expect(error.description.hasPrefix("ERROR \(code): "))
  }
}
