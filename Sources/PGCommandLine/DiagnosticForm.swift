/// How messages are printed on stderr.
public enum DiagnosticForm: String, WordArgument, Sendable {
  /// A headline, then its fields.
  case text
  /// An object with every field on a line of its own.
  case json
  /// GitHub's workflow commands, which become annotations of the file.
  case github
  /// GitLab's report of code quality, one document.
  case gitlab
  /// Test Anything Protocol 14: a test for each statement.
  case tap
  /// JUnit's XML: a test case for each statement.
  case junit

  /// The words that `--errors` takes.
  public static let list = allValueStrings.joined(separator: ", ")

  /// Whether everything is printed at the end, as one document.
  var isDocument: Bool { self == .gitlab || self == .tap || self == .junit }
}
