internal import ArgumentParser
internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// `pg-cluster VERB …`: makes, starts, stops and drops clusters.
@main
struct ClusterCommand: ParsableCommand {
  static let program = "pg-cluster"

  static let examples = [
    "pg-cluster run -- ./integration-tests",
    "iri=$(pg-cluster temp --owner-pid $$)",
    "pg-cluster init ./data && pg-cluster start ./data",
  ]

  static let configuration = Program.configuration(
    name: program,
    abstract: "Make, start, stop and drop PostgreSQL clusters, above all throwaway ones.",
    discussion: """
      As root, the server runs as another user: the owner of an existing data directory, else \
      postgres, else nobody. pg-cluster status alone answers as pg_ctl status does: 0 running, \
      3 not running, 4 no cluster.
      """,
    examples: examples,
    subcommands: [
      RunCommand.self, TempCommand.self, InitCommand.self, StartCommand.self, StopCommand.self,
      RestartCommand.self, ReloadCommand.self, StatusCommand.self, DropCommand.self,
      LogsCommand.self, URLCommand.self, EnvCommand.self, WaitCommand.self, ListCommand.self,
      GCCommand.self, VersionsCommand.self, ConfigCommand.self, SnapshotCommand.self,
      DatabaseCommand.self,
    ])

  static func main() {
    // Whoever ignores it, as a parent may have done for us, is never told how a child ended.
    signal(SIGCHLD, SIG_DFL)
    Program.main(self, examples: examples) { words in
      var line = PlainRunCommandLine(words)
      return line.read()?.run
    }
  }

  /// Says something on stderr.
  static func note(_ message: String) { Diagnostic(program: program, message: message).print() }

  /// Puts a cluster on the list of those that stay; that this fails is only said.
  static func remember(_ directory: String) {
    do throws(PGError) { try StandingCluster.remember(directory) } catch {
      note("pg-cluster list will not show it: \(error.message)")
    }
  }

  /// Runs what may fail with an error of the library.
  ///
  /// - Throws: ``Failure`` with `status`; 4 where time ran out.
  static func attempt<Result>(
    orEndWith status: ExitStatus = .localFailure, _ body: () throws(PGError) -> Result
  ) throws(Failure) -> Result {
    do throws(PGError) { return try body() } catch {
      let isLate = error.isTimeout && status != .ownPartFailed
      throw error.failure(of: program, status: isLate ? .deadline : status)
    }
  }
}

/// Which installation serves a cluster, and as whom.
struct InstallationOptions: ParsableArguments {
  @Option(
    name: [.customLong("pg"), .customLong("pg-bindir")],
    help: ArgumentHelp(
      "The installation: a major version, its directory, or its pg_config.", valueName: "which"))
  var installation: String?

  @Option(help: ArgumentHelp("The user that the server runs as (root only).", valueName: "user"))
  var runAs: String?

  /// The cluster in a directory.
  func cluster(_ directory: String) throws(PGError) -> Cluster {
    Cluster(directory, installation: try .find(installation), runAs: runAs)
  }
}

/// How a server is started.
struct ServerOptions: ParsableArguments {
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("A server setting; may be repeated.", valueName: "name=value"))
  var settings: [SettingArgument] = []

  @Option(help: ArgumentHelp("How long the start may take.", valueName: "duration"))
  var wait = usualWait

  private static let usualWait = DurationArgument(seconds: 60)

  @Flag(help: "Listen on 127.0.0.1 too, at a free port.")
  var tcp = false

  var listening: Cluster.Listening { tcp ? .loopback(port: nil) : .socketOnly }
}

extension InstallationOptions: PlainFlags {
  static var none: InstallationOptions {
    var flags = InstallationOptions()
    flags.installation = nil
    flags.runAs = nil
    return flags
  }
}

extension ServerOptions: PlainFlags {
  static var none: ServerOptions {
    var flags = ServerOptions()
    flags.settings = []
    flags.wait = usualWait
    flags.tcp = false
    return flags
  }
}

/// `name=value` on the command line.
struct SettingArgument: ExpressibleByArgument {
  let setting: ConnectionOptions.Setting

  init?(argument: String) {
    guard let sign = argument.firstIndex(of: "="), sign != argument.startIndex else { return nil }
    setting = .init(String(argument[..<sign]), String(argument[argument.index(after: sign)...]))
  }
}
