internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// The flags about time, and about trying again.
struct LimitFlags: ParsableArguments {
  @Option(
    name: .customLong("wait"),
    help: ArgumentHelp(
      "Try for so long to connect to a server that may be about to come.", valueName: "duration"))
  var waitText: String?

  @Option(
    name: .customLong("retry"),
    help: ArgumentHelp(
      """
      Try again so often where nothing took effect and it may succeed (40001, 40P01, …): a statement, \
      or with -1 everything; a CALL or DO, which may commit in its middle, only so.
      """,
      valueName: "n"))
  var retryText: String?

  @Option(
    name: .customLong("timeout"),
    help: ArgumentHelp(
      "Cancel and end with 4 when all of it takes longer: 500ms, 10s, 2m.", valueName: "duration"))
  var timeoutText: String?

  @Option(
    name: .customLong("statement-timeout"),
    help: ArgumentHelp("The server's limit for each statement; 0 for none.", valueName: "duration"))
  var statementTimeoutText: String?

  @Option(
    name: .customLong("lock-timeout"),
    help: ArgumentHelp(
      "The server's limit for waiting for a lock; 0 for none.", valueName: "duration"))
  var lockTimeoutText: String?

  /// How long to try to connect.
  var wait: DurationArgument? { .read(waitText) }

  /// How often to try again.
  var retry: Int? { .read(retryText) }

  /// How long all of it may take.
  var timeout: DurationArgument? { .read(timeoutText) }

  func validate() throws {
    for (text, option) in [
      (waitText, "--wait"), (timeoutText, "--timeout"),
      (statementTimeoutText, "--statement-timeout"), (lockTimeoutText, "--lock-timeout"),
    ] {
      try DurationArgument.check(text, option)
    }
    try Int.check(retryText, "--retry")
    if let retry, retry < 0 { throw ValidationError("--retry takes a number of times from 0") }
    for (text, option) in [
      (statementTimeoutText, "--statement-timeout"), (lockTimeoutText, "--lock-timeout"),
    ] {
      guard let limit = DurationArgument.read(text) else { continue }
      guard limit.duration.wholeMilliseconds <= Int64(Int32.max) else {
        throw ValidationError("\(option) is 24 days at most, or 0 for no limit")
      }
    }
  }

  /// The settings of the session that the flags ask for.
  var settings: [ConnectionOptions.Setting] {
    [("statement_timeout", statementTimeoutText), ("lock_timeout", lockTimeoutText)].compactMap {
      name, text in
      guard let limit = DurationArgument.read(text) else { return nil }
      // A part of a millisecond is one: 0 means no limit, and is sent only if that is what was written.
      let least: Int64 = limit.duration == .zero ? 0 : 1
      return ConnectionOptions.Setting(name, "\(max(limit.duration.wholeMilliseconds, least))")
    }
  }
}

extension LimitFlags: PlainFlags {
  static var none: LimitFlags {
    var flags = LimitFlags()
    flags.waitText = nil
    flags.retryText = nil
    flags.timeoutText = nil
    flags.statementTimeoutText = nil
    flags.lockTimeoutText = nil
    return flags
  }
}
