internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// Which cluster is meant: a data directory, or a throwaway cluster's directory.
struct ClusterArgument: ParsableArguments {
  @Argument(
    help: ArgumentHelp("The data directory, or a throwaway cluster's.", valueName: "dir"),
    completion: .directory)
  var place: DirectoryArgument

  private var directory: String { place.path }

  /// A throwaway cluster's data is in `data`.
  var isThrowaway: Bool { Self.isThrowaway(directory) }

  private static func isThrowaway(_ directory: String) -> Bool {
    DataDirectory(directory).version == nil && DataDirectory(directory + "/data").version != nil
  }

  /// The data directory that a directory means: itself, or a throwaway cluster's.
  static func dataDirectory(of directory: String) -> String {
    isThrowaway(directory) ? directory + "/data" : directory
  }

  /// Where the data is.
  var data: DataDirectory { DataDirectory(Self.dataDirectory(of: directory)) }

  /// Where the server writes its log unless it was told otherwise.
  var logFile: String { (isThrowaway ? directory : data.path) + "/server.log" }

  /// Options for a connection to the running server.
  func connectionOptions(
    _ installation: InstallationOptions, user: String?, database: String
  ) throws(PGError) -> ConnectionOptions {
    var options = try installation.cluster(data.path).connectionOptions(database: database)
    if let user {
      options.user = user
    } else if isThrowaway {
      options.user = TemporaryCluster.superuser
    }
    return options
  }
}

/// A directory on the command line; an empty one is a variable without a value, not the working directory.
struct DirectoryArgument: ExpressibleByArgument {
  let path: String

  init?(argument: String) {
    if argument.isEmpty { return nil }
    path = argument
  }
}

/// As whom, and to which database, a connection would be made.
struct LoginOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The role; by default your own name.", valueName: "name"))
  var user: String?

  @Option(help: ArgumentHelp("The database.", valueName: "name"))
  var dbname = "postgres"
}

/// `pg-cluster url DIR`.
struct URLCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "url", abstract: "Print the IRI of a cluster that runs.")

  @OptionGroup var installation: InstallationOptions
  @OptionGroup var login: LoginOptions
  @OptionGroup var cluster: ClusterArgument

  @Option(help: ArgumentHelp("The scheme of the IRI: pq or postgres.", valueName: "scheme"))
  var scheme = IRIScheme.pq

  func run() throws {
    let iri = try ClusterCommand.attempt { () throws(PGError) in
      try cluster.connectionOptions(installation, user: login.user, database: login.dbname)
        .iri(scheme: scheme.rawValue)
    }
    try StandardOutput.shared.write(iri + "\n")
  }
}

/// The words of `--scheme`.
enum IRIScheme: String, WordArgument {
  case pq, postgres, postgresql
}

/// `pg-cluster env DIR`.
struct EnvCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "env",
    abstract: "Print the variables that lead programs to a cluster that runs.",
    discussion: """
      In a shell: eval "$(pg-cluster env DIR)". In a GitHub workflow: \
      pg-cluster env --format github DIR >> "$GITHUB_ENV".
      """)

  @OptionGroup var installation: InstallationOptions
  @OptionGroup var login: LoginOptions
  @OptionGroup var cluster: ClusterArgument

  @Option(
    help: ArgumentHelp("The form: sh, json, dotenv or github.", valueName: "form"))
  var format = EnvironmentForm.sh

  func run() throws {
    let pairs = try ClusterCommand.attempt { () throws(PGError) in
      try cluster.connectionOptions(installation, user: login.user, database: login.dbname)
        .environmentPairs()
    }
    try StandardOutput.shared.write(format.text(pairs))
  }
}

/// The words of `env --format`.
enum EnvironmentForm: String, WordArgument {
  case sh, json, dotenv, github

  /// The variables in this form.
  func text(_ pairs: [(name: String, value: String)]) -> String {
    switch self {
    case .sh: pairs.map { "export \($0.name)=\(Self.quoted($0.value))\n" }.joined()
    case .dotenv: pairs.map { "\($0.name)=\(Self.doubleQuoted($0.value))\n" }.joined()
    case .github: pairs.map { Self.workflowText($0.name, $0.value) }.joined()
    case .json:
      "{"
        + pairs.map { "\(JSONText.quoted($0.name)): \(JSONText.quoted($0.value))" }
        .joined(separator: ", ") + "}\n"
    }
  }

  /// Single quotes know no escapes there, so that a value with one needs the others.
  private static func doubleQuoted(_ text: String) -> String {
    if !text.contains(where: { $0 == "'" || $0.isNewline }) { return "'\(text)'" }
    let escaped = text.unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\"", "\\", "$": result += "\\\(scalar)"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return "\"\(escaped)\""
  }

  /// A value of several lines stands between two lines that it does not contain; otherwise its second
  /// line would be a variable.
  private static func workflowText(_ name: String, _ value: String) -> String {
    if !value.contains(where: \.isNewline) { return "\(name)=\(value)\n" }
    var mark = "END"
    while value.contains(mark) { mark += "_" }
    return "\(name)<<\(mark)\n\(value)\n\(mark)\n"
  }

  private static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
      + "'"
  }
}

extension ConnectionOptions {
  /// The IRI; a socket's directory is the host, percent-encoded.
  func iri(scheme: String) -> String {
    let text = ConnectionIRI.format(self, dialect: scheme == "pq" ? .pq : .libpq)
    // libpq's dialect has two names.
    return scheme + text.drop { $0 != ":" }
  }

  /// The variables that say the same.
  func environmentPairs() -> [(name: String, value: String)] {
    let parts: [(String, String?)] = [
      ("PGHOST", hosts?.first), ("PGPORT", ports?.first.map { "\($0)" }), ("PGUSER", user),
      ("PGDATABASE", database), ("PGPASSWORD", password), ("PGKIT_IRI", iri(scheme: "pq")),
      ("DATABASE_URL", iri(scheme: "postgres")),
    ]
    return parts.compactMap { name, value in value.map { (name, $0) } }
  }
}
