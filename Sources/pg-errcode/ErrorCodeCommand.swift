internal import ArgumentParser
internal import PGCommandLine
internal import PGErrorCodes

/// `pg-errcode CODE…`: what a SQLSTATE is.
@main
struct ErrorCodeCommand: ParsableCommand {
  static let program = "pg-errcode"

  static let examples = [
    "pg-errcode 23505                      what 23505 is, and what to do about it",
    "pg-errcode --is retryable \"$code\"     ends with 0 if the work may be done again, or else 6",
    "pg-errcode filter < postgresql.log    the log, with names beside its codes",
  ]

  static let configuration = Program.configuration(
    name: program,
    abstract: "Explain the error codes of PostgreSQL (SQLSTATE) and of PGKit.",
    discussion: """
      The first line of an answer is NAME [CODE]. A code that is not defined is answered by its \
      class, with a note on stderr. Letters may be large or small; * and ? stand for any text and \
      any character. After --, an operand may begin with a dash, as the driver's own codes do: \
      pg-errcode -- --AUT.
      """,
    examples: examples, subcommands: [FilterCommand.self, LintCommand.self])

  @Argument(
    help: ArgumentHelp(
      """
      A code (23505), a class (23), a name (unique_violation, ERRCODE_UNIQUE_VIOLATION, \
      UniqueError), or a pattern ('42P*'); - reads one a line from stdin.
      """,
      valueName: "code"),
    completion: .custom { words, index, beginning in
      CodeCompletion.words(words, index, beginning)
    })
  var operands: [String] = []

  @Flag(
    help: """
      Answer only what is defined: no class for an unknown code, no beginning of a name.
      """)
  var exact = false

  @Flag(
    help: """
      Print every code: code, condition, name, class, severity, since, until, retry, with tabs.
      """)
  var list = false

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Print the codes whose names, causes or actions have this text, as --list does.",
      valueName: "text"))
  var search: String?

  @Flag(help: "Print one JSON object a line; what is not known is null.")
  var json = false

  @Flag(help: "Print code, condition, class and retry rule, with tabs.")
  var oneline = false

  @Option(
    name: .customLong("is"),
    help: ArgumentHelp(
      "Print nothing; end with 0 if every code belongs to the set, or else 6. Sets: "
        + SQLStateSet.all.map { $0.name }.joined(separator: ", ")
        + "; integrity is constraint.",
      valueName: "set"),
    completion: .list(SQLStateSet.all.map { $0.name }))
  var set: String?

  @Option(help: ArgumentHelp("The major version of the server in mind.", valueName: "version"))
  var server: ServerMajor?

  @OptionGroup var own: OwnCodes

  @Option(
    help: ArgumentHelp(
      "Print the table for programs: swift, json, csv or sh.", valueName: "language"))
  var emit: Emission?

  static func main() {
    if isVerb { Program.main(VerbCommand.self, examples: examples) }
    if let verb = mistypedVerb { Program.run(program: program) { throw verb } }
    if let operands = plainOperands { answerPlainly(operands) }
    Program.main(self, examples: examples)
  }

  func validate() throws {
    try server?.validate()
    let tasks = [list, search != nil, emit != nil].filter { $0 }.count
    if tasks > 1 { throw ValidationError("--list, --search and --emit exclude each other") }
    if tasks == 1, !operands.isEmpty {
      throw ValidationError("--list, --search and --emit take no codes")
    }
    if tasks == 0, operands.isEmpty { throw ValidationError("no code is given") }
    if json, oneline { throw ValidationError("--json and --oneline exclude each other") }
    if emit != nil, json || oneline || set != nil {
      throw ValidationError("--emit takes neither --json, --oneline nor --is")
    }
  }

  func run() throws {
    let sources = try Sources(files: own.codes, server: server)
    if let set { try SetName.check(set, sources) }
    if let emit { return try StandardOutput.shared.write(emit.text(sources)) }
    if list || search != nil { return try printList(sources) }
    let report: Report = json ? .json : oneline ? .oneLine : .text
    try Inquiry(sources: sources, exact: exact, report: report, set: set).answer(operands)
  }

  private func printList(_ sources: Sources) throws {
    var definitions = sources.definitions
    if let search { definitions = definitions.filter { $0.mentions(search, in: sources) } }
    if let set {
      definitions = definitions.filter { sources.catalogue.contains($0.code, set: set) }
    }
    if json {
      let report = JSONReport(sources: sources)
      for definition in definitions {
        let code = definition.code.description
        try StandardOutput.shared.write(report.line(asked: code, match: .code, definition) + "\n")
      }
    } else if oneline {
      for definition in definitions {
        try StandardOutput.shared.write(Report.oneLine(definition, sources) + "\n")
      }
    } else {
      try StandardOutput.shared.write(ListReport.lines(definitions, sources))
    }
    if definitions.isEmpty { throw Failure(.negative) }
  }

  /// What the first word may be instead of a code.
  static let verbs = ["filter", "lint"]

  // MARK: Before the command line is read

  /// Whether the first word is a verb: the parser would take it for a code, as it does any word.
  private static var isVerb: Bool {
    let words = CommandLine.arguments.dropFirst()
    let first = words.first == "help" ? words.dropFirst().first : words.first
    return first.map(verbs.contains) ?? false
  }

  /// What is wrong if the first word is almost a verb, and options follow: the parser would complain
  /// about those.
  private static var mistypedVerb: Failure? {
    let words = CommandLine.arguments.dropFirst()
    guard let first = words.first, !first.hasPrefix("-"),
      words.contains(where: { $0.hasPrefix("-") && $0 != "-" }),
      let verb = NearMiss.word(for: first, among: verbs)
    else { return nil }
    let message = "\(Question.quoted(first)) is no command; did you mean \(program) \(verb)?"
    return Failure(.usage, Diagnostic(program: program, message: message))
  }

  /// The operands of a command line that has nothing but operands.
  ///
  /// Reading it by the parser's rules takes longer than everything else that the program does.
  private static var plainOperands: [String]? {
    let words = CommandLine.arguments.dropFirst()
    guard !words.isEmpty, words.first != "help",
      words.allSatisfy({ $0 == "-" || !$0.hasPrefix("-") && !$0.utf8.isEmpty })
    else { return nil }
    return Array(words)
  }

  private static func answerPlainly(_ operands: [String]) -> Never {
    Program.run(program: program) { try Inquiry().answer(operands) }
  }
}

/// `pg-errcode filter` and `pg-errcode lint`.
struct VerbCommand: ParsableCommand {
  static let configuration = Program.configuration(
    name: ErrorCodeCommand.program, abstract: ErrorCodeCommand.configuration.abstract,
    subcommands: [FilterCommand.self, LintCommand.self])
}

extension SQLStateDefinition {
  /// Whether names, causes or actions have the text, letters large or small.
  fileprivate func mentions(_ text: String, in sources: Sources) -> Bool {
    let wanted = text.lowercased()
    let advice = sources.catalogue.advice(of: code)
    let texts = [
      code.description, name, condition, summary, advice?.cause, advice?.action,
      sources.catalogue.title(ofClass: code.classCharacters),
    ]
    return texts.contains { $0?.lowercased().contains(wanted) == true }
  }
}
