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
    for name in TemporaryCluster.interferingVariables where name != "PGPASSWORD" {
      #expect(environment[name] == nil)
    }
    try cluster.close()
  }
}
