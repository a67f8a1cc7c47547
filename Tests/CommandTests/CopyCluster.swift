import Foundation
import PGKit
import PGTestCluster

/// A server for tests of pg-copy that need one of their own.
final class CopyCluster {
  private let cluster: TemporaryCluster

  /// - Parameter isNew: Whether it has an identifier of its own: others are copies of one directory.
  init(
    _ installation: Installation? = nil, settings: [ConnectionOptions.Setting] = [],
    isNew: Bool = false
  ) throws {
    var options = TemporaryCluster.Options()
    (options.settings, options.usesTemplates) = (settings, !isNew)
    cluster = try TemporaryCluster(installation: installation, options)
  }

  /// Where its socket is.
  var directory: String { cluster.directory }

  func port() throws -> UInt16 { UInt16(try cluster.connectionOptions().ports?.first ?? 0) }

  /// An IRI through the socket.
  func iri(_ database: String = "postgres", _ options: String = "") throws -> String {
    let port = try cluster.connectionOptions().ports?.first ?? 0
    let host = cluster.directory.replacing("/", with: "%2F")
    let more =
      options.isEmpty
      ? "" : "?options=" + options.replacing(" ", with: "%20").replacing("=", with: "%3D")
    return "postgres://\(TemporaryCluster.superuser)@\(host):\(port)/\(database)\(more)"
  }

  func connect(_ database: String = "postgres") throws -> Connection {
    try PGKit.open(try iri(database))
  }

  /// Makes a database in an encoding, and gives its IRI.
  func database(_ encoding: String) throws -> String {
    let name = "db_\(encoding.lowercased())_\(UInt32.random(in: 0...UInt32.max))"
    let db = try connect()
    defer { db.close() }
    try db.execute(
      """
      CREATE DATABASE \(name) ENCODING '\(encoding)' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'
      """)
    return try iri(name)
  }

  func close() { try? cluster.close() }
}
