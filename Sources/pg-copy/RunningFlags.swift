internal import ArgumentParser
internal import PGCommandLine
internal import PGConnecting

/// When it runs, and for how long.
struct RunningFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The job's name. What has been committed under it is on record in the receiver, and is not done again.",
      valueName: "name"))
  var job: String?

  @Option(
    help: ArgumentHelp("The job is due once in each such time: 1h, 1d.", valueName: "duration"))
  var every: DurationArgument?

  @Option(
    help: ArgumentHelp(
      "Do nothing while another run with this name is at work on a receiver.", valueName: "name"))
  var single: String?

  @Option(
    help:
      "With --single: skip (which is also done without it) ends with 0 where another run is at work, fail with 4."
  )
  var ifRunning: Overlap?

  @Option(
    help: ArgumentHelp("Wait a random time up to this before anything.", valueName: "duration"))
  var splay: DurationArgument?

  @Option(
    help: ArgumentHelp(
      "End with 4, and with nothing committed, when this time is over; a COMMIT that has begun goes on as long as its server answers within --grace.",
      valueName: "duration"))
  var deadline: DurationArgument?

  @Option(
    help: ArgumentHelp(
      "How long cleaning up may take after a signal or the deadline, and the answer to a COMMIT; twice that "
        + "has a server to come back that was lost in COMMIT.", valueName: "duration"))
  var grace = usualGrace

  private static let usualGrace = DurationArgument(seconds: 5)

  @Flag(help: "Look whether the rows could be copied, print what was found as JSON, copy nothing.")
  var dryRun = false

  @Option(
    help: ArgumentHelp(
      "How often to begin again when a server is lost, or gave way to others, and nothing is committed; from a server to servers and files.",
      valueName: "n"))
  var retry = 0

  /// What is done where another run is at work.
  var overlap: Overlap { ifRunning ?? .skip }
}

/// What a run does that finds another one at work.
enum Overlap: String, WordArgument {
  case skip, fail
}

extension RunningFlags: PlainFlags {
  static var none: RunningFlags {
    var flags = RunningFlags()
    flags.job = nil
    flags.every = nil
    flags.single = nil
    flags.ifRunning = nil
    flags.splay = nil
    flags.deadline = nil
    flags.grace = Self.usualGrace
    flags.dryRun = false
    flags.retry = 0
    return flags
  }
}
