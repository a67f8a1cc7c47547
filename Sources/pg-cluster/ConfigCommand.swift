internal import ArgumentParser
internal import Glibc
internal import PGCommandLine
internal import PGKit

/// `pg-cluster config VERB DIR …`: the settings in a configuration file.
///
/// In py-postgresql: `pg_dotconf`.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Read and edit postgresql.conf, keeping every comment and line.",
    subcommands: [ConfigGetCommand.self, ConfigSetCommand.self, ConfigUnsetCommand.self])
}

/// Which file is meant.
struct ConfigurationArgument: ParsableArguments {
  @Argument(
    help: ArgumentHelp("The data directory, or a configuration file.", valueName: "dir-or-file"),
    completion: .file())
  var argument: DirectoryArgument

  private var place: String { argument.path }

  /// The file: `postgresql.conf` where a directory is named.
  var path: String {
    var facts = stat()
    let isDirectory = stat(place, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    return isDirectory ? ClusterArgument.dataDirectory(of: place) + "/postgresql.conf" : place
  }

  func read() throws(Failure) -> ConfigurationFile {
    try ClusterCommand.attempt { () throws(PGError) in try ConfigurationFile(reading: path) }
  }

  /// Makes changes, in the file or, for whoever asks for that, only on stdout.
  func apply(_ changes: [(name: String, value: String?)], toStdout: Bool) throws {
    var file = try read()
    file.apply(changes)
    if toStdout {
      try StandardOutput.shared.write(file.text)
    } else {
      try ClusterCommand.attempt { () throws(PGError) in try file.write(to: path) }
      warnOfOverrides(changes.map(\.name))
    }
  }

  /// What `ALTER SYSTEM` has set counts more, which would make a change look lost.
  private func warnOfOverrides(_ names: [String]) {
    guard path != place,
      let auto = try? ConfigurationFile(
        reading: ClusterArgument.dataDirectory(of: place) + "/postgresql.auto.conf")
    else { return }
    for name in names where auto[name] != nil {
      ClusterCommand.note(
        "postgresql.auto.conf sets \(name) too, and counts more; see ALTER SYSTEM")
    }
  }
}

/// `pg-cluster config get DIR [NAME…]`.
struct ConfigGetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Print values, one a line; without names every setting that is in force.",
    discussion: "The status is 6 if one of the names is not set.")

  @OptionGroup var file: ConfigurationArgument

  @Argument(help: ArgumentHelp("A setting.", valueName: "name"))
  var names: [String] = []

  func run() throws {
    let file = try file.read()
    if names.isEmpty {
      var shown = ConfigurationFile()
      for setting in file.settings { shown[setting.name] = setting.value }
      let text = shown.text
      try StandardOutput.shared.write(text.isEmpty ? "" : text + "\n")
      return
    }
    var missing: [String] = []
    for name in names {
      guard let value = file[name] else {
        missing.append(name)
        continue
      }
      try StandardOutput.shared.write(value + "\n")
    }
    guard missing.isEmpty else {
      throw ClusterCommand.failure(.negative, "not set: \(missing.joined(separator: ", "))")
    }
  }
}

/// `pg-cluster config set DIR NAME=VALUE…`.
struct ConfigSetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Set values; a line that is commented out is used again.")

  @OptionGroup var file: ConfigurationArgument

  @Flag(help: "Print the changed file; change nothing.")
  var stdout = false

  @Option(
    name: .customLong("from"),
    help: ArgumentHelp("A file whose settings are set too; may be repeated.", valueName: "file"),
    completion: .file())
  var sources: [String] = []

  @Argument(help: ArgumentHelp("A setting and its value.", valueName: "name=value"))
  var settings: [String] = []

  func validate() throws {
    if settings.isEmpty, sources.isEmpty { throw ValidationError("no setting is given") }
    for text in settings where SettingArgument(argument: text) == nil {
      throw ValidationError(
        "'\(text)' is not of the form name=value; write no blanks around the sign")
    }
  }

  func run() throws {
    var changes: [(name: String, value: String?)] = []
    for source in sources {
      let read = try ClusterCommand.attempt { () throws(PGError) in
        try ConfigurationFile(reading: source)
      }
      changes += read.settings.map { ($0.name, $0.value) }
    }
    changes += settings.compactMap { SettingArgument(argument: $0)?.setting }.map {
      ($0.name, $0.value)
    }
    try ClusterCommand.checkNames(changes.map(\.name))
    try file.apply(changes, toStdout: stdout)
  }
}

/// `pg-cluster config unset DIR NAME…`.
struct ConfigUnsetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unset", abstract: "Comment settings out, so that defaults count.")

  @OptionGroup var file: ConfigurationArgument

  @Flag(help: "Print the changed file; change nothing.")
  var stdout = false

  @Argument(help: ArgumentHelp("A setting.", valueName: "name"))
  var names: [String]

  func run() throws {
    try ClusterCommand.checkNames(names)
    try file.apply(names.map { ($0, nil) }, toStdout: stdout)
  }
}

extension ClusterCommand {
  /// The way out with a message of the program's own.
  static func failure(_ status: ExitStatus, _ message: String) -> Failure {
    Failure(status, Diagnostic(program: program, message: message))
  }

  /// Refuses what could not be a setting's name, and would make the file unreadable for the server.
  static func checkNames(_ names: [String]) throws(Failure) {
    for name in names where !ConfigurationFile.isName(name) {
      throw failure(.usage, "\"\(name)\" is not a setting's name")
    }
  }
}
