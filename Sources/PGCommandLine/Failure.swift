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
