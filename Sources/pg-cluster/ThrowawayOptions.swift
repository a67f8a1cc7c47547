internal import ArgumentParser
internal import Glibc
internal import PGCommandLine
internal import PGKit

/// What a throwaway cluster is like.
struct ThrowawayOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where its data is: memory, disk, or automatic, which is memory if there is room.",
      valueName: "where"))
  var storage = StorageWord.automatic

  @Flag(help: "Run initdb, do not copy a data directory that was made before.")
  var noCache = false

  @Option(
    help: ArgumentHelp(
      "The settings to begin with: test (fast), safe (the server's own) or logical.",
      valueName: "preset"))
  var preset = PresetWord.test

  @Option(
    name: .customLong("seed"), parsing: .singleValue,
    help: ArgumentHelp(
      "A file of SQL to begin with, or a directory of *.sql, kept under its contents; may be repeated.",
      valueName: "file"), completion: .file())
  var seeds: [String] = []

  @Option(
    name: .customLong("seed-cmd"),
    help: ArgumentHelp(
      "What makes the beginning instead: --seed then only says when to run it again.",
      valueName: "command"))
  var seedCommand: String?

  @Flag(help: "Use TLS, with a certificate of its own; PGSSLROOTCERT names its authority's.")
  var tls = false

  @Option(
    name: .customLong("standby"),
    help: ArgumentHelp("So many standbys that follow it.", valueName: "count"))
  var standbys = 0

  @Option(
    help: ArgumentHelp(
      "A directory whose extension/ and lib/ hold extensions (servers since 18).",
      valueName: "dir"), completion: .directory)
  var extensionPath: String?

  @OptionGroup var making: InitDBOptions
  @OptionGroup var installation: InstallationOptions
  @OptionGroup var server: ServerOptions

  /// More standbys than this are a mistake.
  private static let mostStandbys = 8

  func validate() throws {
    guard (0...Self.mostStandbys).contains(standbys) else {
      throw ValidationError("--standby takes 0 to \(Self.mostStandbys)")
    }
    if seedCommand?.isEmpty == true { throw ValidationError("--seed-cmd takes a command") }
  }

  /// These options for the library.
  var options: TemporaryCluster.Options {
    var options = TemporaryCluster.Options()
    options.storage = storage.storage
    options.usesTemplates = !noCache
    options.preset = preset.preset
    options.seeds = seeds
    options.seedCommand = seedCommand
    options.usesTLS = tls
    options.standbys = standbys
    options.extensionDirectory = extensionPath
    options.encoding = making.encoding
    options.locale = making.locale
    options.initArguments = making.arguments
    options.settings = server.settings.map(\.setting)
    options.listening = server.listening
    options.runAs = installation.runAs
    options.wait = server.wait.duration
    return options
  }

  /// Makes the cluster, and says so if it is not where it was to be.
  ///
  /// - Parameter stream: A descriptor with whose end it ends when it is handed over.
  func make(endingWith stream: Int32? = nil) throws(PGError) -> TemporaryCluster {
    var options = options
    options.ownerDescriptor = stream
    let cluster = try TemporaryCluster(
      installation: .find(installation.installation), options)
    if let remark = cluster.storageRemark {
      ClusterCommand.note("the cluster is on disk, not in memory: \(remark)")
    }
    if let remark = cluster.recordRemark {
      ClusterCommand.note("the cluster is not on record, and nothing is kept for others: \(remark)")
    }
    if let remark = cluster.cacheRemark {
      let remedy = "make room there, or name another directory in PGKIT_CLUSTER_HOME"
      Diagnostic(
        program: ClusterCommand.program, message: "nothing is kept for the next cluster: \(remark)",
        details: [("HINT", remedy)]
      ).print()
    }
    if let password = try cluster.connectionOptions().password { Self.mask(password) }
    return cluster
  }

  /// Has a workflow's log hide the password.
  private static func mask(_ password: String) {
    if getenv("GITHUB_ACTIONS").map({ String(cString: $0) }) == "true" {
      StandardError.print("::add-mask::\(password)")
    }
  }
}

extension ThrowawayOptions: PlainFlags {
  static var none: ThrowawayOptions {
    var flags = ThrowawayOptions()
    flags.storage = .automatic
    flags.noCache = false
    flags.preset = .test
    flags.seeds = []
    flags.seedCommand = nil
    flags.tls = false
    flags.standbys = 0
    flags.extensionPath = nil
    flags.making = .none
    flags.installation = .none
    flags.server = .none
    return flags
  }
}

/// The words of `--storage`.
enum StorageWord: String, WordArgument {
  case automatic, memory, disk

  var storage: TemporaryCluster.Storage {
    switch self {
    case .automatic: .automatic
    case .memory: .memory
    case .disk: .disk
    }
  }
}

/// The words of `--preset`.
enum PresetWord: String, WordArgument {
  case test, safe, logical

  var preset: TemporaryCluster.Preset {
    switch self {
    case .test: .test
    case .safe: .safe
    case .logical: .logical
    }
  }
}
