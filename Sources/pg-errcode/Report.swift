internal import PGCommandLine
internal import PGErrorCodes

/// The form in which answers are printed.
enum Report {
  case text, json, oneLine

  /// The answer to one question, with a newline at its end.
  func lines(_ question: Question, _ answer: Answer, _ sources: Sources) -> String {
    switch self {
    case .text: TextReport(sources: sources).lines(question, answer)
    case .json: JSONReport(sources: sources).lines(question, answer)
    case .oneLine:
      answer.definitions.reduce("") { $0 + Self.oneLine($1, sources) + "\n" }
    }
  }

  /// `40001<TAB>serialization_failure<TAB>40<TAB>retryable-now`.
  static func oneLine(_ definition: SQLStateDefinition, _ sources: Sources) -> String {
    let rule = sources.catalogue.retry(of: definition.code).answer.rawValue
    return "\(definition.code)\t\(definition.condition ?? definition.name)"
      + "\t\(definition.code.classCharacters)\t\(rule)"
  }
}
