extension ConnectionOptions {
  /// The value of a server setting, by its name in any letter case.
  public func setting(_ name: String) -> String? {
    settings.first { Self.isSame($0.name, name) }?.value
  }

  /// Gives a server setting a value: the one that there is in its place, or a new one at the end.
  public mutating func setSetting(_ name: String, to value: String) {
    if let index = settings.firstIndex(where: { Self.isSame($0.name, name) }) {
      settings[index] = Setting(name, value)
    } else {
      settings.append(Setting(name, value))
    }
  }

  /// These options with everything that `others` say laid over them; settings one by one.
  ///
  /// In py-postgresql: `clientparameters.normalize`.
  public func overlaid(by others: ConnectionOptions) -> ConnectionOptions {
    var result = self
    for keyword in OptionKeyword.all where keyword.access.format(others) != nil {
      keyword.access.copy(others, &result)
    }
    for setting in others.settings { result.setSetting(setting.name, to: setting.value) }
    return result
  }

  private static func isSame(_ left: String, _ right: String) -> Bool {
    left == right || left.lowercased() == right.lowercased()
  }
}
