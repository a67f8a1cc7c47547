internal import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A cluster made on demand, and gone for certain: when it is closed, when the value goes away, when
/// the process ends, however it ends.
///
/// ```swift
/// let cluster = try TemporaryCluster()
/// let db = try PGKit.connect(cluster.connectionOptions())
/// try cluster.close()
/// ```
///
/// In py-postgresql: `temporal.pg_tmp`.
public final class TemporaryCluster: Sendable {
  /// What a temporary cluster is like.
  public struct Options: Sendable {
    /// Settings over the preset's.
    public var settings: [ConnectionOptions.Setting] = []
    /// Whether safety is traded for speed (``TemporaryCluster/testSettings``).
    public var isForTests = true
    /// Where the server listens besides its socket; TCP asks for a password.
    public var listening = Cluster.Listening.socketOnly
    /// The user that the server runs as; only root may choose.
    public var runAs: String?
    /// How long it may take until a login succeeds.
    public var wait = Duration.seconds(60)

    /// Makes the default options.
    public init() {}
  }

  /// Settings for data that nobody will miss: nothing is forced to the disk, nothing is kept for
  /// recovery or replicas, memory is small.
  public static let testSettings = [
    ("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off"),
    ("wal_level", "minimal"), ("max_wal_senders", "0"), ("shared_buffers", "12MB"),
    ("max_connections", "200"), ("jit", "off"), ("log_min_messages", "warning"),
    ("autovacuum_naptime", "1h"),
  ].map { ConnectionOptions.Setting($0.0, $0.1) }

  /// The name of the superuser.
  public static let superuser = "postgres"

  /// Variables that would lead programs elsewhere than to this cluster, or make them ask of a
  /// connection what it does not have: all that stand for a connection's options, and those of the
  /// server's programs.
  public static let interferingVariables =
    OptionKeyword.all.compactMap(\.variable) + ["PGDATA", "PGSYSCONFDIR"]

  /// The cluster.
  public let cluster: Cluster
  private let root: DirectoryIdentity
  private let supervisor: Supervisor
  private let isOpen = Mutex(true)
  /// The process that made it: a forked child must not take it from its parent.
  private let maker: Int32

  /// How long the server may take to end before it is killed.
  private static let stopPatience = Duration.seconds(10)
  /// A killed server's processes may still write for a moment: removal is tried this often.
  private static let removalAttempts = 20

  /// Makes the cluster, starts its server and waits until a login succeeds.
  ///
  /// Everything is in one new directory that only the server's user may enter, sockets included.
  ///
  /// - Throws: ``PGError`` of class `-C`; nothing is left behind then.
  public init(
    installation: Installation? = nil, _ options: Options = Options()
  ) throws(PGError) {
    let found = if let installation { installation } else { try Installation.find() }
    let user = try ServerUser.choose(for: nil, runAs: options.runAs)
    root = try DirectoryIdentity.makeUnique(under: SocketDirectory.base(for: user), owner: user)
    do throws(PGError) {
      supervisor = try Supervisor(removing: [root])
    } catch {
      try root.remove()
      throw error
    }
    cluster = Cluster(
      root.path + "/data", installation: found, runAs: user?.name, supervisor: supervisor)
    maker = getpid()
    LivingClusters.add(self)
    do throws(PGError) { try begin(options) } catch {
      // What went wrong first is told; the supervisor finishes what cleaning could not.
      do throws(PGError) { try close() } catch {}
      throw error
    }
  }

  deinit {
    // Whoever wants to hear of failures closes; the supervisor acts when its socket ends.
    do throws(PGError) { try close() } catch {}
  }

  private func begin(_ options: Options) throws(PGError) {
    var making = Cluster.InitOptions()
    var starting = Cluster.StartOptions()
    making.superuser = Self.superuser
    making.localAuthentication = "trust"
    making.synchronizes = false
    making.arguments = ["--no-instructions", "--wal-segsize=1"]
    if options.listening != .socketOnly {
      let password = try Self.makePassword()
      (making.password, starting.password) = (password, password)
    }
    try cluster.initialize(making)
    starting.settings = (options.isForTests ? Self.testSettings : []) + Self.sharingSettings
    starting.settings += options.settings
    starting.listening = options.listening
    starting.socketDirectory = root.path
    starting.logFile = root.path + "/server.log"
    starting.user = Self.superuser
    starting.wait = options.wait
    try cluster.start(starting)
  }

