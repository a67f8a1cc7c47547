internal import ArgumentParser
internal import PGCommandLine

/// How the source is read.
struct ReadingFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Read this exported snapshot; export exports one and prints it on stderr.",
      valueName: "id|export"))
  var snapshot: String?

  @Option(
    name: .customLong("expect-system-id"),
    help: ArgumentHelp(
      "The source must be of the cluster with this identifier, or nothing runs.", valueName: "id"))
  var systemID: UInt64?

  @Option(help: ArgumentHelp("How many parts of a table are copied at a time.", valueName: "n"))
  var jobs = 1

  @Option(
    help: ArgumentHelp(
      "Copy a table in so many parts, 10000 at most, or in parts of about this size: 8, 256MB.",
      valueName: "n|size"))
  var split: SplitArgument?

  @Option(
    help: ArgumentHelp(
      "Warn when the source's snapshot has been held so long, and whenever that has doubled; 0 is never.",
      valueName: "duration"))
  var snapshotAge = usualAge

  /// How long a snapshot is held without a warning, unless something else is said.
  private static let usualAge = DurationArgument(seconds: 3600)

  @Option(help: ArgumentHelp("The most bytes in a second: 20MB/s.", valueName: "rate"))
  var rate: RateArgument?
}

/// How a table is cut: into a number of parts, or into parts of a size.
enum SplitArgument: ExpressibleByArgument, Hashable, Sendable {
  case parts(Int)
  case size(Int)

  /// The most parts: each is a query.
  static let mostParts = 10_000

  /// Reads a whole number, or one with a unit.
  ///
  /// How many parts there can be is ``CopyPlan``'s to say.
  init?(argument: String) {
    if let parts = Int(argument) {
      self = .parts(parts)
    } else {
      guard let bytes = ByteAmount.bytes(argument) else { return nil }
      self = .size(bytes)
    }
  }
}

/// A speed: `20MB/s`.
struct RateArgument: ExpressibleByArgument, Hashable, Sendable {
  let bytesPerSecond: Int

  /// Reads an amount of bytes, with `/s` behind it or without.
  init?(argument: String) {
    let amount = argument.hasSuffix("/s") ? String(argument.dropLast(2)) : argument
    guard let bytes = ByteAmount.bytes(amount) else { return nil }
    bytesPerSecond = bytes
  }
}

/// Amounts of bytes in words: `64MB`, `512kB`, `1GB`.
enum ByteAmount {
  private static let units = ["": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40]
  private static let limit = 1 << 50

  /// The number; `nil` unless it is a whole one and one of the units.
  static func bytes(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let unit = units[String(text.dropFirst(digits.count))], let number = Int(digits) else {
      return nil
    }
    let (product, isTooLarge) = number.multipliedReportingOverflow(by: unit)
    return isTooLarge || product <= 0 || product > limit ? nil : product
  }
}

extension ReadingFlags: PlainFlags {
  static var none: ReadingFlags {
    var flags = ReadingFlags()
    flags.snapshot = nil
    flags.systemID = nil
    flags.jobs = 1
    flags.split = nil
    flags.snapshotAge = Self.usualAge
    flags.rate = nil
    return flags
  }
}
