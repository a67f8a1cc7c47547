/// The table of codes together with a project's own.
///
/// Without additions it answers as ``SQLState`` and its extensions do.
public struct ErrorCatalogue: Sendable {
  private struct Addition: Sendable {
    let definition: SQLStateDefinition
    let advice: SQLStateAdvice?
    let retry: RetryRule?
    let sets: [String]
  }

  private var additions: [Addition] = []
  private var additionalClasses: [(characters: String, title: String)] = []

  /// Makes a catalogue of the built-in table.
  public init() {}

  /// Whether there is nothing in it but the built-in table.
  public var isBuiltIn: Bool { additions.isEmpty && additionalClasses.isEmpty }

  // MARK: Adding

  /// Adds the codes of a file.
  ///
  /// A code that says the same as the built-in table is passed over.
  ///
  /// - Throws: ``CodeFile/Fault`` for a code that is there twice, or that contradicts the built-in
  ///   table without `override: true`.
  public mutating func add(_ file: CodeFile) throws(CodeFile.Fault) {
    for each in file.classes where SQLStateClass(each.characters) == nil {
      if title(ofClass: each.characters) == nil { additionalClasses.append(each) }
    }
    let own = Set(file.entries.map(\.code))
    for each in additionalClasses
    where !own.contains(where: { $0.isCode(ofClass: each.characters) }) {
      addCode(ofClass: each)
    }
    for entry in file.entries { try add(entry) }
    additions.sort { $0.definition.code < $1.definition.code }
  }

  /// A class of a file has a code of its own, as the built-in ones do, so that its unknown codes are
  /// answered by it.
  private mutating func addCode(ofClass each: (characters: String, title: String)) {
    guard let code = SQLState(each.characters + "000"), definition(of: code) == nil else { return }
    let words = each.title.split { !$0.isLetter && !$0.isNumber }
    let name = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() + "Error"
    let definition = SQLStateDefinition(
      code: code, severity: .error, condition: nil, macros: [], name: name, parents: ["Error"])
    additions.append(Addition(definition: definition, advice: nil, retry: nil, sets: []))
  }

  private mutating func add(_ entry: CodeFile.Entry) throws(CodeFile.Fault) {
    if additions.contains(where: { $0.definition.code == entry.code }) {
      throw CodeFile.Fault(line: entry.line, message: "\(entry.code) is there twice")
    }
    if let known = entry.code.definition, !entry.isOverride {
      guard entry.agrees(with: known) else {
        throw CodeFile.Fault(
          line: entry.line,
          message: "\(entry.code) is \(known.condition ?? known.name) already; "
            + "give it the field override: true if this is meant")
      }
      if entry.fields.isEmpty { return }
    }
    for name in [entry.condition, entry.fields["name"]].compactMap({ $0 }) where !entry.isOverride {
      guard let other = named(name).first, other != entry.code else { continue }
      throw CodeFile.Fault(
        line: entry.line,
        message: "\(name) is the name of \(other) already; choose another, or override: true")
    }
    additions.append(addition(entry))
  }

  private func addition(_ entry: CodeFile.Entry) -> Addition {
    let known = entry.code.definition
    let condition = entry.condition ?? known?.condition
    let macro = condition.map { "ERRCODE_" + $0.uppercased() }
    let definition = SQLStateDefinition(
      code: entry.code, severity: entry.severity, condition: condition,
      macros: entry.macros.isEmpty ? known?.macros ?? macro.map { [$0] } ?? [] : entry.macros,
      name: entry.fields["name"] ?? known?.name ?? ErrorCatalogue.name(entry),
      parents: known?.parents ?? parents(entry))
    let builtIn = known?.advice
    var advice = builtIn
    if entry.fields["cause"] != nil || entry.fields["action"] != nil {
      advice = SQLStateAdvice(
        cause: entry.fields["cause"] ?? builtIn?.cause ?? "",
        action: entry.fields["action"] ?? builtIn?.action ?? "",
        actor: entry.fields["actor"].flatMap(SQLStateAdvice.Actor.init) ?? .application,
        query: entry.fields["query"] ?? builtIn?.query)
    }
    let rule = entry.fields["retry"].flatMap(RetryRule.Answer.init(word:))
    let sets = entry.fields["sets"]?.split { $0 == "," || $0 == " " }.map(String.init) ?? []
    return Addition(
      definition: definition, advice: advice,
      retry: rule.map {
        RetryRule($0, reason: entry.fields["reason"] ?? "The file of codes says so.")
      },
      sets: sets)
  }

