import Foundation
import PGTestCluster
import Testing

@testable import PGKit

/// The table of the article "Types" says of each type what is so.
@Suite("The article about types", .enabled(if: TestServer.isAvailable, "no server is installed"))
struct TypesArticleTests {
  private static let article = URL(fileURLWithPath: #filePath)
    .appendingPathComponent("../../../../Sources/PGKit/PGKit.docc/Types.md").standardized

  /// The types of each line, and the form in which results come.
  private func lines() throws -> [(types: [String], form: PGFormat)] {
    let text = try String(contentsOf: Self.article, encoding: .utf8)
    return text.split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 4, cells[0].hasPrefix("`") else { return nil }
      let names = cells[0].split(separator: "`").map(String.init).filter {
        !$0.contains(" ") && !$0.isEmpty
      }
      return (names, cells[2].hasPrefix("binary") ? .binary : .text)
    }
  }

  @Test("names every base type of the server, and the form in which PGKit asks for it")
  func table() throws {
    let db = try TestServer.shared.connect()
    let forms = Dictionary(
      try lines().flatMap { line in line.types.map { ($0, line.form) } },
      uniquingKeysWith: { one, _ in one })
    let rows = try db.query(
      """
      SELECT oid, typname FROM pg_type WHERE typnamespace = 11 AND typtype = 'b'
        AND typcategory <> 'A'
      """)
    #expect(rows.count > 60)
    for row in rows {
      let (oid, name) = try row.decode((UInt32, String).self)
      let form = BuiltinTypes.resultFormat(for: PGType(TypeOID(rawValue: oid)))
      #expect(forms[name] == form, "\(name)")
    }
  }
}
