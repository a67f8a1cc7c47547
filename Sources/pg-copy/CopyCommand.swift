internal import ArgumentParser
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// `pg-copy SOURCE TABLE|QUERY --to RECEIVER…`: streams rows from one server to others.
@main
struct CopyCommand: ParsableCommand {
  static let program = "pg-copy"

  static let examples = [
    "pg-copy pq://a/app job --to pq://b/app --to pq://c/app    one table, two receivers",
    "pg-copy \"$SRC\" 'SELECT * FROM job WHERE NOT done' --to \"$DST;table=todo\"",
    "pg-copy \"$SRC\" job --to - | gzip > job.gz               to stdout, its status checked",
    "zcat job.gz | pg-copy - job --to \"$DST\"                  from stdin",
  ]

  static let configuration = Program.configuration(
    name: program,
    abstract: "Stream rows from one server to many.",
    discussion: """
      SOURCE is pq://…, postgres://…, or key=value pairs; - is stdin. A table's name may have a list \
      of columns: 'job(id, name)'; without one, columns are matched by name. RECEIVER is the same \
      as SOURCE, ended by ';table=NAME' where the receiving table has another name; - is stdout. \
      Each receiver takes the rows in a transaction of its own; when all have them and all counts \
      of rows agree, the transactions are committed one after the other. A receiver that fails is \
      rolled back and the others go on.
      """,
    examples: examples)

  @Option(
    name: .customLong("to"),
    help: ArgumentHelp("Where the rows go; may be repeated.", valueName: "receiver"))
  var receivers: [String] = []

  @Option(
    help: "How the data travels: text, csv or binary.",
    transform: { text in
      guard let format = CopyFormat(rawValue: text) else {
        throw ValidationError("--format is text, csv or binary")
      }
      return format
    })
  var format: CopyFormat = .text

  @Flag(name: [.customShort("q"), .long], help: "Say nothing when all went well.")
  var quiet = false

  @Argument(help: "Where the rows come from.")
  var source: String

  @Argument(help: ArgumentHelp("What is copied.", valueName: "table|query"))
  var rows: String

  static func main() {
    Interruptions.shared.install()
    Program.main(self, examples: examples)
  }

  func run() throws {
    let job = try CopyJob(self)
    try Interruptions.shared.duringWork { try job.run() }
  }
}
