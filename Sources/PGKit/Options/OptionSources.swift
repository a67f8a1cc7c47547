/// The places from which connection options are gathered.
///
/// In the order in which they win:
///
/// 1. what the caller overrides (flags);
/// 2. the IRI or keyword string; without one, the variable `PGKIT_IRI`;
/// 3. environment variables (`PGHOST`, …);
/// 4. the section of a service file that any of these names;
/// 5. the password file, if nobody gave a password, asked for each host when it is tried;
/// 6. what the caller falls back to;
/// 7. what is built in.
///
/// Only the strongest source that names a host, an address or a socket has a say in where to connect
/// to, and settings for the server are merged one by one. This file and its extension are the only
/// ones in the room that touch files and the environment.
///
/// In py-postgresql: `postgresql.clientparameters.collect`.
public struct OptionSources: Sendable {
  /// Looks an environment variable up.
  public var environment: @Sendable (String) -> String?
  /// What the variables' names begin with, `PG` unless two servers are to be told apart.
  public var prefix = "PG"
  /// The user's home directory, where the default files are.
  public var homeDirectory: String?
  /// Looks up the operating system's name of the user, the default role.
  ///
  /// Asked only where nobody named a role: the system's databases of users are not to be waited for
  /// without need.
  public var userName: @Sendable () -> String?
  /// Where a server's socket may be, in the order of trial.
  public var socketDirectories = Endpoint.socketDirectories
  /// Where the system's service file is, unless `PGSYSCONFDIR` says otherwise.
  public var systemDirectory = "/etc/postgresql-common"

  /// The sources of this process.
  public init(prefix: String = "PG") {
    self.init(
      prefix: prefix, environment: Self.variable, homeDirectory: Self.currentHomeDirectory(),
      userName: Self.currentUserName())
  }

  /// Sources of one's own choice.
  public init(
    prefix: String = "PG", environment: @escaping @Sendable (String) -> String?,
    homeDirectory: String?, userName: @autoclosure @escaping @Sendable () -> String?
  ) {
    self.prefix = prefix
    self.environment = environment
    self.homeDirectory = homeDirectory
    self.userName = userName
  }

  /// Gathers the options of a connection from the sources of this process.
  ///
  /// - Throws: ``PGError`` with ``SQLState/clientParameterError`` or
  ///   ``SQLState/serviceDoesNotExistError``.
  public static func standard(
    iri: String? = nil, overrides: ConnectionOptions = ConnectionOptions()
  ) throws(PGError) -> ConnectionOptions {
    try OptionSources().resolve(iri: iri, overrides: overrides).options
  }

  /// Gathers the options of a connection, with where each came from.
  ///
  /// - Parameters:
  ///   - iri: An IRI or a keyword string; without one, what `PGKIT_IRI` holds.
  ///   - overrides: What wins over everything.
  ///   - fallbacks: What holds where nobody says anything, before what is built in.
  ///   - caller: How explanations name whoever falls back to these.
  /// - Throws: ``PGError`` with ``SQLState/clientParameterError`` or
  ///   ``SQLState/serviceDoesNotExistError``.
  public func resolve(
    iri: String? = nil, overrides: ConnectionOptions = ConnectionOptions(),
    fallbacks: ConnectionOptions = ConnectionOptions(), of caller: String = "default"
  ) throws(PGError) -> ResolvedOptions {
    var resolved = ResolvedOptions()
    resolved.fill(from: .init(source: .override, options: overrides, name: "override"))
    if let layer = try iriLayer(iri) { resolved.fill(from: layer) }
    let variables = try EnvironmentOptions.parse(prefix: prefix, environment)
    resolved.fill(
      from: .init(
        source: .environment, options: variables, name: "environment", variablePrefix: prefix))
    if let service = resolved.options.service, !service.isEmpty {
      resolved.fill(from: try layer(ofService: service, in: resolved.options.serviceFile))
    }
    resolved.fill(from: .init(source: .builtIn, options: fallbacks, name: caller))
    fillDefaults(&resolved)
    resolved.warnings += passwordFileWarnings(resolved.options)
    return resolved
  }