  /// Containers often have too little memory for sharing to run a parallel query in.
  private static var sharingSettings: [ConnectionOptions.Setting] {
    var facts = statvfs()
    guard statvfs("/dev/shm", &facts) == 0 else { return [] }
    let (size, isHuge) = UInt64(facts.f_blocks).multipliedReportingOverflow(
      by: UInt64(facts.f_frsize))
    if isHuge || size >= enoughForSharing { return [] }
    return [.init("dynamic_shared_memory_type", "mmap")]
  }

  private static let enoughForSharing: UInt64 = 256 << 20

  private static func makePassword() throws(PGError) -> String {
    do {
      return String(decoding: Hexadecimal.encode(try SecureRandom.bytes(16)), as: UTF8.self)
    } catch { throw .cluster("could not make a password", cause: error) }
  }

  /// The server's log.
  public var logFile: String { root.path + "/server.log" }

  /// The directory that everything is in.
  public var directory: String { root.path }

  /// Options for a connection.
  ///
  /// - Throws: ``PGError`` `-Cdwn` if the server does not run any more.
  public func connectionOptions(
    database: String = "postgres"
  ) throws(PGError) -> ConnectionOptions {
    try cluster.connectionOptions(database: database)
  }

  /// An IRI for a connection, with the password if there is one; `scheme` is `pq` or `postgres`.
  ///
  /// - Throws: ``PGError`` `-Cdwn` if the server does not run any more.
  public func iri(scheme: String = "pq", database: String = "postgres") throws(PGError) -> String {
    try cluster.iri(scheme: scheme, database: database)
  }

  /// This process's environment, changed so that a program started with it finds this cluster.
  public func childEnvironment() throws(PGError) -> [String: String] {
    var environment = ProcessEnvironment.current
    for name in Self.interferingVariables { environment[name] = nil }
    let options = try connectionOptions()
    environment["PGHOST"] = options.hosts?.first
    environment["PGPORT"] = options.ports?.first.map(String.init)
    environment["PGUSER"] = options.user
    environment["PGDATABASE"] = options.database
    environment["PGPASSWORD"] = options.password
    environment["PGVERSION"] = cluster.installation.majorVersion
    environment["PGKIT_IRI"] = try iri()
    environment["DATABASE_URL"] = try iri(scheme: "postgres")
    return environment
  }

  /// Stops the server and removes everything.
  ///
  /// Closing twice does nothing.
  ///
  /// - Throws: ``PGError`` of class `-C` if something stays behind.
  public func close() throws(PGError) {
    guard end() else { return }
    let file = cluster.dataDirectory.postmasterFile
    try cluster.stop(.immediate, wait: Self.stopPatience, force: true)
    try remove()
    // A server that was killed behind our back has left it.
    SharedMemory.remove(file?.sharedMemory)
    supervisor.disarm()
  }

  /// Whether it was open until now, in the process that made it.
  private func end() -> Bool {
    guard getpid() == maker else { return false }
    let wasOpen = isOpen.withLock { isOpen in
      defer { isOpen = false }
      return isOpen
    }
    if wasOpen { LivingClusters.remove(ObjectIdentifier(self)) }
    return wasOpen
  }

  private func remove() throws(PGError) {
    for attempt in 1... {
      do throws(PGError) { return try root.remove() } catch {
        if attempt >= Self.removalAttempts || !root.isThere { throw error }
        poll(nil, 0, 50)
      }
    }
  }

  /// Leaves the cluster to itself: its server runs on, and nobody removes it any more.
  ///
  /// Whoever wants it gone stops and drops ``cluster`` and removes ``directory``.
  public func keep() {
    if end() { supervisor.disarm() }
  }

  /// Leaves the cluster to its supervisor, which ends it when the process `owner` is gone or after
  /// `lifetime`, whichever comes first, whatever becomes of this process.
  ///
  /// - Throws: ``PGError`` `-C000` if neither is given or the supervisor cannot be reached; the
  ///   cluster then still goes with this value.
  public func handOver(owner: Int32?, lifetime: Duration?) throws(PGError) {
    guard owner != nil || lifetime != nil else {
      throw .cluster("a cluster that is handed over needs an owner or a lifetime")
    }
    let seconds = lifetime.map { Int32(clamping: max(1, $0.components.seconds)) }
    try supervisor.handOver(owner: owner, lifetime: seconds)
    _ = end()
  }
}
