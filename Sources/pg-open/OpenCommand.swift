internal import ArgumentParser
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// `pg-open [options] IRI [SQL…]`: runs statements and prints their rows.
@main
struct OpenCommand: ParsableCommand {
  static let program = "pg-open"

  static let examples = [
    "pg-open pq://localhost/app --format table 'SELECT * FROM job'",
    "pg-open \"$IRI\" --format csv -o report.csv -f report.sql",
    "pg-open \"$IRI\" --format tsv -p \"$name\" 'SELECT id FROM person WHERE name = $1'",
  ]

  static let configuration = Program.configuration(
    name: program,
    abstract: "Run SQL by IRI and print the rows.",
    discussion: """
      IRI is pq://…, postgres://…, or key=value pairs; it may be left out when -c or -f is given and \
      the environment (PGKIT_IRI, PGHOST, …) says where to connect. Each statement is run by itself: \
      first those of the operands, then those of -c, then those of -f. The first error stops \
      everything. Rows go to stdout, everything else to stderr. A shell takes the columns of a row as \
      variables by: row=$(pg-open … --format sh …) && eval "$row".
      """,
    examples: examples)

  @OptionGroup(title: "Statements") var statements: StatementFlags
  @OptionGroup(title: "Values") var values: ValueFlags
  @OptionGroup(title: "Output") var output: OutputFlags
  @OptionGroup(title: "Expectations") var expectations: ExpectationFlags
  @OptionGroup(title: "Time") var limits: LimitFlags
  @OptionGroup(title: "Messages") var messages: MessageFlags
  @OptionGroup(title: "Connection") var connection: ConnectionFlags

  @Argument(help: ArgumentHelp("Where to connect, and statements.", valueName: "iri sql"))
  var operands: [String] = []

  static func main() {
    StatusSignal.shared.install(program: program)
    Progress.shared.answer()
    Interruptions.shared.install()
    Program.main(self, examples: examples) { words in
      var line = PlainCommandLine(words)
      return line.read()?.run
    }
  }

  func run() throws {
    let request = OpenRequest(
      statements: statements, values: values, output: output, expectations: expectations,
      limits: limits, messages: messages, connection: connection, operands: operands)
    try request.run()
  }
}
