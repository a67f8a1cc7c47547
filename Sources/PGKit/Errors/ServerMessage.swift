public import PGErrorCodes

/// The fields of an ErrorResponse or a NoticeResponse.
///
/// Fields that PGKit does not know are kept under their letter. Source: PostgreSQL manual,
/// "Error and Notice Message Fields".
public struct ServerMessage: Sendable, Hashable {
  /// A field's letter in the protocol.
  public struct Field: RawRepresentable, Hashable, Sendable {
    /// The letter's byte.
    public let rawValue: UInt8
    /// Makes a field of the letter's byte.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    init(_ letter: Unicode.Scalar) { rawValue = UInt8(ascii: letter) }

    /// `S`, the severity in the server's language.
    public static let localizedSeverity = Field("S")
    /// `V`, the severity in English (9.6 and later).
    public static let severity = Field("V")
    /// `C`, the SQLSTATE.
    public static let code = Field("C")
    /// `M`, the primary message.
    public static let message = Field("M")
    /// `D`, the detail.
    public static let detail = Field("D")
    /// `H`, the hint.
    public static let hint = Field("H")
    /// `P`, the position in the statement, in characters from 1.
    public static let position = Field("P")
    /// `p`, the position in the internal query.
    public static let internalPosition = Field("p")
    /// `q`, the internal query's text.
    public static let internalQuery = Field("q")
    /// `W`, the call stack of functions and queries.
    public static let context = Field("W")
    /// `s`, the schema.
    public static let schema = Field("s")
    /// `t`, the table.
    public static let table = Field("t")
    /// `c`, the column.
    public static let column = Field("c")
    /// `d`, the data type.
    public static let dataType = Field("d")
    /// `n`, the constraint.
    public static let constraint = Field("n")
    /// `F`, the source file.
    public static let file = Field("F")
    /// `L`, the line in it.
    public static let line = Field("L")
    /// `R`, the routine.
    public static let routine = Field("R")
  }

  /// Who speaks.
  ///
  /// In py-postgresql: `Message.source`.
  public enum Source: String, Sendable, Hashable {
    /// The server.
    case server = "SERVER"
    /// PGKit itself, in the form of the server's messages.
    case client = "CLIENT"
  }

  /// The fields in the order in which the server sent them.
  public let fields: [(field: Field, value: String)]
  /// Who speaks.
  public let source: Source
  /// What the message is about, innermost first: statement, connection, connector; known where a hook
  /// hears it.
  public internal(set) var origin = ErrorOrigin()

  /// Makes a message of its fields; a repeated field counts once, its first value.
  public init(_ fields: [(field: Field, value: String)], source: Source = .server) {
    self.fields = fields
    self.source = source
  }

  /// A warning of our own, in the form of the server's.
  static func warning(_ code: SQLState, _ message: String) -> ServerMessage {
    ServerMessage(
      [
        (.localizedSeverity, "WARNING"), (.severity, "WARNING"), (.code, "\(code)"),
        (.message, message),
      ], source: .client)
  }

  /// The value of a field, if the server sent it.
  public subscript(_ field: Field) -> String? { fields.first { $0.field == field }?.value }

  /// The severity in English: `ERROR`, `FATAL`, `PANIC`, `WARNING`, `NOTICE`, `DEBUG`, `INFO`, `LOG`.
  public var severity: String { self[.severity] ?? self[.localizedSeverity] ?? "ERROR" }
  /// The SQLSTATE; `XX000` if the sender gave none that has its form, as some proxies do.
  public var code: SQLState { self[.code].flatMap { SQLState($0) } ?? .internalError }
  /// The primary message.
  public var message: String { self[.message] ?? "(no message)" }
  /// The detail.
  public var detail: String? { self[.detail] }
  /// The hint.
  public var hint: String? { self[.hint] }
  /// The call stack of functions and queries.
  public var context: String? { self[.context] }
  /// The position in the statement's text, in Unicode scalars from 1.
  public var position: Int? { self[.position].flatMap { Int($0) } }
  /// Whether the server ends the session with this message.
  public var isFatal: Bool { severity == "FATAL" || severity == "PANIC" }

  /// What a message is, by its severity.
  ///
  /// In py-postgresql: an exception is raised for an error; a message of severity `WARNING` is a
  /// `Warning`; everything else is a plain `Message`.
  public enum Kind: Sendable, Hashable {
    /// `ERROR`, `FATAL`, `PANIC`: what was asked has failed.
    case error
    /// `WARNING`: what was asked went on.
    case warning
    /// `NOTICE`, `DEBUG`, `INFO`, `LOG`: information.
    case notice
  }

  /// What the message is: the severity decides, not the code.
  public var kind: Kind {
    switch severity {
    case "WARNING": .warning
    case "NOTICE", "INFO", "LOG": .notice
    case let word: word.hasPrefix("DEBUG") ? .notice : .error
    }
  }

  /// The name that py-postgresql has for the message: an error's or a warning's; `nil` for what is
  /// neither.
  ///
  /// In py-postgresql: the class that `ErrorLookup` or `WarningLookup` finds.
  public var exceptionName: ExceptionName? {
    switch kind {
    case .error: .error(for: code.description)
    case .warning: .warning(for: code.description)
    case .notice: nil
    }
  }

  /// Messages are equal when the same side says the same fields in the same order, whatever about.
  ///
  /// In py-postgresql: `Message.isconsistent`.
  public static func == (left: ServerMessage, right: ServerMessage) -> Bool {
    left.source == right.source
      && left.fields.elementsEqual(right.fields) { $0.field == $1.field && $0.value == $1.value }
  }

  /// Feeds the source and every field to the hasher.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(source)
    for (field, value) in fields {
      hasher.combine(field)
      hasher.combine(value)
    }
  }
}
