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

  /// One of the server's fields, for machines.
  public struct Field: Hashable, Sendable {
    /// Its name in JSON: `constraint`.
    public let name: String
    /// Its value.
    public let value: String
    /// Whether the value is a number.
    public let isNumber: Bool

    /// Makes a field.
    public init(_ name: String, _ value: String, isNumber: Bool = false) {
      (self.name, self.value, self.isNumber) = (name, value, isNumber)
    }
  }

  /// The label of a row that a message shows, of which there may be several.
  public static let rowLabel = "ROW"

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
  /// The place in the program's input, if the location is one.
  public let place: SourcePlace?
  /// The lines below the headline.
  public let details: [Detail]
  /// What the server said beyond that, for machines.
  public let fields: [Field]

  /// Makes a message.
  ///
  /// Nothing in it may be secret: stderr ends up in logs.
  public init(
    program: String, severity: Severity? = nil, code: SQLState? = nil, message: String,
    location: String? = nil, place: SourcePlace? = nil,
    details: [(label: String, text: String)] = [], fields: [Field] = []
  ) {
    self.program = program
    self.severity = severity
    self.code = code
    self.message = message
    self.location = place?.description ?? location
    self.place = place
    self.fields = fields
    self.details = details.map { Detail(label: $0.label, text: $0.text) }
  }

  /// The headline and its fields, without a newline at the end.
  ///
  /// A line that goes on with a text begins with a tab, as in the server's log: no text can look like a field
  /// of its own.
  public var description: String {
    details.reduce(Self.indented(headline)) {
      $0 + "\n" + Self.indented("\($1.label): \($1.text)")
    }
  }

  /// Most texts have one line, and replacing is slow the first time.
  private static func indented(_ text: String) -> String {
    text.utf8.contains(0x0A) ? text.replacing("\n", with: "\n\t") : text
  }

  /// Prints the message to stderr with one write, in the form that the program was told to use.
  ///
  /// A stderr that fails is left alone: there is no other place to say so.
  ///
  /// - Parameter status: The status that the program ends with because of it, if it does.
  public func print(status: ExitStatus? = nil) { DiagnosticLog.shared.take(self, status) }

  /// Prints the message as text.
  func printText() { StandardError.print(Diagnostic.escapingControls(description)) }

  private var headline: String {
    let title = title
    var line = program + ": "
    if let severity { line += severity.rawValue + (title == nil ? ": " : " ") }
    if let title { line += title + ": " }
    line += message
    if let location { line += " (" + location + ")" }
    return line
  }

  /// The code and its condition: `42P01 undefined_table`; `nil` without a code.
  var title: String? {
    code.map { code in condition.map { "\(code) \($0)" } ?? "\(code)" }
  }

  /// The condition's name, if there is one.
  var condition: String? { code?.definition.map { $0.condition ?? $0.name } }

  /// Shows control characters, which could command a terminal, and those that turn the direction of a text
  /// as `\x1b`; lines and tabs stay.
  public static func escapingControls(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { (0x20..<0x7F).contains($0) || $0 == 0x0A || $0 == 0x09 }
    if isPlain { return text }
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

  /// Whether a character commands a terminal rather than being seen.
  public static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
