extension PGError {
  /// The full page: headline, the server's fields, and the chain of things it happened to.
  ///
  /// In py-postgresql: the text of an exception as the interpreter prints it.
  public var report: String {
    var lines = [description] + (fields?.reportedLines ?? [])
    if fields?.hint == nil, let hint { lines.append("  HINT: \(hint.indented)") }
    for creator in origin.creators {
      lines.append("\(creator.label): \(creator.summary.indented)")
    }
    if let cause { lines.append("CAUSE: \("\(cause)".indented)") }
    return lines.joined(separator: "\n")
  }
}

extension String {
  /// The lines behind the first one set in.
  fileprivate var indented: String {
    split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n    ")
  }
}

extension ServerMessage {
  /// The full page: headline and fields.
  public var report: String {
    (["\(severity) \(code): \(message)"] + reportedLines).joined(separator: "\n")
  }

  /// Whether it is a warning or worse, rather than a notice.
  var isWarning: Bool {
    !["NOTICE", "INFO", "LOG"].contains(severity) && !severity.hasPrefix("DEBUG")
  }

  fileprivate var reportedLines: [String] {
    var lines = Self.reported.compactMap { field, label in
      self[field].map { "  \(label): \($0.indented)" }
    }
    if let location { lines.append("  LOCATION: \(location)") }
    return lines
  }

  /// The fields that a report shows, in its order.
  static let reported: [(Field, String)] = [
    (.detail, "DETAIL"), (.hint, "HINT"), (.position, "POSITION"),
    (.internalQuery, "INTERNAL QUERY"), (.internalPosition, "INTERNAL POSITION"),
    (.context, "CONTEXT"), (.schema, "SCHEMA"), (.table, "TABLE"), (.column, "COLUMN"),
    (.dataType, "DATA TYPE"), (.constraint, "CONSTRAINT"),
  ]

  /// Where in the server's source the message was made, as `file:line in routine`; `nil` if the server did
  /// not say.
  public var location: String? {
    guard let file = self[.file] else { return nil }
    let line = self[.line].map { ":\($0)" } ?? ""
    let routine = self[.routine].map { " in \($0)" } ?? ""
    return file + line + routine
  }
}
