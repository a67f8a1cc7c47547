internal import PGCommandLine
internal import PGKit

/// A value of `--to`: `IRI[;table=NAME]`, or `-`.
struct ReceiverOperand: Equatable {
  /// Where to connect; `nil` leaves everything to the environment.
  let iri: String?
  /// The table to copy into; `nil` is the one that is copied from.
  let table: CopyTable?
  /// Whether it is `-`.
  let isStandardOutput: Bool

  /// Reads it.
  ///
  /// The first semicolon ends the IRI; one inside the IRI is percent-encoded.
  ///
  /// - Throws: ``Failure`` with status 64.
  init(_ text: String) throws(Failure) {
    var parts = Self.parts(of: text)[...]
    let place = parts.popFirst() ?? ""
    isStandardOutput = place == "-"
    iri = place.isEmpty ? nil : place
    var table: CopyTable?
    for part in parts {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2, pair[0] == "table" else {
        throw .usage("after the IRI of --to there can only be ;table=NAME")
      }
      guard table == nil else { throw .usage("--to names more than one table") }
      guard let named = CopyTable(parsing: String(pair[1])) else {
        throw .usage(
          "--to …;table=\(pair[1]): that is not the name of a table",
          hint: "write it as in SQL: jobs, public.jobs, \"My jobs\", jobs(id, name)")
      }
      table = named
    }
    guard table == nil || !isStandardOutput else { throw .usage("stdout has no table") }
    self.table = table
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
