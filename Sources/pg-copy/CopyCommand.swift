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
    "pg-copy \"$SRC\" job --to \"$DST\" --replace truncate --job nightly --every 1d",
    "pg-copy \"$SRC\" job --to - | gzip > job.gz               to stdout, its status checked",
    "zcat job.gz | pg-copy - job --to \"$DST\"                  from stdin",
    "pg-copy resolve --to \"$DST\" --to \"$OTHER\"               what a crash left undecided",
  ]

  static let configuration = Program.configuration(
    name: program,
    abstract: "Stream rows from one server to many.",
    discussion: """
      SOURCE is pq://…, postgres://…, or key=value pairs; - is stdin, and a path that begins with / or \
      ./ a file. A table's name may have a list of columns: 'job(id, name)'; without one, columns are \
      matched by name. RECEIVER is the same as SOURCE, and may be followed by ;table=NAME where the \
      receiving table has another name, ;required (if it fails, nobody commits), ;best-effort (its \
      failure is no failure), ;on-fault=drop, abort or replay (to one that was lost on the way everything is \
      given once more, but to one that is down at the start nothing), ;system=ID (the cluster that it must be), and \
      ;protected (it is meant although its database has the setting pgkit.protected). Each receiver takes the rows in a \
      transaction of its own; when all have them and all counts of rows agree, the transactions are \
      committed one after the other. A receiver that fails is rolled back and the others go on; but where \
      stdout or a file fails, nobody commits unless it has ;on-fault=drop or ;best-effort behind it. A signal that comes while receivers commit lets them: what is \
      stored then is in the summary. SIGUSR1 prints one line about how far it is.
      """,
    examples: examples)

  @Option(
    // `-;on-fault=drop` is a receiver, and what is none is told by ReceiverOperand.
    name: .customLong("to"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Where the rows go; may be repeated.", valueName: "receiver"))
  var receivers: [String] = []

  @Option(
    help: "How the data travels: auto is binary where all types and versions agree, else text.")
  var format = TravelFormat.auto

  @Option(
    help: ArgumentHelp(
      "The encoding of stdin, stdout and files. Between servers nothing needs to be said.",
      valueName: "name"))
  var encoding: String?

  @OptionGroup(title: "Storing") var storing: StoringFlags
  @OptionGroup(title: "Reading") var reading: ReadingFlags
  @OptionGroup(title: "Running") var running: RunningFlags
  @OptionGroup(title: "Reporting") var reporting: ReportingFlags

  @Argument(help: "Where the rows come from.")
  var source: String

  @Argument(help: ArgumentHelp("What is copied.", valueName: "table|query"))
  var rows: String

  static func main() {
    StatusSignal.shared.install(program: program)
    Interruptions.shared.install()
    if CommandLine.arguments.dropFirst().first == ResolveCommand.word {
      Program.main(VerbCommand.self)
    }
    if Program.writesCompletion { Program.main(WholeCommand<Self, VerbCommand>.self) }
    Program.main(self, examples: examples) { words in
      var line = PlainCommandLine(words)
      return line.read()?.run
    }
  }

  func run() throws {
    let request = CopyRequest(
      receivers: receivers, format: format, encoding: encoding, storing: storing,
      reading: reading, running: running, reporting: reporting, source: source, rows: rows)
    try request.run()
  }
}

/// How data travels, as the command line says it.
enum TravelFormat: String, WordArgument {
  case auto, text, csv, binary
}