  private func iriLayer(_ iri: String?) throws(PGError) -> ResolvedOptions.Layer? {
    if let iri {
      return .init(source: .iri, options: try ConnectionOptions.parse(iri), name: "IRI")
    }
    let variable = EnvironmentOptions.iriVariable
    guard let text = environment(variable) else { return nil }
    do throws(PGError) {
      let options = try ConnectionOptions.parse(text)
      return .init(source: .environment, options: options, name: variable)
    } catch {
      throw .option("\(variable): \(error.message)", hint: error.hint)
    }
  }

  private func layer(ofService service: String, in file: String?) throws(PGError)
    -> ResolvedOptions.Layer
  {
    let own = file.map { [$0] } ?? homeDirectory.map { [$0 + "/.pg_service.conf"] } ?? []
    let system = (environment("PGSYSCONFDIR") ?? systemDirectory) + "/pg_service.conf"
    for path in own + [system] {
      guard let text = try Self.readText(path, mustExist: path == file) else { continue }
      if let options = try ServiceFile.parse(text, service: service, path: path) {
        return .init(source: .serviceFile, options: options, name: path)
      }
    }
    throw PGError(
      code: .serviceDoesNotExistError, message: "there is no service \"\(service)\"",
      fault: .caller, hint: "Looked for [\(service)] in " + (own + [system]).joined(separator: ", ")
    )
  }

  /// Fills what is still unknown: first what others depend on.
  private func fillDefaults(_ resolved: inout ResolvedOptions) {
    var known = ConnectionOptions()
    if resolved.options.user == nil { known.user = userName() }
    known.passwordFile = existing("/.pgpass")
    resolved.fill(from: .init(source: .builtIn, options: known, name: "default"))
    let options = resolved.options
    var derived = ConnectionOptions()
    derived.database = options.user
    derived.hosts = [defaultHost(port: options.ports?.first)]
    if options.sslMode != .disable { addCertificates(to: &derived, of: options) }
    resolved.fill(from: .init(source: .builtIn, options: derived, name: "default"))
    resolved.replaceEmptyHosts { index in
      defaultHost(port: options.ports?.count == 1 ? options.ports?[0] : options.ports?.at(index))
    }
  }

  /// The directory that holds a server's socket, else `localhost`.
  private func defaultHost(port: Int?) -> String {
    let port = port ?? ConnectionOptions.defaultPort
    return socketDirectories.first { directory in
      Self.exists(Endpoint.socketPath(directory: directory, port: port))
    } ?? "localhost"
  }

  private func addCertificates(to derived: inout ConnectionOptions, of options: ConnectionOptions) {
    let root = "/.postgresql/root.crt"
    // Where it cannot be done without, its absence is an error that names the place.
    let isNeeded = options.sslMode.map { $0 >= .verifyCA } ?? false
    derived.sslRootCertificate = isNeeded ? homeDirectory.map { $0 + root } : existing(root)
    let hasRootFile = Self.isFile(options.sslRootCertificate ?? derived.sslRootCertificate)
    // As in libpq, a list that nobody named goes with a file of root certificates only: without one
    // there is nothing to check, and the system's roots have lists of their own.
    if hasRootFile, options.sslRevocationDirectory == nil {
      derived.sslRevocationList = existing("/.postgresql/root.crl")
    }
    guard options.sslCertificateMode != .disable else { return }
    derived.sslCertificate = existing("/.postgresql/postgresql.crt")
    if options.sslCertificate ?? derived.sslCertificate != nil {
      derived.sslKey = existing("/.postgresql/postgresql.key")
    }
  }

  /// Whether `sslrootcert` names a file.
  private static func isFile(_ roots: String?) -> Bool {
    roots.map { !["", "system"].contains($0) } ?? false
  }

  /// A file in the home directory, if it is there.
  private func existing(_ path: String) -> String? {
    guard let file = homeDirectory.map({ $0 + path }), Self.exists(file) else { return nil }
    return file
  }
}

extension Array {
  fileprivate func at(_ index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