  /// `page_not_found` is named as its siblings are: `PageNotFoundError`.
  private static func name(_ entry: CodeFile.Entry) -> String {
    let words = (entry.condition ?? "code_\(entry.code)").split(separator: "_")
    let stem = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    let ending = entry.severity == .warning ? "Warning" : "Error"
    return stem.hasSuffix(ending) ? stem : stem + ending
  }

  private func parents(_ entry: CodeFile.Entry) -> [String] {
    let classCode = entry.code.classCode
    if classCode != entry.code, let parent = definition(of: classCode) { return [parent.name] }
    return entry.severity == .success ? [] : [entry.severity == .warning ? "Warning" : "Error"]
  }

  // MARK: Asking

  /// Every definition, in the order of the codes.
  public var definitions: [SQLStateDefinition] {
    guard !additions.isEmpty else { return SQLState.definitions }
    let builtIn = SQLState.definitions.filter { addition(of: $0.code) == nil }
    return (builtIn + additions.map(\.definition)).sorted { $0.code < $1.code }
  }

  /// What is known of this very code; `nil` if it is in no table.
  public func definition(of code: SQLState) -> SQLStateDefinition? {
    addition(of: code)?.definition ?? code.definition
  }

  /// The codes that a name may mean, as ``SQLState/named(_:)`` finds them, and those of the files.
  public func named(_ name: some StringProtocol) -> [SQLState] {
    let key = SQLState.key(name)
    let added = additions.map(\.definition).filter { $0.answers(to: key) }.map(\.code)
    return added + SQLState.named(name).filter { !added.contains($0) }
  }

  /// The codes of the only name that begins with `prefix`.
  public func named(beginningWith prefix: some StringProtocol) -> [SQLState] {
    let key = SQLState.key(prefix)
    let added = additions.map(\.definition).filter { definition in
      definition.keys.contains { $0.hasPrefix(key) }
    }
    guard let first = added.first else { return SQLState.named(beginningWith: prefix) }
    let isAlone = added.count == 1 && SQLState.isNoBeginning(key)
    return isAlone ? [first.code] : []
  }

  /// The title of a class; `nil` if it is unknown.
  public func title(ofClass characters: some StringProtocol) -> String? {
    SQLStateClass(characters)?.title
      ?? additionalClasses.first { $0.characters == characters }?.title
  }

  /// What the code means in plain words.
  public func advice(of code: SQLState) -> SQLStateAdvice? {
    addition(of: code)?.advice ?? code.definition?.advice
  }

  /// Whether the same may be done again after this code.
  public func retry(of code: SQLState) -> RetryRule { addition(of: code)?.retry ?? code.retry }

  /// The names of the sets that the code belongs to, in their order.
  public func sets(of code: SQLState) -> [String] {
    let retry = retry(of: code).answer
    let builtIn = SQLStateSet.all.filter { $0.contains(code, retry: retry) }.map(\.name)
    guard let addition = addition(of: code) else { return builtIn }
    return Set(builtIn + addition.sets).sorted()
  }

  /// The names of all sets, in their order.
  public var setNames: [String] {
    Set(SQLStateSet.all.map(\.name) + additions.flatMap(\.sets)).sorted()
  }

  /// Whether the code belongs to the set of this name; `integrity` is `constraint`.
  public func contains(_ code: SQLState, set name: String) -> Bool {
    if let addition = addition(of: code), addition.sets.contains(name) { return true }
    return SQLStateSet(name)?.contains(code, retry: retry(of: code).answer) ?? false
  }

  private func addition(of code: SQLState) -> Addition? {
    additions.isEmpty ? nil : additions.first { $0.definition.code == code }
  }
}

extension SQLState {
  fileprivate func isCode(ofClass characters: String) -> Bool {
    isClassCode && classCharacters == characters
  }
}

extension CodeFile.Entry {
  fileprivate func agrees(with known: SQLStateDefinition) -> Bool {
    severity == known.severity && (condition == nil || condition == known.condition)
  }
}

extension SQLStateDefinition {
  /// The names as the table of keys has them.
  fileprivate var keys: [String] {
    ([condition, name].compactMap { $0 } + macros).map { SQLState.key($0) }
  }

  fileprivate func answers(to key: String) -> Bool { keys.contains(key) }
}
