internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// `pg-cluster init DIR`.
struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Make a cluster in a new or empty directory.")

  @OptionGroup var installation: InstallationOptions

  @Option(help: ArgumentHelp("The superuser; by default your own name.", valueName: "name"))
  var superuser: String?

  @Option(help: ArgumentHelp("The encoding.", valueName: "name"))
  var encoding = "UTF8"

  @Option(help: ArgumentHelp("The locale; by default C.UTF-8, else C.", valueName: "name"))
  var locale: String?

  @Flag(help: "Do not force the files to the disk.")
  var noSync = false

  @Option(
    name: .customLong("initdb-arg"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("One more argument for initdb; may be repeated.", valueName: "argument"))
  var arguments: [String] = []

  @Argument(help: ArgumentHelp("The data directory.", valueName: "dir"))
  var directory: String

  func run() throws {
    var options = Cluster.InitOptions()
    options.superuser = superuser
    options.encoding = encoding
    options.locale = locale
    options.synchronizes = !noSync
    options.arguments = arguments
    let cluster = try ClusterCommand.attempt { () throws(PGError) in
      let cluster = try installation.cluster(directory)
      try cluster.initialize(options)
      return cluster
    }
    ClusterCommand.note("made \(cluster)")
  }
}
