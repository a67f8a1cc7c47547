import Foundation
import Glibc
import PGKit
import PGTestCluster

/// A server, and a network of its own from which it is reached over a link that can be cut: what is sent
/// then is lost, and nobody is told.
final class NetworkScene {
  /// Where what is sent is lost.
  enum Cut: String, CaseIterable, Sendable {
    case toServer, toClient, both
  }

  private static let ip = BuiltProgram(
    absolute: ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"].first { access($0, X_OK) == 0 } ?? "ip")

  /// Whether this user may make networks here, with iproute2's `ip`.
  static let canBeMade: Bool = {
    guard let link = try? Link() else { return false }
    link.remove()
    return true
  }()

  /// A name space, and a pair of interfaces between it and this one.
  private struct Link {
    let name: String
    let server: String
    let client: String
    private var outer: String { name + "a" }
    private var inner: String { name + "b" }

    init() throws {
      let number = Int.random(in: 0..<0x4000)
      name = "pgk" + String(number, radix: 16)
      let network = "10.213.\(number >> 6)"
      let first = (number & 63) * 4
      (server, client) = ("\(network).\(first + 1)", "\(network).\(first + 2)")
      do {
        for command in [
          "netns add \(name)", "link add \(outer) type veth peer name \(inner) netns \(name)",
          "addr add \(server)/30 dev \(outer)", "link set \(outer) up",
          "-n \(name) addr add \(client)/30 dev \(inner)", "-n \(name) link set \(inner) up",
        ] {
          try Self.run(command)
        }
      } catch {
        remove()
        throw error
      }
    }

    /// The pair goes first: the space stays as long as a program is in it.
    func remove() {
      try? Self.run("link del \(outer)")
      try? Self.run("netns del \(name)")
    }

    /// Sends frames to a station that does not exist: the way of a packet that is lost.
    func cut(_ cut: Cut) throws {
      let nobody = "lladdr 02:00:00:00:00:99 nud permanent dev"
      if cut != .toClient { try Self.run("-n \(name) neigh replace \(server) \(nobody) \(inner)") }
      if cut != .toServer { try Self.run("neigh replace \(client) \(nobody) \(outer)") }
    }

    func mend(_ cut: Cut) throws {
      if cut != .toClient { try Self.run("-n \(name) neigh del \(server) dev \(inner)") }
      if cut != .toServer { try Self.run("neigh del \(client) dev \(outer)") }
    }

    private static func run(_ command: String) throws {
      let outcome = try NetworkScene.ip.run(command.split(separator: " ").map(String.init))
      guard outcome.end == .exit(0) else {
        throw BuiltProgram.Fault(description: "ip \(command): \(outcome.errors)")
      }
    }
  }

  let db: Connection
  private let cluster: TemporaryCluster
  private let link: Link

  init(settings: [ConnectionOptions.Setting] = []) throws {
    link = try Link()
    var options = TemporaryCluster.Options()
    options.listening = .loopback(port: nil)
    options.settings = [.init("listen_addresses", "127.0.0.1,\(link.server)")] + settings
    do {
      cluster = try TemporaryCluster(installation: nil, options)
    } catch {
      link.remove()
      throw error
    }
    db = try PGKit.open("\(Self.socketIRI(cluster))")
    try "local all all trust\nhost all all \(link.client)/32 trust\n".write(
      toFile: cluster.cluster.dataDirectory.path + "/pg_hba.conf", atomically: false,
      encoding: .utf8)
    try db.query("SELECT pg_reload_conf()")
    for _ in 0..<200 {
      let rules = try db.query.first(
        "SELECT count(*) FROM pg_hba_file_rules WHERE type = 'host'", as: Int.self)
      if rules == 1 { break }
      usleep(10_000)
    }
  }

  private static func socketIRI(_ cluster: TemporaryCluster) throws -> String {
    let port = try cluster.connectionOptions().ports?.first ?? 0
    let host = cluster.directory.replacing("/", with: "%2F")
    return "postgres://\(TemporaryCluster.superuser)@\(host):\(port)/postgres"
  }

  /// The server as it is reached without the link.
  func socketIRI() throws -> String { try Self.socketIRI(cluster) }

  /// The server as it is reached over the link.
  func iri() throws -> String {
    let port = try cluster.connectionOptions().ports?.first ?? 0
    return "postgres://\(TemporaryCluster.superuser)@\(link.server):\(port)/postgres"
  }

  /// Starts a program at the other end of the link.
  func start(_ program: BuiltProgram, _ arguments: [String]) throws -> RunningProgram {
    try Self.ip.start(["netns", "exec", link.name, program.path] + arguments)
  }

  /// Connects from the other end of the link, in this process.
  ///
  /// A socket belongs to the network of the thread that opened it, so a thread goes there for it.
  func connect(_ settings: String) throws -> Connection {
    let iri = "\(try iri())?\(settings)"
    let path = "/run/netns/\(link.name)"
    let outcome = Connected()
    let isDone = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      let space = open(path, O_RDONLY | O_CLOEXEC)
      let isThere = Self.go(to: space)
      Glibc.close(space)
      if isThere { outcome.set(Result { try PGKit.open(iri) }) }
      isDone.signal()
    }
    isDone.wait()
    guard let connection = try outcome.result?.get() else {
      throw BuiltProgram.Fault(description: "no thread can go to \(path)")
    }
    return connection
  }

  /// Has this thread go to another network: setns(2), which Swift's Glibc does not show.
  private static func go(to space: CInt) -> Bool {
    typealias Function = @convention(c) (CInt, CInt) -> CInt
    let newNetwork: CInt = 0x4000_0000
    guard let symbol = dlsym(nil, "setns") else { return false }
    return unsafeBitCast(symbol, to: Function.self)(space, newNetwork) == 0
  }

  /// Handed over by a thread that is done with it.
  private final class Connected: @unchecked Sendable {
    private(set) var result: Result<Connection, any Error>?
    func set(_ result: Result<Connection, any Error>) { self.result = result }
  }

  func cut(_ cut: Cut) throws { try link.cut(cut) }
  func mend(_ cut: Cut) throws { try link.mend(cut) }

  func close() {
    db.close()
    try? cluster.close()
    link.remove()
  }
}
