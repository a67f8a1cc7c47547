internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// `pg-cluster snapshot`: clusters kept under names.
struct SnapshotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snapshot",
    abstract: "Keep the data of a cluster that does not run under a name, and make clusters of it.",
    discussion: """
      Snapshots share blocks with clusters where the file system can. They are in \
      PGKIT_CLUSTER_HOME until they are dropped.
      """,
    subcommands: [SaveCommand.self, RestoreCommand.self, ListCommand.self, DropCommand.self])

  /// Which snapshot is meant.
  struct Name: ParsableArguments {
    @Argument(help: ArgumentHelp("The snapshot's name.", valueName: "name"))
    var name: String

    /// The snapshot of that name.
    func find() throws(PGError) -> ClusterSnapshot? { try ClusterSnapshot.named(name) }

    /// The failure that there is none.
    var isMissing: Failure {
      ClusterCommand.failure(
        .localFailure, "there is no snapshot \"\(name)\"; pg-cluster snapshot list shows all")
    }
  }

  /// `pg-cluster snapshot save NAME DIR`.
  struct SaveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "save", abstract: "Keep a cluster that does not run under a name.")

    @Flag(help: "Take the place of a snapshot of that name.")
    var replace = false

    @OptionGroup var snapshot: Name
    @OptionGroup var cluster: ClusterArgument

    func run() throws {
      let saved = try ClusterCommand.attempt { () throws(PGError) in
        try ClusterSnapshot.save(snapshot.name, of: cluster.data, replacing: replace)
      }
      ClusterCommand.note("saved \(saved.name), \(saved.size) bytes")
    }
  }

  /// `pg-cluster snapshot restore NAME DIR`.
  struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "restore", abstract: "Make a cluster of a snapshot in a new or empty directory.")

    @Option(
      help: ArgumentHelp("The user that its server is to run as (root only).", valueName: "user"))
    var runAs: String?

    @OptionGroup var snapshot: Name

    @Argument(
      help: ArgumentHelp("The new data directory.", valueName: "dir"), completion: .directory)
    var place: DirectoryArgument

    private var directory: String { place.path }

    func run() throws {
      let found = try ClusterCommand.attempt { () throws(PGError) in try snapshot.find() }
      guard let found else { throw snapshot.isMissing }
      try ClusterCommand.attempt { () throws(PGError) in
        try found.restore(to: directory, runAs: runAs)
      }
      ClusterCommand.remember(directory)
      ClusterCommand.note("restored \(found.name) to \(directory)")
    }
  }

  /// `pg-cluster snapshot list`.
  struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Print the snapshots, one a line: name, version, bytes.")

    @Flag(help: "Print one JSON array.")
    var json = false

    func run() throws {
      let all = try ClusterCommand.attempt { () throws(PGError) in try ClusterSnapshot.all() }
      let lines = all.map { snapshot in
        let version = snapshot.dataDirectory.version ?? ""
        return json
          ? "{\"name\": \(JSONText.quoted(snapshot.name)), "
            + "\"version\": \(JSONText.quoted(version)), \"bytes\": \(snapshot.size)}"
          : "\(snapshot.name)\tPostgreSQL \(version)\t\(snapshot.size)"
      }
      try StandardOutput.shared.write(
        json ? "[" + lines.joined(separator: ",\n ") + "]\n" : lines.map { $0 + "\n" }.joined())
    }
  }

  /// `pg-cluster snapshot drop NAME`.
  struct DropCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "drop", abstract: "Remove a snapshot.")

    @Flag(help: "That there is nothing to remove is no failure.")
    var ifExists = false

    @OptionGroup var snapshot: Name

    func run() throws {
      let found = try ClusterCommand.attempt { () throws(PGError) in try snapshot.find() }
      guard let found else {
        if ifExists { return ClusterCommand.note("there is no \(snapshot.name)") }
        throw snapshot.isMissing
      }
      let bytes = found.size
      try ClusterCommand.attempt { () throws(PGError) in try found.remove() }
      ClusterCommand.note("removed \(found.name), \(bytes) bytes")
    }
  }
}
