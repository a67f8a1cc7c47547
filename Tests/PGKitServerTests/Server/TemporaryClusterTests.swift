import Foundation
import PGKit
import PGTestCluster
import Testing

@Suite(
  "TemporaryCluster", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct TemporaryClusterTests {
  private func isGone(_ directory: String, _ process: Int32) -> Bool {
    !FileManager.default.fileExists(atPath: directory) && kill(process, 0) != 0
  }

  @Test("is there when it is made, and gone when it is closed")
  func closing() throws {
    let cluster = try TemporaryCluster()
    let process = try #require(try cluster.cluster.processID())
    let db = try PGKit.connect(cluster.connectionOptions())
    #expect(try db.query("SHOW fsync")[0][0, as: String.self] == "off")
    #expect(try PGKit.open(cluster.iri()).backendID != 0)
    let mode = try FileManager.default.attributesOfItem(atPath: cluster.directory)
    #expect(mode[.posixPermissions] as? Int == 0o700)
    try cluster.close()
    try cluster.close()
    #expect(isGone(cluster.directory, process))
  }

  @Test("is gone when nothing refers to it any more")
  func release() throws {
    var cluster: TemporaryCluster? = try TemporaryCluster()
    let directory = try #require(cluster?.directory)
    let process = try #require(try cluster?.cluster.processID())
    cluster = nil
    #expect(isGone(directory, process))
  }

  @Test("over TCP asks for the password that its IRI has")
  func password() throws {
    var options = TemporaryCluster.Options()
    options.listening = .loopback(port: nil)
    let cluster = try TemporaryCluster(options)
    var known = try cluster.connectionOptions()
    #expect(known.hosts == ["127.0.0.1"])
    #expect(try PGKit.connect(known).backendID != 0)
    known.password = nil
    #expect(throws: PGError.self) { try PGKit.connect(known) }
    try cluster.close()
  }

  @Test("leads programs to itself and nowhere else")
  func environment() throws {
    let cluster = try TemporaryCluster()
    let environment = try cluster.childEnvironment()
    #expect(environment["PGHOST"] == cluster.directory)
    #expect(environment["PGDATABASE"] == "postgres")
    #expect(environment["DATABASE_URL"]?.hasPrefix("postgres://postgres@%2F") == true)
    #expect(environment["PGKIT_IRI"]?.hasPrefix("pq://") == true)
    let own = ["PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGSERVICEFILE", "PGSYSCONFDIR"]
    for name in TemporaryCluster.interferingVariables where !own.contains(name) {
      #expect(environment[name] == nil)
    }
    for name in ["PGREQUIREPEER", "PGSSLNEGOTIATION", "PGSSLCRL", "PGSERVICE", "PGDATA"] + own {
      #expect(TemporaryCluster.interferingVariables.contains(name))
    }
    try cluster.close()
  }

  @Test("of several that are made at once each has a server of its own")
  func several() async throws {
    try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let cluster = try TemporaryCluster()
          let db = try PGKit.connect(cluster.connectionOptions())
          let directory = try db.query("SHOW data_directory")[0][0, as: String.self]
          db.close()
          try cluster.close()
          return directory
        }
      }
      var seen: Set<String> = []
      for try await directory in group { seen.insert(directory) }
      #expect(seen.count == 4)
      #expect(!seen.contains { FileManager.default.fileExists(atPath: $0) })
    }
  }

  @Test("leaves nothing when its server was killed")
  func killedServer() throws {
    let cluster = try TemporaryCluster()
    let process = try #require(try cluster.cluster.processID())
    kill(process, SIGKILL)
    try cluster.close()
    #expect(isGone(cluster.directory, process))
  }

  @Test("ends what a killed standby has left running")
  func killedStandby() throws {
    var options = TemporaryCluster.Options()
    options.standbys = 1
    let cluster = try TemporaryCluster(options)
    let standby = try #require(try cluster.standbys.first?.processID())
    let path = "/proc/\(standby)/task/\(standby)/children"
    let children = try String(contentsOfFile: path, encoding: .utf8).split(separator: " ")
    let child = try #require(children.first.flatMap { Int32($0) })
    // It cannot notice that its server is gone.
    #expect(kill(child, SIGSTOP) == 0)
    kill(standby, SIGKILL)
    try cluster.close()
    for _ in 0..<200 where kill(child, 0) == 0 { usleep(10_000) }
    #expect(kill(child, 0) != 0)
  }

  @Test("leaves nothing when the server does not start, and says why it does not")
  func failure() throws {
    var options = TemporaryCluster.Options()
    options.settings = [.init("shared_buffers", "nonsense")]
    let error = #expect(throws: PGError.self) { try TemporaryCluster(options) }
    #expect(error?.code == .clusterStartupError)
    #expect(error?.message.contains("shared_buffers") == true)
    #expect(error?.message.contains("pgkit-") == true)
    let directory = error?.message.split(separator: "\"").first { $0.contains("pgkit-") }
    #expect(directory.map { !FileManager.default.fileExists(atPath: String($0)) } == true)
  }

  @Test("stays when it is to be kept")
  func kept() throws {
    let cluster = try TemporaryCluster()
    try cluster.keep()
    try cluster.close()
    #expect(try PGKit.connect(cluster.connectionOptions()).backendID != 0)
    try cluster.cluster.stop(.immediate)
    try cluster.cluster.drop()
    try FileManager.default.removeItem(atPath: cluster.directory)
  }

  @Test(
    "lives on every version with every preset, in memory and on disk",
    arguments: TestServer.installations)
  func versions(installation: Installation) throws {
    for storage in TemporaryCluster.Storage.allCases {
      for preset in TemporaryCluster.Preset.allCases where storage != .disk || preset == .test {
        var options = TemporaryCluster.Options()
        options.storage = storage
        options.preset = preset
        guard
          storage != .memory || (try? TemporaryCluster(installation: installation, options)) != nil
        else { continue }
        try TemporaryCluster.with(installation: installation, options) { cluster in
          #expect(cluster.isInMemory ? storage != .disk : storage != .memory)
          let db = try PGKit.connect(cluster.connectionOptions())
          let level = try db.query("SHOW wal_level")[0][0, as: String.self]
          #expect(level == ["test": "minimal", "logical": "logical"][preset.rawValue] ?? "replica")
          for name in ["template0", "template1", "postgres"] {
            try db.execute(
              "CREATE DATABASE of_\(name) TEMPLATE \(name == "postgres" ? "template1" : name)")
          }
          db.close()
        }
      }
    }
  }

  @Test("a block's cluster goes with the block, also when that fails")
  func scope() throws {
    struct Stop: Error {}
    var directory = ""
    #expect(throws: Stop.self) {
      try TemporaryCluster.with { cluster in
        directory = cluster.directory
        throw Stop()
      }
    }
    #expect(!directory.isEmpty && !FileManager.default.fileExists(atPath: directory))
  }

  @Test("sandboxes stand within each other, and leave nothing")
  func sandboxes() throws {
    let cluster = try TemporaryCluster.ofProcess()
    #expect(try TemporaryCluster.ofProcess() === cluster)
    let schemas = try cluster.withSandbox { outer in
      try outer.execute("CREATE TABLE t AS SELECT 1 AS a")
      let inner = try cluster.withSandbox { inner in
        try inner.execute("CREATE TABLE t AS SELECT 2 AS a")
        #expect(try inner.query("SELECT a FROM t")[0][0, as: Int.self] == 2)
        return try inner.query("SELECT current_schema()::text")[0][0, as: String.self]
      }
      #expect(try outer.query("SELECT a FROM t")[0][0, as: Int.self] == 1)
      return [inner, try outer.query("SELECT current_schema()::text")[0][0, as: String.self]]
    }
    #expect(Set(schemas).count == 2)
    let db = try PGKit.connect(cluster.connectionOptions())
    let left = try db.query("SELECT 1 FROM pg_namespace WHERE nspname LIKE 'sandbox%'").count
    #expect(left == 0)
  }
}
