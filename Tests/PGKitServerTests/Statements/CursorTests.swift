import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

/// The sections "Cursors", "Cursor Interface Points", "Scrollable Cursors" and "Cursor Direction".
@Suite("Cursors", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct CursorTests {
  private let db: Connection

  init() throws { db = try TestServer.shared.connect() }

  private func numbers(_ first: Int = 0, _ last: Int, step: Int = 1) throws -> Cursor {
    try db.prepare("SELECT i FROM generate_series($1::int, $2::int, $3::int) AS g(i)")
      .declare(first, last, step)
  }

  private func values(_ rows: QueryResult) throws -> [Int] {
    try rows.map { try $0[0, as: Int.self] }
  }

  private var cursorCount: Int? {
    get throws {
      try db.query.first("SELECT count(*) FROM pg_cursors WHERE name <> ''", as: Int.self)
    }
  }

  // MARK: By name

  @Test("is taken up by its name, and closed only when told")
  func byName() throws {
    try db.execute("DECLARE \"The Cursor\" CURSOR WITH HOLD FOR SELECT 1 AS one")
    do {
      let cursor = try db.cursor(id: "The Cursor")
      #expect(cursor.statement == nil && cursor.columnNames == ["one"])
      #expect(cursor.columns.map(\.type) == [.int4])
      #expect(try values(cursor.read()) == [1])
      #expect(throws: PGError.self) { try cursor.clone() }
    }
    #expect(try cursorCount == 1)
    try db.cursor(id: "The Cursor").close()
    #expect(try cursorCount == 0)
    let error = #expect(throws: PGError.self) { try db.cursor(id: "The Cursor") }
    #expect(error?.code == .invalidCursorName)
  }

  @Test("scrolls a cursor that was declared on the server")
  func scrollsByName() throws {
    try db.execute(
      "DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT i FROM generate_series(0, 99) AS g(i)")
    let cursor = try db.cursor(id: "c")
    try cursor.seek(50)
    #expect(try values(cursor.read(10)) == Array(50...59))
    try cursor.seek(0, from: .fromEnd)
    #expect(try cursor.read().isEmpty)
    try cursor.seek(0)
    #expect(try values(cursor.read()) == Array(0...99))
  }

  // MARK: Reading

  @Test("reads what is asked for, and fewer rows at its end")
  func reads() throws {
    let cursor = try numbers(0, 999)
    var expected = 0
    for count in [0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 0, 6, 12, 24, 48, 96, 192, 256, 256] {
      let rows = try values(cursor.read(count))
      #expect(rows == Array(expected..<expected + count))
      expected += count
    }
    #expect(try values(cursor.read()) == Array(expected...999))
    #expect(try cursor.read().isEmpty && cursor.read(5).isEmpty)
    #expect(try cursor.next() == nil)
    #expect(throws: PGError.self) { try cursor.read(-1) }
    #expect(try cursor.read(.max, .backward).count == 1000)
  }

  @Test("reads back from where it stands")
  func readsBack() throws {
    let cursor = try numbers(0, 99)
    _ = try cursor.read(10)
    #expect(try values(cursor.read(10, .backward)) == Array((0...8).reversed()))
    while try cursor.next() != nil {}
    #expect(try values(cursor.read(1, .backward)) == [99])
  }

  @Test("gives next row by row, in its direction")
  func iterates() throws {
    let cursor = try numbers(1, 3)
    var seen: [Int] = []
    while let row = try cursor.next() { seen.append(try row[0, as: Int.self]) }
    cursor.direction = .backward
    while let row = try cursor.next() { seen.append(try row[0, as: Int.self]) }
    #expect(seen == [1, 2, 3, 3, 2, 1])
  }

  @Test("has the statement's columns, and every type in its format")
  func metadata() throws {
    let statement = try db.prepare("SELECT 1::int8 AS a, 'x'::text AS b, '{1,2}'::int[] AS c")
    let cursor = try statement.declare()
    #expect(cursor.columns.map(\.type) == statement.columns.map(\.type))
    #expect(cursor.columnNames == ["a", "b", "c"])
    #expect(cursor.statement === statement)
    let row = try #require(try cursor.next())
    #expect(try row[0, as: Int.self] == 1 && row[1, as: String.self] == "x")
  }

  @Test("outlives the block that it was declared in, and other statements")
  func hold() throws {
    let cursor = try db.withTransaction { (_) throws in
      let cursor = try numbers(0, 9)
      _ = try cursor.read(5)
      return cursor
    }
    #expect(try values(cursor.read()) == Array(5...9))
  }

  @Test("a clone runs the statement again with the same parameters, from the beginning")
  func clone() throws {
    let cursor = try numbers(0, 9)
    _ = try cursor.read(5)
    let other = try cursor.clone()
    #expect(other.cursorID != cursor.cursorID)
    #expect(try values(other.read()) == Array(0...9))
  }

  @Test("after close the server knows it no more; closing again is silent")
  func closes() throws {
    let cursor = try numbers(0, 9)
    try cursor.close()
    try cursor.close()
    let error = #expect(throws: PGError.self) { try cursor.read() }
    #expect(error?.code == .invalidCursorName)
  }

  @Test("what cannot be declared is refused")
  func undeclarable() throws {
    let error = #expect(throws: PGError.self) {
      try db.prepare("CREATE TEMP TABLE x(i int)").declare()
    }
    #expect(error?.code == .syntaxError)
    #expect(try db.query.first("SELECT 1", as: Int.self) == 1)
  }

  // MARK: Seeking

  @Test("takes every whence, forward and backward, as recorded")
  func matrix() throws {
    // Ten rows, five read; then a seek; then what a read with FORWARD begins with.
    let table: [(Int, Cursor.Whence, forward: Int?, backward: Int?)] = [
      (3, .absolute, 3, 8), (-3, .absolute, 8, 3), (20, .absolute, nil, 0),
      (3, .relative, 8, 2), (-3, .relative, 2, 8), (0, .fromEnd, nil, 0), (3, .fromEnd, 8, 3),
      (20, .fromEnd, 0, nil), (3, .forward, 8, 2), (-3, .forward, 2, 8), (3, .backward, 2, 8),
      (-3, .backward, 8, 2),
    ]
    for (position, whence, forward, backward) in table {
      for (direction, expected) in [(Cursor.Direction.forward, forward), (.backward, backward)] {
        let cursor = try numbers(0, 9)
        _ = try cursor.read(5)
        cursor.direction = direction
        try cursor.seek(position, from: whence)
        cursor.direction = .forward
        #expect(
          try values(cursor.read(1)).first == expected, "\(position) \(whence) \(direction)")
      }
    }
  }

  @Test("tells how far it has moved")
  func moved() throws {
    let cursor = try numbers(0, 63)
    #expect(try cursor.seek(4, from: .forward) == 4)
    #expect(try values(cursor.read(10)) == Array(4...13))
    #expect(try cursor.seek(2, from: .backward) == 2)
    #expect(try values(cursor.read(10)) == Array(12...21))
    _ = try cursor.seek(32)
    #expect(try cursor.seek(-5, from: .backward) == 5)
    #expect(try values(cursor.read(10)) == Array(37...46))
    #expect(try cursor.seekAll() == 17)
    #expect(try cursor.read().isEmpty)
    #expect(try cursor.seekAll(.backward) == 64)
    #expect(try values(cursor.read(1)) == [0])
    #expect(try cursor.seek(1000) == 0)
    #expect(try cursor.seek(.max) == 0)
    #expect(try cursor.seek(.min, from: .relative) == 64)
  }

  @Test("every direction of the words that py-postgresql takes")
  func directions() {
    #expect(Cursor.Direction("FORWARD") == .forward && Cursor.Direction("Forward") == .forward)
    #expect(Cursor.Direction("backward") == .backward)
    #expect(Cursor.Direction("up") == nil)
  }

  // MARK: Symmetry

  /// What a cursor is to do: a list of rows with a place before, on or behind one of them.
  private struct Model {
    let rows: [Int]
    /// 0 before the first row, `rows.count + 1` behind the last.
    var place = 0

    mutating func read(_ count: Int?, forward: Bool) -> [Int] {
      var result: [Int] = []
      while result.count < count ?? .max {
        let next = place + (forward ? 1 : -1)
        place = min(max(next, 0), rows.count + 1)
        guard (1...max(rows.count, 1)).contains(next), next <= rows.count else { break }
        result.append(rows[next - 1])
      }
      return result
    }

    mutating func seek(_ position: Int, _ whence: Cursor.Whence) {
      let target =
        switch whence {
        case .absolute: position < 0 ? rows.count + 1 + position : position
        case .relative, .forward: place + position
        case .backward: place - position
        case .fromEnd: rows.count + 1 - max(position, 0)
        }
      place = min(max(target, 0), rows.count + 1)
    }
  }

  @Test(
    "a backward cursor is a forward one over the rows in the opposite order; both do as a list would",
    arguments: 1...4)
  func symmetry(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let count = [0, 1, 7, 40][Int(seed - 1)]
    let forward = try numbers(1, count)
    let backward = try numbers(count, 1, step: -1)
    backward.direction = .backward
    var model = Model(rows: Array(1..<count + 1))
    // A backward cursor begins where its first row is: at the end of the server's order.
    try forward.seek(0)
    try backward.seek(0)
    for step in 1...300 {
      if Bool.random(using: &random) {
        let amount = [nil, 0, 1, 2, 5, 50].randomElement(using: &random) ?? nil
        let way: Cursor.Direction =
          Int.random(in: 0..<3, using: &random) == 0 ? .backward : .forward
        let expected = model.read(amount, forward: way == .forward)
        #expect(try values(forward.read(amount, way)) == expected, "step \(step)")
        #expect(try values(backward.read(amount, way)) == expected, "step \(step)")
      } else {
        let position = Int.random(in: -50...50, using: &random)
        let whence = Cursor.Whence.allCases.randomElement(using: &random) ?? .absolute
        model.seek(position, whence)
        try forward.seek(position, from: whence)
        try backward.seek(position, from: whence)
      }
    }
  }
}
