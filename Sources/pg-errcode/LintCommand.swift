internal import ArgumentParser
internal import PGCommandLine
internal import PGErrorCodes

/// `pg-errcode lint`: the codes that PL/pgSQL's RAISE statements use.
struct LintCommand: ParsableCommand {
  static let examples = [
    "pg-errcode lint schema.sql",
    "pg-errcode lint --codes errors.txt 'src/**/*.sql'",
  ]

  static let configuration = Program.configuration(
    name: "lint",
    abstract: "Find RAISE statements whose codes are reserved, unregistered or malformed.",
    discussion: """
      Prints FILE:LINE:COLUMN: and what is wrong, and ends with 6 if there is anything. An \
      application's codes should begin with 5 to 9 or I to Z and not be PostgreSQL's, and be \
      registered in a file of --codes. Codes that are not literals are left alone.
      """,
    examples: examples)

  @Argument(
    help: ArgumentHelp(
      """
      A file, a directory (its *.sql, all the way down), or a pattern with *, ? and **; \
      - is stdin.
      """,
      valueName: "file"),
    completion: .file())
  var files: [String]

  @OptionGroup var own: OwnCodes

  @Flag(help: "Print one JSON object a line.")
  var json = false

  func run() throws {
    let sources = try Sources(files: own.codes, server: nil)
    let rules = RaiseRules(catalogue: sources.catalogue)
    var isClean = true
    var isRead = true
    for path in try files.flatMap(FileTree.files) {
      do {
        isClean = try lint(path, rules) && isClean
      } catch let failure as Failure {
        // The other files are read all the same.
        failure.diagnostic?.print()
        isRead = false
      }
    }
    guard isRead else { throw Failure(.localFailure) }
    if !isClean { throw Failure(.negative) }
  }

  /// Prints the faults of a file; returns whether there are none.
  private func lint(_ path: String, _ rules: RaiseRules) throws -> Bool {
    let bytes = try TextFile.read(path, program: ErrorCodeCommand.program)
    var isClean = true
    for raise in RaiseScanner.raises(in: bytes) {
      guard let fault = rules.fault(raise.subject) else { continue }
      isClean = false
      try StandardOutput.shared.write(line(path == "-" ? "stdin" : path, raise, fault) + "\n")
    }
    return isClean
  }

  private func line(_ file: String, _ raise: RaiseScanner.Raise, _ fault: String) -> String {
    guard json else {
      let text = "\(file):\(raise.line):\(raise.column): \(raise.subject.text): \(fault)"
      return Question.escapingLines(text)
    }
    return "{\"file\":\(JSONText.quoted(file)),\"line\":\(raise.line),\"column\":\(raise.column),"
      + "\"code\":\(JSONText.quoted(raise.subject.text)),\"message\":\(JSONText.quoted(fault))}"
  }
}
