internal import Synchronization

/// A data directory with the installation that serves it.
///
/// ```swift
/// let cluster = try Cluster("/srv/pg", installation: .find())
/// try cluster.initialize()
/// try cluster.start()
/// let options = try cluster.connectionOptions(database: "postgres")
/// try cluster.stop()
/// ```
///
/// The value does not own the server: a server that it has started keeps running when the value
/// and the process are gone. For one that does not, see ``TemporaryCluster``.
///
/// In py-postgresql: `cluster.Cluster`.
public final class Cluster: Sendable {
  /// The programs that serve it.
  public let installation: Installation
  /// The directory.
  public let dataDirectory: DataDirectory
  /// Whom the server runs as, when the caller named somebody.
  let runAs: String?
  /// Who ends the server if this process dies.
  let supervisor: Supervisor?
  private let knownUser: ServerUser?
  /// What this value has started.
  let started = Mutex<Started?>(nil)

  private let ending = Mutex<ProcessEnding?>(nil)
  /// How the server ended that this value started last; `nil` while it runs.
  var lastEnding: ProcessEnding? { ending.withLock { $0 } }

  /// Forgets the server that this value has started, because it has ended.
  func forget(_ how: ProcessEnding?) {
    started.withLock { $0 = nil }
    ending.withLock { $0 = how }
  }

  /// A server that this value has started.
  struct Started: Sendable {
    let child: ChildProcess
    /// Where it answers, once it has said so.
    var address: ClusterAddress?
  }

  /// Makes the value; nothing is touched.
  ///
  /// The directory need not exist.
  ///
  /// - Parameters:
  ///   - directory: The data directory; a relative path is taken from the working directory.
  ///   - installation: The programs to serve it with.
  ///   - runAs: The user to run the server as; only root may choose. By default root runs it as
  ///     the directory's owner, else as `postgres`, else as `nobody`.
  public convenience init(
    _ directory: String, installation: Installation, runAs: String? = nil
  ) {
    self.init(directory, installation: installation, runAs: runAs, supervisor: nil)
  }

  /// - Parameter user: Whom `runAs` names, if that has been looked up: it takes the system as long as
  ///   starting a small program.
  init(
    _ directory: String, installation: Installation, runAs: String?, supervisor: Supervisor?,
    user: ServerUser? = nil
  ) {
    self.installation = installation
    dataDirectory = DataDirectory(directory)
    self.runAs = runAs
    self.supervisor = supervisor
    knownUser = user
  }

  /// What the data directory holds now.
  ///
  /// In py-postgresql: `Cluster.state`, `running()`, `initialized()`.
  public func status() throws(PGError) -> DataDirectory.Status {
    collect()
    return try dataDirectory.status()
  }

  /// A server of ours that has ended must not linger as a process without a program.
  func collect() {
    let child = started.withLock { $0?.child }
    if let ending = child?.wait(until: .after(.zero)) { forget(ending) }
  }

  /// The server's process, if one runs.
  public func processID() throws(PGError) -> Int32? {
    if case .running(let file) = try status() { return file.processID }
    return nil
  }

  /// Options for a connection to the running server, through its socket if it has one.
  ///
  /// - Throws: ``PGError`` `-Cdwn` if no server runs.
  ///
  /// In py-postgresql: `Cluster.connector`.
  public func connectionOptions(database: String = "postgres") throws(PGError)
    -> ConnectionOptions
  {
    try address().connectionOptions(database: database)
  }

  /// An IRI for a connection to the running server; `scheme` is `pq` or `postgres`.
  ///
  /// It contains the password, if this value knows one.
  ///
  /// - Throws: ``PGError`` `-Cdwn` if no server runs.
  public func iri(scheme: String = "pq", database: String = "postgres") throws(PGError) -> String {
    var address = try address()
    // Where no password is known, only the socket lets one in.
    if address.password == nil, case .running(let file) = try status(),
      let directory = file.socketDirectory
    {
      address.host = directory
    }
    return address.iri(scheme: scheme, database: database)
  }

  /// Where the running server answers.
  func address() throws(PGError) -> ClusterAddress {
    if let address = started.withLock({ $0?.address }) { return address }
    guard case .running(let file) = try status() else {
      throw .clusterNotRunning("no server runs in \"\(dataDirectory.path)\"")
    }
    guard let port = file.port, let host = Self.host(file) else {
      throw .cluster("the server in \"\(dataDirectory.path)\" does not say where it listens")
    }
    return ClusterAddress(host: host, port: port, user: ServerUser.callerName, password: nil)
  }

  /// The socket directory, else an address that reaches what the server listens on.
  private static func host(_ file: PostmasterFile) -> String? {
    if let directory = file.socketDirectory { return directory }
    switch file.listenAddress {
    case "*", "0.0.0.0", "localhost": return "127.0.0.1"
    case "::": return "::1"
    case let address: return address
    }
  }

  /// Whom its programs run as; `nil` is the caller.
  func serverUser() throws(PGError) -> ServerUser? {
    if let knownUser { return knownUser }
    return try ServerUser.choose(for: dataDirectory.path, runAs: runAs)
  }

  /// One of the installation's programs, ready to run as the server's user.
  func launch(_ program: String, _ arguments: [String], as user: ServerUser?) throws(PGError)
    -> ProcessLaunch
  {
    guard let path = installation.executable(program) else {
      throw .clusterInitialization(
        "there is no \(program) in \"\(installation.binaryDirectory)\"")
    }
    var launch = ProcessLaunch(
      path, arguments, environment: ProcessEnvironment.forServer(as: user))
    launch.user = user
    launch.supervisor = supervisor
    return launch
  }
}

extension Cluster: CustomStringConvertible {
  /// The directory and the version.
  public var description: String { "\(dataDirectory.path) (PostgreSQL \(installation.version))" }
}
