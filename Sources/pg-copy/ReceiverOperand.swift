internal import PGCommandLine
internal import PGKit

/// A value of `--to`: `IRI[;table=NAME][;required|best-effort][;on-fault=…][;system=ID][;protected]`, or `-`.
struct ReceiverOperand: Equatable {
  /// What becomes of the others when this one fails.
  enum Importance { case counts, required, bestEffort }
  /// What is done when it fails.
  enum FaultAnswer: String { case drop, abort, replay }

  /// Where it is.
  let place: CopyPlace
  /// The table to copy into; `nil` is the one that is copied from.
  private(set) var table: CopyTable?
  private(set) var importance = Importance.counts
  private(set) var onFault = FaultAnswer.drop
  /// The identifier of the cluster that it must be.
  private(set) var system: UInt64?
  /// Whether it is meant although its database is protected.
  private(set) var isProtected = false

  /// Reads it.
  ///
  /// The first semicolon ends the IRI; one inside the IRI is percent-encoded.
  ///
  /// - Throws: ``Failure`` with status 64.
  init(_ text: String) throws(Failure) {
    if text.hasPrefix("-"), text != "-", !text.hasPrefix("-;") {
      throw .usage(
        "--to \(text): a receiver is expected, and not an option",
        hint: "--to names where the rows go; --to - is stdout")
    }
    var parts = Self.parts(of: text)[...]
    place = try CopyPlace(parts.popFirst() ?? "", as: "--to")
    var seen: Set<String> = []
    for part in parts {
      let name = try take(part)
      guard seen.insert(name).inserted else {
        throw .usage("--to …;\(part): \(name) is said twice")
      }
    }
    if !place.isServer, table != nil {
      throw .usage("\(place == .standardStream ? "stdout" : "a file") has no table")
    }
    if !place.isServer, system != nil || isProtected {
      throw .usage("--to …: ;system and ;protected are about servers")
    }
    if !place.isServer, onFault == .replay {
      throw .usage(
        place == .standardStream
          ? "--to -;on-fault=replay: what was written to stdout stays written"
          : "--to …;on-fault=replay: a file has no connection that could be lost")
    }
    // What this machine cannot write it will not write next time: nobody commits then, unless that is wanted.
    if !place.isServer, seen.isDisjoint(with: ["on-fault", "importance"]) { onFault = .abort }
  }

  /// Takes one part, and gives its name.
  private mutating func take(_ part: String) throws(Failure) -> String {
    let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    switch (pair[0], pair.count) {
    case ("table", 2): table = try Self.table(String(pair[1]))
    case ("on-fault", 2):
      guard let answer = FaultAnswer(rawValue: String(pair[1])) else {
        throw .usage("--to …;\(part): on-fault is drop, abort or replay")
      }
      onFault = answer
    case ("system", 2):
      guard let number = UInt64(pair[1]) else {
        throw .usage(
          "--to …;\(part): the identifier of a cluster is a number",
          hint: "SELECT system_identifier FROM pg_control_system()")
      }
      system = number
    case ("protected", 1): isProtected = true
    case ("required", 1), ("best-effort", 1):
      importance = pair[0] == "required" ? .required : .bestEffort
      return "importance"
    default:
      throw .usage(
        "--to …;\(part): after the IRI of --to there can be ;table=NAME, ;required, ;best-effort, ;on-fault=…, "
          + ";system=ID and ;protected",
        hint: "a semicolon within the IRI is written %3B")
    }
    return String(pair[0])
  }

  private static func table(_ text: String) throws(Failure) -> CopyTable {
    if text.allSatisfy(\.isWhitespace) || text == "\"\"" {
      throw .usage(
        "--to …;table=\(text): the table's name is empty",
        hint: "without ;table= it is the name of the table that is copied; is a variable not set?")
    }
    guard let named = CopyTable(parsing: text) else {
      throw .usage(
        "--to …;table=\(text): that is not the name of a table",
        hint: "write it as in SQL: jobs, public.jobs, \"My jobs\", jobs(id, name)")
    }
    return named
  }

  /// The text between semicolons outside double quotes; the first part has no quotes.
  private static func parts(of text: String) -> [String] {
    var parts = [""]
    var isQuoted = false
    for scalar in text.unicodeScalars {
      if scalar == "\"", parts.count > 1 { isQuoted.toggle() }
      if scalar == ";", !isQuoted {
        parts.append("")
      } else {
        parts[parts.count - 1].unicodeScalars.append(scalar)
      }
    }
    return parts
  }
}

extension Failure {
  /// A mistake in the command line.
  static func usage(_ message: String, hint: String? = nil) -> Failure {
    Failure(
      .usage,
      Diagnostic(
        program: CopyCommand.program, message: message,
        details: hint.map { [("HINT", $0)] } ?? []))
  }
}
