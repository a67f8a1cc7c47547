import PGKit
import PGTestCluster
import Testing

@Suite("COPY", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct CopyTests {
  private let db: Connection

  init() throws {
    db = try TestServer.shared.connect()
    try db.execute("CREATE TEMP TABLE pair(a int PRIMARY KEY, b text)")
  }

  private func text(of stream: CopyOutStream) throws -> String {
    var bytes: [UInt8] = []
    while let chunk = try stream.next() { chunk.forEach { bytes += $0 } }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test("takes data in and gives it out again, counting rows")
  func roundTrip() throws {
    let sink = try db.copyIn("COPY pair FROM STDIN")
    #expect(sink.columnCount == 2)
    #expect(!sink.isBinary)
    try sink.write(Array("1\tone\n2\t\\N\n3".utf8))
    try sink.write(Array("\tthree\n".utf8))
    #expect(try sink.finish().rowCount == 3)
    let source = try db.copyOut("COPY pair TO STDOUT")
    #expect(try text(of: source) == "1\tone\n2\t\\N\n3\tthree\n")
    #expect(source.tag?.rowCount == 3)
  }

  @Test("relays frames from one connection to another in binary")
  func relays() throws {
    try db.execute("INSERT INTO pair SELECT i, repeat('x', i) FROM generate_series(1, 2000) AS i")
    let other = try TestServer.shared.connect()
    try other.execute("CREATE TEMP TABLE pair(a int, b text)")
    let source = try db.copyOut("COPY pair TO STDOUT (FORMAT binary)")
    let sink = try other.copyIn("COPY pair FROM STDIN (FORMAT binary)")
    #expect(source.isBinary && sink.isBinary)
    while let chunk = try source.next() { try sink.write(chunk) }
    #expect(try sink.finish().rowCount == 2000)
    let sum = try other.query("SELECT sum(length(b)) FROM pair")
    #expect(try sum[0][0, as: Int.self] == 2000 * 2001 / 2)
  }

  @Test("stores nothing when the data is failed, and the connection goes on")
  func fails() throws {
    let sink = try db.copyIn("COPY pair FROM STDIN")
    try sink.write(Array("1\tone\n".utf8))
    try sink.fail("changed our mind")
    #expect(try db.query("SELECT count(*) FROM pair")[0][0, as: Int.self] == 0)
    #expect(throws: PGError.self) { try sink.write(Array("2\ttwo\n".utf8)) }
  }

  @Test("throws the server's error for bad data, and the connection goes on")
  func refusesBadData() throws {
    let sink = try db.copyIn("COPY pair FROM STDIN")
    let error = #expect(throws: PGError.self) {
      for _ in 0..<100_000 { try sink.write(Array("1\tsame key\n".utf8)) }
      _ = try sink.finish()
    }
    #expect(error?.code == .uniqueViolation)
    #expect(try db.query("SELECT count(*) FROM pair")[0][0, as: Int.self] == 0)
  }

  @Test("is interrupted by another operation in both directions")
  func interrupted() throws {
    let sink = try db.copyIn("COPY pair FROM STDIN")
    try sink.write(Array("1\tone\n".utf8))
    #expect(try db.query("SELECT count(*) FROM pair")[0][0, as: Int.self] == 0)
    #expect(throws: PGError.self) { try sink.finish() }
    let source = try db.copyOut("COPY (SELECT generate_series(1, 100000)) TO STDOUT")
    #expect(try source.next() != nil)
    #expect(try db.query("SELECT 5")[0][0, as: Int.self] == 5)
    var rows = 0
    while let chunk = try source.next() { rows += chunk.count }
    #expect(rows > 90_000)
    #expect(source.tag?.rowCount == 100_000)
  }

  @Test("refuses a statement that does not copy the way that was asked for")
  func refusesOtherStatements() throws {
    #expect(throws: PGError.self) { try db.copyOut("SELECT 1") }
    #expect(throws: PGError.self) { try db.copyOut("COPY pair FROM STDIN") }
    #expect(throws: PGError.self) { try db.copyIn("COPY pair TO STDOUT") }
    #expect(try db.query("SELECT 6")[0][0, as: Int.self] == 6)
  }

  @Test("run as an ordinary statement, a COPY from STDIN takes nothing in")
  func executed() throws {
    let error = #expect(throws: PGError.self) { try db.execute("COPY pair FROM STDIN") }
    #expect(error?.code == .queryCanceled)
    #expect(try db.query("SELECT 7")[0][0, as: Int.self] == 7)
  }
}
