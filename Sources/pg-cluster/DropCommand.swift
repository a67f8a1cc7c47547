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

  @Argument(help: ArgumentHelp("The data directory.", valueName: "dir"))
  var directory: String

  func run() throws {
    let wasThere = try ClusterCommand.attempt { () throws(PGError) in
      if ifExists, try DataDirectory(directory).status() == .missing { return false }
      try installation.cluster(directory).drop()
      return true
    }
    ClusterCommand.note(wasThere ? "removed \(directory)" : "there is no \(directory)")
  }
}
