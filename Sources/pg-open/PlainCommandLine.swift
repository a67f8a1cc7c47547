internal import PGCommandLine
internal import PGConnecting

/// Reads the command lines that scripts use most without the parser, which takes longer to begin than the
/// server takes to answer: operands, and the few options below, each with its value in the next word.
///
/// Any other makes the command line the parser's, mistakes among them, so that there is one place where
/// they are told.
struct PlainCommandLine {
  private var words: PlainWords
  private var request = OpenRequest(
    statements: .none, values: .none, output: .none, expectations: .none, limits: .none,
    messages: .none, connection: .none, operands: [])

  init(_ words: some Sequence<String>) { self.words = PlainWords(words) }

  /// What is asked for, as the parser would have read it; `nil` if the parser must.
  mutating func read() -> OpenRequest? {
    // Without any word it answers with help.
    guard !words.rest.isEmpty else { return nil }
    while let word = words.next() {
      guard word.hasPrefix("-") else {
        request.operands.append(word)
        continue
      }
      guard take(word) else { return nil }
    }
    assert(Self.forgotten.isEmpty, "\(Self.forgotten) would not have a value")
    return request
  }

  private static var forgotten: [String] {
    StatementFlags.forgotten + ValueFlags.forgotten + OutputFlags.forgotten
      + ExpectationFlags.forgotten + LimitFlags.forgotten + MessageFlags.forgotten
      + ConnectionFlags.forgotten
  }

  private mutating func take(_ option: String) -> Bool {
    switch option {
    case "-1": request.statements.transaction = true
    case "-q": request.messages.quiet = true
    case "--header": return takeHeader(true)
    case "--no-header": return takeHeader(false)
    case "-c": return takeValue { $0.request.statements.command.append($1) }
    case "-f": return takeValue { $0.request.statements.file.append($1) }
    case "-p": return takeValue { $0.request.values.parameters.append($1) }
    case "-o" where request.output.output == nil: return takeValue { $0.request.output.output = $1 }
    case "--format" where request.output.formatWord == nil:
      return takeValue { $0.request.output.formatWord = $1 } && request.output.format != nil
    default: return false
    }
    return true
  }

  private mutating func takeHeader(_ isWanted: Bool) -> Bool {
    guard request.output.header == nil else { return false }
    request.output.header = isWanted
    return true
  }

  private mutating func takeValue(_ store: (inout PlainCommandLine, String) -> Void) -> Bool {
    guard let value = words.value() else { return false }
    store(&self, value)
    return true
  }
}
