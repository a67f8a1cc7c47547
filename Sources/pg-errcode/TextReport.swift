internal import PGErrorCodes

/// An answer for people: `NAME [CODE]`, then what is known, a line each.
enum TextReport {
  static func lines(_ question: Question, _ answer: Answer) -> String {
    if answer.definitions.isEmpty { return "Error\n" + field("asked", question.text) }
    return answer.definitions.map { definition in
      block(question, definition) + (answer.isWholeClass(question) ? members(of: definition) : "")
    }.joined()
  }

  private static func block(_ question: Question, _ definition: SQLStateDefinition) -> String {
    let title = SQLStateClass(of: definition.code).map { "\($0.characters) \($0.title)" }
    return "\(definition.name) [\(definition.code)]\n"
      + field("asked", question.text)
      + field("condition", definition.condition)
      + field("macro", list(definition.macros))
      + field("parents", list(definition.ancestors))
      + field("class", title)
      + field("severity", definition.severity.rawValue)
      + field("since", definition.since.map { "PostgreSQL \($0)" })
      + field("until", definition.until.map { "PostgreSQL \($0)" })
  }

  private static func members(of definition: SQLStateDefinition) -> String {
    guard let whole = SQLStateClass(of: definition.code) else { return "" }
    return whole.members.map { member in
      let condition = member.condition.map { " " + $0 } ?? ""
      return field("member", "\(member.code)\(condition) \(member.name)")
    }.joined()
  }

  private static func field(_ label: String, _ value: String?) -> String {
    value.map { "  \(label): \($0)\n" } ?? ""
  }

  private static func list(_ words: [String]) -> String? {
    words.isEmpty ? nil : words.joined(separator: ", ")
  }
}

extension Answer {
  /// Whether the question was for a class, not for a code that is answered by its class.
  func isWholeClass(_ question: Question) -> Bool {
    match == .codeClass && question.classCharacters != nil
  }
}
