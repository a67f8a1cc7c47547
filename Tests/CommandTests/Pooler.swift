import Foundation
import Glibc
import PGKit
import PGTestCluster

/// A pgbouncer in front of the tests' server.
final class Pooler {
  private static let path: String? = {
    let given = ProcessInfo.processInfo.environment["PGKIT_TEST_PGBOUNCER"].map { [$0] } ?? []
    let paths = given + ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"]
    return paths.first { access($0, X_OK) == 0 }
  }()
  static var isInstalled: Bool { path != nil }

  let iri: String
  private let running: RunningProgram
  private let folder: URL

  /// - Parameter sessions: How many server processes all clients share.
  init(in mode: String, before server: TestServer, sessions: Int = 20) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "pooler-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    chmod(folder.path, 0o777)
    let port = 20_000 + Int.random(in: 0..<10_000)
    let user = TemporaryCluster.superuser
    try """
    [databases]
    postgres = host=\(server.cluster.directory) port=\(server.port) user=\(user)
    [pgbouncer]
    listen_addr =
    listen_port = \(port)
    unix_socket_dir = \(folder.path)
    auth_type = any
    pool_mode = \(mode)
    default_pool_size = \(sessions)
    ignore_startup_parameters = extra_float_digits
    """.write(to: folder.appending(path: "pgbouncer.ini"), atomically: true, encoding: .utf8)
    let asOther = geteuid() == 0 ? ["-u", "postgres"] : []
    running = try BuiltProgram(absolute: Self.path ?? "")
      .start(asOther + [folder.path + "/pgbouncer.ini"])
    let host = folder.path.replacing("/", with: "%2F")
    iri = "postgres://\(user)@\(host):\(port)/postgres"
    try running.waitForErrors("process up")
  }

  func stop() {
    running.signal(SIGTERM)
    _ = try? running.wait()
    try? FileManager.default.removeItem(at: folder)
  }
}
