import Foundation
import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

// Also: connectors of each kind, and connections that are not established yet, in ConnectorKindsTests; the
// modes of TLS, certificates, and every method of login, in ConnectionTests; the order of the sources, in
// OptionSourcesTests; the grammar of locators, in ConnectionIRITests; a connect_timeout that passes, in
// ConnectorTests.

extension Documents {
  @Suite("Establishing a Connection")
  struct EstablishingAConnectionTests {
    private let server: TestServer

    init() throws { server = try TestServer.shared.get() }

    /// Opens as `PGKit.open` does, with this environment in place of the process's own.
    private func open(
      _ iri: String? = nil, _ overrides: ConnectionOptions = ConnectionOptions(),
      environment: [String: String] = [:], userName: String = "nobody"
    ) throws -> Connection {
      let sources = OptionSources(
        environment: { environment[$0] }, homeDirectory: nil, userName: userName)
      return try Connector(sources.resolve(iri: iri, overrides: overrides).options).connect()
    }

    private func user(of db: Connection) throws -> String? {
      try db.query.first("SELECT session_user", as: String.self)
    }

    private func database(of db: Connection) throws -> String? {
      try db.query.first("SELECT current_database()", as: String.self)
    }

    /// A password file with one line that fits everything, removed after `body`.
    private func withPasswordFile<Result>(
      _ password: String, _ body: (String) throws -> Result
    ) throws -> Result {
      let path = NSTemporaryDirectory() + Documents.uniqueName("pgpass")
      try "*:*:*:*:\(password)\n".write(toFile: path, atomically: false, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
      defer { try? FileManager.default.removeItem(atPath: path) }
      return try body(path)
    }

    // MARK: postgresql.open

    @Test("postgresql.open: the locator names host and database, the environment the user")
    func openInherits() throws {
      var environment = ["PGPORT": "\(server.port)", "PGPASSWORD": TestServer.password]
      let fromSystem = try open(
        "pq://localhost/postgres", environment: environment, userName: "scram")
      #expect(try user(of: fromSystem) == "scram")
      environment["PGUSER"] = "plain"
      let db = try open("pq://localhost/postgres", environment: environment, userName: "scram")
      #expect(try user(of: db) == "plain" && database(of: db) == "postgres")
      #expect(db.endpoint?.host == "localhost")
      // The reference writes the same without a scheme.
      let bare = try open("localhost/postgres", environment: environment)
      #expect(try user(of: bare) == "plain" && database(of: bare) == "postgres")
    }

    @Test("postgresql.open: the password file is looked into if no password is given")
    func openPasswordFile() throws {
      try withPasswordFile(TestServer.password) { path throws in
        let db = try open(
          "pq://localhost/postgres",
          environment: ["PGPORT": "\(server.port)", "PGUSER": "scram", "PGPASSFILE": path])
        #expect(try user(of: db) == "scram")
      }
    }

    @Test("postgresql.open: a locator's user and password are used, and no others")
    func openCredentials() throws {
      try withPasswordFile("not it") { path throws in
        let db = try open(
          "pq://scram:secret@localhost:\(server.port)/postgres",
          environment: ["PGUSER": "nobody", "PGPASSWORD": "nor this", "PGPASSFILE": path])
        #expect(try user(of: db) == "scram")
      }
    }

    @Test("postgresql.open: settings are given by the query portion of the locator")
    func openSettings() throws {
      let db = try open(
        "pq://scram:secret@localhost:\(server.port)/postgres?search_path=public&timezone=mst")
      #expect(try db.settings["search_path"] == "public")
      #expect(try db.settings["timezone"].uppercased() == "MST")
    }

    @Test("postgresql.open: driver parameters are in square brackets, and never sent")
    func openDriverParameters() throws {
      let iri = "pq://scram:secret@localhost:\(server.port)/postgres"
      let db = try open(iri + "?[sslmode]=require&[connect_timeout]=5")
      #expect(db.security == "ssl")
      #expect(db.connector.options.sslMode == .require)
      #expect(db.connector.options.connectTimeout == 5)
      #expect(db.connector.options.settings.isEmpty)
      // Without brackets it is sent, and the server knows no such setting.
      let error = #expect(throws: PGError.self) { try open(iri + "?sslmode=require") }
      #expect(error?.code == .undefinedObject && error?.fault == .server)
    }

    @Test("postgresql.open: the general structure of a locator, protocol to settings")
    func openStructure() throws {
      let db = try open(
        "pq://scram:secret@127.0.0.1:\(server.port)/postgres?[sslmode]=disable&work_mem=5MB")
      #expect(try user(of: db) == "scram" && database(of: db) == "postgres")
      #expect(db.security == nil)
      #expect(try db.settings["work_mem"] == "5MB")
    }

    @Test("postgresql.open: keywords override anything in the locator")
    func openOverrides() throws {
      var overrides = ConnectionOptions()
      overrides.password = TestServer.password
      overrides.database = "postgres"
      let iri = "pq://scram:sekrat@localhost:\(server.port)/no_such_database"
      let db = try open(iri, overrides)
      #expect(try database(of: db) == "postgres")
      let error = #expect(throws: PGError.self) { try open(iri) }
      #expect(error?.code == .invalidPassword)
    }

    @Test("postgresql.open: keywords can be used without a locator")
    func openKeywords() throws {
      var options = ConnectionOptions()
      options.user = "scram"
      options.password = TestServer.password
      options.database = "postgres"
      options.hosts = ["localhost"]
      options.ports = [server.port]
      // This one with the process's own environment, which has nothing to add.
      let db = try PGKit.open(nil, options)
      #expect(try user(of: db) == "scram")
    }

    @Test("postgresql.open: with everything in the environment nothing need be passed")
    func openEnvironment() throws {
      let db = try open(environment: [
        "PGHOST": "localhost", "PGPORT": "\(server.port)", "PGUSER": "scram",
        "PGPASSWORD": TestServer.password, "PGDATABASE": "postgres",
      ])
      #expect(try user(of: db) == "scram" && database(of: db) == "postgres")
    }

    // MARK: postgresql.driver.connect

    private var options: ConnectionOptions {
      var options = ConnectionOptions()
      options.user = "scram"
      options.password = TestServer.password
      options.database = "postgres"
      options.hosts = ["localhost"]
      options.ports = [server.port]
      return options
    }

    @Test("postgresql.driver.connect: connects with exactly what is said")
    func connect() throws {
      let db = try PGKit.connect(options)
      #expect(try user(of: db) == "scram")
    }

    @Test("postgresql.driver.connect: inherits no user from the environment or the system")
    func connectInheritsNothing() throws {
      var options = options
      options.user = nil
      let error = #expect(throws: PGError.self) { try PGKit.connect(options) }
      #expect(error?.code == .clientParameterError)
    }

    // MARK: Connectors

    @Test("Connectors: a connection knows its connector, which makes another one like it")
    func connector() throws {
      let db = try Connector(options).connect()
      #expect(db.connector.options == options)
      let other = try db.connector.connect()
      #expect(try user(of: other) == "scram" && other.backendID != db.backendID)
    }

    @Test("Connectors: an internet address is connected to as it is", arguments: [4, 6])
    func addresses(version: Int) throws {
      guard version == 4 || TestServer.hasIPv6 else { return }
      var options = options
      options.hosts = [version == 4 ? "127.0.0.1" : "::1"]
      let db = try Connector(options).connect()
      #expect(try db.clientAddress() == options.hosts?.first)
    }

    @Test("Connectors: a connector is constant")
    func constant() throws {
      var options = options
      let connector = Connector(options)
      options.user = "plain"
      let db = try connector.connect()
      #expect(try user(of: db) == "scram")
    }

    // MARK: Connection Keywords

    @Test("Connection Keywords: PostgreSQL defaults the database to the user")
    func databaseDefault() throws {
      var options = options
      options.database = nil
      let error = #expect(throws: PGError.self) { try PGKit.connect(options) }
      #expect(error?.code == .invalidCatalogName)
      #expect(error?.message.contains("\"scram\"") == true)
    }

    @Test("Connection Keywords: unix is the path of a socket, exclusive with host and port")
    func unix() throws {
      var options = ConnectionOptions()
      options.user = TemporaryCluster.superuser
      options.database = "postgres"
      options.unix = "\(server.cluster.directory)/.s.PGSQL.\(server.port)"
      let db = try PGKit.connect(options)
      #expect(try db.clientAddress() == nil)
      #expect(db.endpoint == .unix(path: options.unix ?? ""))
      for wrong: WritableKeyPath<ConnectionOptions, String?> in [\.firstHost, \.firstPort] {
        var both = options
        both[keyPath: wrong] = "1"
        let error = #expect(throws: PGError.self) { try PGKit.connect(both) }
        #expect(error?.code == .clientParameterError)
      }
      options.unix = "relative/.s.PGSQL.5432"
      let error = #expect(throws: PGError.self) { try PGKit.connect(options) }
      #expect(error?.code == .clientParameterError)
    }

    @Test("Connection Keywords: an invalid setting causes the connection to fail")
    func settings() throws {
      var options = options
      options.settings = [.init("search_path", "public"), .init("timezone", "MST")]
      let db = try PGKit.connect(options)
      #expect(try db.settings["search_path"] == "public" && db.settings["timezone"] == "MST")
      options.settings = [.init("no_such_setting", "1")]
      let error = #expect(throws: PGError.self) { try PGKit.connect(options) }
      #expect(error?.code == .undefinedObject)
    }

    @Test("Connection Keywords: sslmode chooses what is tried, in which order")
    func sslMode() throws {
      func security(_ user: String, _ mode: SSLMode) throws -> String? {
        var options = options
        options.user = user
        options.sslMode = mode
        return try PGKit.connect(options).security
      }
      #expect(try security("scram", .disable) == nil)
      #expect(try security("scram", .allow) == nil && security("tlsonly", .allow) == "ssl")
      #expect(try security("scram", .prefer) == "ssl" && security("notls", .prefer) == nil)
      #expect(try security("scram", .require) == "ssl")
      #expect(throws: PGError.self) { try security("tlsonly", .disable) }
      #expect(throws: PGError.self) { try security("notls", .require) }
    }

    @Test("Connection Keywords: the files of TLS have py-postgresql's names in a locator")
    func files() throws {
      let client = server.clientCertificate
      let iri =
        "pq://certified@localhost:\(server.port)/postgres?[sslmode]=require"
        + "&[sslcrtfile]=\(client.certificate)&[sslkeyfile]=\(client.key)"
        + "&[sslrootcrtfile]=\(server.rootCertificate)"
      let db = try open(iri)
      #expect(try user(of: db) == "certified")
      // There it is "currently not checked"; here it is.
      let error = #expect(throws: PGError.self) {
        try open(iri + "&[sslrootcrlfile]=\(server.revocationList)")
      }
      #expect(error?.code == .insecurityError)
    }

    @Test("Connection Keywords: server_encoding is accepted")
    func serverEncoding() throws {
      let db = try open(
        "pq://scram:secret@localhost:\(server.port)/postgres?[server_encoding]=utf-8")
      #expect(try user(of: db) == "scram")
    }
  }
}

extension ConnectionOptions {
  fileprivate var firstHost: String? {
    get { hosts?.first }
    set { hosts = newValue.map { [$0] } }
  }

  fileprivate var firstPort: String? {
    get { ports?.first.map { "\($0)" } }
    set { ports = newValue.flatMap { Int($0) }.map { [$0] } }
  }
}
