import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

// Also: batches, and what is rolled back when one of them fails, in LoadingTests.

extension Documents {
  @Suite("Inserting and DML")
  struct InsertingAndDMLTests {
    private let db: Connection

    init() throws {
      db = try TestServer.shared.connect()
      try db.execute(
        """
        CREATE TEMP TABLE employee (
          employee_name text,
          employee_salary numeric,
          employee_dob date,
          employee_hire_date date
        );
        """)
    }

    private func date(_ year: Int, _ month: Int, _ day: Int) -> PGDate? {
      PGDate(year: year, month: month, day: day)
    }

    @Test("Inserting and DML: an INSERT gives its command and the count of rows")
    func insert() throws {
      let mkemp = try db.prepare("INSERT INTO employee VALUES ($1, $2, $3, $4)")
      let r = try mkemp("John Johnson", "92000", date(1950, 12, 10), date(1998, 4, 23))
      #expect(r.tag.name == "INSERT")
      #expect(r.tag.rowCount == 1)
      let row = try #require(try db.query("SELECT * FROM employee").first)
      #expect(
        try row.decode((String, PGNumeric, PGDate?, PGDate?).self)
          == ("John Johnson", PGNumeric(92000), date(1950, 12, 10), date(1998, 4, 23)))
    }

    @Test("Inserting and DML: load_rows inserts many")
    func loadRows() throws {
      let mkemp = try db.prepare("INSERT INTO employee VALUES ($1, $2, $3, $4)")
      try mkemp.loadRows([
        ["Jack Johnson", "85000", date(1962, 11, 23), date(1990, 3, 5)],
        ["Debra McGuffer", "52000", date(1973, 3, 4), date(2002, 1, 14)],
        ["Barbara Smith", "86000", date(1965, 2, 24), date(2005, 7, 19)],
      ])
      let sums = try db.query.first(
        "SELECT count(*), sum(employee_salary)::int, max(employee_hire_date) FROM employee",
        as: (Int, Int, PGDate?).self)
      #expect(sums?.0 == 3 && sums?.1 == 223_000 && sums?.2 == date(2005, 7, 19))
    }

    @Test("Inserting and DML: load_rows of a COPY FROM STDIN takes lines of bytes")
    func copy() throws {
      let copyEmpsIn = try db.prepare("COPY employee FROM STDIN")
      try copyEmpsIn.loadLines([
        Array("Emp Name1\t72000\t1970-2-01\t1980-10-22\n".utf8),
        Array("Emp Name2\t62000\t1968-9-11\t1985-11-1\n".utf8),
        Array("Emp Name3\t62000\t1968-9-11\t1985-11-1\n".utf8),
      ])
      let sums = try db.query.first(
        "SELECT count(*), sum(employee_salary)::int, min(employee_dob) FROM employee",
        as: (Int, Int, PGDate?).self)
      #expect(sums?.0 == 3 && sums?.1 == 196_000 && sums?.2 == date(1968, 9, 11))
    }

    @Test("Inserting and DML: every DML gives its command and count, DDL its command alone")
    func tags() throws {
      try db.execute("INSERT INTO employee VALUES ('a', 1, NULL, NULL), ('b', 2, NULL, NULL)")
      let update = try db.query("UPDATE employee SET employee_salary = employee_salary + 1").tag
      #expect(update.name == "UPDATE" && update.rowCount == 2)
      let delete = try db.query("DELETE FROM employee WHERE employee_name = $1", "a").tag
      #expect(delete.name == "DELETE" && delete.rowCount == 1)
      let create = try db.query("CREATE TEMP TABLE other(i int)").tag
      #expect(create.name == "CREATE TABLE" && create.rowCount == nil)
    }
  }
}
