import Foundation
import PGKit
import PGTestCluster
import Testing

/// What a killed server leaves, and who comes to terms with it.
@Suite(
  "Killed servers", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct KilledServerTests {
  /// A folder that every user may pass through, since a root's server runs as somebody else.
  private let folder: String

  init() throws {
    folder = "/tmp/pgkit-tests-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
  }

  private func remove() { try? FileManager.default.removeItem(atPath: folder) }

  private func made(_ installation: Installation, _ name: String = "data") throws -> Cluster {
    let cluster = Cluster("\(folder)/\(name)", installation: installation)
    var making = Cluster.InitOptions()
    making.synchronizes = false
    making.arguments = ["--wal-segsize=1"]
    try cluster.initialize(making)
    return cluster
  }

  private func startOptions(_ settings: (String, String)...) -> Cluster.StartOptions {
    var options = Cluster.StartOptions()
    options.settings = ([("fsync", "off")] + settings).map { .init($0.0, $0.1) }
    return options
  }

  private func segments(_ cluster: Cluster) throws -> SharedSegments {
    try SharedSegments(in: cluster.dataDirectory.path)
  }

  /// A process of the server that cannot notice anything, as one that is busy.
  private func stoppedChild(of cluster: Cluster) throws -> Int32 {
    let server = try #require(try cluster.processID())
    let child = try #require(
      try SharedSegments.processes(in: cluster.dataDirectory.path).first { $0 != server })
    #expect(kill(child, SIGSTOP) == 0)
    return child
  }

  /// Whether a process has ended, though whoever adopted it may not have collected it yet.
  private func hasEnded(_ process: Int32) -> Bool {
    let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    return text.map { $0.contains(") Z ") } ?? true
  }

  private func killServer(of cluster: Cluster) throws {
    #expect(try cluster.kill())
    for _ in 0..<500 {
      guard case .running = try cluster.status() else { return }
      usleep(10_000)
    }
    Issue.record("the server is still there")
  }

  enum Sharing: String, CaseIterable, Sendable { case posix, sysv, mmap }

  @Test(
    "a drop leaves no process and no shared memory, and takes nobody else's",
    arguments: TestServer.installations, Sharing.allCases)
  func drop(installation: Installation, sharing: Sharing) throws {
    defer { remove() }
    let options = startOptions(("dynamic_shared_memory_type", sharing.rawValue))
    let (victim, other) = (try made(installation), try made(installation, "other"))
    try victim.start(options)
    try other.start(options)
    let (mine, others) = (try segments(victim), try segments(other))
    #expect(mine.names.isEmpty == (sharing != .posix))
    #expect(mine.numbers.count > (sharing == .sysv ? 1 : 0))
    let child = try stoppedChild(of: victim)
    try killServer(of: victim)
    #expect(mine.remaining.count == mine.names.count + mine.numbers.count)
    try victim.drop()
    #expect(mine.remaining.isEmpty)
    #expect(hasEnded(child))
    #expect(others.remaining.count == others.names.count + others.numbers.count)
    #expect(try Connector(other.connectionOptions()).connect().query("SELECT 1").count == 1)
    try other.stop(.immediate)
    #expect(others.remaining.isEmpty)
    try other.drop()
  }

  @Test(
    "a stop with force leaves no process and no shared memory", arguments: TestServer.installations)
  func force(installation: Installation) throws {
    defer { remove() }
    let cluster = try made(installation)
    try cluster.start(startOptions())
    let segments = try segments(cluster)
    #expect(!segments.names.isEmpty && !segments.numbers.isEmpty)
    let child = try stoppedChild(of: cluster)
    let server = try #require(try cluster.processID())
    #expect(kill(server, SIGSTOP) == 0)
    #expect(try cluster.stop(.fast, wait: .milliseconds(50), force: true))
    #expect(segments.remaining.isEmpty)
    #expect(hasEnded(child))
    // Also of a server that was killed before.
    try cluster.start(startOptions())
    let again = try self.segments(cluster)
    let other = try stoppedChild(of: cluster)
    try killServer(of: cluster)
    #expect(try !cluster.stop(force: true))
    #expect(again.remaining.isEmpty)
    #expect(hasEnded(other))
    #expect(try cluster.start(startOptions()))
    try cluster.stop()
    try cluster.drop()
  }

  @Test(
    "a start waits for what the killed server has left running",
    arguments: TestServer.installations)
  func waits(installation: Installation) throws {
    defer { remove() }
    let cluster = try made(installation)
    try cluster.start(startOptions())
    let child = try stoppedChild(of: cluster)
    try killServer(of: cluster)
    var hasty = startOptions()
    hasty.wait = .milliseconds(200)
    let late = #expect(throws: PGError.self) { try cluster.start(hasty) }
    #expect(late?.code == .clusterTimeoutError)
    #expect(late?.message.contains("process \(child) (postgres: ") == true, "\(late as Any)")
    #expect(late?.hint?.contains("force") == true)
    Thread.detachNewThread {
      usleep(500_000)
      kill(child, SIGCONT)
    }
    let begin = ContinuousClock.now
    #expect(try cluster.start(startOptions()))
    #expect(ContinuousClock.now - begin > .milliseconds(400))
    try cluster.stop()
    try cluster.drop()
  }

  @Test("names the processes that keep a server from starting when it has waited for long enough")
  func obstinate() throws {
    defer { remove() }
    let cluster = try made(.find())
    try cluster.start(startOptions())
    let child = try stoppedChild(of: cluster)
    try killServer(of: cluster)
    let begin = ContinuousClock.now
    let refused = #expect(throws: PGError.self) { try cluster.start(startOptions()) }
    #expect(ContinuousClock.now - begin < .seconds(40))
    #expect(refused?.code == .clusterStartupError)
    #expect(refused?.hint?.contains("process \(child) (postgres: ") == true, "\(refused as Any)")
    try cluster.drop()
    #expect(hasEnded(child))
  }

  @Test(
    "a throwaway cluster leaves no shared memory, however it shares",
    arguments: TestServer.installations, Sharing.allCases)
  func throwaway(installation: Installation, sharing: Sharing) throws {
    var options = TemporaryCluster.Options()
    options.settings = [.init("dynamic_shared_memory_type", sharing.rawValue)]
    let cluster = try TemporaryCluster(installation: installation, options)
    let segments = try SharedSegments(in: cluster.directory)
    #expect(segments.names.isEmpty == (sharing != .posix))
    #expect(!segments.numbers.isEmpty)
    _ = try stoppedChild(of: cluster.cluster)
    try killServer(of: cluster.cluster)
    try cluster.close()
    #expect(segments.remaining.isEmpty)
  }

  @Test("a throwaway cluster leaves no shared memory when its server is killed while it is closed")
  func closing() throws {
    let cluster = try TemporaryCluster()
    let segments = try SharedSegments(in: cluster.directory)
    #expect(!segments.numbers.isEmpty)
    let server = try #require(try cluster.cluster.processID())
    let child = try stoppedChild(of: cluster.cluster)
    #expect(kill(server, SIGSTOP) == 0)
    Thread.detachNewThread {
      usleep(300_000)
      kill(server, SIGKILL)
    }
    try cluster.close()
    #expect(hasEnded(child))
    #expect(segments.remaining.isEmpty)
  }

  @Test(
    "servers of throwaway clusters share by files, wherever they are",
    arguments: TestServer.installations)
  func files(installation: Installation) throws {
    var options = TemporaryCluster.Options()
    options.storage = .disk
    options.standbys = 1
    options.preset = .safe
    let seed = folder + "/seed.sql"
    try "CREATE TABLE t (a int)".write(toFile: seed, atomically: false, encoding: .utf8)
    options.seeds = [seed]
    defer { remove() }
    let cluster = try TemporaryCluster(installation: installation, options)
    #expect(try SharedSegments.processes(in: cluster.directory).count > 2)
    #expect(try SharedSegments(in: cluster.directory).names.isEmpty)
    try cluster.close()
  }
}
