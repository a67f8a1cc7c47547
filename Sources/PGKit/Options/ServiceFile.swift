/// A section of a connection service file, `pg_service.conf`.
///
/// A key that is no option is an error, as in libpq, and not a server setting, as in py-postgresql:
/// whoever misspells the host must not end up at the default one.
///
/// Source: PostgreSQL manual, "The Connection Service File".
public enum ServiceFile {
  /// Reads the section named `service` of a file's text; `nil` if there is none.
  ///
  /// - Parameters:
  ///   - text: The file's text.
  ///   - service: The section's name.
  ///   - path: How errors name the file.
  /// - Throws: ``PGError`` with ``SQLState/clientParameterError`` naming the file and the line.
  public static func parse(
    _ text: String, service: String, path: String
  ) throws(PGError) -> ConnectionOptions? {
    var options: ConnectionOptions?
    for (index, line) in lines(of: text).enumerated() where !line.isEmpty && line.first != "#" {
      if line.first == "[" {
        if options != nil { break }
        if line.dropFirst().hasPrefix(service + "]") { options = ConnectionOptions() }
      } else if var section = options {
        try parse(line: line, at: "service file \"\(path)\", line \(index + 1)", into: &section)
        options = section
      }
    }
    return options
  }

  /// The first line that gives an option wins.
  private static func parse(
    line: Substring, at place: String, into options: inout ConnectionOptions
  ) throws(PGError) {
    if line.hasPrefix("ldap:") || line.hasPrefix("ldaps:") {
      throw .option("the service in \(place), asks an LDAP server, which PGKit does not do")
    }
    guard let equals = line.firstIndex(of: "=") else {
      throw .option("syntax error in \(place): \"=\" is missing", hint: "A line is option=value.")
    }
    let (key, value) = (String(line[..<equals]), String(line[line.index(after: equals)...]))
    if key == "service" || key == "servicefile" {
      throw .option("option \"\(key)\" in \(place), would nest one service in another")
    }
    guard let keyword = OptionKeyword[key] else {
      throw .option(
        "syntax error in \(place): \"\(key)\" is not a connection option", hint: remedy(for: key))
    }
    if keyword.access.format(options) != nil { return }
    try keyword.parse(value, into: &options, place: "in \(place),")
  }

  private static func remedy(for key: String) -> String {
    let name = String(key.drop(while: \.isWhitespace).prefix { !$0.isWhitespace })
    if name != key, OptionKeyword[name] != nil { return "There must be no blanks around \"=\"." }
    if let near = OptionKeyword.nearest(to: key) { return "Perhaps \"\(near)\" is meant." }
    return "Options are libpq's, such as host; a server setting is written options=-c name=value."
  }

  private static func lines(of text: String) -> [Substring] {
    text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map { line in
      let line = line.drop(while: \.isWhitespace)
      return line.lastIndex { !$0.isWhitespace }.map { line[...$0] } ?? ""
    }
  }
}
