internal import PGErrorCodes

/// What is known of a question.
///
/// The order when a question could mean several things: a class if it has two characters; then the
/// code itself, a name, a group's name, a pattern, the code's class, and the beginning of a name.
struct Answer {
  /// How the answer was found.
  enum Match: String {
    case code, name, group, pattern, none
    case codeClass = "class"
    case successor, beginning
  }

  let match: Match
  /// What the question may mean; of a group, its members.
  let definitions: [SQLStateDefinition]
  /// The group that was asked for.
  private(set) var group: ErrorGroup?

  /// - Parameter exact: Neither classes of unknown codes, nor successors, nor beginnings of names,
  ///   nor what the server does not have.
  init(to question: Question, exact: Bool, in sources: Sources) {
    var answer: Answer?
    let catalogue = sources.catalogue
    if let characters = question.classCharacters {
      answer = Answer(.codeClass, SQLState(characters + "000"), catalogue)
    } else if let wildcard = question.wildcard {
      answer = Answer(
        .pattern, sources.definitions.filter { $0.isMatched(by: wildcard) }.map(\.code), catalogue)
    } else {
      answer =
        Answer(.code, question.code, catalogue)
        ?? Answer(.name, catalogue.named(question.text), catalogue)
        ?? Answer(group: question, sources)
      if !exact { answer = answer ?? Answer(near: question, catalogue) }
    }
    if exact, let found = answer?.definitions, !found.contains(where: sources.hasServer) {
      answer = nil
    }
    self = answer ?? Answer(match: .none, definitions: [])
  }

  private init(match: Match, definitions: [SQLStateDefinition]) {
    self.match = match
    self.definitions = definitions
  }

  /// Makes an answer of a name that no code has; `nil` if it is not a group's.
  private init?(group question: Question, _ sources: Sources) {
    guard let group = ErrorGroup(question.text) else { return nil }
    self.init(
      match: .group, definitions: sources.catalogue.members(of: group).filter(sources.hasServer))
    self.group = group
  }

  /// Makes an answer of the codes that are defined; `nil` if none is.
  private init?(_ match: Match, _ codes: [SQLState], _ catalogue: ErrorCatalogue) {
    let definitions = codes.compactMap(catalogue.definition(of:))
    guard !definitions.isEmpty else { return nil }
    self.init(match: match, definitions: definitions)
  }

  /// Makes an answer of a code; `nil` if there is none, or it is not defined.
  private init?(_ match: Match, _ code: SQLState?, _ catalogue: ErrorCatalogue) {
    guard let definition = code.flatMap(catalogue.definition(of:)) else { return nil }
    self.init(match: match, definitions: [definition])
  }

  private init?(near question: Question, _ catalogue: ErrorCatalogue) {
    let found =
      Answer(.successor, question.code?.successor, catalogue)
      ?? Answer(.codeClass, question.code?.classCode, catalogue)
      ?? Answer(.beginning, catalogue.named(beginningWith: question.text), catalogue)
    guard let found else { return nil }
    self = found
  }

  /// The notes for stderr, if the answer is not quite to the question.
  func remarks(on question: Question, _ sources: Sources) -> [String] {
    let asked = question.code?.description ?? question.classCharacters ?? question.text
    var remarks: [String] = []
    var explained = definitions
    switch match {
    case .code, .name, .group, .pattern: break
    case .codeClass:
      if question.classCharacters == nil {
        let near = meant(question, sources.catalogue)
        remarks.append("\(asked) is not a defined code; this is its class" + near)
      }
    case .successor:
      remarks.append("\(asked) is not sent any more; this is the code in its place")
    case .beginning:
      remarks.append("\(asked) is the beginning of a name; this is the only one")
    case .none:
      if let unsent = question.code.flatMap(sources.catalogue.definition(of:)) {
        // Defined, but not an answer: the server in mind does not send it.
        explained = [unsent]
      } else {
        let near = meant(question, sources.catalogue)
        remarks.append("\(asked) is not a defined code, class or name" + near)
      }
    }
    guard match != .pattern, match != .group else { return remarks }
    return remarks + explained.compactMap(sources.remark(on:))
  }

  private func meant(_ question: Question, _ catalogue: ErrorCatalogue) -> String {
    guard question.wildcard == nil, question.classCharacters == nil else { return "" }
    var near =
      question.code.map { NearMiss.codes(for: $0, in: catalogue).map(\.description) }
      ?? NearMiss.names(for: question.text, in: catalogue)
    if let verb = NearMiss.word(for: question.text, among: ErrorCodeCommand.verbs) {
      near.append("the command \(ErrorCodeCommand.program) \(verb)")
    }
    return near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?"
  }
}

extension SQLStateDefinition {
  fileprivate func isMatched(by wildcard: Wildcard) -> Bool {
    wildcard.matches(code.description) || condition.map(wildcard.matches) == true
      || wildcard.matches(name)
  }
}
