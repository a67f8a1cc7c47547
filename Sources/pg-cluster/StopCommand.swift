internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// `pg-cluster stop DIR`.
struct StopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Stop a cluster's server, and wait until it is gone.")

  @OptionGroup var installation: InstallationOptions

  @Option(help: "How it is asked: smart, fast or immediate.")
  var mode = StopMode.fast

  @Option(
    help: ArgumentHelp("How long until it is asked more firmly.", valueName: "duration"))
  var stopTimeout = DurationArgument(seconds: 30)

  @Flag(help: "Kill it if nothing else helps.")
  var force = false

  @Argument(help: ArgumentHelp("The data directory.", valueName: "dir"), completion: .directory)
  var place: DirectoryArgument

  private var directory: String { place.path }

  func run() throws {
    let wasStopped = try ClusterCommand.attempt { () throws(PGError) in
      let cluster = try installation.cluster(ClusterArgument.dataDirectory(of: directory))
      switch try cluster.status() {
      case .missing, .uninitialized:
        throw PGError(
          code: .clusterError, message: "there is no cluster in \"\(directory)\"", fault: .caller)
      default: return try cluster.stop(mode.shutdown, wait: stopTimeout.duration, force: force)
      }
    }
    ClusterCommand.note(wasStopped ? "stopped" : "does not run")
  }
}

/// The words of `--mode`.
enum StopMode: String, WordArgument {
  case smart, fast, immediate

  var shutdown: Cluster.ShutdownMode {
    switch self {
    case .smart: .smart
    case .fast: .fast
    case .immediate: .immediate
    }
  }
}
