internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// `pg-cluster start DIR`.
struct StartCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start",
    abstract: "Start a cluster's server, and wait until a login succeeds.",
    discussion: """
      It listens on a socket in a directory of its own unless --configured leaves that to \
      postgresql.conf. A server that runs already is left alone.
      """)

  @OptionGroup var start: StartArguments

  func run() throws {
    let (wasStarted, iri) = try ClusterCommand.attempt { () throws(PGError) in
      let cluster = try start.cluster()
      return (try cluster.start(start.options), try cluster.iri())
    }
    start.remember()
    ClusterCommand.note("\(wasStarted ? "started" : "runs already"): \(iri)")
  }
}

/// What is started, and how.
struct StartArguments: ParsableArguments {
  @OptionGroup var installation: InstallationOptions
  @OptionGroup var server: ServerOptions

  @Flag(help: "Listen where postgresql.conf says.")
  var configured = false

  @Option(help: ArgumentHelp("The role to try the login as.", valueName: "name"))
  var user: String?

  @Option(
    help: ArgumentHelp("Where the server's output goes.", valueName: "file"), completion: .file())
  var log: String?

  @Argument(help: ArgumentHelp("The data directory.", valueName: "dir"), completion: .directory)
  var place: DirectoryArgument

  private var directory: String { place.path }

  func validate() throws {
    if configured, server.tcp {
      throw ValidationError(
        "--configured leaves it to postgresql.conf where to listen; so not --tcp")
    }
  }

  /// The cluster that is meant.
  func cluster() throws(PGError) -> Cluster {
    try installation.cluster(ClusterArgument.dataDirectory(of: directory))
  }

  /// Puts the cluster on the list, unless it is a throwaway one, which is on another.
  func remember() {
    if ClusterArgument.dataDirectory(of: directory) == directory {
      ClusterCommand.remember(directory)
    }
  }

  /// These arguments for the library.
  var options: Cluster.StartOptions { options(elseAs: Cluster.StartOptions()) }

  /// These arguments for the library; where they say nothing of how the server is to be, it is to be as
  /// in `last`.
  func options(elseAs last: Cluster.StartOptions) -> Cluster.StartOptions {
    var options = last
    if configured || server.tcp || !server.settings.isEmpty {
      options.settings = server.settings.map(\.setting)
      options.listening = configured ? .configured : server.listening
    }
    options.logFile = log
    options.user = user
    options.wait = server.wait.duration
    return options
  }
}
