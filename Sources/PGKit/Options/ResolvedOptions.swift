/// Where an option came from, strongest first.
public enum OptionSource: Sendable, Hashable, CaseIterable {
  /// The caller, or a program's flag.
  case override
  /// The IRI or keyword string.
  case iri
  /// An environment variable.
  case environment
  /// A section of a service file.
  case serviceFile
  /// What holds when nobody says anything.
  case builtIn
}

/// Connection options with the place that each came from, for explanations.
public struct ResolvedOptions: Sendable {
  /// One option, or one server setting.
  public struct Entry: Sendable, Hashable {
    /// libpq's keyword, or the setting's name.
    public let name: String
    /// The value, or stars in place of a secret.
    public let value: String
    /// Whether it is a setting for the server.
    public let isSetting: Bool
    /// Which kind of source it came from.
    public let source: OptionSource
    /// The source by name: `IRI`, `PGHOST`, a service file's path, ….
    public let place: String
  }

  /// The options, ready to connect with.
  public private(set) var options = ConnectionOptions()
  /// Where each came from, in the order of the table of options; settings last.
  ///
  /// What nobody said is there too, with the value that then holds, if there is one.
  public var entries: [Entry] {
    let isSocket = options.unix?.isEmpty == false
    let known = OptionKeyword.all.compactMap { keyword -> Entry? in
      let fallback = isSocket && keyword.name == "port" ? nil : keyword.fallback
      guard let value = keyword.formatForDisplay(options) ?? fallback else { return nil }
      let origin = origins[keyword.name]
      return Entry(
        name: keyword.name, value: value, isSetting: false, source: origin?.source ?? .builtIn,
        place: origin?.place(of: keyword) ?? "default")
    }
    return known + settings
  }
  /// What the caller should be told, for example that a password file was passed over.
  public internal(set) var warnings: [String] = []

  private var origins: [String: Layer] = [:]
  private var settings: [Entry] = []

  /// What one source says.
  struct Layer: Sendable {
    let source: OptionSource
    let options: ConnectionOptions
    /// How the source is called.
    let name: String
    /// What the names begin with, if each option came from a variable of its own.
    var variablePrefix: String?

    func place(of keyword: OptionKeyword) -> String {
      variablePrefix.flatMap { EnvironmentOptions.name(of: keyword, prefix: $0) } ?? name
    }

    func place(ofSetting setting: String) -> String {
      variablePrefix.flatMap { EnvironmentOptions.name(ofSetting: setting, prefix: $0) } ?? name
    }
  }

  /// Options that say where to connect to, of which only the strongest source that says any counts:
  /// an address must not be taken for the address of another source's host.
  private static let places: Set<String> = ["host", "hostaddr", "unix"]

  /// Adds what a weaker source says where nothing is known yet; settings one by one.
  mutating func fill(from layer: Layer) {
    let isPlaced = OptionKeyword.all.contains { Self.places.contains($0.name) && says($0) }
    let isSocket = options.unix?.isEmpty == false
    for keyword in OptionKeyword.all where Self.says(keyword, layer.options) && !says(keyword) {
      if isPlaced, Self.places.contains(keyword.name) { continue }
      if isSocket, keyword.name == "port" { continue }
      keyword.access.copy(layer.options, &options)
      origins[keyword.name] = layer
    }
    for setting in layer.options.settings where options.setting(setting.name) == nil {
      options.setSetting(setting.name, to: setting.value)
      settings.append(
        Entry(
          name: setting.name, value: setting.value, isSetting: true, source: layer.source,
          place: layer.place(ofSetting: setting.name)))
    }
  }

  private func says(_ keyword: OptionKeyword) -> Bool { Self.says(keyword, options) }

  /// An empty text says nothing, except that an empty password is one.
  private static func says(_ keyword: OptionKeyword, _ options: ConnectionOptions) -> Bool {
    guard let text = keyword.access.format(options) else { return false }
    return !text.isEmpty || keyword.name == "password"
  }

  /// Replaces the empty elements of a list of hosts.
  mutating func replaceEmptyHosts(_ replacement: (_ index: Int) -> String) {
    guard options.hostAddresses == nil, let hosts = options.hosts else { return }
    options.hosts = hosts.indices.map { hosts[$0].isEmpty ? replacement($0) : hosts[$0] }
  }
}
