// What every test begins with, in a throwaway cluster: files of SQL that are run, or a command that
// makes the same of them. It happens once, in a template, and is copied from then on.

extension TemporaryCluster {
  /// What a template is made of besides what initdb makes.
  struct Sowing: Sendable {
    let files: [SeedFile]
    let command: String?

    init(_ options: Options) throws(PGError) {
      files = try SeedFile.read(options.seeds)
      command = options.seedCommand
    }

    var isEmpty: Bool { files.isEmpty && command == nil }
  }

  /// How long the server of a template may take to end in order.
  private static let stopPatience = Duration.seconds(60)

  /// The key of the template that grows from another one's.
  ///
  /// The settings under which it grows may decide about what is made.
  static func key(_ key: String, _ sowing: Sowing, _ options: Options) throws(PGError) -> String {
    var parts = [key] + seedSettings(options).map { "\($0.name)=\($0.value)" }
    for file in sowing.files { parts.append("seed " + (try file.digest())) }
    if let command = sowing.command { parts.append("command " + command) }
    return parts.joined(separator: "\n")
  }

  /// Sows in a data directory that no server runs in, and leaves it in order.
  func sow(_ sowing: Sowing, in data: String, _ making: Options) throws(PGError) {
    let garden = Cluster(
      data, installation: cluster.installation, runAs: cluster.runAs, supervisor: supervisor)
    var options = Cluster.StartOptions()
    options.settings = Self.seedSettings(making)
    options.socketDirectory = root.path
    options.logFile = root.path + "/seed.log"
    options.user = Self.superuser
    options.database = "postgres"
    try garden.start(options)
    var failure: PGError?
    do throws(PGError) {
      let options = try garden.connectionOptions()
      if let command = sowing.command {
        try run(command, options)
      } else {
        for file in sowing.files { try file.run(on: options) }
      }
    } catch { failure = error }
    try garden.stop(failure == nil ? .fast : .immediate, wait: Self.stopPatience, force: true)
    if let failure { throw failure }
    try garden.shortenLog()
  }

  private static func seedSettings(_ options: Options) -> [ConnectionOptions.Setting] {
    options.preset.settings + tidySettings + options.settings
  }

  /// Runs the shell's command, with what it says on stderr: stdout is the program's own.
  private func run(_ command: String, _ options: ConnectionOptions) throws(PGError) {
    var launch = ProcessLaunch(
      "/bin/sh", ["-c", command],
      environment: Self.environment(leadingTo: options, cluster.installation))
    launch.output = .descriptor(2)
    launch.error = .descriptor(2)
    // A signal from the terminal is for it too.
    launch.group = .inherited
    launch.inheritsIgnoredSignals = true
    launch.endsWithThread = true
    let ending = try launch.start().wait() ?? .unknown
    guard ending.isSuccess else {
      throw .clusterInitialization("the seed's command \(ending): \(command)")
    }
  }
}
