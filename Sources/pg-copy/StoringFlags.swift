internal import ArgumentParser
internal import PGCommandLine

/// What happens at the receivers.
struct StoringFlags: ParsableArguments {
  @Option(
    help: "Take out what is there, in the same transaction, when the first rows have come.")
  var replace: Replacement?

  @Flag(help: "Store rows frozen, as VACUUM would leave them; needs --replace truncate.")
  var freeze = false

  @Option(help: "What becomes of rows whose key is there already, through a temporary table.")
  var onConflict: ConflictAnswer?

  @Flag(help: "All receivers commit or none, by two-phase commit.")
  var atomic = false

  @Flag(help: "Commit only where what was stored is the same as what was read, by a checksum.")
  var verify = false

  @Option(
    help: ArgumentHelp(
      "Go on past rows that the receiver refuses, and write them to this file; also where there are more than --max-rejects allows, and nothing is stored.",
      valueName: "path"),
    completion: .file())
  var rejects: String?

  @Option(
    help: ArgumentHelp(
      "With --rejects: how many rows may be refused; 1000 without it.", valueName: "n"))
  var maxRejects: Int?

  /// How many rows may be refused.
  var rejectLimit: Int { maxRejects ?? 1000 }
}

/// How what is there is taken out.
enum Replacement: String, WordArgument {
  case truncate, delete
}

/// What becomes of rows whose key is there already.
enum ConflictAnswer: String, WordArgument {
  case update, nothing
}

extension StoringFlags: PlainFlags {
  static var none: StoringFlags {
    var flags = StoringFlags()
    flags.replace = nil
    flags.freeze = false
    flags.onConflict = nil
    flags.atomic = false
    flags.verify = false
    flags.rejects = nil
    flags.maxRejects = nil
    return flags
  }
}
