/// Connection options from environment variables: `PGHOST`, `PGPORT`, ….
///
/// With another prefix than `PG`, for example `PG_SOURCE_`, `PG_SOURCE_HOST` is read and `PGHOST`
/// is not. Source: PostgreSQL manual, "Environment Variables"; py-postgresql's `environ_prefix`.
enum EnvironmentOptions {
  /// The variable that holds a whole IRI or keyword string.
  static let iriVariable = "PGKIT_IRI"

  /// Reads every variable of the table that `lookup` knows.
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
    return options
  }

  /// The variable of an option.
  static func name(of keyword: OptionKeyword, prefix: String) -> String? {
    keyword.variable.map { prefix == "PG" ? $0 : prefix + String($0.dropFirst(2)) }
  }
}
