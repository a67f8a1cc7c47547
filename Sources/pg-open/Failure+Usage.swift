internal import PGCommandLine

extension Failure {
  /// A command line that cannot be followed.
  static func usage(
    _ message: String, place: SourcePlace? = nil, hint: String? = nil
  ) -> Failure {
    Failure(
      .usage,
      Diagnostic(
        program: OpenCommand.program, message: message, place: place,
        details: hint.map { [("HINT", $0)] } ?? []))
  }
}
