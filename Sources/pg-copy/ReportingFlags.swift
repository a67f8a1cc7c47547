internal import ArgumentParser
internal import PGCommandLine

/// What is said about a run.
struct ReportingFlags: ParsableArguments {
  @Flag(name: [.customShort("q"), .long], help: "Say nothing when all went well.")
  var quiet = false

  @Option(
    help:
      "The form of the summary on stderr: text, or json, a line that begins with { and comes also after a failure; what went wrong may stand behind it."
  )
  var summary = SummaryForm.text

  @Option(
    help: ArgumentHelp(
      "Print a line of JSON about how far it is, or what it waits for, this often. On a terminal there is a bar without it.",
      valueName: "duration"))
  var progress: DurationArgument?
}

/// The form of the summary.
enum SummaryForm: String, WordArgument {
  case text, json
}

extension ReportingFlags: PlainFlags {
  static var none: ReportingFlags {
    var flags = ReportingFlags()
    flags.quiet = false
    flags.summary = .text
    flags.progress = nil
    return flags
  }
}
