internal import PGCommandLine

extension Diagnostic {
  /// What the program says of itself.
  static func own(_ text: String) -> Diagnostic {
    Diagnostic(program: CopyCommand.program, message: text)
  }

  /// The same message from another speaker, with a hint more.
  func spoken(by speaker: String, hint: String? = nil) -> Diagnostic {
    Diagnostic(
      program: speaker, severity: severity, code: code, message: message, location: location,
      details: details.map { ($0.label, $0.text) } + (hint.map { [("HINT", $0)] } ?? []))
  }
}
