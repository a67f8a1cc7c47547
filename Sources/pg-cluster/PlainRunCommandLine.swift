internal import PGCommandLine

/// Reads the command lines of `pg-cluster run` that scripts use most without the parser, which takes longer
/// to begin than a tenth of what there is to do: the options below, each with its value in the next word,
/// then `--` and the command.
///
/// Any other makes the command line the parser's.
struct PlainRunCommandLine {
  private var words: PlainWords
  private var command = RunCommand.none
  /// The options that were met, other than those that may be repeated.
  private var met: [String] = []

  init(_ words: some Sequence<String>) { self.words = PlainWords(words) }

  /// The command, as the parser would have read it; `nil` if the parser must.
  mutating func read() -> RunCommand? {
    assert(Self.forgotten.isEmpty, "\(Self.forgotten) would not have a value")
    guard words.next() == "run" else { return nil }
    while let word = words.next() {
      if word == "--" {
        command.command = Array(words.rest)
        return command.command.isEmpty ? nil : command
      }
      guard take(word) else { return nil }
    }
    return nil
  }

  private static var forgotten: [String] {
    RunCommand.forgotten + ThrowawayOptions.forgotten + InitDBOptions.forgotten
      + InstallationOptions.forgotten + ServerOptions.forgotten
  }

  private mutating func take(_ option: String) -> Bool {
    switch option {
    case "--seed": return takeValue { $0.throwaway.seeds.append($1) }
    case "--set": return takeSetting()
    default: break
    }
    if met.contains(option) { return false }
    met.append(option)
    switch option {
    case "--keep": command.keep = true
    case "--keep-on-failure": command.keepOnFailure = true
    case "--times": command.times = true
    case "--no-cache": command.throwaway.noCache = true
    case "--tls": command.throwaway.tls = true
    case "--tcp": command.throwaway.server.tcp = true
    case "--pg": return takeValue { $0.throwaway.installation.installation = $1 }
    case "--storage": return takeStorage()
    case "--preset": return takePreset()
    default: return false
    }
    return true
  }

  private mutating func takeValue(_ store: (inout RunCommand, String) -> Void) -> Bool {
    guard let value = words.value() else { return false }
    store(&command, value)
    return true
  }

  private mutating func takeSetting() -> Bool {
    guard let text = words.value(), let setting = SettingArgument(argument: text) else {
      return false
    }
    command.throwaway.server.settings.append(setting)
    return true
  }

  private mutating func takeStorage() -> Bool {
    guard let text = words.value(), let word = StorageWord(argument: text) else { return false }
    command.throwaway.storage = word
    return true
  }

  private mutating func takePreset() -> Bool {
    guard let text = words.value(), let word = PresetWord(argument: text) else { return false }
    command.throwaway.preset = word
    return true
  }
}
