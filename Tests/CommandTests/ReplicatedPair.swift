import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// A server and its standby, which can take its place.
final class ReplicatedPair {
  let primary: TemporaryCluster
  private let standby: Cluster
  private let directory: URL
  private let port: Int

  init() throws {
    var options = TemporaryCluster.Options()
    options.settings = [.init("wal_level", "replica"), .init("max_wal_senders", "4")]
    primary = try TemporaryCluster(installation: nil, options)
    port = try #require(try primary.connectionOptions().ports?.first)
    // Beside the primary's, where their user may write; it goes with it.
    directory = URL(filePath: primary.directory).appending(path: "standby")
    let copy = BuiltProgram(absolute: "/bin/sh")
    let tool = primary.cluster.installation.binaryDirectory + "/pg_basebackup"
    let command = """
      '\(tool)' -h '\(primary.directory)' -p \(port) -U postgres -D '\(directory.path)' -R -c fast
      """
    let outcome = try copy.run(
      geteuid() == 0 ? ["-c", "su postgres -s /bin/sh -c \"\(command)\""] : ["-c", command])
    guard outcome.end == .exit(0) else { throw BuiltProgram.Fault(description: outcome.errors) }
    standby = Cluster(directory.path, installation: primary.cluster.installation)
    var start = Cluster.StartOptions()
    start.socketDirectory = primary.directory
    start.settings =
      TemporaryCluster.testSettings + options.settings + [.init("port", "\(port + 1)")]
    start.user = TemporaryCluster.superuser
    try standby.start(start)
  }

  private var host: String { primary.directory.replacing("/", with: "%2F") }
  /// Both, of which the one that can be written to is wanted.
  var iri: String {
    "postgres://postgres@\(host):\(port),\(host):\(port + 1)/postgres?target_session_attrs=read-write"
  }
  var primaryIRI: String { "postgres://postgres@\(host):\(port)/postgres" }
  var standbyIRI: String { "postgres://postgres@\(host):\(port + 1)/postgres" }

  /// Has the standby receive no more of what the primary does.
  func cutOff() throws {
    let db = try PGKit.open(standbyIRI)
    defer { db.close() }
    try db.execute("ALTER SYSTEM SET primary_conninfo = 'host=/nowhere'")
    try db.query("SELECT pg_reload_conf()")
    for _ in 0..<400 {
      if try db.query("SELECT FROM pg_stat_wal_receiver").isEmpty { return }
      usleep(25_000)
    }
    throw BuiltProgram.Fault(description: "the standby still follows its primary")
  }

  func promote() throws {
    let db = try PGKit.open(standbyIRI)
    try db.query("SELECT pg_promote()")
    db.close()
  }

  func close() throws {
    try standby.stop(.immediate)
    try primary.close()
  }
}
