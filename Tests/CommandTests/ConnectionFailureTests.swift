import Foundation
import PGKit
import PGTestCluster
import Testing

/// Every way in which a connection can fail says so in its own words, and ends with 2.
@Suite(
  "failures to connect",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ConnectionFailureTests {
  private let program = BuiltProgram("pg-open")
  private let server: TestServer

  init() throws { server = try TestServer.shared.get() }

  private func expect(
    _ iri: String, says words: String..., environment: [String: String]? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try program.run([iri, "SELECT 1"], environment: environment)
    #expect(outcome.end == .exit(2), sourceLocation: sourceLocation)
    #expect(outcome.output == "", sourceLocation: sourceLocation)
    for word in words {
      #expect(outcome.errors.contains(word), "\(outcome.errors)", sourceLocation: sourceLocation)
    }
  }

  @Test("a wrong password")
  func wrongPassword() throws {
    for user in ["scram", "md5", "plain"] {
      try expect(
        server.tcpIRI(user: user, password: "not it"), says: "28P01", "password authentication",
        "\"\(user)\"")
    }
  }

  @Test("no password where one is asked for")
  func noPassword() throws {
    try expect(server.tcpIRI(user: "scram"), says: "no password supplied")
  }

  @Test("an unknown database, an unknown role")
  func unknownNames() throws {
    try expect(server.iri(database: "nowhere"), says: "3D000", "\"nowhere\" does not exist")
    try expect(server.iri(user: "nobody_here"), says: "28000", "\"nobody_here\" does not exist")
  }

  @Test("a dead port, a missing socket, an unknown host")
  func deadPlaces() throws {
    try expect("postgres://u@127.0.0.1:1/d", says: "08001", "Connection refused", "port 1")
    try expect("postgres://u@/d?host=/no/such/dir", says: "08001", "/no/such/dir/.s.PGSQL.5432")
    try expect("postgres://u@no-such-host.invalid/d", says: "08001", "no-such-host.invalid")
  }

  @Test("an authority that is not the server's")
  func wrongAuthority() throws {
    let other = try TestServer.otherAuthority.get()
    try expect(
      server.tcpIRI(user: "scram", password: "secret", "sslmode=verify-ca", "sslrootcert=\(other)"),
      says: "--SEC", "certificate")
  }

  @Test("no root certificate to check the server's with", arguments: ["verify-ca", "verify-full"])
  func noRootCertificate(mode: String) throws {
    let home = FileManager.default.temporaryDirectory.path + "/pgkit-\(UUID().uuidString)"
    try expect(
      server.tcpIRI(user: "scram", password: "secret", "sslmode=\(mode)"), says: "-*000",
      "root certificate file \"\(home)/.postgresql/root.crt\" does not exist",
      "sslrootcert=system",
      environment: ProcessInfo.processInfo.environment.merging(
        ["HOME": home], uniquingKeysWith: { $1 }))
  }

  @Test("a host name that the certificate does not have")
  func wrongHost() throws {
    try expect(
      server.tcpIRI(
        host: "127.0.0.2", user: "scram", password: "secret", "sslmode=verify-full",
        "sslrootcert=\(server.rootCertificate)"),
      says: "--SEC", "127.0.0.2")
  }

  @Test("an expired certificate")
  func expired() throws {
    let server = try TestServer.expired.get()
    try expect(
      server.tcpIRI(
        user: "scram", password: "secret", "sslmode=verify-full",
        "sslrootcert=\(server.rootCertificate)"),
      says: "--SEC", "expired")
  }

  @Test("a login that the server allows only with TLS, or only without")
  func encryptionRules() throws {
    try expect(
      server.tcpIRI(user: "tlsonly", password: "secret", "sslmode=disable"), says: "28000",
      "no encryption")
    try expect(
      server.tcpIRI(user: "notls", password: "secret", "sslmode=require"), says: "28000",
      "SSL encryption")
  }

  @Test("an authentication method that require_auth rules out")
  func requiredMethod() throws {
    try expect(
      server.tcpIRI(user: "md5", password: "secret", "require_auth=scram-sha-256"), says: "--AUT",
      "require_auth")
  }

  @Test(
    "a mistake in the options, found before anything is contacted, is one of usage",
    arguments: [
      "require_auth=kerberos", "require_auth=md5,!password", "sslnegotiation=direct",
      "ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2",
      "min_protocol_version=3.2&max_protocol_version=3.0", "sslrootcert=system&sslmode=require",
      "hostaddr=nowhere", "port=1,2,3", "sslmode=full", "scram_max_iterations=0",
    ])
  func usage(query: String) throws {
    let iri = "postgres://u@127.0.0.1/d?\(query)"
    for arguments in [
      ("pg-open", [iri, "SELECT 1"]), ("pg-listen", [iri, "c"]),
      ("pg-copy", [iri, "t", "--to", iri]),
    ] {
      let outcome = try BuiltProgram(arguments.0).run(arguments.1)
      #expect(outcome.end == .exit(64), "\(arguments.0): \(outcome.errors)")
      #expect(outcome.errors.contains("-*000"), "\(outcome.errors)")
    }
  }

  @Test("OpenSSL that cannot be used is named, with where to get it, and needed only where it is")
  func missingOpenSSL() throws {
    let directory = FileManager.default.temporaryDirectory.path + "/pgkit-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: directory) }
    for name in ["libcrypto", "libssl"] {
      // The loader takes the empty file for the library, and stops there.
      try FileManager.default.createDirectory(
        atPath: "\(directory)/\(name)", withIntermediateDirectories: true)
      for version in 3...5 {
        try Data().write(to: URL(fileURLWithPath: "\(directory)/\(name)/\(name).so.\(version)"))
      }
    }
    func without(_ name: String) -> [String: String] {
      ProcessInfo.processInfo.environment.merging(
        ["LD_LIBRARY_PATH": "\(directory)/\(name)"], uniquingKeysWith: { $1 })
    }
    for user in ["scram", "md5"] {
      try expect(
        server.tcpIRI(user: user, password: "secret", "sslmode=disable"), says: "libcrypto.so",
        "package", environment: without("libcrypto"))
    }
    let encrypted = server.tcpIRI(user: "scram", password: "secret", "sslmode=require")
    try expect(encrypted, says: "libcrypto.so", "package", environment: without("libcrypto"))
    try expect(encrypted, says: "libssl.so", "package", environment: without("libssl"))

    let plain = server.tcpIRI(user: "scram", password: "secret", "sslmode=disable")
    let login = try program.run([plain, "SELECT 1"], environment: without("libssl"))
    #expect(login.end == .exit(0), "\(login.errors)")
    let trusted = try program.run([server.iri(), "SELECT 1"], environment: without("libcrypto"))
    #expect(trusted.end == .exit(0), "\(trusted.errors)")
  }
}
