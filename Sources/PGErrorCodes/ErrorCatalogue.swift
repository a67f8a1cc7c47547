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

  /// What the files have.
  private struct Files: Sendable {
    var additions: [SQLState: Addition] = [:]
    /// The codes of the additions by their names, as ``SQLState/key(_:)`` writes them.
    var codesByKey: [String: [SQLState]] = [:]
    /// The additions' parents by their names, as they are written.
    var parentsByName: [String: [String]] = [:]
    /// The titles of the classes that the files add.
    var classes: [String: String] = [:]
  }

  /// Most runs have no files, and are over before four empty dictionaries have been made.
  private indirect enum Contents: Sendable {
    case builtIn
    case files(Files)
  }

  private var contents = Contents.builtIn

  /// Makes a catalogue of the built-in table.
  package init() {}

  /// Whether there is nothing in it but the built-in table.
  package var isBuiltIn: Bool { files == nil }

  private var files: Files? {
    if case .files(let files) = contents { files } else { nil }
  }

  /// The additions, in no order.
  var additions: [Addition] { files.map { Array($0.additions.values) } ?? [] }

  func addition(of code: SQLState) -> Addition? { files?.additions[code] }

  /// Changes what the files have, where it lies.
  private mutating func change(_ body: (inout Files) -> Void) {
    var files = files ?? Files()
    contents = .builtIn
    body(&files)
    contents = .files(files)
  }

  /// Adds a class.
  mutating func put(class characters: String, title: String) {
    change { $0.classes[characters] = title }
  }

  /// Puts an addition in, in the place of one with the same code.
  mutating func put(_ addition: Addition) {
    let code = addition.definition.code
    change { files in
      if let old = files.additions[code]?.definition {
        for key in old.keys { files.codesByKey[key]?.removeAll { $0 == code } }
        files.parentsByName[old.name] = nil
      }
      files.additions[code] = addition
      for key in Set(addition.definition.keys) { files.codesByKey[key, default: []].append(code) }
      files.parentsByName[addition.definition.name] = addition.definition.parents
    }
  }

  // MARK: Definitions

  /// Every definition, in the order of the codes.
  ///
  /// A class of which a file has only the title answers for its codes, but is none of them.
  package var definitions: [SQLStateDefinition] {
    guard let files else { return SQLState.definitions }
    let builtIn = SQLState.definitions.filter { files.additions[$0.code] == nil }
    let added = files.additions.values.filter { !$0.isOfSection }.map(\.definition)
    return (builtIn + added).sorted { $0.code < $1.code }
  }

  /// What is known of this very code; `nil` if it is in no table.
  package func definition(of code: SQLState) -> SQLStateDefinition? {
    addition(of: code)?.definition ?? code.definition
  }

  /// Whether this very code is in a table.
  package func isDefined(_ code: SQLState) -> Bool { addition(of: code) != nil || code.isDefined }

  /// Every name from which the definition descends, nearest first; the last is `Error` or `Warning`.
  package func ancestors(of definition: SQLStateDefinition) -> [String] {
    SQLStateDefinition.ancestors(below: definition.parents) { name in
      files?.parentsByName[name] ?? SQLStateDefinition.parents(of: name)
    }
  }

  /// The definitions that descend from the group, in the order of the codes.
  package func members(of group: ErrorGroup) -> [SQLStateDefinition] {
    definitions.filter { ancestors(of: $0).contains(group.name) }
  }

  /// The title of a class; `nil` if it is unknown.
  package func title(ofClass characters: String) -> String? {
    SQLStateClass(characters)?.title ?? files?.classes[characters]
  }

  // MARK: Names

  /// The codes that a name may mean, as ``SQLState/named(_:)`` finds them, and those of the files.
  package func named(_ name: String) -> [SQLState] {
    guard let files else { return SQLState.named(name) }
    let added = files.codesByKey[SQLState.key(name), default: []]
    return added.sorted() + SQLState.named(name).filter { !added.contains($0) }
  }

  /// The codes of the only name that begins with `prefix`.
  package func named(beginningWith prefix: String) -> [SQLState] {
    guard let files else { return SQLState.named(beginningWith: prefix) }
    let key = SQLState.key(prefix)
    let added = Set(files.codesByKey.filter { $0.key.hasPrefix(key) }.values.joined())
    guard let first = added.first else { return SQLState.named(beginningWith: prefix) }
    let isAlone = added.count == 1 && SQLState.isNoBeginning(key)
    return isAlone ? [first] : []
  }

  // MARK: Meanings

  /// What the code means in plain words.
  package func advice(of code: SQLState) -> SQLStateAdvice? {
    addition(of: code)?.advice ?? code.advice
  }

  /// Whether the same may be done again after this code: the rule of the code itself, or else that
  /// of its class, and the files' before the table's.
  package func retry(of code: SQLState) -> RetryRule {
    addition(of: code)?.retry ?? code.ownRetry ?? addition(of: code.classCode)?.retry
      ?? code.retryOfClass
  }

  /// The names of the sets that the code belongs to, in their order.
  package func sets(of code: SQLState) -> [String] {
    let retry = retry(of: code).answer
    var builtIn: [String] = []
    for set in SQLStateSet.each where set.contains(code, retry: retry) { builtIn.append(set.name) }
    let added = additionalSets(of: code)
    return added.isEmpty ? builtIn : Set(builtIn + added).sorted()
  }

  /// The names of all sets, in their order.
  package var setNames: [String] {
    Set(SQLStateSet.all.map(\.name) + additions.flatMap(\.sets)).sorted()
  }

  /// Whether the code belongs to the set of this name; `integrity` is `constraint`.
  package func contains(_ code: SQLState, set name: String) -> Bool {
    if additionalSets(of: code).contains(SQLStateSet.properName(name)) { return true }
    return SQLStateSet(name)?.contains(code, retry: retry(of: code).answer) ?? false
  }

  /// The sets that the files put the code into, or else its class.
  private func additionalSets(of code: SQLState) -> [String] {
    guard !isBuiltIn else { return [] }
    let own = addition(of: code)?.sets ?? []
    return own.isEmpty ? addition(of: code.classCode)?.sets ?? [] : own
  }
}

extension SQLStateDefinition {
  /// The names as the table of keys has them.
  var keys: [String] {
    ([condition, name].compactMap { $0 } + macros).map { SQLState.key($0) }
  }
}
