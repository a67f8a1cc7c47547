extension PGError {
  /// The full page: headline, the server's fields, and the chain of things it happened to.
  ///
  /// In py-postgresql: the text of an exception as the interpreter prints it.
  public var report: String {
    var lines = [description]
    if let fields {
      for (field, label) in ServerMessage.reported {
        if let value = fields[field] { lines.append("  \(label): \(indented(value))") }
      }
      if let location = fields.location { lines.append("  LOCATION: \(location)") }
    }
    if fields?.hint == nil, let hint { lines.append("  HINT: \(indented(hint))") }
    for creator in origin.creators {
      lines.append("\(creator.label): \(indented(creator.summary))")
    }
    if let cause { lines.append("CAUSE: \(indented("\(cause)"))") }
    return lines.joined(separator: "\n")
  }

  private func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n    ")
  }
}

extension ServerMessage {
  /// The fields that a report shows, in its order.
  static let reported: [(Field, String)] = [
    (.detail, "DETAIL"), (.hint, "HINT"), (.position, "POSITION"),
    (.internalQuery, "INTERNAL QUERY"), (.internalPosition, "INTERNAL POSITION"),
    (.context, "CONTEXT"), (.schema, "SCHEMA"), (.table, "TABLE"), (.column, "COLUMN"),
    (.dataType, "DATA TYPE"), (.constraint, "CONSTRAINT"),
  ]

  /// Where in the server's source the message was made.
  var location: String? {
    guard let file = self[.file] else { return nil }
    let line = self[.line].map { ":\($0)" } ?? ""
    let routine = self[.routine].map { " in \($0)" } ?? ""
    return file + line + routine
  }
}
