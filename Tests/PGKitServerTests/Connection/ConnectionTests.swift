import Foundation
import PGKit
import PGTestCluster
import Synchronization
import Testing

@Suite("Connection", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ConnectionTests {
  private let server: TestServer

  init() throws { server = try TestServer.shared.get() }

  private func answer(_ iri: String) throws -> (value: Int, security: String?) {
    let db = try PGKit.open(iri)
    defer { db.close() }
    return (try db.query("SELECT 41 + 1")[0][0, as: Int.self], db.security)
  }

  @Test("says what it is connected to")
  func metadata() throws {
    let db = try server.connect()
    #expect(db.backendID == (try db.query("SELECT pg_backend_pid()")[0][0, as: Int32.self]))
    #expect(db.serverVersion.major >= 15)
    #expect(db.reportedSetting("client_encoding") == "UTF8")
    #expect(db.security == nil)
    #expect(db.fileDescriptor >= 0)
    #expect(db.transactionStatus == .idle)
    try db.execute("BEGIN")
    #expect(db.transactionStatus == .inTransaction)
    #expect(throws: PGError.self) { try db.execute("SELECT 1/0") }
    #expect(db.transactionStatus == .failed)
    try db.execute("ROLLBACK")
    #expect(db.transactionStatus == .idle)
  }

  @Test("is over once it is closed, and closing twice is harmless")
  func closing() throws {
    let db = try server.connect()
    db.close()
    db.close()
    #expect(db.isClosed)
    let error = #expect(throws: PGError.self) { try db.execute("SELECT 1") }
    #expect(error?.code == .connectionDoesNotExist)
  }

  @Test("gives the same answers over socket, TCP and TLS, by every method of login")
  func transports() throws {
    #expect(try answer(server.iri()).value == 42)
    for user in ["scram", "md5", "plain"] {
      let plain = try answer(server.tcpIRI(user: user, password: "secret", "sslmode=disable"))
      #expect(plain.value == 42)
      #expect(plain.security == nil)
      let encrypted = try answer(
        server.tcpIRI(
          user: user, password: "secret", "sslmode=verify-full",
          "sslrootcert=\(server.rootCertificate)"))
      #expect(encrypted.value == 42)
      #expect(encrypted.security == "ssl")
    }
  }

  @Test(
    "reaches a server over IPv6, and by a name with several addresses",
    .enabled(if: TestServer.hasIPv6, "there is no IPv6 here"))
  func addresses() throws {
    let tls = ["sslmode=verify-full", "sslrootcert=\(server.rootCertificate)"]
    for host in ["[::1]", "localhost"] {
      let iri = server.tcpIRI(host: host, user: "scram", password: "secret", options: tls)
      #expect(try answer(iri).security == "ssl")
    }
  }

  @Test("binds the login to the channel where that is required, and refuses where it cannot")
  func channelBinding() throws {
    let tls = [
      "sslmode=verify-full", "sslrootcert=\(server.rootCertificate)", "channel_binding=require",
    ]
    #expect(try answer(server.tcpIRI(user: "scram", password: "secret", options: tls)).value == 42)
    let md5 = #expect(throws: PGError.self) {
      try answer(server.tcpIRI(user: "md5", password: "secret", options: tls))
    }
    #expect(md5?.code == .insecurityError || md5?.code == .authenticationMethodError)
    let plain = #expect(throws: PGError.self) {
      try answer(
        server.tcpIRI(
          user: "scram", password: "secret", "sslmode=disable", "channel_binding=require"))
    }
    #expect(plain?.code == .insecurityError)
  }

  @Test("falls back where the mode allows it, and only there")
  func encryptionModes() throws {
    func security(_ user: String, _ mode: String) throws -> String? {
      try answer(server.tcpIRI(user: user, password: "secret", "sslmode=\(mode)")).security
    }
    #expect(try security("scram", "prefer") == "ssl")
    #expect(try security("scram", "allow") == nil)
    #expect(try security("tlsonly", "allow") == "ssl")
    #expect(try security("notls", "prefer") == nil)
    #expect(throws: PGError.self) { try security("notls", "require") }
    #expect(throws: PGError.self) { try security("tlsonly", "disable") }
  }

  @Test("logs in with a client certificate, also one whose key has a passphrase")
  func clientCertificate() throws {
    let tls = ["sslmode=verify-full", "sslrootcert=\(server.rootCertificate)"]
    let client = server.clientCertificate
    #expect(
      try answer(
        server.tcpIRI(
          user: "certified",
          options: tls + ["sslcert=\(client.certificate)", "sslkey=\(client.key)"])
      ).value == 42)
    #expect(
      try answer(
        server.tcpIRI(
          user: "certified",
          options: tls + [
            "sslcert=\(client.certificate)", "sslkey=\(client.encryptedKey)",
            "sslpassword=\(client.passphrase)",
          ])
      ).value == 42)
    #expect(throws: PGError.self) {
      try answer(server.tcpIRI(user: "certified", options: tls))
    }
  }

  @Test("shows no client certificate when sslcertmode forbids it")
  func hiddenCertificate() throws {
    let client = server.clientCertificate
    let options = [
      "sslmode=require", "sslcert=\(client.certificate)", "sslkey=\(client.key)",
      "sslrootcert=\(server.rootCertificate)",
    ]
    let shown = try PGKit.open(server.tcpIRI(user: "certified", options: options))
    #expect(shown.isEncrypted)
    shown.close()
    let hidden = server.tcpIRI(user: "certified", options: options + ["sslcertmode=disable"])
    let error = #expect(throws: PGError.self) { try answer(hidden) }
    #expect(error?.code == .invalidAuthorizationSpecification)
    #expect(error?.message.contains("valid client certificate") == true)
  }

  @Test("refuses a server whose certificate was revoked")
  func revoked() throws {
    let error = #expect(throws: PGError.self) {
      try answer(
        server.tcpIRI(
          user: "scram", password: "secret", "sslmode=verify-full",
          "sslrootcert=\(server.rootCertificate)", "sslcrl=\(server.revocationList)"))
    }
    #expect(error?.code == .insecurityError)
    #expect(error?.message.contains("revoked") == true)
  }

  @Test("tries several hosts in order and passes over what does not answer")
  func severalHosts() throws {
    let port = server.port
    let iri = "postgres://scram:secret@127.0.0.1:1,127.0.0.1:\(port)/postgres"
    #expect(try answer(iri).value == 42)
    let standby = #expect(throws: PGError.self) {
      try answer(iri + "?target_session_attrs=standby")
    }
    #expect(standby?.message.contains("target_session_attrs") == true)
    #expect(try answer(iri + "?target_session_attrs=primary").value == 42)
    #expect(try answer(iri + "?target_session_attrs=prefer-standby").value == 42)
    #expect(try answer(iri + "?load_balance_hosts=random").value == 42)
  }

  @Test("offers protocol 3.2 when asked, and settles for what the server speaks")
  func protocolVersions() throws {
    let db = try PGKit.open(server.iri(options: ["max_protocol_version=3.2"]))
    #expect(try db.query("SELECT 1").count == 1)
    if db.serverVersion.major < 18 {
      #expect(throws: PGError.self) {
        try PGKit.open(
          server.iri(options: ["min_protocol_version=3.2", "max_protocol_version=3.2"]))
      }
    }
  }

  @Test("cancels what runs, from another thread, over TLS as well", arguments: [false, true])
  func interruption(encrypted: Bool) throws {
    let db = try PGKit.open(
      encrypted
        ? server.tcpIRI(user: "tlsonly", password: "secret", "sslmode=require") : server.iri())
    let handle = db.interruption
    let server = server
    // A thread: this test blocks its own, and tasks may have no other to run on.
    let outcome = Mutex<Result<Void, any Error>?>(nil)
    let done = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      let result = Result {
        try server.waitUntilRuns(matching: "%cancel me \(encrypted)%")
        try handle.cancel()
      }
      outcome.withLock { $0 = result }
      done.signal()
    }
    let error = #expect(throws: PGError.self) {
      try db.execute("SELECT pg_sleep(60) /* cancel me \(encrypted) */")
    }
    done.wait()
    try outcome.withLock { try $0?.get() }
    #expect(error?.code == .queryCanceled)
    #expect(try db.query("SELECT 1")[0][0, as: Int.self] == 1)
  }

  @Test(
    "is over when the server ends it, and says why each time, whatever is tried first",
    arguments: [0, 1, 2, 3])
  func terminated(use: Int) throws {
    let db = try server.connect()
    let statement = try db.prepare("SELECT 1")
    let uses: [() throws -> Void] = [
      { try db.execute("SELECT 1") }, { _ = try statement() },
      { _ = try db.query.text("SELECT 1").next() }, { try db.query("SELECT 1") },
    ]
    let killer = try server.connect()
    let pid = db.backendID
    #expect(try killer.query("SELECT pg_terminate_backend($1)", pid)[0][0, as: Bool.self])
    try killer.execute("SELECT pg_sleep(0.1)")
    let first = #expect(throws: PGError.self) { try uses[use]() }
    #expect(first?.code == .adminShutdown)
    #expect(db.isClosed)
    let second = #expect(throws: PGError.self) { try db.execute("SELECT 1") }
    #expect(second?.code == .adminShutdown)
  }

  @Test("cannot be used by whoever hears its notices; it can be closed")
  func usedWhileDelivering() throws {
    let db = try server.connect()
    let statement = try db.prepare("DO $$ BEGIN RAISE WARNING 'now'; END $$")
    let other = try db.query.rows("SELECT 1")
    var errors: [SQLState?] = []
    db.messageHook = { _ in
      let uses: [() throws -> Void] = [
        { try db.execute("SELECT 1") }, { _ = try other.next() },
        { _ = try db.copyIn("COPY x FROM STDIN") }, { _ = try db.notifications(until: .never) },
        { try db.transaction().start() },
      ]
      for use in uses {
        do { try use() } catch { errors.append((error as? PGError)?.code) }
      }
      return true
    }
    _ = try statement()
    #expect(errors == Array(repeating: SQLState.operationError, count: 5))
    #expect(try db.query("SELECT 1").count == 1)
    db.messageHook = { _ in
      db.close()
      return true
    }
    _ = try? statement()
    #expect(db.isClosed)
  }

  @Test("keeps statements and settings of the IRI, and hears notices")
  func settings() throws {
    let db = try PGKit.open(server.iri(options: ["application_name=a test"]))
    #expect(try db.query("SHOW application_name")[0][0, as: String.self] == "a test")
    var heard: [ServerMessage] = []
    db.messageHook = {
      heard.append($0)
      return true
    }
    try db.execute("DO $$ BEGIN RAISE WARNING 'mind this' USING HINT = 'or that'; END $$")
    #expect(heard.map(\.message) == ["mind this"])
    #expect(heard.first?.hint == "or that")
    #expect(heard.first?.severity == "WARNING")
  }
}
