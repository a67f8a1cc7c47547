import Foundation
public import PGKit

/// The server that tests talk to: a throwaway cluster for each test run, with TLS and a role for
/// every way of logging in.
///
/// It goes away with the process.
///
/// Roles `scram`, `md5`, `plain`, `tlsonly` and `notls` have the password `secret`; `certified` needs
/// a client certificate; the superuser comes in through the socket.
public final class TestServer: Sendable {
  /// The one that most tests share.
  public static let shared = Result { try TestServer() }

  /// One whose certificate has expired.
  public static let expired = Result { try TestServer(validity: .past) }

  /// The certificate of an authority that has signed nothing here.
  public static let otherAuthority = Result { try CertificateAuthority(named: "Other CA") }
    .map { authority in Kept(authority).value.root.certificate }

  /// Whether this machine has an IPv6 loopback, without which that is not tested.
  public static var hasIPv6: Bool {
    FileManager.default.fileExists(atPath: "/proc/net/if_inet6")
      && (try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8))?.isEmpty == false
  }

  /// Whether there is a server to start; without one the tests are skipped.
  public static var isAvailable: Bool { !installations.isEmpty }

  /// The default installation, and those that `PGKIT_TEST_SERVERS` names.
  public static let installations: [Installation] = {
    let named = ProcessInfo.processInfo.environment["PGKIT_TEST_SERVERS"] ?? ""
    let more = named.split(separator: ":").compactMap {
      try? Installation(binaryDirectory: String($0))
    }
    return ((try? Installation.find()).map { [$0] } ?? []) + more
  }()

  /// A client's certificate, its key, and the key under a passphrase.
  public struct ClientCertificate: Sendable {
    /// The certificate's file.
    public let certificate: String
    /// The key's file.
    public let key: String
    /// The file of the key under a passphrase.
    public let encryptedKey: String
    /// The passphrase.
    public let passphrase: String
  }

  /// The password of every role that has one.
  public static let password = "secret"

  /// The cluster.
  public let cluster: TemporaryCluster
  /// The port of its sockets.
  public let port: Int
  /// The file of the certificate that signed the server's.
  public let rootCertificate: String
  /// What the role `certified` shows.
  public let clientCertificate: ClientCertificate
  /// A list in which the server's own certificate stands.
  public let revocationList: String
  private let authority: CertificateAuthority

  private init(validity: CertificateAuthority.Validity = .now) throws {
    authority = try CertificateAuthority()
    rootCertificate = authority.root.certificate
    var options = TemporaryCluster.Options()
    options.listening = .loopback(port: nil)
    options.settings = [
      .init("listen_addresses", "127.0.0.1,127.0.0.2,::1"),
      .init("max_prepared_transactions", "20"),
    ]
    cluster = try TemporaryCluster(installation: nil, options)
    port = try cluster.connectionOptions().ports?.first ?? 0
    let identity = try authority.issue(
      alternatives: ["DNS:localhost", "IP:127.0.0.1", "IP:::1"], validity: validity)
    try authority.revoke(identity)
    revocationList = try authority.writeRevocationList()
    let client = try authority.issue(subject: "/CN=certified", purpose: .client)
    clientCertificate = ClientCertificate(
      certificate: client.certificate, key: client.key,
      encryptedKey: try authority.encrypt(client.key, passphrase: "open up"),
      passphrase: "open up")
    try configure(identity)
  }

  // MARK: Where it is

  /// An IRI through the socket, as the superuser unless told otherwise.
  public func iri(
    user: String = TemporaryCluster.superuser, database: String = "postgres",
    options: [String] = []
  ) -> String {
    let host = cluster.directory.replacing("/", with: "%2F")
    return "postgres://\(user)@\(host):\(port)/\(database)" + Self.query(options)
  }

  /// An IRI over TCP.
  public func tcpIRI(
    host: String = "127.0.0.1", user: String, password: String? = nil, _ options: String...
  ) -> String {
    tcpIRI(host: host, user: user, password: password, options: options)
  }

  /// An IRI over TCP.
  public func tcpIRI(
    host: String = "127.0.0.1", user: String, password: String? = nil, options: [String]
  ) -> String {
    let secret = password.map { ":" + $0.replacing(" ", with: "%20") } ?? ""
    return "postgres://\(user)\(secret)@\(host):\(port)/postgres" + Self.query(options)
  }

  private static func query(_ options: [String]) -> String {
    let encoded = options.map { $0.replacing(" ", with: "%20") }
    return encoded.isEmpty ? "" : "?" + encoded.joined(separator: "&")
  }

  /// A connection through the socket, as the superuser.
  public func connect() throws -> Connection { try PGKit.open(iri()) }

  // MARK: What goes on in it

  /// Waits until a statement like the pattern runs.
  public func waitUntilRuns(matching pattern: String) throws {
    try wait(for: "no statement like \(pattern) runs") { try count(matching: pattern) > 0 }
  }

  /// Waits until a statement like the pattern is inside of `pg_sleep`: between two runs of a statement, a
  /// request to cancel it would go unheard.
  public func waitUntilSleeps(matching pattern: String) throws {
    try wait(for: "no statement like \(pattern) sleeps") {
      try count(matching: pattern, "AND wait_event = 'PgSleep'") > 0
    }
  }

  /// Waits until no statement like the pattern runs any more.
  public func expectNothingRuns(matching pattern: String) throws {
    try wait(for: "a statement like \(pattern) still runs") { try count(matching: pattern) == 0 }
  }

  private func count(matching pattern: String, _ condition: String = "") throws -> Int {
    let db = try connect()
    defer { db.close() }
    let found = try db.query(
      """
      SELECT count(*) FROM pg_stat_activity
        WHERE state = 'active' AND pid <> pg_backend_pid() AND query LIKE $1 \(condition)
      """, pattern)
    return try found[0][0, as: Int.self]
  }

  private func wait(for complaint: String, _ condition: () throws -> Bool) throws {
    for _ in 0..<200 {
      if try condition() { return }
      Thread.sleep(forTimeInterval: 0.05)
    }
    throw Complaint(description: complaint)
  }

  struct Complaint: Error, CustomStringConvertible { let description: String }

  // MARK: How it is set up

  private func configure(_ identity: CertificateAuthority.Credentials) throws {
    try install(identity.certificate, as: "server.crt")
    try install(identity.key, as: "server.key")
    try install(rootCertificate, as: "root.crt")
    let db = try Connector(cluster.connectionOptions(through: cluster.directory)).connect()
    defer { db.close() }
    try db.execute(
      """
      SET password_encryption = 'scram-sha-256';
      CREATE ROLE scram LOGIN PASSWORD 'secret'; CREATE ROLE plain LOGIN PASSWORD 'secret';
      CREATE ROLE tlsonly LOGIN PASSWORD 'secret'; CREATE ROLE notls LOGIN PASSWORD 'secret';
      CREATE ROLE certified LOGIN;
      SET password_encryption = 'md5'; CREATE ROLE md5 LOGIN PASSWORD 'secret';
      GRANT pg_signal_backend, pg_read_all_stats TO scram, tlsonly;
      """)
    try install(text: Self.rules, as: "pg_hba.conf", in: cluster.directory + "/data")
    for (name, file) in [
      ("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key"), ("ssl_ca_file", "root.crt"),
    ] {
      try db.execute("ALTER SYSTEM SET \(name) = '\(cluster.directory)/\(file)'")
    }
    try db.execute("ALTER SYSTEM SET ssl = on")
    try cluster.cluster.reload()
    try wait(for: "TLS is not on") {
      let other = try connect()
      defer { other.close() }
      return try other.query("SHOW ssl")[0][0, as: String.self] == "on"
    }
  }

  private static let rules = """
    local all all trust
    hostssl all certified all cert
    hostssl all tlsonly all scram-sha-256
    hostnossl all notls all scram-sha-256
    host all scram,postgres all scram-sha-256
    host all md5 all md5
    host all plain all password
    """

  private func install(_ file: String, as name: String) throws {
    try install(
      text: String(contentsOfFile: file, encoding: .utf8), as: name, in: cluster.directory)
  }

  /// Writes a file that belongs to the server's user, who alone may read it.
  private func install(text: String, as name: String, in directory: String) throws {
    let path = "\(directory)/\(name)"
    try (text + "\n").write(toFile: path, atomically: false, encoding: .utf8)
    let owner = try FileManager.default.attributesOfItem(atPath: directory)
    try FileManager.default.setAttributes(
      [
        .posixPermissions: 0o600, .ownerAccountID: owner[.ownerAccountID] ?? 0,
        .groupOwnerAccountID: owner[.groupOwnerAccountID] ?? 0,
      ], ofItemAtPath: path)
  }
}

extension Result where Success == TestServer {
  /// A connection through the socket, as the superuser.
  public func connect() throws -> Connection { try get().connect() }
}

extension TemporaryCluster {
  fileprivate func connectionOptions(through directory: String) throws -> ConnectionOptions {
    var options = try connectionOptions()
    options.hosts = [directory]
    return options
  }
}

/// Keeps a value for the life of the process, for what is removed with it.
private final class Kept<Value: Sendable>: Sendable {
  let value: Value
  init(_ value: Value) {
    self.value = value
    _ = Unmanaged.passRetained(self)
  }
}
