internal import ArgumentParser
internal import PGCommandLine
internal import PGErrorCodes

/// `pg-errcode CODE…`: what a SQLSTATE is.
@main
struct ErrorCodeCommand: ParsableCommand {
  static let program = "pg-errcode"

  static let examples = [
    "pg-errcode 23505                    what 23505 is",
    "pg-errcode unique_violation --json  the same by its name, for programs",
    "pg-errcode --list | grep deadlock   every code, one a line",
  ]

  static let configuration = Program.configuration(
    name: program,
    abstract: "Explain the error codes of PostgreSQL (SQLSTATE) and of PGKit.",
    discussion: """
      The first line of an answer is NAME [CODE]. A code that is not defined is answered by its \
      class, with a note on stderr. Letters may be large or small. After --, an operand may begin \
      with a dash, as the driver's own codes do: pg-errcode -- --AUT.
      """,
    examples: examples)

  @Argument(
    help: ArgumentHelp(
      """
      A code (23505), a class (23), or a name (unique_violation, ERRCODE_UNIQUE_VIOLATION, \
      UniqueError); - reads one a line from stdin.
      """,
      valueName: "code"))
  var operands: [String] = []

  @Flag(help: "Answer only what is defined: no class for an unknown code, no beginning of a name.")
  var exact = false

  @Flag(help: "Print every code: code, condition, name, class, severity, since, until, with tabs.")
  var list = false

  @Flag(help: "Print one JSON object a line; what is not known is null.")
  var json = false

  static func main() { Program.main(self, examples: examples) }

  func validate() throws {
    if list, !operands.isEmpty { throw ValidationError("--list takes no codes") }
    if !list, operands.isEmpty { throw ValidationError("no code is given") }
  }

  func run() throws {
    if list { return try printList() }
    var status = ExitStatus.ok
    for operand in operands {
      if operand == "-" {
        try answerLines(&status)
      } else {
        try answer(operand, &status)
      }
    }
    if status != .ok { throw Failure(status) }
  }

  private func printList() throws {
    for definition in SQLState.definitions {
      let line =
        json
        ? JSONReport.line(asked: definition.code.description, match: .code, definition)
        : ListReport.line(definition)
      try StandardOutput.shared.write(line + "\n")
    }
  }

  private func answerLines(_ status: inout ExitStatus) throws {
    try StandardInput.forEachLine(program: Self.program) {
      try StandardOutput.shared.flush()
    } _: { line in
      let text = String(decoding: line.bytes, as: UTF8.self)
      if !Question.trimmed(text).isEmpty { try answer(text, &status) }
    }
  }

  /// Answers one operand; the gravest status of all operands is kept.
  private func answer(_ operand: String, _ status: inout ExitStatus) throws {
    guard let question = Question(operand) else {
      note("\(Question.quoted(operand)) is not a code (five characters), a class (two), or a name")
      status = .usage
      return
    }
    let answer = Answer(to: question, exact: exact)
    if let remark = answer.remark(on: question) { note(remark) }
    if answer.match == .none, status == .ok { status = .negative }
    try StandardOutput.shared.write(
      json ? JSONReport.lines(question, answer) : TextReport.lines(question, answer))
  }

  private func note(_ message: String) {
    Diagnostic(program: Self.program, message: message).print()
  }
}
