internal import PGErrorCodes

// One message in the forms that machines read.

extension Diagnostic {
  /// An object on one line, with every field that there is.
  ///
  /// A label that may come several times, as that of rows, has a list.
  ///
  /// - Parameter exitCode: What a shell will see.
  func json(_ status: ExitStatus?, _ exitCode: Int32? = nil) -> String {
    var members = [("program", JSONText.quoted(program))]
    func add(_ name: String, _ value: String?) {
      if let value { members.append((name, JSONText.quoted(value))) }
    }
    add("severity", severity?.rawValue ?? (isFailure(status) ? "ERROR" : nil))
    add("sqlstate", code?.description)
    add("condition", condition)
    add("class", code?.classCharacters)
    add("message", message)
    // The server's context has a name of its own among the fields.
    let hasContext = fields.contains { $0.name == "where" }
    for detail in details
    where !(hasContext && detail.label == "CONTEXT") && detail.label != Self.rowLabel {
      add(detail.label.lowercased(), detail.text)
    }
    let rows = details.filter { $0.label == Self.rowLabel }.map { JSONText.quoted($0.text) }
    if !rows.isEmpty { members.append(("rows", "[" + rows.joined(separator: ",") + "]")) }
    for field in fields where !details.contains(where: { $0.label.lowercased() == field.name }) {
      members.append((field.name, field.isNumber ? field.value : JSONText.quoted(field.value)))
    }
    add("source", place?.name ?? location)
    if let place { members.append(("source_line", "\(place.line)")) }
    if let column = place?.column { members.append(("source_column", "\(column)")) }
    if let code { members.append(("retryable", "\(code.retry.isRetryable)")) }
    if let code = exitCode ?? status?.rawValue { members.append(("exit_code", "\(code)")) }
    return "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
  }

  /// GitHub's form: `::error file=schema.sql,line=12,col=15,title=42P01::…`.
  func workflowCommand(_ status: ExitStatus?) -> String {
    let command = severity == .warning ? "warning" : isFailure(status) ? "error" : "notice"
    var properties: [String] = []
    if let place, place.isFile {
      properties = ["file=\(Self.property(place.name))", "line=\(place.line)"]
      if let column = place.column { properties.append("col=\(column)") }
    }
    properties.append(
      "title=" + Self.property([program, title].compactMap { $0 }.joined(separator: " ")))
    let elsewhere = place?.isFile == true ? "" : location.map { " (\($0))" } ?? ""
    return "::\(command) \(properties.joined(separator: ","))::" + Self.escaped(body + elsewhere)
  }

  /// The message and its fields.
  var body: String {
    ([message] + details.map { "\($0.label): \($0.text)" }).joined(separator: "\n")
  }

  private static func property(_ text: String) -> String {
    escaped(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
  }

  private static func escaped(_ text: String) -> String {
    escapingControls(
      text.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A"))
  }
}
