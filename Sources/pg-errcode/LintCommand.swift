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
    for operand in files {
      let paths = try FileTree.files(operand)
      for path in paths {
        let bytes = try TextFile.read(path, program: ErrorCodeCommand.program)
        for raise in RaiseScanner.raises(in: bytes) {
          guard let fault = rules.fault(raise.subject) else { continue }
          isClean = false
          let name = path == "-" ? "stdin" : path
          try StandardOutput.shared.write(line(name, raise, fault) + "\n")
        }
      }
    }
    if !isClean { throw Failure(.negative) }
  }

  private func line(_ file: String, _ raise: RaiseScanner.Raise, _ fault: String) -> String {
    guard json else {
      let text = "\(file):\(raise.line):\(raise.column): \(raise.subject.text): \(fault)"
      return Diagnostic.escapingControls(text)
    }
    return "{\"file\":\(JSONText.quoted(file)),\"line\":\(raise.line),\"column\":\(raise.column),"
      + "\"code\":\(JSONText.quoted(raise.subject.text)),\"message\":\(JSONText.quoted(fault))}"
  }
}
