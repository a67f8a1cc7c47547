/// A name of py-postgresql's tree that no code has: a group that cuts across classes
/// (`UndefinedError`, `Disconnection`), or the root of all errors.
package struct ErrorGroup: Hashable, Sendable {
  /// The name as the tree spells it.
  package let name: String
  /// Every name above it, nearest first.
  package let ancestors: [String]

  /// Finds a group; letters may be large or small.
  ///
  /// `Exception`, py-postgresql's name above `Error`, means `Error`: it has no other descendants.
  package init?(_ name: String) {
    let key = name.lowercased()
    if key == "error" || key == "exception" {
      self.init(name: "Error", ancestors: [])
      return
    }
    // Codes are asked for more often than groups.
    guard key.utf8.allSatisfy(ASCIIText.isLetter) else { return nil }
    let line = SortedLines(SQLStateTable.groups).lines(beginningWith: "").first {
      SortedLines.halves(of: $0, at: UInt8(ascii: " ")).0.lowercased() == key
    }
    guard let words = line.map(SortedLines.words(of:)) else { return nil }
    let parents = SQLStateDefinition.parents(of: words[0])
    self.init(
      name: words[0],
      ancestors: SQLStateDefinition.ancestors(
        below: parents, parentsOf: SQLStateDefinition.parents(of:)))
  }

  private init(name: String, ancestors: [String]) {
    self.name = name
    self.ancestors = ancestors
  }
}
