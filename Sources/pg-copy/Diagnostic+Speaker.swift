internal import PGCommandLine
internal import PGKit

extension Diagnostic {
  /// What the program says of itself.
  static func own(_ text: String) -> Diagnostic {
    Diagnostic(program: CopyCommand.program, message: text)
  }

  /// What the program says of rows that are not those that they are to be, with the code that
  /// ``Verification`` has for it.
  static func ofData(_ text: String) -> Diagnostic {
    Diagnostic(
      program: CopyCommand.program, severity: .error, code: .dataException, message: text)
  }

  /// The same message from another speaker, with a hint more, and below what the server says of the context
  /// ours.
  func spoken(by speaker: String, hint: String? = nil, context: String? = nil) -> Diagnostic {
    let known = details.first { $0.label == "CONTEXT" }?.text
    let whole = [known, context].compactMap { $0 }
    var lines = details.filter { $0.label != "CONTEXT" }.map { ($0.label, $0.text) }
    if let hint { lines.append(("HINT", hint)) }
    if !whole.isEmpty { lines.append(("CONTEXT", whole.joined(separator: "\n"))) }
    return Diagnostic(
      program: speaker, severity: severity, code: code, message: message, location: location,
      details: lines)
  }
}
