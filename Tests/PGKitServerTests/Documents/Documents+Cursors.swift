import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

// Also: every whence in both directions, what seek returns, random walks on a forward and a backward
// cursor, clone, close and hold, in CursorTests; metadata, in StatementMetadataTests; messageHook of a
// cursor, in MessageHookTests.

extension Documents {
  @Suite("Cursors")
  struct CursorsTests {
    private let db: Connection

    init() throws { db = try TestServer.shared.connect() }

    private func values(_ rows: QueryResult) throws -> [Int] {
      try rows.map { try $0[0, as: Int.self] }
    }

    private func declared(named name: String) throws -> Bool? {
      try db.query.first(
        "SELECT count(*) > 0 FROM pg_cursors WHERE name = $1", name, as: Bool.self)
    }

    @Test("Cursors: cursor_from_id takes up what was declared on the server")
    func fromID() throws {
      try db.execute("DECLARE the_cursor_id CURSOR WITH HOLD FOR SELECT 1;")
      let c = try db.cursor(id: "the_cursor_id")
      #expect(try c.read().map { try $0.values() } == [[.int32(1)]])
      try c.close()
      #expect(try declared(named: "the_cursor_id") == false)
    }

    @Test("Cursors: one to be iterated over is a FETCH statement, prepared")
    func fetch() throws {
      try db.execute(
        "DECLARE the_cursor_id CURSOR WITH HOLD FOR SELECT generate_series(1, 25)")
      let fetch = try db.prepare("FETCH FORWARD 10 FROM the_cursor_id")
      #expect(try values(fetch()) == Array(1...10))
      #expect(try fetch.column(as: Int.self).collect() == Array(11...20))
      #expect(try values(fetch()) == Array(21...25))
      #expect(try fetch().isEmpty)
    }

    @Test("Cursors: those of statements are released when no longer referenced")
    func released() throws {
      let ps = try db.prepare("SELECT generate_series(1, 3)")
      var name = ""
      do {
        let c = try ps.declare()
        name = c.cursorID
        #expect(try c.next()?[0, as: Int.self] == 1)
        #expect(try declared(named: name) == true)
      }
      _ = try db.query("SELECT 1")
      #expect(try declared(named: name) == false)
    }

    // MARK: Cursor Interface Points

    @Test("Cursor Interface Points: read gives fewer rows than asked for at the end")
    func read() throws {
      let c = try db.query.declare("SELECT generate_series(1, 10)")
      #expect(try values(c.read(4)) == [1, 2, 3, 4])
      #expect(try c.read(0).isEmpty)
      #expect(try values(c.read(4)) == [5, 6, 7, 8])
      #expect(try values(c.read(4)) == [9, 10])
      #expect(try c.read(4).isEmpty)
      #expect(try values(c.read(4, .backward)) == [10, 9, 8, 7])
    }

    @Test("Cursor Interface Points: next gives one row, and nothing behind the last")
    func next() throws {
      let c = try db.query.declare("SELECT generate_series(1, 2)")
      #expect(try c.next()?[0, as: Int.self] == 1)
      #expect(try c.next()?[0, as: Int.self] == 2)
      #expect(try c.next() == nil)
    }

    @Test("Cursor Interface Points: the direction is given as a word as well")
    func directionWords() throws {
      let c = try db.query.declare("SELECT generate_series(1, 3)")
      c.direction = try #require(Cursor.Direction("BACKWARD"))
      try c.seek(0)
      #expect(try values(c.read()) == [3, 2, 1])
      #expect(try values(c.read(2, try #require(Cursor.Direction("backward")))) == [1, 2])
    }

    // MARK: Scrollable Cursors

    @Test("Scrollable Cursors: whence is given by number or by word as well")
    func whence() {
      let table: [(Int, String, Cursor.Whence)] = [
        (0, "ABSOLUTE", .absolute), (1, "RELATIVE", .relative), (2, "FROM_END", .fromEnd),
        (3, "FORWARD", .forward), (4, "BACKWARD", .backward),
      ]
      for (number, word, whence) in table {
        #expect(Cursor.Whence(rawValue: number) == whence && Cursor.Whence(word) == whence)
        #expect(Cursor.Whence(word.lowercased()) == whence)
      }
      #expect(Cursor.Whence(rawValue: 5) == nil && Cursor.Whence("FROM END") == nil)
    }

    @Test("Scrollable Cursors: scrolling through employees")
    func scrolling() throws {
      try db.execute(
        """
        CREATE TEMP TABLE employee (
          employee_name text, employee_salary numeric, employee_dob date, employee_hire_date date);
        INSERT INTO employee VALUES
          ('Jack Johnson', 85000, '1962-11-23', '1990-03-05'),
          ('Debra McGuffer', 52000, '1973-03-04', '2002-01-14'),
          ('Barbara Smith', 86000, '1965-02-24', '2005-07-19');
        """)
      let empsByAge = try db.prepare(
        """
        SELECT
          employee_name, employee_salary, employee_dob, employee_hire_date,
          EXTRACT(years FROM AGE(employee_dob)) AS age
        FROM employee
        ORDER BY age ASC
        """)
      let c = try empsByAge.declare()
      func name(_ row: Row?) throws -> String? { try row?["employee_name", as: String.self] }
      try c.seek(0, from: .fromEnd)
      #expect(try c.next() == nil)
      try c.seek(0, from: .fromEnd)
      try c.seek(-1, from: .relative)
      // On the last row: what is read next is behind it, or before it.
      #expect(try name(c.read(1, .backward).first) == "Barbara Smith")
      try c.seek(0)
      #expect(try name(c.next()) == "Debra McGuffer")
      try c.seek(0, from: .fromEnd)
      #expect(try name(c.read(1, .backward).first) == "Jack Johnson")
    }

    // MARK: Cursor Direction

    /// The same rows, the one cursor over them in the opposite order and read backward.
    private func pair() throws -> (c: Cursor, reverse: Cursor) {
      let reverse = try db.prepare("SELECT i FROM generate_series(99, 0, -1) AS g(i)").declare()
      let c = try db.prepare("SELECT i FROM generate_series(0, 99) AS g(i)").declare()
      reverse.direction = .backward
      try reverse.seek(0)
      return (c, reverse)
    }

    @Test("Cursor Direction: backward, a cursor is one over the opposite order")
    func backward() throws {
      let (c, reverse) = try pair()
      let all = try values(c.read())
      #expect(all == Array(0...99))
      #expect(try values(reverse.read()) == all)
    }

    @Test("Cursor Direction: BACKWARD on a backward cursor is forward on the server")
    func symmetry() throws {
      let (c, reverse) = try pair()
      try reverse.seek(50)
      try c.seek(50)
      let (first, second) = (try values(c.read(10)), try values(c.read(10, .backward)))
      #expect(first == Array(50...59) && second == Array((49...58).reversed()))
      #expect(try values(reverse.read(10)) == first)
      #expect(try values(reverse.read(10, .backward)) == second)
    }

    @Test("Cursor Direction: relative seeks are symmetric, too")
    func relative() throws {
      let (c, reverse) = try pair()
      for cursor in [c, reverse] {
        try cursor.seek(50)
        _ = try cursor.read(10)
        try cursor.seek(-10, from: .relative)
      }
      let expected = try values(c.read(10, .backward))
      #expect(expected == Array((39...48).reversed()))
      #expect(try values(reverse.read(10, .backward)) == expected)
    }
  }
}
