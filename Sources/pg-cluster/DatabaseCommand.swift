internal import ArgumentParser
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// `pg-cluster db`: a database for each test, on a server that runs.
struct DatabaseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "db",
    abstract: "Make databases for tests, each a copy of one that is made of your SQL once.",
    discussion: """
      The first call makes a template of the files, under a name that says what they contain; the \
      next ones copy it, which takes some milliseconds: \
      iri=$(pg-cluster db new --template-from migrations/). Templates are databases whose names begin \
      with \(TemplateDatabase.prefix); DROP DATABASE removes one after ALTER DATABASE … IS_TEMPLATE \
      false.
      """,
    subcommands: [MakeCommand.self, DropCommand.self])

  /// The server.
  struct Server: ParsableArguments {
    @Option(
      help: ArgumentHelp(
        "The server's IRI or keyword string; otherwise PGKIT_IRI, PGHOST … say.",
        valueName: "iri"))
    var server: String?

    func options() throws(Failure) -> ConnectionOptions {
      try Connecting(program: ClusterCommand.program).options(iri: server)
    }
  }

  /// `pg-cluster db new`.
  struct MakeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "new", abstract: "Make a database, and print its IRI.")

    @OptionGroup var server: Server

    @Option(
      name: .customLong("template-from"), parsing: .singleValue,
      help: ArgumentHelp(
        "A file of SQL that it begins with, or a directory of *.sql; may be repeated.",
        valueName: "file"), completion: .file())
    var files: [String]

    @Option(
      help: ArgumentHelp("Its name; by default one that nobody has.", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("The scheme of the IRI: pq or postgres.", valueName: "scheme"))
    var scheme = IRIScheme.pq

    func validate() throws {
      if files.isEmpty { throw ValidationError("--template-from is missing") }
      if name?.isEmpty == true { throw ValidationError("--name takes a name") }
    }

    func run() throws {
      let options = try server.options()
      let template = try ClusterCommand.attempt { () throws(PGError) in
        try TemplateDatabase(files: files)
      }
      let made: ConnectionOptions
      do throws(PGError) { made = try template.makeDatabase(on: options, named: name) } catch {
        throw error.failure(of: ClusterCommand.program)
      }
      try StandardOutput.shared.write(made.iri(scheme: scheme.rawValue) + "\n")
    }
  }

  /// `pg-cluster db drop NAME`.
  struct DropCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "drop",
      abstract: "Remove a database that db new has made, whoever is connected to it.")

    @OptionGroup var server: Server

    @Flag(help: "That there is nothing to remove is no failure.")
    var ifExists = false

    @Flag(help: "Remove a database that db new has not made, too.")
    var force = false

    @Argument(help: ArgumentHelp("The database's name.", valueName: "name"))
    var name: String

    func run() throws {
      let options = try server.options()
      do throws(PGError) {
        try TemplateDatabase.remove(name, on: options, evenIfOther: force)
        ClusterCommand.note("removed \(name)")
      } catch {
        if ifExists, error.code == .invalidCatalogName {
          return ClusterCommand.note("there is no \(name)")
        }
        throw error.failure(of: ClusterCommand.program)
      }
    }
  }
}
