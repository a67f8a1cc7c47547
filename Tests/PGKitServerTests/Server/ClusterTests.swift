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

  @Test("lives from initdb to drop", arguments: TestServer.installations)
  func life(installation: Installation) throws {
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

  private func stoppedCluster(_ other: Installation? = nil) throws -> Cluster {
    let cluster = Cluster(folder + "/data", installation: other ?? installation)
    var making = Cluster.InitOptions()
    making.synchronizes = false
    making.arguments = ["--wal-segsize=1"]
    try cluster.initialize(making)
    return cluster
  }

  private func startOptions() -> Cluster.StartOptions {
    var options = Cluster.StartOptions()
    options.settings = [.init("fsync", "off")]
    return options
  }

  @Test("of several starts at once one starts it, and the others wait for that")
  func startsAtOnce() async throws {
    defer { remove() }
    let directory = try stoppedCluster().dataDirectory.path
    let (installation, options) = (installation, startOptions())
    let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 1...4 {
        group.addTask { try Cluster(directory, installation: installation).start(options) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let cluster = Cluster(directory, installation: installation)
    #expect(answers.count { $0 } == 1)
    #expect(try cluster.stop())
  }

  @Test("a smart stop spares the clients, a fast one does not", arguments: TestServer.installations)
  func stopModes(installation: Installation) throws {
    defer { remove() }
    let cluster = try stoppedCluster(installation)
    try cluster.start(startOptions())
    let client = try Connector(cluster.connectionOptions()).connect()
    let late = #expect(throws: PGError.self) {
      try cluster.stop(.smart, wait: .milliseconds(300))
    }
    #expect(late?.code == .clusterTimeoutError)
    #expect(try client.query("SELECT 1")[0][0, as: Int.self] == 1)
    #expect(try cluster.stop(.fast))
    #expect(throws: PGError.self) { try client.query("SELECT 1") }
    try cluster.start(startOptions())
    #expect(try cluster.stop(.smart))
    #expect(try cluster.status() == .stopped(stale: nil))
    try cluster.drop()
  }

  @Test("a restart and a reload bring new settings", arguments: TestServer.installations)
  func newSettings(installation: Installation) throws {
    defer { remove() }
    let cluster = try stoppedCluster(installation)
    try cluster.start(startOptions())
    let before = try cluster.processID()
    var options = startOptions()
    options.settings.append(.init("max_connections", "17"))
    try cluster.restart(.fast, options)
    #expect(try cluster.processID() != before)
    let client = try Connector(cluster.connectionOptions()).connect()
    #expect(try client.query("SHOW max_connections")[0][0, as: String.self] == "17")
    let file = folder + "/data/postgresql.auto.conf"
    let handle = try #require(FileHandle(forWritingAtPath: file))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("work_mem = '7MB'\n".utf8))
    try handle.close()
    try cluster.reload()
    var shown = ""
    for _ in 0..<100 where shown != "7MB" {
      usleep(50_000)
      shown = try client.query("SHOW work_mem")[0][0, as: String.self]
    }
    #expect(shown == "7MB")
    try cluster.stop(.immediate)
    try cluster.drop()
  }

  @Test(
    "changes settings in the file, which count after a reload, and finds the hba file",
    arguments: TestServer.installations)
  func configuration(installation: Installation) throws {
    defer { remove() }
    let cluster = try stoppedCluster(installation)
    #expect(try cluster.hbaFile() == folder + "/data/pg_hba.conf")
    #expect(throws: PGError.self) { try cluster.configure([("a b", "c")]) }
    try cluster.configure([("work_mem", "6MB"), ("max_connections", "19")])
    try cluster.start(startOptions())
    let client = try Connector(cluster.connectionOptions()).connect()
    #expect(try client.query("SHOW work_mem")[0][0, as: String.self] == "6MB")
    #expect(try client.query("SHOW max_connections")[0][0, as: String.self] == "19")
    try cluster.configure([("work_mem", nil)])
    #expect(try cluster.configuration()["work_mem"] == nil)
    try cluster.reload()
    var shown = ""
    for _ in 0..<100 where shown != "4MB" {
      usleep(50_000)
      shown = try client.query("SHOW work_mem")[0][0, as: String.self]
    }
    #expect(shown == "4MB")
    try cluster.stop()
    try cluster.configure([("hba_file", "other.conf")])
    #expect(try cluster.hbaFile() == folder + "/data/other.conf")
  }

  @Test(
    "recovers from a killed server, and drops what that has left",
    arguments: TestServer.installations)
  func killed(installation: Installation) throws {
    defer { remove() }
    let cluster = try stoppedCluster(installation)
    for _ in 0..<2 {
      try cluster.start(startOptions())
      let process = try #require(try cluster.processID())
      kill(process, SIGKILL)
      var status = try cluster.status()
      for _ in 0..<200 {
        if case .stopped = status { break }
        usleep(10_000)
        status = try cluster.status()
      }
      #expect(status == .stopped(stale: "there is no process \(process)"))
    }
    let socket = try #require(cluster.dataDirectory.postmasterFile?.socketDirectory)
    #expect(FileManager.default.fileExists(atPath: socket))
    try cluster.drop()
    #expect(!FileManager.default.fileExists(atPath: socket))
  }

  @Test("a drop leaves what tablespaces hold elsewhere", arguments: TestServer.installations)
  func tablespaces(installation: Installation) throws {
    defer { remove() }
    let cluster = try stoppedCluster(installation)
    let elsewhere = folder + "/elsewhere"
    try FileManager.default.createDirectory(
      atPath: elsewhere, withIntermediateDirectories: false)
    let owner = try FileManager.default.attributesOfItem(atPath: folder + "/data")
    let number = try #require(owner[.ownerAccountID] as? Int)
    try FileManager.default.setAttributes([.ownerAccountID: number], ofItemAtPath: elsewhere)
    try cluster.start(startOptions())
    try Connector(cluster.connectionOptions()).connect().execute(
      "CREATE TABLESPACE away LOCATION '\(elsewhere)'")
    try cluster.stop()
    try cluster.drop()
    #expect(try !FileManager.default.contentsOfDirectory(atPath: elsewhere).isEmpty)
  }

  @Test("refuses what cannot become a cluster, and changes nothing there")
  func refusals() throws {
    defer { remove() }
    try "x".write(toFile: folder + "/file", atomically: false, encoding: .utf8)
    for path in [folder, folder + "/file", folder + "/no/such", "/dev/null"] {
      let cluster = Cluster(path, installation: installation)
      let error = #expect(throws: PGError.self) { try cluster.initialize() }
      #expect(error.map { "\($0.code)".hasPrefix("-C") } == true)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
    let long = folder + "/" + String(repeating: "x", count: 90)
    let cluster = try stoppedCluster()
    var options = startOptions()
    options.socketDirectory = long
    let error = #expect(throws: PGError.self) { try cluster.start(options) }
    #expect(error?.message.contains("socket directory") == true)
    options = startOptions()
    options.settings = [.init("fsync=off -c x", "off")]
    #expect(throws: PGError.self) { try cluster.start(options) }
    try cluster.drop()
  }

  @Test("refuses a cluster of another major version")
  func otherVersion() throws {
    defer { remove() }
    let cluster = try stoppedCluster()
    try "9.6\n".write(
      toFile: folder + "/data/PG_VERSION", atomically: false, encoding: .utf8)
    let error = #expect(throws: PGError.self) { try cluster.start() }
    #expect(error?.code == .clusterStartupError)
    #expect(error?.message.contains("9.6") == true)
  }

  @Test(
    "keeps the superuser's password to itself, and asks for it", arguments: TestServer.installations
  )
  func password(installation: Installation) throws {
    defer { remove() }
    let cluster = Cluster(folder + "/data", installation: installation)
    var making = Cluster.InitOptions()
    making.superuser = "boss"
    making.password = "op en"
    making.localAuthentication = "scram-sha-256"
    making.synchronizes = false
    try cluster.initialize(making)
    // Whoever is refused has been answered: the server is up.
    try cluster.start(startOptions())
    var options = try cluster.connectionOptions()
    options.user = "boss"
    options.password = "wrong"
    #expect(throws: PGError.self) { try Connector(options).connect() }
    options.password = "op en"
    #expect(try Connector(options).connect().query("SELECT 1").count == 1)
    try cluster.stop()
    making.password = "two\nlines"
    let other = Cluster(folder + "/other", installation: installation)
    #expect(throws: PGError.self) { try other.initialize(making) }
    #expect(try other.status() == .missing)
  }

  @Test(
    "says with the server's own words why it does not start", arguments: TestServer.installations)
  func startFails(installation: Installation) throws {
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

  @Test("says who holds the port, what is wrong with the directory, and what was left in it")
  func obstacles() throws {
    defer { remove() }
    let cluster = try stoppedCluster()
    let holder = try #require(try TestServer.shared.get().cluster.cluster.processID())
    var options = startOptions()
    options.listening = .loopback(port: try TestServer.shared.get().port)
    let taken = #expect(throws: PGError.self) { try cluster.start(options) }
    #expect(
      taken?.hint?.contains("is held by process \(holder) (postgres)") == true, "\(taken as Any)")
    chmod(folder + "/data", 0o755)
    try "999999999\n".write(
      toFile: folder + "/data/postmaster.pid", atomically: false, encoding: .utf8)
    let open = #expect(throws: PGError.self) { try cluster.start(startOptions()) }
    #expect(open?.code == .clusterStartupError)
    #expect(open?.hint?.contains("has mode 755") == true)
    #expect(open?.hint?.contains("postmaster.pid was left there") == true)
    chmod(folder + "/data", 0o700)
    chmod(folder, 0o700)
    if geteuid() == 0 {
      let closed = #expect(throws: PGError.self) { try cluster.start(startOptions()) }
      #expect(
        closed?.hint?.contains("may not pass through \"\(folder)\"") == true, "\(closed as Any)")
    }
  }

  @Test(
    "is killed and shut down without waiting, and is waited for",
    arguments: TestServer.installations)
  func waits(installation: Installation) throws {
    defer { remove() }
    let cluster = try stoppedCluster(installation)
    let missing = #expect(throws: PGError.self) { try cluster.waitUntilStarted(.seconds(1)) }
    #expect(missing?.code == .clusterNotRunningError)
    try cluster.waitUntilStopped(.milliseconds(1))
    try cluster.start(startOptions())
    let other = Cluster(folder + "/data", installation: installation)
    try other.waitUntilStarted()
    let late = #expect(throws: PGError.self) { try other.waitUntilStopped(.milliseconds(50)) }
    #expect(late?.code == .clusterTimeoutError)
    #expect(try cluster.shutdown())
    try cluster.waitUntilStopped()
    #expect(try cluster.status() == .stopped(stale: nil))
    #expect(try !cluster.kill())
    try cluster.start(startOptions())
    #expect(try cluster.kill())
    try cluster.waitUntilStopped()
    try cluster.drop()
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
    #expect(error?.hint?.contains("no_SUCH.locale") == true)
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

  @Test("takes no server of another directory for its own")
  func foreignServer() throws {
    defer { remove() }
    let cluster = try stoppedCluster()
    try cluster.start(startOptions())
    let text = try String(contentsOfFile: folder + "/data/postmaster.pid", encoding: .utf8)
    let copy = folder + "/copy"
    try FileManager.default.createDirectory(
      atPath: copy + "/base", withIntermediateDirectories: true)
    try "15\n".write(toFile: copy + "/PG_VERSION", atomically: false, encoding: .utf8)
    try text.write(toFile: copy + "/postmaster.pid", atomically: false, encoding: .utf8)
    guard case .stopped(let reason?) = try DataDirectory(copy).status() else {
      Issue.record("\(try DataDirectory(copy).status())")
      return
    }
    #expect(reason.contains("another data directory"))
    #expect(try !Cluster(copy, installation: installation).stop())
    #expect(try cluster.processID() != nil)
    try cluster.stop()
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
