internal import PGCommandLine
internal import PGErrorCodes

/// An answer for people: `NAME [CODE]`, then what is known, a line each.
struct TextReport {
  let sources: Sources

  func lines(_ question: Question, _ answer: Answer) -> String {
    if let group = answer.group {
      return heading(group.name) + field("asked", question.text)
        + field("parents", list(group.ancestors)) + list(of: answer.definitions)
    }
    if answer.definitions.isEmpty { return heading("Error") + field("asked", question.text) }
    return answer.definitions.reduce("") { text, definition in
      text + block(question, definition)
        + (answer.isWholeClass(question) ? members(of: definition) : "")
    }
  }

  private func block(_ question: Question, _ definition: SQLStateDefinition) -> String {
    let catalogue = sources.catalogue
    let code = definition.code
    let characters = code.classCharacters
    let retry = catalogue.retry(of: code)
    let advice = catalogue.advice(of: code)
    return heading("\(definition.name) [\(code)]")
      + field("asked", question.text)
      + field("condition", definition.condition)
      + field("macro", list(definition.macros))
      + field("parents", list(catalogue.ancestors(of: definition)))
      + field("class", catalogue.title(ofClass: characters).map { "\(characters) \($0)" })
      + field("severity", definition.severity.rawValue)
      + field("retry", "\(retry.answer.rawValue): \(retry.reason)")
      + field("sets", list(catalogue.sets(of: code)))
      + field("cause", advice?.cause)
      + field("action", advice?.action)
      + field("query", advice?.query)
      + field("who", advice?.actor.rawValue)
      + field("since", definition.since.map { "PostgreSQL \($0)" })
      + field("until", definition.until.map { "PostgreSQL \($0)" })
  }

  private func members(of definition: SQLStateDefinition) -> String {
    let characters = definition.code.classCharacters
    return list(of: sources.definitions.filter { $0.code.classCharacters == characters })
  }

  private func list(of members: [SQLStateDefinition]) -> String {
    members.reduce("") { text, member in
      let condition = member.condition.map { " " + $0 } ?? ""
      return text + field("member", "\(member.code)\(condition) \(member.name)")
    }
  }

  private func heading(_ text: String) -> String {
    Terminal.hasColour ? "\u{1B}[1m\(text)\u{1B}[0m\n" : text + "\n"
  }

  private func field(_ label: String, _ value: String?) -> String {
    guard let value, !value.isEmpty else { return "" }
    return "  \(label): \(Diagnostic.escapingControls(value))\n"
  }

  private func list(_ words: [String]) -> String? {
    words.isEmpty ? nil : words.dropFirst().reduce(words[0]) { $0 + ", " + $1 }
  }
}

extension Answer {
  /// Whether the question was for a class, not for a code that is answered by its class.
  func isWholeClass(_ question: Question) -> Bool {
    match == .codeClass && question.classCharacters != nil
  }
}
