import Foundation
import PGErrorCodes
import Testing

/// A row of py-postgresql's map of exceptions.
struct SeedRow: Sendable {
  let code: String
  let name: String
  let parents: [String]

  static func all() throws -> [SeedRow] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Vectors/sqlstate.tsv")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst()
    return lines.map { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      return SeedRow(
        code: fields[0], name: fields[1],
        parents: fields[3].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
    }
  }
}

@Suite struct ErrorFamilyTests {
  @Test("every name of py-postgresql's map resolves, and has its code in the family")
  func seedNames() throws {
    let rows = try SeedRow.all()
    #expect(rows.count > 220)
    for row in rows where row.name != "(no class)" {
      let family = try #require(ErrorFamily(row.name), "\(row.name)")
      let above = try #require(Self.ancestors(of: row.name), "\(row.name)")
      // What is above the tree: the language's own exceptions, and Message.
      let outside = ["Message", "Exception"]
      for parent in row.parents
      where !outside.contains(parent) && !parent.hasPrefix("builtins.") {
        #expect(above.contains(parent), "\(row.name) \(parent)")
      }
      guard let code = SQLState(row.code) else { continue }
      #expect(family.contains(code), "\(row.name) \(row.code)")
      // 22020 is answered by the code in its place.
      #expect(code.nearestDefinition?.name == row.name, "\(row.code)")
    }
  }

  /// The names above a name of the tree.
  private static func ancestors(of name: String) -> [String]? {
    ErrorGroup(name)?.ancestors
      ?? SQLState.named(name).compactMap(\.definition).first { $0.name == name }?.ancestors
  }

  @Test("the tree counts, not the characters of a code that is defined")
  func treeBeforeClass() throws {
    let cluster: ErrorFamily = "ClusterError"
    #expect(!cluster.contains(.clusterWarning))
    #expect(cluster.contains(.clusterStartupError))
    #expect(cluster.contains("-C123"))
    let constraint: ErrorFamily = "integrity_constraint_violation"
    #expect(constraint.contains(.uniqueViolation))
    #expect(constraint.contains("23ZZZ"))
    let shared: ErrorFamily = "string_data_right_truncation"
    #expect(shared.contains("22001") && shared.contains("01004") && !shared.contains("22003"))
  }

  @Test("every code belongs to the family of each of its ancestors, and a stranger does not")
  func ancestors() throws {
    for definition in SQLState.definitions {
      for name in definition.ancestors + [definition.name] {
        let family = try #require(ErrorFamily(name), "\(name)")
        #expect(family.contains(definition.code), "\(definition.code) \(name)")
      }
    }
    #expect(!ErrorFamily.undefined.contains(.duplicateTable))
    #expect(!ErrorFamily.disconnection.contains(.queryCanceled))
    #expect(ErrorFamily.transaction.contains(.deadlockDetected))
    #expect(ErrorFamily.type.contains(.datatypeMismatch))
    #expect(ErrorFamily.ambiguity.contains(.ambiguousColumn))
    #expect(ErrorFamily.definition.contains(.invalidTableDefinition))
    #expect(ErrorFamily.name.contains(.invalidCatalogName))
    #expect(ErrorFamily.duplicate.contains(.duplicateTable))
  }

  @Test("warnings and errors have roots of their own")
  func roots() throws {
    let error: ErrorFamily = "Error"
    let warning: ErrorFamily = "warning"
    for definition in SQLState.definitions {
      #expect(error.contains(definition.code) == (definition.severity == .error))
      #expect(warning.contains(definition.code) == (definition.severity == .warning))
    }
    #expect(error.contains("ZZ999"))
    #expect(!warning.contains("ZZ999"))
    for name in ["NoSuchError", "", "Err", "Ünique"] { #expect(ErrorFamily(name) == nil) }
  }
}
