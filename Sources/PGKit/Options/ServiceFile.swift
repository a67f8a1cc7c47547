/// A section of a connection service file, `pg_service.conf`.
///
/// Source: PostgreSQL manual, "The Connection Service File". Beyond it, a key that is no option is
/// a server setting, as in py-postgresql, unless it looks like a misspelled option.
public enum ServiceFile {
  /// Reads the section named `service` of a file's text; `nil` if there is none.
  ///
  /// - Parameter path: how errors name the file.
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
        try parse(line: line, place: "in \(path), line \(index + 1),", into: &section)
        options = section
      }
    }
    return options
  }

  /// The first line that gives an option wins.
  private static func parse(
    line: Substring, place: String, into options: inout ConnectionOptions
  ) throws(PGError) {
    if line.hasPrefix("ldap:") || line.hasPrefix("ldaps:") {
      throw .option("the service \(place) asks an LDAP server, which PGKit does not do")
    }
    guard let equals = line.firstIndex(of: "=") else {
      throw .option("\"=\" is missing \(place.dropLast())", hint: "A line is option=value.")
    }
    let (key, value) = (String(line[..<equals]), String(line[line.index(after: equals)...]))
    if key == "service" || key == "servicefile" {
      throw .option("option \"\(key)\" \(place) would nest one service in another")
    }
    guard let keyword = OptionKeyword[key] else {
      return try parse(setting: key, value, place: place, into: &options)
    }
    if keyword.access.format(options) != nil { return }
    try keyword.parse(value, into: &options, place: place)
  }

  private static func parse(
    setting key: String, _ value: String, place: String, into options: inout ConnectionOptions
  ) throws(PGError) {
    let name = key.lowercased()
    // A misspelled sslmode must not end as a setting that the server sees after the password.
    if name.isEmpty || name.hasPrefix("ssl") || OptionKeyword.nearest(to: name) != nil {
      throw .unknownOption(key, place: place)
    }
    if value.utf8.contains(0) { throw .option("setting \"\(key)\" \(place) holds a NUL byte") }
    if options.setting(name) == nil { options.setSetting(name, to: value) }
  }

  private static func lines(of text: String) -> [Substring] {
    text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map { line in
      let line = line.drop(while: \.isWhitespace)
      return line.lastIndex { !$0.isWhitespace }.map { line[...$0] } ?? ""
    }
  }
}
