internal import PGCommandLine
internal import PGErrorCodes

/// An answer for programs: one object a line, always with the same keys.
struct JSONReport {
  let sources: Sources

  func lines(_ question: Question, _ answer: Answer) -> String {
    guard !answer.definitions.isEmpty, answer.group == nil else {
      return line(asked: question.text, match: answer.match, nil, answer) + "\n"
    }
    return answer.definitions.reduce("") {
      $0 + line(asked: question.text, match: answer.match, $1) + "\n"
    }
  }

  func line(
    asked: String, match: Answer.Match, _ definition: SQLStateDefinition?, _ answer: Answer? = nil
  ) -> String {
    let members =
      [("asked", text(asked)), ("match", text(match.rawValue))]
      + names(definition, answer?.group) + meaning(definition)
      + [
        (
          "members",
          list(answer?.group.map { _ in answer?.definitions.map(\.code.description) ?? [] })
        )
      ]
    return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
  }

  private func names(
    _ definition: SQLStateDefinition?, _ group: ErrorGroup?
  ) -> [(String, String)] {
    let characters = definition?.code.classCharacters
    let ancestors = definition.map(sources.catalogue.ancestors(of:)) ?? group?.ancestors
    return [
      ("code", text(definition?.code.description)),
      ("name", text(definition?.name ?? group?.name)),
      ("condition", text(definition?.condition)),
      ("macro", text(definition?.macros.first)),
      ("aliases", list(definition.map { Array($0.macros.dropFirst()) })),
      ("parents", list(ancestors)),
      ("class", text(characters)),
      ("class_name", text(characters.flatMap(sources.catalogue.title(ofClass:)))),
      ("severity", text(definition?.severity.rawValue)),
    ]
  }

  private func meaning(_ definition: SQLStateDefinition?) -> [(String, String)] {
    let catalogue = sources.catalogue
    let retry = definition.map { catalogue.retry(of: $0.code) }
    let advice = definition.flatMap { catalogue.advice(of: $0.code) }
    return [
      ("retry", text(retry?.answer.rawValue)),
      ("retry_reason", text(retry?.reason)),
      ("sets", list(definition.map { catalogue.sets(of: $0.code) })),
      ("since", number(definition?.since)),
      ("until", number(definition?.until)),
      ("summary", text(definition?.summary)),
      ("cause", text(advice?.cause)),
      ("action", text(advice?.action)),
      ("actor", text(advice?.actor.rawValue)),
      ("query", text(advice?.query)),
      ("docs_url", text(definition.flatMap(manual))),
    ]
  }

  /// The manual's page; the driver's and a project's codes have none.
  private func manual(_ definition: SQLStateDefinition) -> String? {
    guard definition.code.definition?.condition != nil else { return nil }
    let version = sources.server.map(String.init) ?? definition.until.map(String.init) ?? "current"
    return "https://www.postgresql.org/docs/\(version)/errcodes-appendix.html"
  }

  private func number(_ value: Int?) -> String { value.map(String.init) ?? "null" }

  private func list(_ values: [String]?) -> String {
    values.map { "[" + $0.map { text($0) }.joined(separator: ",") + "]" } ?? "null"
  }

  private func text(_ value: String?) -> String {
    value.map(JSONText.quoted) ?? "null"
  }
}
