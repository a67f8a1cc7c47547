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
    let own = ["PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGSERVICEFILE"]
    for name in TemporaryCluster.interferingVariables where !own.contains(name) {
      #expect(environment[name] == nil)
    }
    for name in ["PGREQUIREPEER", "PGSSLNEGOTIATION", "PGSSLCRL", "PGSERVICE", "PGDATA"] + own {
      #expect(TemporaryCluster.interferingVariables.contains(name))
    }
    try cluster.close()
  }

  @Test("several may be made at once")
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
    cluster.keep()
    try cluster.close()
    #expect(try PGKit.connect(cluster.connectionOptions()).backendID != 0)
    try cluster.cluster.stop(.immediate)
    try cluster.cluster.drop()
    try FileManager.default.removeItem(atPath: cluster.directory)
  }
}
