internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// `pg-cluster init DIR`.
struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Make a cluster in a new or empty directory.")

  @OptionGroup var installation: InstallationOptions
  @OptionGroup var making: InitDBOptions

  @Option(help: ArgumentHelp("The superuser; by default your own name.", valueName: "name"))
  var superuser: String?

  @Flag(help: "Do not force the files to the disk.")
  var noSync = false

  @Argument(help: ArgumentHelp("The data directory.", valueName: "dir"), completion: .directory)
  var place: DirectoryArgument

  private var directory: String { place.path }

  func run() throws {
    var directory = directory
    if DataDirectory(directory).isMountPoint {
      // What it holds of the file system's own, such as lost+found, is in initdb's way.
      directory += "/data"
      ClusterCommand.note("\(place.path) is a mount point: the cluster is in \(directory)")
    }
    var options = Cluster.InitOptions()
    options.superuser = superuser
    options.encoding = making.encoding
    options.locale = making.locale
    options.synchronizes = !noSync
    options.arguments = making.arguments
    let cluster = try ClusterCommand.attempt { () throws(PGError) in
      let cluster = try installation.cluster(directory)
      try cluster.initialize(options)
      return cluster
    }
    ClusterCommand.remember(directory)
    ClusterCommand.note("made \(cluster)")
  }
}
