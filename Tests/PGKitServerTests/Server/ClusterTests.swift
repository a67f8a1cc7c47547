import Foundation
import PGKit
import PGTestCluster
import Testing

@Suite("Cluster", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ClusterTests {
  private let installation: Installation
  /// A folder that every user may pass through, since a root's server runs as somebody else.
  private let folder: String

  init() throws {
    installation = try .find()
    folder = "/tmp/pgkit-tests-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
  }

  private func remove() { try? FileManager.default.removeItem(atPath: folder) }

  @Test("lives from initdb to drop")
  func life() throws {
    defer { remove() }
    let cluster = Cluster(folder + "/data", installation: installation)
    #expect(try cluster.status() == .missing)
    var making = Cluster.InitOptions()
    making.synchronizes = false
    try cluster.initialize(making)
    #expect(try cluster.status() == .stopped(stale: nil))
    #expect(cluster.dataDirectory.isInitialized)
    #expect(cluster.dataDirectory.version == installation.majorVersion)
    #expect(throws: PGError.self) { try cluster.initialize(making) }
    let notRunning = #expect(throws: PGError.self) { try cluster.reload() }
    #expect(notRunning?.code == .clusterNotRunningError)

    var starting = Cluster.StartOptions()
    starting.settings = [.init("fsync", "off"), .init("work_mem", "5MB")]
    #expect(try cluster.start(starting))
    #expect(try !cluster.start(starting), "it runs already")
    let db = try Connector(cluster.connectionOptions()).connect()
    #expect(try db.query("SHOW work_mem")[0][0, as: String.self] == "5MB")
    #expect(try db.query("SHOW listen_addresses")[0][0, as: String.self] == "")
    #expect(try db.query("SELECT pg_backend_pid() > 0")[0][0, as: Bool.self])
    let running = #expect(throws: PGError.self) { try cluster.drop() }
    #expect(running?.message.contains("runs") == true)
    // Another value that knows only the directory finds the same server, and can stop it.
    let other = Cluster(folder + "/data", installation: installation)
    #expect(try other.processID() == cluster.processID())
    #expect(try other.stop())
    #expect(try !cluster.stop(), "it has been stopped")
    #expect(throws: PGError.self) { try db.execute("SELECT 1") }
    try cluster.drop()
    #expect(try cluster.status() == .missing)
    #expect(throws: PGError.self) { try cluster.drop() }
  }

  @Test("says with the server's own words why it does not start")
  func startFails() throws {
    defer { remove() }
    let cluster = Cluster(folder + "/data", installation: installation)
    var making = Cluster.InitOptions()
    making.synchronizes = false
    try cluster.initialize(making)
    var starting = Cluster.StartOptions()
    starting.settings = [.init("shared_buffers", "nonsense")]
    let error = #expect(throws: PGError.self) { try cluster.start(starting) }
    #expect(error?.code == .clusterStartupError)
    #expect(error?.message.contains("shared_buffers") == true)
    #expect(try cluster.status() == .stopped(stale: nil))
  }

  @Test("keeps initdb's words when that fails, and leaves no directory")
  func initFails() throws {
    defer { remove() }
    let cluster = Cluster(folder + "/data", installation: installation)
    var making = Cluster.InitOptions()
    making.locale = "no_SUCH.locale"
    let error = #expect(throws: PGError.self) { try cluster.initialize(making) }
    #expect(error?.code == .initDBError)
    #expect(error?.message.contains("locale") == true)
    #expect(try cluster.status() == .missing)
  }

  @Test("sees through a stale postmaster.pid", arguments: ["999999999\n", "1\n", "", "x\n"])
  func stale(text: String) throws {
    defer { remove() }
    let data = folder + "/data"
    try FileManager.default.createDirectory(
      atPath: data + "/base", withIntermediateDirectories: true)
    try "15\n".write(toFile: data + "/PG_VERSION", atomically: false, encoding: .utf8)
    try text.write(toFile: data + "/postmaster.pid", atomically: false, encoding: .utf8)
    guard case .stopped(let reason?) = try DataDirectory(data).status() else {
      Issue.record("\(try DataDirectory(data).status())")
      return
    }
    #expect(!reason.isEmpty)
  }

  @Test("never takes another directory, a link or an empty place for a cluster")
  func foreignPlaces() throws {
    defer { remove() }
    #expect(throws: PGError.self) { try Cluster(folder, installation: installation).drop() }
    #expect(throws: PGError.self) { try Cluster(folder, installation: installation).start() }
    let data = folder + "/real"
    try FileManager.default.createDirectory(
      atPath: data + "/base", withIntermediateDirectories: true)
    try "15\n".write(toFile: data + "/PG_VERSION", atomically: false, encoding: .utf8)
    try FileManager.default.createSymbolicLink(
      atPath: folder + "/link", withDestinationPath: data)
    let error = #expect(throws: PGError.self) {
      try Cluster(folder + "/link", installation: installation).drop()
    }
    #expect(error?.code == .clusterError)
    #expect(FileManager.default.fileExists(atPath: data + "/PG_VERSION"))
  }
}
