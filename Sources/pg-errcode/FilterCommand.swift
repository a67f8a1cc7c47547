internal import ArgumentParser
internal import PGCommandLine
internal import PGErrorCodes

/// `pg-errcode filter`: a server's log, with names beside its codes.
struct FilterCommand: ParsableCommand {
  static let examples = [
    "pg-errcode filter < postgresql.log",
    "tail -F postgresql.log | pg-errcode filter --prefix '%m [%p] %e '",
    "pg-errcode filter --summary --quiet < postgresql.json",
  ]

  static let configuration = Program.configuration(
    name: "filter",
    abstract: "Read a server's log from stdin and name the codes in it.",
    discussion: """
      The formats stderr, csvlog and jsonlog are told apart line by line. At the end of a line of \
      stderr stand the condition and the class in brackets, unless it is 00000; every record of \
      csvlog gets two columns more, so that all have as many; an object of jsonlog gets \
      state_condition and state_class behind state_code. Nothing else is changed, and what was \
      named before stays as it is. Whole lines are written before more is waited for.

      In the stderr format a code is where log_line_prefix has %e, or before the message with \
      log_error_verbosity = verbose. Without --prefix, the place of %e is learned from the first \
      lines, for which at most a quarter of a second is waited; records whose code cannot be told \
      from other words are passed over, and counted on stderr.
      """,
    examples: examples)

  @Option(
    help: ArgumentHelp("The server's log_line_prefix, which has a %e.", valueName: "format"))
  var prefix: String?

  @Option(
    help: ArgumentHelp("Write only records whose code belongs to this set.", valueName: "set"),
    completion: .list(SQLStateSet.all.map { $0.name }))
  var only: String?

  @Flag(help: "At the end, print to stderr how often each code came, whatever --only leaves out.")
  var summary = false

  @Option(help: ArgumentHelp("How many codes the summary has.", valueName: "number"))
  var top = 20

  @Flag(help: "Do not write the log; the summary goes to stdout.")
  var quiet = false

  @OptionGroup var own: OwnCodes

  func validate() throws {
    if top < 1 { throw ValidationError("--top \(top): the summary must have a row") }
    if quiet, !summary { throw ValidationError("--quiet writes nothing without --summary") }
    if own.codes.contains("-") { throw ValidationError("--codes -: stdin is the log") }
    guard let prefix else { return }
    guard LogPrefix(prefix) != nil else {
      throw ValidationError("--prefix: there is no %e in \(Question.quoted(prefix))")
    }
  }

  func run() throws {
    let sources = try Sources(files: own.codes, server: nil)
    if let only { try SetName.check(only, sources) }
    let labels = CodeLabels(catalogue: sources.catalogue, only: only)
    let filter = LogFilter(labels, prefix: prefix.flatMap(LogPrefix.init), isQuiet: quiet)
    try filter.run()
    if let remark = filter.remark { Inquiry.note(remark) }
    guard summary else { return }
    let table = labels.summary(top: top)
    if quiet {
      try StandardOutput.shared.write(table)
    } else {
      try StandardOutput.shared.flush()
      // It was asked for: a stderr that does not take it is a failure.
      let errors = StandardOutput(descriptor: 2, name: "stderr", buffering: .blockBuffered)
      try errors.write(table)
      try errors.flush()
    }
  }
}
