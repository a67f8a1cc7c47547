extension ConnectionOptions {
  /// What the startup packet says, in order: who, where, and the settings.
  ///
  /// A server setting in ``settings`` replaces the option of the same name, except that user,
  /// database and replication are not settings and cannot be said there.
  ///
  /// Source: PostgreSQL manual, "Message Formats", StartupMessage.
  func startupParameters() -> [(name: String, value: String)] {
    var result = ConnectionOptions()
    if let options { result.setSetting("options", to: options) }
    if let name = applicationName ?? fallbackApplicationName {
      result.setSetting("application_name", to: name)
    }
    let encoding = clientEncoding == "auto" ? nil : clientEncoding
    result.setSetting("client_encoding", to: encoding ?? "UTF8")
    let identity = [("user", user), ("database", database), ("replication", replication)]
    for setting in settings where !identity.contains(where: { $0.0 == setting.name.lowercased() }) {
      result.setSetting(setting.name, to: setting.value)
    }
    let said = identity.compactMap { name, value -> (name: String, value: String)? in
      guard let value, !value.isEmpty else { return nil }
      return (name, value)
    }
    return said + result.settings.map { ($0.name, $0.value) }
  }
}
