import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

// Also: a wrong number of values, and values out of range, in StatementTests.

extension Documents {
  @Suite("Parameterized Statements")
  struct ParameterizedStatementsTests {
    private let db: Connection

    init() throws { db = try TestServer.shared.connect() }

    @Test("Parameterized Statements: a parameter is given to the call")
    func parameter() throws {
      let ps = try db.prepare("SELECT $1")
      #expect(try ps("hello, world!")[0][0] == .string("hello, world!"))
    }

    @Test("Parameterized Statements: the type of a parameter comes from its context")
    func context() throws {
      let ps = try db.prepare(
        "SELECT * FROM information_schema.tables WHERE table_name = $1 LIMIT $2")
      let rows = try ps("tables", 1)
      #expect(rows.count == 1)
      #expect(
        try rows[0].decode((String, String, String, String, String?).self)
          == ("postgres", "information_schema", "tables", "VIEW", nil))
    }

    @Test("Parameterized Statements: a parameter is forced to a type by a cast")
    func cast() throws {
      #expect(try db.prepare("SELECT $1::integer").first(-400, as: Int.self) == -400)
    }

    @Test("Parameterized Statements: an inappropriate value is an error before anything is sent")
    func inappropriate() throws {
      let ps = try db.prepare("SELECT $1::date")
      try db.execute("BEGIN")
      let error = #expect(throws: PGError.self) { _ = try ps.first(7) }
      #expect(error?.code == .parameterError && error?.fault == .caller)
      #expect(error?.message.contains("date") == true)
      // Had it been sent, the block would have failed.
      #expect(db.transactionStatus == .inTransaction)
      try db.execute("ROLLBACK")
    }

    @Test("Parameterized Statements: a cast to text first has the server read the value")
    func textCast() throws {
      let ps = try db.prepare("SELECT $1::text::date")
      let yesterday = try db.query.first("SELECT current_date - 1", as: PGDate.self)
      #expect(try ps.first("yesterday", as: PGDate.self) == yesterday)
      #expect(yesterday != nil)
    }

    // There every `str` is refused where a `date` is expected; here one that is the text of a date is one.
    @Test("Parameterized Statements: without the cast such a text is a ParameterError")
    func textWithoutCast() throws {
      let ps = try db.prepare("SELECT $1::date")
      let error = #expect(throws: PGError.self) { _ = try ps.first("yesterday") }
      #expect(error?.code == .parameterError && error?.fault == .caller)
      #expect(error?.message.contains("$1::text::date") == true)
      #expect(try ps.first("1950-12-10", as: PGDate.self) == PGDate("1950-12-10"))
    }
  }
}
