/// The way out of a command: the status, and what to say about it.
public struct Failure: Error, Sendable {
  /// The status that the program ends with.
  public let status: ExitStatus
  /// What is printed to stderr; `nil` if the status says enough.
  public let diagnostic: Diagnostic?

  /// Makes the way out.
  public init(_ status: ExitStatus, _ diagnostic: Diagnostic? = nil) {
    self.status = status
    self.diagnostic = diagnostic
  }
}

extension Failure {
  /// The same with another line below the headline.
  public func adding(_ label: String, _ text: String) -> Failure {
    guard let known = diagnostic else { return self }
    return Failure(
      status,
      Diagnostic(
        program: known.program, severity: known.severity, code: known.code,
        message: known.message, location: known.location, place: known.place,
        details: known.details.map { ($0.label, $0.text) } + [(label, text)],
        fields: known.fields))
  }
}
