import Foundation
import PGKit
import PGTestCluster
import Testing

/// Statements, cursors and rows that nobody refers to any more are given back.
@Suite("Abandonment", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct AbandonmentTests {
  private let db: Connection

  init() throws { db = try TestServer.shared.get().connect() }

  /// What the server process has taken for itself, in bytes.
  private func serverMemory() throws -> Int {
    let bytes = try db.query.first(
      "SELECT sum(total_bytes)::int8 FROM pg_backend_memory_contexts", as: Int.self)
    return try #require(bytes)
  }

  /// What a process has in memory, in bytes.
  private func residentMemory(of process: String) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
    return try #require(Int(line.filter(\.isNumber))) << 10
  }

  private func left() throws -> [Int] {
    let row = try db.query(
      """
      SELECT (SELECT count(*) FROM pg_prepared_statements WHERE name <> ''),
        (SELECT count(*) FROM pg_cursors WHERE name <> '')
      """)[0]
    return [try row[0, as: Int.self], try row[1, as: Int.self]]
  }

  @Test("100,000 abandoned statements and cursors leave nothing on the server, and no memory")
  func statementsAndCursors() throws {
    func abandon(_ times: Int) throws {
      for number in 0..<times {
        let statement = try db.prepare("SELECT \(number % 10)")
        _ = try statement.declare()
      }
    }
    try abandon(2_000)
    let before = try serverMemory()
    try abandon(98_000)
    #expect(try left() == [0, 0])
    #expect(try serverMemory() < before + 1 << 20)
  }

  @Test(
    "a connection that nobody refers to is closed, whatever runs on it", arguments: [0, 1, 2, 3])
  func connections(use: Int) throws {
    weak var forgotten: Connection?
    do {
      let other = try db.clone()
      forgotten = other
      let statement = try other.prepare("SELECT i FROM generate_series(1, 100000) AS i")
      switch use {
      case 0: _ = try statement.rows()
      case 1: _ = try statement.rows().next()
      case 2: _ = try other.copyOut("COPY (SELECT 1) TO STDOUT")
      default:
        let cursor = try statement.declare()
        _ = try cursor.read(10)
        _ = try other.proc("generate_series(int, int)").values(1, 100_000, as: Int.self)
      }
    }
    #expect(forgotten == nil)
  }

  @Test("rows that nobody takes do not add up")
  func rows() throws {
    let statement = try db.prepare("SELECT repeat('x', 10000) FROM generate_series(1, 10)")
    for _ in 0..<5_000 { _ = try statement.rows() }
    // A gigabyte goes by. Other tests run in this process, so the bound is wide.
    let before = try residentMemory(of: "self")
    for _ in 0..<10_000 {
      let rows = try statement.rows()
      _ = try rows.next()
    }
    #expect(try residentMemory(of: "self") < before + 500 << 20)
    #expect(try left() == [1, 0])
  }
}
