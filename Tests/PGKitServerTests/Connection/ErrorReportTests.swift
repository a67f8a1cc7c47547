import PGKit
import PGTestCluster
import Testing

@Suite("Error report", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ErrorReportTests {
  private let db: Connection

  init() throws { db = try TestServer.shared.get().connect() }

  private func report(_ sql: String) throws -> [Substring] {
    let error = try #require(throws: PGError.self) { try db.prepare(sql) }
    return error.report.split(separator: "\n", omittingEmptySubsequences: false)
  }

  @Test("marks the place in the statement that the server means")
  func place() throws {
    let lines = try report("SELECT 'é'::text,\n\t'ü', nonsense,\n 1")
    let at = try #require(lines.firstIndex { $0.hasPrefix("  LINE 2: ") })
    #expect(lines[at] == "  LINE 2: \t'ü', nonsense,")
    #expect(lines[at + 1] == "          \t     ^")
    let first = try report("SELEC 1")
    #expect(first.contains("  LINE 1: SELEC 1") && first.contains("          ^"))
  }

  @Test("marks the end of the text where the server misses something there")
  func end() throws {
    let lines = try report("SELECT (1")
    let at = try #require(lines.firstIndex { $0.hasPrefix("  LINE 1: ") })
    #expect(lines[at + 1] == "                   ^")
  }

  @Test("the description is one line, whatever the server says")
  func oneLine() throws {
    let error = #expect(throws: PGError.self) {
      try db.execute("DO $$ BEGIN RAISE E'two\\nlines'; END $$")
    }
    #expect(error?.description == "ERROR P0001: two lines")
    #expect(error?.message == "two\nlines")
  }
}
