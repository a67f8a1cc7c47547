import Foundation
import Glibc
import PGKit
import PGTestCluster

/// pg-open on the shared server, with a folder of files for one test.
final class OpenFixture {
  let program = BuiltProgram("pg-open")
  let server: TestServer
  /// A name for what the test makes in the database.
  let name: String
  let folder: URL

  init() throws {
    server = try TestServer.shared.get()
    name = "open_\(UInt64.random(in: 0...UInt64.max))"
    folder = FileManager.default.temporaryDirectory.appending(path: name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func run(
    _ arguments: [String], input: BuiltProgram.Input = .none,
    output: BuiltProgram.Output = .captured, environment: [String: String] = [:]
  ) throws -> BuiltProgram.Outcome {
    var variables = ProcessInfo.processInfo.environment
    variables["GITHUB_ACTIONS"] = nil
    variables.merge(environment) { $1 }
    return try program.run(
      [server.iri()] + arguments, input: input, output: output, environment: variables)
  }

  /// Writes a file and gives its path.
  func file(_ name: String, _ text: String) throws -> String {
    try file(name, Array(text.utf8))
  }

  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    let path = path(name)
    try Data(bytes).write(to: URL(filePath: path))
    return path
  }

  /// What the file holds; `nil` if there is none.
  func contents(_ name: String) -> String? {
    try? String(contentsOf: folder.appending(path: name), encoding: .utf8)
  }

  /// What lies in the folder.
  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
  }

  /// Runs a statement of the test's own and gives its first value.
  func ask(_ sql: String) throws -> String? {
    let db = try server.connect()
    defer { db.close() }
    db.messageHook = { _ in true }
    return try db.query.text(sql).collect().first?[0, as: String?.self]
  }

  /// Lends the name of a table that is there for as long as `body` runs.
  func withTable(_ columns: String, _ body: (String) throws -> Void) throws {
    _ = try ask("CREATE TABLE \(name)(\(columns))")
    defer { _ = try? ask("DROP TABLE \(name)") }
    try body(name)
  }

  /// How many rows a table has.
  func count(_ table: String) throws -> String? { try ask("SELECT count(*)::text FROM \(table)") }

  /// Where a file of the folder is.
  func path(_ name: String) -> String { folder.appending(path: name).path }
}
