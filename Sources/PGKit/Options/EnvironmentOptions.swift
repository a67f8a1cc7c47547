/// Connection options from environment variables: `PGHOST`, `PGPORT`, ….
///
/// With another prefix than `PG`, for example `PG_SOURCE_`, `PG_SOURCE_HOST` is read and `PGHOST`
/// is not. Source: PostgreSQL manual, "Environment Variables"; py-postgresql's `environ_prefix`.
enum EnvironmentOptions {
  /// The variable that holds a whole IRI or keyword string.
  static let iriVariable = "PGKIT_IRI"

  /// The variables that are settings for the server, with the settings' names.
  ///
  /// Source: libpq's `EnvironmentOptions`.
  static let settings = [("PGTZ", "timezone"), ("PGDATESTYLE", "datestyle"), ("PGGEQO", "geqo")]

  /// Reads every variable of the table that `lookup` knows, and those of settings.
  ///
  /// An empty one counts as unset where empty means nothing.
  static func parse(
    prefix: String, _ lookup: (String) -> String?
  ) throws(PGError) -> ConnectionOptions {
    var options = ConnectionOptions()
    for keyword in OptionKeyword.all {
      guard let variable = name(of: keyword, prefix: prefix), let text = lookup(variable),
        !text.isEmpty || keyword.access.refusesEmpty && keyword.name != "port"
      else { continue }
      // The old variable can only ask for more, and yields to the new one.
      if keyword.name == "requiressl", options.sslMode != nil || text == "0" { continue }
      try keyword.parse(text, into: &options, place: "in \(variable)")
    }
    for (variable, setting) in settings {
      let variable = name(of: variable, prefix: prefix)
      // As in libpq, this word leaves the server's own choice.
      guard let text = lookup(variable), !text.isEmpty, text.lowercased() != "default" else {
        continue
      }
      if text.utf8.contains(0) { throw .option("\(variable) holds a NUL byte") }
      options.setSetting(setting, to: text)
    }
    return options
  }

  /// The variable of an option.
  static func name(of keyword: OptionKeyword, prefix: String) -> String? {
    keyword.variable.map { name(of: $0, prefix: prefix) }
  }

  /// The variable of a setting, if it has one.
  static func name(ofSetting setting: String, prefix: String) -> String? {
    settings.first { $0.1 == setting }.map { name(of: $0.0, prefix: prefix) }
  }

  private static func name(of variable: String, prefix: String) -> String {
    prefix == "PG" ? variable : prefix + String(variable.dropFirst(2))
  }
}
