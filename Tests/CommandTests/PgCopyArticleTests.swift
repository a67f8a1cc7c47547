import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// The article about pg-copy shows what happens: its commands are one session.
///
/// Below a command stand lines that it prints, in their order, and its status unless that is 0; `…` is
/// anything.
@Suite(
  "pg-copy, its article", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgCopyArticleTests {
  private struct Step {
    let command: String
    var lines: [String] = []
    var status: Int32 = 0
  }

  private static let path = "../../../Sources/PGKit/PGKit.docc/CopyingInAShell.md"

  private static func text() throws -> String {
    try String(
      contentsOf: URL(filePath: #filePath).appending(path: path).standardized, encoding: .utf8)
  }

  private static func steps() throws -> [Step] {
    var steps: [Step] = []
    var isInside = false
    for line in try text().split(separator: "\n", omittingEmptySubsequences: false) {
      if line == "```console" || line == "```" {
        isInside = line == "```console"
      } else if isInside, line.hasPrefix("$ ") {
        steps.append(Step(command: String(line.dropFirst(2))))
      } else if isInside, line.hasPrefix("status "), let status = Int32(line.dropFirst(7)) {
        steps[steps.count - 1].status = status
      } else if isInside {
        steps[steps.count - 1].lines.append(String(line))
      }
    }
    return steps
  }

  /// Whether a line has the pieces between the `…` in their order, and nothing else where there is no `…`.
  private static func fits(_ line: some StringProtocol, _ pattern: String) -> Bool {
    let pieces = pattern.components(separatedBy: "…")
    guard line.hasPrefix(pieces[0]), line.hasSuffix(pieces[pieces.count - 1]) else { return false }
    if pieces.count == 1 { return line == pattern }
    var rest = String(line)[...]
    for piece in pieces where !piece.isEmpty {
      guard let found = rest.range(of: piece) else { return false }
      rest = rest[found.upperBound...]
    }
    return true
  }

  @Test("every command of it ends as it says, and prints what it shows")
  func commands() throws {
    let cluster = try CopyCluster(settings: [.init("max_prepared_transactions", "4")])
    defer { cluster.close() }
    let folder = try ScratchFolder()
    var environment = BuiltProgram.ownEnvironment
    let programs = URL(filePath: BuiltProgram("pg-copy").path).deletingLastPathComponent().path
    environment["PATH"] = "\(programs):\(environment["PATH"] ?? "/usr/bin:/bin")"
    for name in ["SRC", "A", "B"] {
      environment[name] = try cluster.database("UTF8")
      let db = try PGKit.open(environment[name] ?? "")
      defer { db.close() }
      try db.execute("CREATE TABLE orders (id int PRIMARY KEY, customer text, total numeric)")
      for copy in ["mirror", "nightly"] { try db.execute("CREATE TABLE \(copy) (LIKE orders)") }
      try db.execute("CREATE TABLE dear (id int)")
      guard name == "SRC" else { continue }
      try db.execute("INSERT INTO orders SELECT n, 'c' || n, n FROM generate_series(1, 1000) n")
    }
    let steps = try Self.steps()
    #expect(steps.count > 20)
    for step in steps {
      // A program that a signal ends is what a shell says of it.
      let outcome = try BuiltProgram(absolute: "/bin/bash").run(
        ["-c", "cd \"$0\" && set -o pipefail; \(step.command)\nexit $?", folder.path],
        environment: environment)
      #expect(outcome.end == .exit(step.status), "\(step.command): \(outcome)")
      let printed = (outcome.output + outcome.errors).split(separator: "\n")
      if step.lines.isEmpty, step.status == 0 { #expect(printed == [], "\(step.command)") }
      var rest = printed[...]
      for line in step.lines {
        let place = rest.firstIndex { Self.fits($0, line) }
        #expect(place != nil, "\(step.command) does not print \(line), but \(printed)")
        rest = rest[(place.map { $0 + 1 } ?? rest.startIndex)...]
      }
    }
  }

  @Test("every field of the summary is in it")
  func fields() throws {
    let scene = try CopyFixture()
    let outcome = try scene.copy(scene.to(1) + ["--verify", "--summary", "json"])
    let line = try #require(outcome.errors.split(separator: "\n").last { $0.hasPrefix("{") })
    let text = try Self.text()
    var names: Set<String> = []
    func collect(_ value: Any) {
      if let object = value as? [String: Any] {
        for (name, value) in object {
          names.insert(name)
          collect(value)
        }
      }
      if let list = value as? [Any] { list.forEach(collect) }
    }
    collect(try JSONSerialization.jsonObject(with: Data(line.utf8)))
    #expect(names.count > 20)
    for name in names { #expect(text.contains("`\(name)`"), "\(name) is not told of") }
  }
}
