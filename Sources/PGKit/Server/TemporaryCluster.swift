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
    /// What its settings are made for.
    public var preset = Preset.test
    /// Settings over the preset's.
    public var settings: [ConnectionOptions.Setting] = []
    /// Where its data is kept.
    public var storage = Storage.automatic
    /// Whether a data directory that was made before may be copied; otherwise initdb runs each time.
    public var usesTemplates = true
    /// Files of SQL that are run in the database `postgres` before anybody gets the cluster, in this
    /// order; what they make is kept as a template under their contents.
    ///
    /// A directory stands for its `*.sql`, in the order of their names.
    public var seeds: [String] = []
    /// A command of the shell that makes what the cluster begins with, in the place of ``seeds``, under
    /// whose contents and its own text that is kept.
    ///
    /// It finds the server as ``childEnvironment()`` says, has no input, and what it prints goes to stderr.
    public var seedCommand: String?
    /// Whether the server has a certificate of an authority of its own, whose certificate connections
    /// ask for; it then listens on 127.0.0.1.
    public var usesTLS = false
    /// How many standbys follow it.
    public var standbys = 0
    /// A directory of extensions under development, where servers since 18 look first.
    ///
    /// Their control and SQL files are in `extension` below it, their libraries in `lib` or in itself.
    public var extensionDirectory: String?
    /// The encoding.
    public var encoding = "UTF8"
    /// The locale; by default `C.UTF-8` where the system has it, else `C`.
    public var locale: String?
    /// More arguments for initdb.
    public var initArguments: [String] = []
    /// Where the server listens besides its socket; TCP asks for a password.
    public var listening = Cluster.Listening.socketOnly
    /// The user that the server runs as; only root may choose.
    public var runAs: String?
    /// A pipe or socket of this process with whose end the cluster is to end once it is handed over.
    ///
    /// Whoever holds the other end owns the cluster: it goes when the last of them has closed it or is
    /// gone, however that came about. What is written there means nothing.
    public var ownerDescriptor: Int32?
    /// How long it may take until a login succeeds.
    public var wait = Duration.seconds(60)

    /// Makes the default options.
    public init() {}
  }

  /// The name of the superuser.
  public static let superuser = "postgres"

  /// The cluster.
  public let cluster: Cluster
  /// Whether its data is in memory.
  public let isInMemory: Bool
  /// Why its data is not in memory, if it was to be there when there is room.
  public let storageRemark: String?
  /// How long each step of its making, and of its end, took.
  public let times = StepTimes()
  /// The servers that follow it, each in its own data directory and on its own port.
  public var standbys: [Cluster] { followers.withLock { $0 } }
  let followers = Mutex<[Cluster]>([])
  /// The certificate of the authority that signed the server's, if it has one.
  public let rootCertificate: String?
  /// Why it is not on record, if it is not: lists and sweeps do not know it, and nothing of it is kept for
  /// the next one.
  public let recordRemark: String?
  /// Why nothing of it is kept for the next one, if that was to be and could not, as where a disk is full.
  public var cacheRemark: String? { keepObstacle.withLock { $0?.message } }
  let keepObstacle = Mutex<PGError?>(nil)
  let root: DirectoryIdentity
  let supervisor: Supervisor
  /// What the server wrote when it was ready, and before.
  private let readyLog: Mutex<ServerLog?> = Mutex(nil)
  private let record: ThrowawayRecord?
  private let isOpen = Mutex(true)
  /// The process that made it: a forked child must not take it from its parent.
  private let maker: Int32
  private let hasOwnerDescriptor: Bool

  /// How long the server may take to end before it is killed.
  private static let stopPatience = Duration.seconds(10)
  /// How long a start may spend on what others have left.
  private static let sweepPatience = Duration.milliseconds(50)

  /// Makes the cluster, starts its server and waits until a login succeeds.
  ///
  /// Everything is in one new directory that only the server's user may enter, sockets included.
  /// Clusters that nobody looks after any more are swept up first.
  ///
  /// - Throws: ``PGError`` of class `-C`; nothing is left behind then.
  public init(
    installation: Installation? = nil, _ options: Options = Options()
  ) throws(PGError) {
    let found = if let installation { installation } else { try Installation.find() }
    let user = try ServerUser.choose(for: nil, runAs: options.runAs)
    // Read once: what a pipe has given is gone.
    let sowing = try Sowing(options)
    let source = try TemplateSource(options, sowing, found, user)
    let place = try StoragePlace.choose(
      options.storage, for: user, needing: Self.size(of: options, from: source))
    _ = try? ThrowawayCluster.collect(until: .after(Self.sweepPatience))
    (record, root, supervisor) = try Self.makePlace(place, user, options.ownerDescriptor)
    recordRemark = record == nil ? Self.homeFault : nil
    (isInMemory, storageRemark) = (place.isMemory, place.remark)
    rootCertificate = options.usesTLS ? ServerCertificate.rootPath(in: root.path) : nil
    cluster = Cluster(
      root.path + "/data", installation: found, runAs: user?.name, supervisor: supervisor,
      user: user)
    maker = getpid()
    hasOwnerDescriptor = options.ownerDescriptor != nil
    LivingClusters.add(self)
    times.end("prepare")
    do throws(PGError) { try begin(options, sowing, source, user) } catch {
      // What went wrong first is told; the supervisor finishes what cleaning could not.
      do throws(PGError) { try close() } catch {}
      throw error
    }
    readyLog.withLock { $0 = ServerLog(logFile) }
    // For lists only.
    _ = try? record?.add([("version", found.version)])
  }

  /// Why there is no place for records.
  private static var homeFault: String {
    do throws(PGError) {
      return "could not write to \"\(try ThrowawayRecord.folder())\""
    } catch { return error.message }
  }

  /// Without a place for records there is none; the supervisor cleans up all the same.
  private static func makePlace(
    _ place: StoragePlace, _ user: ServerUser?, _ stream: Int32?
  ) throws(PGError) -> (ThrowawayRecord?, DirectoryIdentity, Supervisor) {
    let record = try? ThrowawayRecord.make(under: place.base)
    do throws(PGError) {
      let root =
        if let record {
          try DirectoryIdentity.make(record.directory, owner: user)
        } else {
          try DirectoryIdentity.makeUnique(
            under: AbsolutePath.resolved(place.base) ?? place.base, owner: user)
        }
      do throws(PGError) {
        try record?.add(root, user: user)
        return (record, root, try Supervisor(removing: [root], record, stream: stream))
      } catch {
        try root.remove()
        throw error
      }
    } catch {
      record?.remove()
      throw error
    }
  }

  deinit {
    // Whoever wants to hear of failures closes; the supervisor acts when its socket ends.
    do throws(PGError) { try close() } catch {}
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
    var options = try cluster.connectionOptions(database: database)
    if let rootCertificate {
      options.sslMode = .verifyFull
      options.sslRootCertificate = rootCertificate
    }
    return options
  }

  /// An IRI for a connection, with the password if there is one; `scheme` is `pq` or `postgres`.
  ///
  /// - Throws: ``PGError`` `-Cdwn` if the server does not run any more.
  public func iri(scheme: String = "pq", database: String = "postgres") throws(PGError) -> String {
    ClusterAddress.iri(of: try connectionOptions(database: database), scheme: scheme)
  }

  /// The last lines that the server has logged since it was ready, at most so many.
  ///
  /// Control characters in them are replaced, so that they can be shown on a terminal.
  public func logTail(_ count: Int) -> [String] {
    readyLog.withLock { $0 }?.tail(count) ?? []
  }

  /// Stops the server and removes everything.
  ///
  /// Closing twice does nothing.
  ///
  /// - Throws: ``PGError`` of class `-C` if something stays behind.
  public func close() throws(PGError) {
    guard end() else { return }
    times.skip()
    for standby in standbys {
      _ = try? standby.stop(.immediate, wait: Self.stopPatience, force: true)
    }
    let memory = SharedMemory(of: cluster.dataDirectory.path)
    let wasStopped = try cluster.stop(.immediate, wait: Self.stopPatience, force: true) {
      // What it still writes is removed below. Processes are found by where they work, so that those
      // of standbys must not lose their directory yet.
      if standbys.isEmpty { _ = try? root.remove() }
    }
    times.end("stop, and remove meanwhile")
    // A server that was killed behind our back has left more than files.
    // So may standbys, of which nobody looks after but this: what they do not obey is not told.
    if !wasStopped || !standbys.isEmpty || cluster.lastEnding?.isSuccess != true {
      // They are known by where they work, also when that is removed already.
      _ = ServerProcesses(in: root.path).end(by: .after(Cluster.companyPatience))
      root.endResidents()
    }
    memory?.remove()
    try root.removePatiently()
    record?.remove()
    supervisor.disarm()
    times.end("remove the rest")
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

  /// Leaves the cluster to itself: its server runs on, and nobody removes it any more.
  ///
  /// Whoever wants it gone stops and drops ``cluster`` and removes ``directory``.
  ///
  /// - Throws: ``PGError`` `-C000` if that cannot be put on record, where the next sweep would take it
  ///   for an abandoned one; the cluster then still goes with this value.
  public func keep() throws(PGError) {
    guard getpid() == maker, isOpen.withLock({ $0 }) else { return }
    if let record {
      do { try record.add([("kept", "yes")]) } catch {
        throw .cluster("could not keep the cluster: could not write \"\(record.path)\"", error)
      }
    }
    if end() { supervisor.disarm() }
  }

  /// Whether there is such a process, whose end could be waited for.
  public static func mayOwn(_ process: Int32) -> Bool {
    process > 0 && ProcessFacts(process) != nil
  }

  /// Leaves the cluster to its supervisor, which ends it when the process `owner` is gone, after
  /// `lifetime`, when nobody was connected for `idle`, or with ``Options/ownerDescriptor``, whichever
  /// comes first, whatever becomes of this process.
  ///
  /// - Throws: ``PGError`` `-C000` if nothing is given, there is no such process or the supervisor
  ///   cannot be reached; the cluster then still goes with this value.
  public func handOver(
    owner: Int32?, lifetime: Duration?, idle: Duration? = nil
  ) throws(PGError) {
    guard owner != nil || lifetime != nil || idle != nil || hasOwnerDescriptor else {
      throw .cluster("a cluster that is handed over needs an owner or a time")
    }
    if let owner, !Self.mayOwn(owner) { throw .cluster("there is no process \(owner) to own it") }
    func seconds(_ duration: Duration) -> Int32 {
      Int32(clamping: max(1, duration.components.seconds))
    }
    let (lifetime, idle) = (lifetime.map(seconds), idle.map(seconds))
    _ = try? record?.add([
      ("follows", owner.map(String.init)), ("lifetime", lifetime.map(String.init)),
      ("idle", idle.map(String.init)),
    ])
    let port = try connectionOptions().ports?.first.flatMap { Int32(exactly: $0) }
    try supervisor.handOver(
      owner: owner, lifetime: lifetime, idle: idle, port: port, followsStream: hasOwnerDescriptor)
    _ = end()
  }

  /// Notes the process group of a command, so that it can be ended when nobody looks after the cluster.
  func note(command group: Int32) { _ = try? record?.add([("command", String(group))]) }
}
