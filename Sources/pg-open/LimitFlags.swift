internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// The flags about time, and about trying again.
struct LimitFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Try for so long to connect to a server that may be about to come.", valueName: "duration"))
  var wait: DurationArgument?

  @Option(
    help: ArgumentHelp(
      """
      Try again so often where nothing took effect and it may succeed (40001, 40P01, …): a statement, \
      or with -1 everything.
      """,
      valueName: "n"))
  var retry: Int?

  @Option(
    help: ArgumentHelp(
      "Cancel and end with 4 when all of it takes longer: 500ms, 10s, 2m.", valueName: "duration"))
  var timeout: DurationArgument?

  @Option(
    help: ArgumentHelp("The server's limit for each statement.", valueName: "duration"))
  var statementTimeout: DurationArgument?

  @Option(
    help: ArgumentHelp("The server's limit for waiting for a lock.", valueName: "duration"))
  var lockTimeout: DurationArgument?

  /// The settings of the session that the flags ask for.
  var settings: [ConnectionOptions.Setting] {
    [("statement_timeout", statementTimeout), ("lock_timeout", lockTimeout)].compactMap {
      name, limit in
      guard let limit else { return nil }
      let (seconds, attoseconds) = limit.duration.components
      // At least a millisecond: 0 would mean no limit.
      let milliseconds = max(seconds * 1000 + attoseconds / 1_000_000_000_000_000, 1)
      return ConnectionOptions.Setting(name, "\(min(milliseconds, Int64(Int32.max)))")
    }
  }
}
