internal import Glibc
public import PGErrorCodes

/// One message on stderr: a headline in a fixed grammar, then its fields.
///
/// ```
/// pg-open: ERROR 42P01 undefined_table: relation "x" does not exist (schema.sql:12:15)
/// HINT: …
/// ```
public struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
  /// How grave it is, in the server's untranslated words.
  public enum Severity: String, Sendable {
    /// A statement or a program's own act failed.
    case error = "ERROR"
    /// The session ended.
    case fatal = "FATAL"
    /// Every session of the server ended.
    case panic = "PANIC"
    /// Something deserves attention.
    case warning = "WARNING"
    /// Something may be helpful to know.
    case notice = "NOTICE"
    /// An answer to something that was asked for.
    case info = "INFO"
    /// Something for the server's administrator.
    case log = "LOG"
    /// Something for developers.
    case debug = "DEBUG"
  }

  /// A line below the headline, such as `HINT: …`.
  public struct Detail: Hashable, Sendable {
    /// The label in capitals: `DETAIL`, `HINT`, `CONTEXT`.
    public let label: String
    /// The text, which may have several lines.
    public let text: String
  }

  /// The program's name.
  public let program: String
  /// How grave it is; `nil` for a program's plain remark.
  public let severity: Severity?
  /// The SQLSTATE, if there is one.
  public let code: SQLState?
  /// What happened.
  public let message: String
  /// Where, such as `schema.sql:12:15`.
  public let location: String?
  /// The lines below the headline.
  public let details: [Detail]

  /// Makes a message.
  ///
  /// Nothing in it may be secret: stderr ends up in logs.
  public init(
    program: String, severity: Severity? = nil, code: SQLState? = nil, message: String,
    location: String? = nil, details: [(label: String, text: String)] = []
  ) {
    self.program = program
    self.severity = severity
    self.code = code
    self.message = message
    self.location = location
    self.details = details.map { Detail(label: $0.label, text: $0.text) }
  }

  /// The headline and its fields, without a newline at the end.
  public var description: String {
    ([headline] + details.map { "\($0.label): \($0.text)" }).joined(separator: "\n")
  }

  /// Prints the message to stderr with one write.
  ///
  /// A stderr that fails is left alone: there is no other place to say so.
  public func print() {
    let isTerminal = isatty(STDERR_FILENO) == 1
    StandardError.print(isTerminal ? Diagnostic.escapingControls(description) : description)
  }

  private var headline: String {
    let known = [severity?.rawValue, code?.description, code.flatMap(Diagnostic.name(of:))]
    let prefix = known.compactMap { $0 }.joined(separator: " ")
    let place = location.map { " (\($0))" } ?? ""
    return "\(program): \(prefix.isEmpty ? "" : prefix + ": ")\(message)\(place)"
  }

  private static func name(of code: SQLState) -> String? {
    code.definition.map { $0.condition ?? $0.name }
  }

  /// Shows control characters, which could command a terminal, as `\x1b`; lines and tabs stay.
  public static func escapingControls(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars {
      if scalar == "\n" || scalar == "\t" || !isControl(scalar) {
        shown.unicodeScalars.append(scalar)
      } else {
        let digits = String(scalar.value, radix: 16)
        shown += "\\x" + (digits.count == 1 ? "0" : "") + digits
      }
    }
    return shown
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
  }
}
