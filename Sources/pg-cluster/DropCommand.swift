internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// `pg-cluster drop DIR`.
struct DropCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drop", abstract: "Remove a cluster that does not run, with all its data.")

  @OptionGroup var installation: InstallationOptions

  @Flag(help: "That there is nothing to remove is no failure.")
  var ifExists = false

  @Flag(help: "Remove what the cluster keeps in tablespaces elsewhere, too.")
  var tablespaces = false

  @Argument(
    help: ArgumentHelp(
      "The data directory, or the directory of a throwaway cluster that was kept.",
      valueName: "dir"), completion: .directory)
  var place: DirectoryArgument

  private var directory: String { place.path }

  func run() throws {
    if ClusterArgument.dataDirectory(of: directory) != directory { return try dropThrowaway() }
    let removal = try ClusterCommand.attempt { () throws(PGError) -> Cluster.Removal? in
      if ifExists, try DataDirectory(directory).status() == .missing { return nil }
      return try installation.cluster(directory).drop(includesTablespaces: tablespaces)
    }
    guard let removal else { return ClusterCommand.note("there is no \(directory)") }
    ClusterCommand.note("removed \(directory), \(removal.bytes) bytes")
    for place in removal.remaining {
      ClusterCommand.note("left \(place), which a tablespace was in; --tablespaces removes it too")
    }
  }

  private func dropThrowaway() throws {
    let wanted = DataDirectory(directory).path
    let bytes = try ClusterCommand.attempt { () throws(PGError) -> UInt64? in
      try ThrowawayCluster.all().first { $0.directory == wanted }?.drop()
    }
    guard let bytes else {
      throw ClusterCommand.failure(
        .localFailure,
        "\(directory) has a throwaway cluster's form, but is not on record as yours; "
          + "its data directory is \(wanted)/data")
    }
    ClusterCommand.note("removed \(directory), \(bytes) bytes")
  }
}
