internal import PGCommandLine
internal import PGErrorCodes

/// The set of `--is` and `--only`.
enum SetName {
  /// - Throws: `Failure` with status 64 for a set that does not exist.
  static func check(_ name: String, _ sources: Sources) throws(Failure) {
    let known = sources.catalogue.setNames
    guard SQLStateSet(name) == nil, !known.contains(name) else { return }
    throw Failure(
      .usage,
      Diagnostic(
        program: ErrorCodeCommand.program,
        message: "\(Question.quoted(name)) is no set of codes",
        details: [
          ("HINT", "sets are \(known.map(Diagnostic.escapingControls).joined(separator: ", "))")
        ]))
  }
}
