// The adding of a project's own codes to a catalogue.

extension ErrorCatalogue {
  /// Adds the codes of a file.
  ///
  /// A code that says the same as the built-in table is passed over.
  ///
  /// - Throws: ``CodeFile/Fault`` for a code that is there twice, for a code or a class that
  ///   contradicts what is known without `override: true`, and for a name that another code has.
  package mutating func add(_ file: CodeFile) throws(CodeFile.Fault) {
    let own = Set(file.entries.map(\.code))
    for section in file.sections { try add(section, isDefined: own) }
    for entry in file.entries { try add(entry) }
  }

  /// A class of a file has a code of its own, as the built-in ones do, so that its unknown codes are
  /// answered by it.
  private mutating func add(
    _ section: CodeFile.Section, isDefined: Set<SQLState>
  ) throws(CodeFile.Fault) {
    if let known = title(ofClass: section.characters) {
      guard section.title == known || section.bareTitle == known else {
        throw CodeFile.Fault(
          line: section.line,
          message: "class \(section.characters) is \"\(known)\" already; give it this title, or "
            + "leave the section out")
      }
      return
    }
    put(class: section.characters, title: section.title)
    guard let code = SQLState(section.characters + "000"), definition(of: code) == nil,
      !isDefined.contains(code)
    else { return }
    let words = section.title.split { !$0.isLetter && !$0.isNumber }
    let name = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() + "Error"
    let definition = SQLStateDefinition(
      code: code, severity: .error, condition: nil, macros: [], name: name, parents: ["Error"])
    try check(definition, line: section.line, remedy: "define \(code) with a name of its own")
    put(Addition(definition: definition, isOfSection: true))
    adopt(by: definition)
  }

  private mutating func add(_ entry: CodeFile.Entry) throws(CodeFile.Fault) {
    if let earlier = addition(of: entry.code), !earlier.isOfSection {
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
    let addition = addition(entry)
    if !entry.isOverride {
      try check(
        addition.definition, line: entry.line, remedy: "choose another, or override: true")
    }
    put(addition)
    if entry.code.isClassCode { adopt(by: addition.definition) }
  }

  /// Every name of the definition, given or made, must be its own.
  private func check(
    _ definition: SQLStateDefinition, line: Int, remedy: String
  ) throws(CodeFile.Fault) {
    for name in [definition.condition, definition.name].compactMap({ $0 }) + definition.macros {
      let codes = named(name)
      var other = codes.contains(definition.code) ? nil : codes.first.map { "\($0)" }
      if codes.isEmpty { other = ErrorGroup(name)?.name }
      guard let other else { continue }
      throw CodeFile.Fault(
        line: line, message: "\(name) is the name of \(other) already; \(remedy)")
    }
  }

  /// Makes the class's definition the parent of the members that came before it.
  private mutating func adopt(by parent: SQLStateDefinition) {
    let members = additions.filter {
      parent.code ~= $0.definition.code && $0.definition.code != parent.code
        && $0.definition.code.definition == nil
    }
    for var member in members {
      member.definition = member.definition.with(parents: [parent.name])
      put(member)
    }
  }

  // MARK: One code

  private func addition(_ entry: CodeFile.Entry) -> Addition {
    let known = entry.code.definition
    let condition = entry.condition ?? known?.condition
    let macro = condition.map { "ERRCODE_" + $0.uppercased() }
    let definition = SQLStateDefinition(
      code: entry.code, severity: entry.severity, condition: condition,
      macros: entry.macros.isEmpty ? known?.macros ?? macro.map { [$0] } ?? [] : entry.macros,
      name: entry.fields["name"] ?? known?.name ?? entry.exceptionName,
      parents: known?.parents ?? parents(entry), since: known?.since, until: known?.until)
    let rule = entry.fields["retry"].flatMap(RetryRule.Answer.init(word:))
    return Addition(
      definition: definition, advice: entry.advice(besides: known?.advice),
      retry: rule.map {
        RetryRule($0, reason: entry.fields["reason"] ?? "The file of codes says so.")
      },
      sets: entry.sets)
  }

  private func parents(_ entry: CodeFile.Entry) -> [String] {
    let classCode = entry.code.classCode
    if classCode != entry.code, let parent = definition(of: classCode) { return [parent.name] }
    return entry.severity == .success ? [] : [entry.severity == .warning ? "Warning" : "Error"]
  }
}

extension CodeFile.Entry {
  fileprivate func agrees(with known: SQLStateDefinition) -> Bool {
    severity == known.severity && (condition == nil || condition == known.condition)
  }

  /// `page_not_found` is named as its siblings are: `PageNotFoundError`.
  fileprivate var exceptionName: String {
    let words = (condition ?? "code_\(code)").split(separator: "_")
    let stem = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    let ending = severity == .warning ? "Warning" : "Error"
    return stem.hasSuffix(ending) ? stem : stem + ending
  }

  fileprivate func advice(besides builtIn: SQLStateAdvice?) -> SQLStateAdvice? {
    guard fields["cause"] != nil || fields["action"] != nil else { return builtIn }
    return SQLStateAdvice(
      cause: fields["cause"] ?? builtIn?.cause ?? "",
      action: fields["action"] ?? builtIn?.action ?? "",
      actor: fields["actor"].flatMap(SQLStateAdvice.Actor.init) ?? .application,
      query: fields["query"] ?? builtIn?.query)
  }

  fileprivate var sets: [String] {
    let names = fields["sets"]?.split { $0 == "," || $0 == " " } ?? []
    return names.map { SQLStateSet.properName($0) }
  }
}
