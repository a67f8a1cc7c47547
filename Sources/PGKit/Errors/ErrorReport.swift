import Synchronization

extension PGError {
  /// In a structure: a closure that a Mutex holds by itself is wrapped once more each time it is read.
  private struct Format {
    var closure: (@Sendable (PGError) -> String)?
  }

  private static let format = Mutex(Format())

  /// How ``report`` shows an error; `nil` for PGKit's own way, ``fullReport``.
  ///
  /// To users it is `Messages.errorFormat`.
  static var reportFormat: (@Sendable (PGError) -> String)? {
    get { format.withLock { $0.closure } }
    set { format.withLock { $0.closure = newValue } }
  }

  /// The error as it is shown to people: the full page, unless `Messages.errorFormat` says otherwise.
  ///
  /// In py-postgresql: the text of an exception as the interpreter prints it.
  public var report: String { Self.reportFormat?(self) ?? fullReport }

  /// The full page: headline, the server's fields, and the chain of things it happened to.
  ///
  /// In py-postgresql: `postgresql.sys.default_errformat`.
  public var fullReport: String {
    var lines = [headline] + (fields?.reportedLines ?? [])
    if fields?.hint == nil, let hint { lines.append("  HINT: \(hint.indented)") }
    for creator in origin.creators {
      lines.append(creator.reportedLine)
      if creator.label == ErrorOrigin.Creator.statementLabel, let position = fields?.position {
        lines += creator.summary.excerpt(at: position)
      }
    }
    if let cause { lines.append("CAUSE: \("\(cause)".indented)") }
    return lines.joined(separator: "\n")
  }
}

extension ErrorOrigin.Creator {
  fileprivate var reportedLine: String { "\(label): \(summary.indented)" }
}

extension String {
  /// The line with the character that has this number, from 1, and a mark below the character.
  ///
  /// Source: PostgreSQL manual, "Error and Notice Message Fields": the position counts characters.
  fileprivate func excerpt(at position: Int) -> [String] {
    let text = unicodeScalars
    guard position > 0,
      let place = text.index(
        text.startIndex, offsetBy: position - 1, limitedBy: text.endIndex)
    else { return [] }
    let before = text[..<place]
    let start = before.lastIndex(of: "\n").map { text.index(after: $0) } ?? text.startIndex
    let end = text[place...].firstIndex(of: "\n") ?? text.endIndex
    let label = "  LINE \(before.count { $0 == "\n" } + 1): "
    // A tab is as wide below as above.
    let blanks = text[start..<place].map { $0 == "\t" ? "\t" : " " }.joined()
    return [
      label + String(text[start..<end]),
      String(repeating: " ", count: label.count) + blanks + "^",
    ]
  }

  /// The lines behind the first one set in.
  fileprivate var indented: String {
    split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n    ")
  }
}

extension ServerMessage {
  /// The full page: headline, fields, and what the message is about.
  public var report: String {
    (["\(severity) \(code): \(message)"] + reportedLines + origin.creators.map(\.reportedLine))
      .joined(separator: "\n")
  }

  /// Whether it is a warning or worse, rather than a notice.
  var isWarning: Bool { kind != .notice }

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

  /// Where in the server's source the message was made: `parse_relation.c:1392 in parserOpenTable`.
  ///
  /// In py-postgresql: `Message.location`.
  public var location: String? {
    guard let file = self[.file] else { return nil }
    let line = self[.line].map { ":\($0)" } ?? ""
    let routine = self[.routine].map { " in \($0)" } ?? ""
    return file + line + routine
  }
}
