internal import ArgumentParser
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// `pg-open [options] IRI [SQL…]`: runs statements and prints their rows.
@main
struct OpenCommand: ParsableCommand {
  static let program = "pg-open"

  static let examples = [
    "pg-open pq://localhost/app 'SELECT * FROM job'",
    "pg-open \"$IRI\" --format csv -f report.sql > report.csv",
    "pg-open \"$IRI\" -p \"$name\" 'SELECT id FROM person WHERE name = $1'",
  ]

  static let configuration = Program.configuration(
    name: program,
    abstract: "Run SQL by IRI and print the rows.",
    discussion: """
      IRI is pq://…, postgres://…, or key=value pairs; it may be left out when -c or -f is given and \
      the environment (PGKIT_IRI, PGHOST, …) says where to connect. Each statement is run by itself; \
      the first error stops everything. Rows go to stdout, everything else to stderr.
      """,
    examples: examples)

  @Option(
    name: [.customShort("c"), .long],
    help: ArgumentHelp("A statement to run; may be repeated.", valueName: "sql"))
  var command: [String] = []

  @Option(
    name: [.customShort("f"), .long],
    help: ArgumentHelp(
      "A file of statements to run, - for stdin; may be repeated.", valueName: "file"))
  var file: [String] = []

  @Option(
    name: [.customShort("p"), .customLong("param")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "The value of the next parameter ($1, $2, …), taken as it is.", valueName: "value"))
  var parameters: [String] = []

  @Option(help: "How rows are printed: \(OutputFormat.list). On a terminal table, else tsv.")
  var format: OutputFormat?

  @Option(
    name: .customLong("null"),
    help: ArgumentHelp(
      "What stands for NULL: in table ∅, in tsv \\N, in csv nothing.", valueName: "text"))
  var nullText: String?

  @Flag(name: [.customShort("q"), .long], help: "Print no notices.")
  var quiet = false

  @Argument(help: ArgumentHelp("Where to connect, and statements.", valueName: "iri sql"))
  var operands: [String] = []

  static func main() {
    Interruptions.shared.install()
    Program.main(self, examples: examples)
  }

  func run() throws {
    let job = try OpenJob(self)
    try Interruptions.shared.duringWork { try job.run() }
  }
}
