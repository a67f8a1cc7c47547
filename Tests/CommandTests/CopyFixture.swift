import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// pg-copy with tables of its own on a server: a source's, and receivers' with `_1`, `_2`, `_3`.
final class CopyFixture {
  let program = BuiltProgram("pg-copy")
  let iri: String
  let db: Connection
  let name: String
  let rowCount: Int
  private let folder: URL

  /// - Parameters:
  ///   - iri: The server; without it the one that all tests share.
  ///   - receiving: The columns of the receivers.
  init(
    iri: String? = nil, rowCount: Int = 1000,
    receiving: String = "id int PRIMARY KEY, name text"
  ) throws {
    self.iri = try iri ?? TestServer.shared.get().iri()
    self.rowCount = rowCount
    db = try PGKit.open(self.iri)
    db.messageHook = { _ in true }
    name = "copy_\(UInt64.random(in: 0...UInt64.max))"
    folder = FileManager.default.temporaryDirectory.appending(path: name)
    try db.execute(
      """
      CREATE TABLE \(name)(id int PRIMARY KEY, name text);
      INSERT INTO \(name) SELECT i, 'row ' || i FROM generate_series(1, \(rowCount)) AS i;
      ANALYZE \(name)
      """)
    for number in 1...3 { try db.execute("CREATE TABLE \(name)_\(number)(\(receiving))") }
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
    // Nothing may be left that holds a lock for the next test.
    try? db.execute("DROP TABLE IF EXISTS \(name), \(name)_1, \(name)_2, \(name)_3 CASCADE")
    db.close()
  }

  /// A path for a file of this test.
  func path(_ file: String) throws -> String {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder.appending(path: file).path
  }

  /// `--to` for a receiver.
  func to(_ number: Int, _ more: String = "") -> [String] {
    ["--to", "\(iri);table=\(name)_\(number)\(more)"]
  }

  /// Runs pg-copy from the source's table.
  func copy(
    _ ends: [String], _ what: String? = nil, input: BuiltProgram.Input = .none,
    timeout: Duration = .seconds(60)
  ) throws -> BuiltProgram.Outcome {
    try program.run([iri, what ?? name] + ends, input: input, timeout: timeout)
  }

  func start(_ ends: [String], _ what: String? = nil) throws -> RunningProgram {
    try program.start([iri, what ?? name] + ends)
  }

  func rows(_ number: Int) throws -> Int {
    try db.query("SELECT count(*) FROM \(name)_\(number)")[0][0, as: Int.self]
  }

  /// Whether a receiver has exactly the source's rows.
  func isEqual(_ number: Int) throws -> Bool {
    try db.query(
      """
      SELECT NOT EXISTS (SELECT id, name FROM \(name) EXCEPT ALL SELECT id, name FROM \(name)_\(number))
        AND NOT EXISTS (SELECT id, name FROM \(name)_\(number) EXCEPT ALL SELECT id, name FROM \(name))
      """)[0][0, as: Bool.self]
  }

  func ask<Value: PGColumnValue>(_ sql: String, as type: Value.Type) throws -> Value? {
    try db.query.first(sql, as: type)
  }

  /// Waits until pg-copy runs a statement like the pattern, and gives its process.
  ///
  /// - Parameter event: What the process waits for itself: tells it from others that are merely slow.
  @discardableResult
  func wait(
    for pattern: String, state: String = "active", in event: String? = nil
  ) throws -> Int32 {
    for _ in 0..<4000 {
      let rows = try db.query(
        """
        SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'pg-copy%' AND state LIKE $2
          AND query LIKE $1 AND ($3::text IS NULL OR wait_event = $3)
        """, pattern, state, event)
      if rows.count > 0 { return try rows[0][0, as: Int32.self] }
      usleep(5_000)
    }
    throw BuiltProgram.Fault(description: "nobody ran \(pattern)")
  }

  /// Ends a server process, and waits until it is gone.
  func terminate(_ process: Int32) throws {
    try db.query("SELECT pg_terminate_backend($1, 5000)", process)
  }

  /// The last line of stderr, read as the summary.
  func summary(_ outcome: BuiltProgram.Outcome) throws -> CopySummary {
    try CopySummary(outcome)
  }
}

/// What `--summary json` prints.
struct CopySummary: Decodable {
  struct Part: Decodable {
    let part: Int
    let first_block: Int?
    let next_block: Int?
    let rows: Int?
    let bytes: Int
    let checksum: String?
    let status: String?
  }

  struct Receiver: Decodable {
    let receiver: Int
    let table: String?
    let status: String
    let rows: Int?
    let bytes: Int
    let merged: Int?
    let left_out: Int?
    let rejected: Int
    let checksum: String?
    let sqlstate: String?
    let message: String?
    let remedy: String?
    let parts: [Part]
  }

  let job: String
  let run: String
  let exit_code: Int32
  let sqlstate: String?
  let message: String?
  let format: String
  let rows: Int?
  let bytes: Int
  let checksum: String?
  let parts: [Part]
  let receivers: [Receiver]

  /// Reads the last line of stderr.
  init(_ outcome: BuiltProgram.Outcome) throws {
    let line = outcome.errors.split(separator: "\n").last { $0.hasPrefix("{\"program\"") } ?? ""
    self = try JSONDecoder().decode(CopySummary.self, from: Data(line.utf8))
  }

  var statuses: [String] { receivers.map(\.status) }
}
