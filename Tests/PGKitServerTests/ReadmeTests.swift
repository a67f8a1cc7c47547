import Foundation
import PGKit
import PGTestCluster
import Testing

@Suite("README", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ReadmeTests {
  @Test("the library's example runs as it is printed")
  func example() throws {
    let db = try TestServer.shared.connect()
    var printed: [String] = []
    func print(_ parts: Any...) { printed.append(parts.map { "\($0)" }.joined(separator: " ")) }
    // EXAMPLE
    try db.execute("CREATE TEMP TABLE city (name text PRIMARY KEY, founded int)")

    let insert = try db.prepare("INSERT INTO city VALUES ($1, $2)")
    try insert("Bergen", 1070)
    try insert("Oslo", nil)

    for row in try db.query("SELECT name, founded FROM city ORDER BY name") {
      print(try row["name", as: String.self], try row["founded", as: Int?.self] ?? "unknown")
    }

    let numbers = try db.query.rows("SELECT n FROM generate_series(1, 1000000) AS n")
    while let row = try numbers.next() {  // one batch in memory at a time
      if try row[0, as: Int.self] == 3 { break }
    }
    try numbers.close()  // the rest is not wanted

    try db.withTransaction { _ in  // commits, or rolls back when something is thrown
      try insert.loadRows([["Trondheim", 997], ["Stavanger", 1125]])
    }

    do throws(PGError) {
      try insert("Oslo", 1040)
    } catch {
      guard error.code == .uniqueViolation else { throw error }
      print(error.report)  // code, detail, hint, statement
    }
    // EXAMPLE
    #expect(printed.prefix(2) == ["Bergen 1070", "Oslo unknown"])
    #expect(printed.count == 3 && printed[2].contains("duplicate key"))
    #expect(try db.query.first("SELECT count(*) FROM city", as: Int.self) == 4)

    let own = try String(contentsOfFile: #filePath, encoding: .utf8)
    let lines = own.components(separatedBy: "// EXAMPLE\n")[1].split(separator: "\n")
    let readme = try String(
      contentsOf: URL(filePath: #filePath).appending(path: "../../../README.md").standardized,
      encoding: .utf8)
    let block = readme.components(separatedBy: "```swift\n")[1].components(separatedBy: "```")[0]
    let shown = block.split(separator: "\n").filter {
      !$0.hasPrefix("import ") && !$0.contains("PGKit.open(")
    }
    func trimmed(_ lines: some Sequence<Substring>) -> [String] {
      lines.map { $0.trimmingCharacters(in: .whitespaces) }
    }
    #expect(trimmed(shown) == trimmed(lines).filter { !$0.isEmpty })
  }
}
