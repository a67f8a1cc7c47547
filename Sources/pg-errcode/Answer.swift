internal import PGErrorCodes

/// What is known of a question.
///
/// The order when a question could mean several things: a class if it has two characters; then the
/// code itself, a name, the code's class, and the beginning of a name.
struct Answer {
  /// How the answer was found.
  enum Match: String {
    case code, name, none
    case codeClass = "class"
    case successor, beginning
  }

  let match: Match
  let definitions: [SQLStateDefinition]

  init(to question: Question, exact: Bool) {
    var answer: Answer?
    if let characters = question.classCharacters {
      answer = Answer(.codeClass, [SQLState(characters + "000")])
    } else {
      answer = Answer(.code, [question.code]) ?? Answer(.name, SQLState.named(question.text))
      if !exact { answer = answer ?? Answer(near: question) }
    }
    self = answer ?? Answer(match: .none, definitions: [])
  }

  private init(match: Match, definitions: [SQLStateDefinition]) {
    self.match = match
    self.definitions = definitions
  }

  /// Makes an answer of the codes that are defined; `nil` if none is.
  private init?(_ match: Match, _ codes: [SQLState?]) {
    let definitions = codes.compactMap { $0?.definition }
    guard !definitions.isEmpty else { return nil }
    self.init(match: match, definitions: definitions)
  }

  private init?(near question: Question) {
    let found =
      Answer(.successor, [question.code?.successor])
      ?? Answer(.codeClass, [question.code?.classCode])
      ?? Answer(.beginning, SQLState.named(beginningWith: question.text))
    guard let found else { return nil }
    self = found
  }

  /// The note for stderr, if the answer is not quite to the question.
  func remark(on question: Question) -> String? {
    let asked = question.code?.description ?? question.classCharacters ?? question.text
    switch match {
    case .code, .name: return nil
    case .codeClass:
      return question.classCharacters == nil
        ? "\(asked) is not a defined code; this is its class" : nil
    case .successor: return "\(asked) is not sent any more; this is the code in its place"
    case .beginning: return "\(asked) is the beginning of a name; this is the only one"
    case .none: return "\(asked) is not a defined code, class or name"
    }
  }
}
