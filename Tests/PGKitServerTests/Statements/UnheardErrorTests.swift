import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

/// No error of the server is lost because nobody asked for the rows in front of it.
@Suite(
  "Unheard errors", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct UnheardErrorTests {
  private let db: Connection
  private final class Heard {
    var messages: [ServerMessage] = []
  }
  private let heard = Heard()

  init() throws {
    db = try TestServer.shared.get().connect()
    let heard = heard
    db.messageHook = {
      heard.messages.append($0)
      return true
    }
    try db.execute("CREATE TEMP TABLE t(i int UNIQUE); INSERT INTO t VALUES (1)")
  }

  @Test("a statement without rows has run when its rows are to be had, and has failed by then")
  func withoutRows() throws {
    let insert = try db.prepare("INSERT INTO t VALUES ($1)")
    for attempt in [
      { () throws in _ = try db.query.rows("INSERT INTO t VALUES (1)") },
      { _ = try db.query.chunks("INSERT INTO t VALUES (1)") },
      { _ = try insert.rows(1) },
    ] {
      let error = #expect(throws: PGError.self) { try attempt() }
      #expect(error?.code == .uniqueViolation)
    }
    let rows = try insert.rows(2)
    #expect(rows.tag?.description == "INSERT 0 1")
    #expect(try rows.next() == nil)
    #expect(heard.messages.isEmpty)
  }

  @Test("an error behind rows that were dropped is a warning of the client")
  func dropped() throws {
    _ = try db.query.rows("INSERT INTO t VALUES (1) RETURNING i")
    try db.execute("SELECT 1")
    #expect(heard.messages.map(\.code) == [.uniqueViolation])
    #expect(heard.messages[0].source == .client)
    #expect(heard.messages[0].severity == "WARNING")
    #expect(heard.messages[0].message.contains("duplicate key"))
    #expect(heard.messages[0].origin.creators.map(\.label) == ["CONNECTION", "CONNECTOR"])
  }

  @Test("so it is where the rows were kept first, and dropped then")
  func keptAndDropped() throws {
    do {
      let rows = try db.query.rows("SELECT 1 / (3 - i) FROM generate_series(1, 5) AS i")
      try db.execute("SELECT 1")
      #expect(heard.messages.isEmpty)
      _ = rows
    }
    // A finalizer only leaves a note.
    #expect(heard.messages.isEmpty)
    try db.execute("SELECT 1")
    #expect(heard.messages.map(\.code) == [.divisionByZero])
    #expect(!db.isClosed)
  }

  @Test("whoever closes the rows is told of the error behind them")
  func closed() throws {
    for isFirst in [true, false] {
      let rows = try db.query.rows("SELECT 1 / (3 - i) FROM generate_series(1, 5) AS i")
      if !isFirst { try db.execute("SELECT 1") }
      let error = #expect(throws: PGError.self) { try rows.close() }
      #expect(error?.code == .divisionByZero)
      #expect(error?.origin.creators.first?.label == "STATEMENT")
    }
    #expect(heard.messages.isEmpty)
  }

  @Test("what a hook hears says what it is about, and who says it")
  func origin() throws {
    try db.execute("SET client_min_messages = notice")
    let drop = try db.prepare("DROP TABLE IF EXISTS absent")
    try drop()
    let notice = try #require(heard.messages.first)
    #expect(notice.source == .server)
    #expect(notice.location?.hasPrefix("tablecmds.c:") == true)
    #expect(
      notice.origin.creators.map(\.label) == ["STATEMENT", "CONNECTION", "CONNECTOR"])
    #expect(notice.report.contains("STATEMENT: DROP TABLE IF EXISTS absent"))
  }
}
