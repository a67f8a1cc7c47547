internal import PGCommandLine
internal import PGErrorCodes

/// An answer for programs: one object a line, always with the same keys.
enum JSONReport {
  static func lines(_ question: Question, _ answer: Answer) -> String {
    guard !answer.definitions.isEmpty else {
      return line(asked: question.text, match: answer.match, nil) + "\n"
    }
    return answer.definitions.map {
      line(asked: question.text, match: answer.match, $0) + "\n"
    }.joined()
  }

  static func line(
    asked: String, match: Answer.Match, _ definition: SQLStateDefinition?
  ) -> String {
    let whole = definition.flatMap { SQLStateClass(of: $0.code) }
    let members = [
      ("asked", text(asked)),
      ("match", text(match.rawValue)),
      ("code", text(definition?.code.description)),
      ("name", text(definition?.name)),
      ("condition", text(definition?.condition)),
      ("macro", text(definition?.macros.first)),
      ("aliases", list(definition.map { Array($0.macros.dropFirst()) })),
      ("parents", list(definition?.ancestors)),
      ("class", text(whole?.characters)),
      ("class_name", text(whole?.title)),
      ("severity", text(definition?.severity.rawValue)),
      ("since", number(definition?.since)),
      ("until", number(definition?.until)),
    ]
    return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
  }

  private static func number(_ value: Int?) -> String { value.map(String.init) ?? "null" }

  private static func list(_ values: [String]?) -> String {
    values.map { "[" + $0.map { text($0) }.joined(separator: ",") + "]" } ?? "null"
  }

  private static func text(_ value: String?) -> String {
    value.map(JSONText.quoted) ?? "null"
  }
}
