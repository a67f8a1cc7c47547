extension TemporaryCluster {
  /// Variables that would lead programs elsewhere than to this cluster, or make them ask of a
  /// connection what it does not have: all that stand for a connection's options, and those of the
  /// server's programs.
  public static let interferingVariables =
    OptionKeyword.all.compactMap(\.variable) + ["PGDATA", "PGSYSCONFDIR"]

  /// This process's environment, changed so that a program started with it finds this cluster.
  public func childEnvironment() throws(PGError) -> [String: String] {
    let options = try connectionOptions()
    var environment = Self.environment(leadingTo: options, cluster.installation)
    if let rootCertificate {
      environment["PGSSLMODE"] = "verify-full"
      environment["PGSSLROOTCERT"] = rootCertificate
    }
    for (number, standby) in standbys.enumerated() {
      let options = try standby.connectionOptions()
      environment["PGKIT_STANDBY\(number + 1)_IRI"] = ClusterAddress.iri(of: options, scheme: "pq")
      environment["PGKIT_STANDBY\(number + 1)_PORT"] = options.ports?.first.map(String.init)
    }
    environment["PGSERVICEFILE"] = try makeServiceFile(options)
    environment["PGSYSCONFDIR"] = root.path
    if options.password != nil { environment["PGPASSFILE"] = try makePasswordFile(options) }
    return environment
  }

  /// This process's environment, changed so that programs find a server.
  static func environment(
    leadingTo options: ConnectionOptions, _ installation: Installation
  ) -> [String: String] {
    var environment = ProcessEnvironment.current
    for name in interferingVariables { environment[name] = nil }
    environment["PGHOST"] = options.hosts?.first
    environment["PGPORT"] = options.ports?.first.map(String.init)
    environment["PGUSER"] = options.user
    environment["PGDATABASE"] = options.database
    environment["PGPASSWORD"] = options.password
    environment["PGVERSION"] = installation.majorVersion
    environment["PG_CONFIG"] = installation.executable("pg_config")
    environment["PGKIT_IRI"] = ClusterAddress.iri(of: options, scheme: "pq")
    environment["DATABASE_URL"] = ClusterAddress.iri(of: options, scheme: "postgres")
    return environment
  }

  /// Starts a program whose process group is ended with the cluster, even if this process is killed
  /// and cannot do so.
  ///
  /// - Throws: ``PGError`` `-C000` if the program does not run.
  public func start(_ launch: ProcessLaunch) throws(PGError) -> ChildProcess {
    var launch = launch
    // Before it runs: from then on it cannot outlive its cluster unnoticed.
    launch.supervisor = supervisor
    launch.isCommand = true
    let child = try launch.start()
    note(command: child.pid)
    return child
  }

  /// How many bytes are left, if the data is in memory and they are few.
  public var lowRoom: UInt64? {
    guard isInMemory, let room = StoragePlace.room(in: root.path), room < StoragePlace.low else {
      return nil
    }
    return room
  }

  /// The file that makes the cluster known as service `pgkit`.
  private func makeServiceFile(_ options: ConnectionOptions) throws(PGError) -> String {
    let path = root.path + "/pg_service.conf"
    let parts = [
      ("host", options.hosts?.first), ("port", options.ports?.first.map(String.init)),
      ("user", options.user), ("password", options.password), ("dbname", options.database),
      ("sslmode", rootCertificate.map { _ in "verify-full" }), ("sslrootcert", rootCertificate),
    ]
    let lines = parts.compactMap { name, value in value.map { "\(name)=\($0)" } }
    try write(["[pgkit]"] + lines, to: path)
    return path
  }

  /// The file in which libpq looks for the password.
  private func makePasswordFile(_ options: ConnectionOptions) throws(PGError) -> String {
    let path = root.path + "/pgpass"
    try write(["*:\(options.ports?.first ?? 5432):*:*:\(options.password ?? "")"], to: path)
    return path
  }

  /// Writes a file that only the server's user can read.
  private func write(_ lines: [String], to path: String) throws(PGError) {
    do {
      try OpenFile.create(
        path, owner: try cluster.serverUser(), Array((lines + [""]).joined(separator: "\n").utf8))
    } catch let error as SystemError {
      throw .cluster("could not write \"\(path)\"", error)
    } catch let error as PGError {
      throw error
    } catch {
      throw .cluster("could not write \"\(path)\"", cause: error)
    }
  }
}
