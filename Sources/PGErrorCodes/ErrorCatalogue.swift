/// The table of codes together with a project's own.
///
/// Without additions it answers as ``SQLState`` and its extensions do. It serves the programs: what
/// the library throws is explained by the built-in table alone. Names are strings of one type, because
/// what is generic is made when it is first used, which takes longer than the answer.
package struct ErrorCatalogue: Sendable {
  /// A code that a file defines, or of which it says more than the built-in table does.
  struct Addition: Sendable {
    var definition: SQLStateDefinition
    var advice: SQLStateAdvice?
    var retry: RetryRule?
    var sets: [String] = []
    /// Whether it was made of a section's title, and gives way to a definition in a file.
    var isOfSection = false
  }

  private(set) var additions: [SQLState: Addition] = [:]
  /// The codes of the additions by their names, as ``SQLState/key(_:)`` writes them.
  private var codesByKey: [String: [SQLState]] = [:]
  /// The additions' parents by their names, as they are written.
  private var parentsByName: [String: [String]] = [:]
  /// The titles of the classes that the files add.
  var additionalClasses: [String: String] = [:]

  /// Makes a catalogue of the built-in table.
  package init() {}

  /// Whether there is nothing in it but the built-in table.
  package var isBuiltIn: Bool { additions.isEmpty && additionalClasses.isEmpty }

  /// Puts an addition in, in the place of one with the same code.
  mutating func put(_ addition: Addition) {
    let code = addition.definition.code
    if let old = additions[code]?.definition {
      for key in old.keys { codesByKey[key]?.removeAll { $0 == code } }
      parentsByName[old.name] = nil
    }
    additions[code] = addition
    for key in Set(addition.definition.keys) { codesByKey[key, default: []].append(code) }
    parentsByName[addition.definition.name] = addition.definition.parents
  }

  // MARK: Definitions

  /// Every definition, in the order of the codes.
  ///
  /// A class of which a file has only the title answers for its codes, but is none of them.
  package var definitions: [SQLStateDefinition] {
    guard !additions.isEmpty else { return SQLState.definitions }
    let builtIn = SQLState.definitions.filter { additions[$0.code] == nil }
    let added = additions.values.filter { !$0.isOfSection }.map(\.definition)
    return (builtIn + added).sorted { $0.code < $1.code }
  }

  /// What is known of this very code; `nil` if it is in no table.
  package func definition(of code: SQLState) -> SQLStateDefinition? {
    additions[code]?.definition ?? code.definition
  }

  /// Every name from which the definition descends, nearest first; the last is `Error` or `Warning`.
  package func ancestors(of definition: SQLStateDefinition) -> [String] {
    SQLStateDefinition.ancestors(below: definition.parents) { name in
      parentsByName[name] ?? SQLStateDefinition.parents(of: name)
    }
  }

  /// The definitions that descend from the group, in the order of the codes.
  package func members(of group: ErrorGroup) -> [SQLStateDefinition] {
    definitions.filter { ancestors(of: $0).contains(group.name) }
  }

  /// The title of a class; `nil` if it is unknown.
  package func title(ofClass characters: String) -> String? {
    SQLStateClass(characters)?.title ?? additionalClasses[characters]
  }

  // MARK: Names

  /// The codes that a name may mean, as ``SQLState/named(_:)`` finds them, and those of the files.
  package func named(_ name: String) -> [SQLState] {
    let added = codesByKey[SQLState.key(name), default: []]
    return added.sorted() + SQLState.named(name).filter { !added.contains($0) }
  }

  /// The codes of the only name that begins with `prefix`.
  package func named(beginningWith prefix: String) -> [SQLState] {
    let key = SQLState.key(prefix)
    let added = Set(codesByKey.filter { $0.key.hasPrefix(key) }.values.joined())
    guard let first = added.first else { return SQLState.named(beginningWith: prefix) }
    let isAlone = added.count == 1 && SQLState.isNoBeginning(key)
    return isAlone ? [first] : []
  }

  // MARK: Meanings

  /// What the code means in plain words.
  package func advice(of code: SQLState) -> SQLStateAdvice? {
    additions[code]?.advice ?? code.definition?.advice
  }

  /// Whether the same may be done again after this code: the rule of the code itself, or else that
  /// of its class, and the files' before the table's.
  package func retry(of code: SQLState) -> RetryRule {
    additions[code]?.retry ?? code.ownRetry ?? additions[code.classCode]?.retry ?? code.retry
  }

  /// The names of the sets that the code belongs to, in their order.
  package func sets(of code: SQLState) -> [String] {
    let retry = retry(of: code).answer
    let builtIn = SQLStateSet.all.filter { $0.contains(code, retry: retry) }.map(\.name)
    return Set(builtIn + additionalSets(of: code)).sorted()
  }

  /// The names of all sets, in their order.
  package var setNames: [String] {
    Set(SQLStateSet.all.map(\.name) + additions.values.flatMap(\.sets)).sorted()
  }

  /// Whether the code belongs to the set of this name; `integrity` is `constraint`.
  package func contains(_ code: SQLState, set name: String) -> Bool {
    if additionalSets(of: code).contains(SQLStateSet.properName(name)) { return true }
    return SQLStateSet(name)?.contains(code, retry: retry(of: code).answer) ?? false
  }

  /// The sets that the files put the code into, or else its class.
  private func additionalSets(of code: SQLState) -> [String] {
    let own = additions[code]?.sets ?? []
    return own.isEmpty ? additions[code.classCode]?.sets ?? [] : own
  }
}

extension SQLStateDefinition {
  /// The names as the table of keys has them.
  var keys: [String] {
    ([condition, name].compactMap { $0 } + macros).map { SQLState.key($0) }
  }
}
