internal import PGCommandLine
internal import PGConnecting

/// Reads the command lines that scripts use most without the parser, which takes longer to begin than the
/// server takes to answer: operands, and the few options below, each with its value in the next word.
///
/// Any other makes the command line the parser's, mistakes among them, so that there is one place where
/// they are told.
struct PlainCommandLine {
  private var words: PlainWords
  private var statements = StatementFlags.none
  private var values = ValueFlags.none
  private var output = OutputFlags.none
  private var messages = MessageFlags.none
  private var operands: [String] = []

  init(_ words: some Sequence<String>) { self.words = PlainWords(words) }

  /// The command, as the parser would have read it; `nil` if the parser must.
  mutating func read() -> OpenCommand? {
    // Without any word it answers with help.
    guard !words.rest.isEmpty else { return nil }
    while let word = words.next() {
      guard word.hasPrefix("-") else {
        operands.append(word)
        continue
      }
      guard take(word) else { return nil }
    }
    assert(Self.forgotten.isEmpty, "\(Self.forgotten) would not have a value")
    var command = OpenCommand()
    command.statements = statements
    command.values = values
    command.output = output
    command.expectations = .none
    command.limits = .none
    command.messages = messages
    command.connection = .none
    command.operands = operands
    return command
  }

  private static var forgotten: [String] {
    StatementFlags.forgotten + ValueFlags.forgotten + OutputFlags.forgotten
      + ExpectationFlags.forgotten + LimitFlags.forgotten + MessageFlags.forgotten
      + ConnectionFlags.forgotten
  }

  private mutating func take(_ option: String) -> Bool {
    switch option {
    case "-1": statements.transaction = true
    case "-q": messages.quiet = true
    case "--header": return takeHeader(true)
    case "--no-header": return takeHeader(false)
    case "-c": return takeValue { $0.statements.command.append($1) }
    case "-f": return takeValue { $0.statements.file.append($1) }
    case "-p": return takeValue { $0.values.parameters.append($1) }
    case "-o" where output.output == nil: return takeValue { $0.output.output = $1 }
    case "--format" where output.formatWord == nil:
      return takeValue { $0.output.formatWord = $1 } && output.format != nil
    default: return false
    }
    return true
  }

  private mutating func takeHeader(_ isWanted: Bool) -> Bool {
    guard output.header == nil else { return false }
    output.header = isWanted
    return true
  }

  private mutating func takeValue(_ store: (inout PlainCommandLine, String) -> Void) -> Bool {
    guard let value = words.value() else { return false }
    store(&self, value)
    return true
  }
}
