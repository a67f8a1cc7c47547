internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// Settings that the text of values must not depend on a server's configuration for; the IRI's own win.
enum SessionSettings {
  static let inStartup = [
    ConnectionOptions.Setting("DateStyle", "ISO")
  ]

  /// Those that poolers refuse in the first message: they are set in the session.
  static let inSession = [
    ConnectionOptions.Setting("IntervalStyle", "iso_8601"),
    ConnectionOptions.Setting("extra_float_digits", "3"),
    ConnectionOptions.Setting("bytea_output", "hex"),
  ]
}

/// What `--explain-iri` prints: everything that decides about the connection, with where it came from.
struct IRIExplanation {
  private let resolved: ResolvedOptions

  /// Works it out without connecting.
  ///
  /// - Throws: ``Failure`` with status 64.
  init(iri: String?, overrides: ConnectionOptions, _ connecting: Connecting) throws(Failure) {
    resolved = try connecting.explain(
      iri: iri, overrides: overrides,
      settings: SessionSettings.inStartup + SessionSettings.inSession)
  }

  /// Prints a parameter a line, or an object of JSON.
  ///
  /// - Throws: ``StandardOutput/Failure``.
  func print(to output: RowOutput) throws {
    for entry in resolved.entries {
      let place = entry.source == .override ? "flag" : entry.place
      guard output.isJSON else {
        try output.write("\(entry.name)\t\(entry.value)\t\(place)\n")
        continue
      }
      try output.write(
        """
        {"name":\(JSONText.quoted(entry.name)),"value":\(JSONText.quoted(entry.value)),\
        "source":\(JSONText.quoted(place))}

        """)
    }
  }
}
