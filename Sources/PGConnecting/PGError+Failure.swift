public import PGCommandLine
public import PGKit

// From what the library throws to what a program says and ends with: one place for all programs that
// talk to a server. (pg-errcode does not, so this cannot be part of PGCommandLine: it would have to
// link the driver.)

extension PGError {
  /// The way out of a program that this error means.
  ///
  /// - Parameters:
  ///   - program: The program's name.
  ///   - status: The status where the error alone does not say it.
  ///   - location: Where it happened, such as a server's address.
  ///   - place: Where in the program's input it happened, such as `schema.sql:12`.
  public func failure(
    of program: String, status: ExitStatus? = nil, location: String? = nil,
    place: SourcePlace? = nil
  ) -> Failure {
    Failure(status ?? self.status, diagnostic(of: program, location: location, place: place))
  }

  /// The message on stderr.
  public func diagnostic(
    of program: String, location: String? = nil, place: SourcePlace? = nil
  ) -> Diagnostic {
    var details: [(label: String, text: String)] = []
    if let detail = fields?.detail { details.append(("DETAIL", detail)) }
    if let hint { details.append(("HINT", hint)) }
    if let context = fields?.context { details.append(("CONTEXT", context)) }
    return Diagnostic(
      program: program, severity: Diagnostic.Severity(rawValue: severity) ?? .error, code: code,
      message: message, location: location, place: place, details: details,
      fields: fields?.namedFields ?? [])
  }

  /// The exit status in the middle of a session: who failed decides.
  public var status: ExitStatus {
    switch fault {
    case .server: fields?.isFatal == true ? .connection : .refused
    case .transport: isTimeout || isPastDeadline ? .deadline : .connection
    case .peer: .connection
    case .caller: .localFailure
    }
  }

  /// Whether the session was cut off because time was over, and not lost.
  private var isPastDeadline: Bool { (cause as? Interruptions.CutOff) == .deadline }
}

extension ServerMessage {
  /// A notice or a warning as programs print it.
  public func diagnostic(of program: String) -> Diagnostic {
    var details: [(label: String, text: String)] = []
    if let detail { details.append(("DETAIL", detail)) }
    if let hint { details.append(("HINT", hint)) }
    return Diagnostic(
      program: program, severity: Diagnostic.Severity(rawValue: severity) ?? .notice,
      code: code == "00000" ? nil : code, message: message, details: details,
      fields: namedFields)
  }

  /// Every field that a message's own form does not have, by its name in JSON.
  var namedFields: [Diagnostic.Field] {
    fields.compactMap { field, value in
      guard let name = Self.names[field] else { return nil }
      return Diagnostic.Field(name, value, isNumber: Self.isNumber(field) && Int(value) != nil)
    }
  }

  private static func isNumber(_ field: Field) -> Bool {
    field == .position || field == .internalPosition || field == .line
  }

  private static let names: [Field: String] = [
    .detail: "detail", .hint: "hint", .position: "position", .internalQuery: "internal_query",
    .internalPosition: "internal_position", .context: "where", .schema: "schema",
    .table: "table", .column: "column", .dataType: "datatype", .constraint: "constraint",
    .file: "file", .line: "line", .routine: "routine",
  ]
}
