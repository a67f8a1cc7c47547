import Foundation
import PGErrorCodes
import Testing

@testable import PGKit

@Suite("Connector", .timeLimit(.minutes(2))) struct ConnectorTests {
  private func connect(_ options: ConnectionOptions) throws(PGError) -> Connection {
    try Connector(options).connect()
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// Options for several servers.
  private func options(_ servers: [ScriptedServer]) -> ConnectionOptions {
    var options = servers[0].options()
    options.hosts = servers.map { _ in "127.0.0.1" }
    options.ports = servers.map(\.port)
    return options
  }

  // MARK: Login

  @Test("logs in over TCP and says goodbye")
  func logsIn() throws {
    let server = try ScriptedServer([
      .packet, .welcome(["server_version": "15.18 (Debian)"]), .drain,
    ])
    defer { server.stop() }
    let connection = try connect(server.options())
    #expect(connection.serverVersion == ServerVersion(major: 15, minor: 18))
    #expect(connection.transactionStatus == .idle)
    connection.close()
    let received = try server.received()
    #expect(received.first?.suffix(5) == [0x58, 0, 0, 0, 4])
    #expect(text(received[0]).contains("user\0jwp\0database\0app\0"))
  }

  @Test("logs in over a Unix socket, without asking for TLS", arguments: SSLMode.allCases)
  func unixSocket(mode: SSLMode) throws {
    let path = NSTemporaryDirectory() + "pgkit-\(UUID().uuidString.prefix(8)).sock"
    let server = try ScriptedServer(unix: path, [.packet, .welcome(), .drain])
    defer { server.stop() }
    var options = server.options(mode)
    options.sslRootCertificate = mode >= .verifyCA ? "/dev/null" : nil
    try connect(options).close()
    #expect(try server.received().first?.prefix(8).suffix(4) == [0, 3, 0, 0])
  }

  @Test("a protocol version is offered when it is asked for")
  func version() throws {
    let server = try ScriptedServer([.packet, .welcome(), .drain])
    defer { server.stop() }
    var options = server.options()
    options.maximumProtocolVersion = "3.2"
    try connect(options).close()
    #expect(try server.received().first?.prefix(8).suffix(4) == [0, 3, 0, 2])
  }

  @Test("the server's refusal is what is thrown, and where it was")
  func refusal() throws {
    let server = try ScriptedServer([.packet, .refuse("3D000", "no such database")])
    defer { server.stop() }
    let error = try #require(throws: PGError.self) { try connect(server.options()) }
    #expect(error.code == .invalidCatalogName)
    #expect(error.fault == .server)
    #expect(error.report.contains("127.0.0.1:\(server.port)"))
  }

  @Test("an error that is cut off at any byte is a lost connection, and no crash")
  func truncatedError() throws {
    let error = try BackendEncoder.encode(#"ErrorResponse S "FATAL" C "28000" M "m" \x00"#)
    for count in 0..<error.count {
      let server = try ScriptedServer([.packet, .send(Array(error.prefix(count)))])
      defer { server.stop() }
      let thrown = try #require(throws: PGError.self) { try connect(server.options()) }
      #expect(thrown.code == .connectionFailure)
    }
  }

  @Test(
    "a peer that is no PostgreSQL server is called that, with what to check",
    arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-x\r\n", "220 mail\r\n", "-ERR\r\n"],
    [SSLMode.disable, .prefer, .require])
  func unknownPeer(words: String, mode: SSLMode) throws {
    let server = try ScriptedServer([.packet, .send(Array(words.utf8)), .drain])
    defer { server.stop() }
    let error = try #require(throws: PGError.self) { try connect(server.options(mode)) }
    let place = "127.0.0.1:\(server.port)"
    #expect(error.hint?.contains("Check host and port") == true)
    // To the question for TLS, "S" is a yes.
    if words.hasPrefix("S"), mode != .disable {
      #expect(error.message.contains("what the server sent is not TLS"))
      return
    }
    #expect(
      error.message.contains("what answered at \(place) does not speak PostgreSQL's protocol"))
    #expect(error.message.contains("but HTTP") == (words.hasPrefix("HTTP") && mode == .disable))
    #expect(error.message.components(separatedBy: place).count == 2)
    #expect(error.origin.creators.map(\.label) == ["CONNECTOR"])
  }

  @Test("a message that is out of place before any answer is no sign of PostgreSQL either")
  func misplacedMessage() throws {
    let server = try ScriptedServer([.packet, .say(["ReadyForQuery I"]), .drain])
    defer { server.stop() }
    let error = try #require(throws: PGError.self) { try connect(server.options()) }
    #expect(error.code == .protocolViolation)
    #expect(error.message.contains("does not speak PostgreSQL's protocol ("))
    let known = try ScriptedServer([
      .packet, .say(["AuthenticationCleartextPassword"]), .until("p"), .say(["ReadyForQuery I"]),
      .drain,
    ])
    defer { known.stop() }
    var options = known.options()
    options.password = "x"
    let later = try #require(throws: PGError.self) { try connect(options) }
    #expect(later.code == .protocolViolation)
    #expect(!later.message.contains("does not speak"))
  }

  @Test("an error of protocol 2 is repeated where one of protocol 3 would be")
  func oldError() throws {
    let words = "Ecould not fork new process for connection: no memory\n\0"
    let script: [ScriptedServer.Act] = [.packet, .send(Array(words.utf8)), .drain]
    let server = try ScriptedServer(script)
    defer { server.stop() }
    let error = try #require(throws: PGError.self) { try connect(server.options()) }
    #expect(
      error.message == "the server at 127.0.0.1:\(server.port) refused the connection: "
        + "could not fork new process for connection: no memory")
    #expect(error.code == .sqlclientUnableToEstablishSqlconnection)
    #expect(error.isSafeToRetry)
    let second = try ScriptedServer([.packet, .welcome(), .drain])
    defer { second.stop() }
    try connect(options([server, second])).close()
  }

  @Test("a server that leaves without a word may be none: that is said")
  func silentPeer() throws {
    let server = try ScriptedServer([.packet])
    defer { server.stop() }
    let error = try #require(throws: PGError.self) { try connect(server.options()) }
    #expect(error.code == .connectionFailure)
    #expect(error.hint?.contains("not PostgreSQL") == true)
  }

  @Test("direct TLS with a server that does not know it names the version and the remedy")
  func directTLS() throws {
    let server = try ScriptedServer([])
    defer { server.stop() }
    var options = server.options(.require)
    options.sslNegotiation = .direct
    let error = try #require(throws: PGError.self) { try connect(options) }
    #expect(error.message.contains("127.0.0.1") && error.message.contains("\(server.port)"))
    #expect(error.hint?.contains("PostgreSQL 17 or later") == true)
    #expect(error.hint?.contains("sslnegotiation=postgres") == true)
  }

  @Test("a user name is needed before anything is sent")
  func noUser() throws {
    let server = try ScriptedServer([.drain])
    defer { server.stop() }
    var options = server.options()
    options.user = nil
    let error = try #require(throws: PGError.self) { try connect(options) }
    #expect(error.code == .clientParameterError)
    #expect(try server.received().isEmpty)
  }

  @Test(
    "a mistake in the options is found without contacting anybody",
    arguments: [
      { $0.requireAuthentication = "kerberos" }, { $0.minimumProtocolVersion = "3.2" },
      { $0.sslNegotiation = .direct }, { $0.user = "" }, { $0.hostAddresses = ["nowhere"] },
      { ($0.hosts, $0.ports) = (["/" + String(repeating: "long/", count: 40)], nil) },
      { ($0.sslMinimumVersion, $0.sslMaximumVersion) = (.tls13, .tls12) },
    ] as [@Sendable (inout ConnectionOptions) -> Void])
  func check(change: @Sendable (inout ConnectionOptions) -> Void) throws {
    let server = try ScriptedServer([.drain])
    defer { server.stop() }
    var options = server.options()
    try Connector(options).check()
    change(&options)
    let error = #expect(throws: PGError.self) { try Connector(options).check() }
    #expect(error?.code == .clientParameterError)
    #expect(throws: PGError.self) { try connect(options) }
    #expect(try server.received().isEmpty)
  }

  // MARK: Several hosts

  @Test("the password of one host never goes to another")
  func passwords() throws {
    let ask: [ScriptedServer.Act] = [
      .packet, .say(["AuthenticationCleartextPassword"]), .until("p"),
    ]
    let first = try ScriptedServer(ask + [.refuse("57P03", "starting up")])
    let second = try ScriptedServer(ask + [.welcome(), .drain])
    defer { [first, second].forEach { $0.stop() } }
    let file = NSTemporaryDirectory() + "pgpass-\(UUID().uuidString)"
    let lines = "127.0.0.1:\(first.port):*:*:alpha\n127.0.0.1:\(second.port):*:*:beta\n"
    try lines.write(toFile: file, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
    defer { try? FileManager.default.removeItem(atPath: file) }
    var options = options([first, second])
    options.passwordFile = file
    try connect(options).close()
    let (one, two) = (text(try first.received()[0]), text(try second.received()[0]))
    #expect(one.contains("alpha") && !one.contains("beta"))
    #expect(two.contains("beta") && !two.contains("alpha"))
  }

  @Test(
    "a host that is not ready, full or gone leaves hope for the next",
    arguments: [
      [.packet, .refuse("57P03")], [.packet, .refuse("53300")], [.packet], [],
    ] as [[ScriptedServer.Act]])
  func nextHost(script: [ScriptedServer.Act]) throws {
    let first = try ScriptedServer(script)
    let second = try ScriptedServer([.packet, .welcome(), .drain])
    defer { [first, second].forEach { $0.stop() } }
    let connection = try connect(options([first, second]))
    #expect(connection.endpoint?.description == "127.0.0.1:\(second.port)")
    connection.close()
  }

  @Test("a host that refuses the login is the last", arguments: ["28P01", "28000", "3D000"])
  func lastHost(code: String) throws {
    let first = try ScriptedServer([.packet, .refuse(code)])
    let second = try ScriptedServer([.packet, .welcome(), .drain])
    defer { [first, second].forEach { $0.stop() } }
    let error = try #require(throws: PGError.self) { try connect(options([first, second])) }
    #expect("\(error.code)" == code)
    #expect(try second.received().isEmpty)
  }

  @Test("all failures are named when every host fails")
  func everyHost() throws {
    let first = try ScriptedServer([.packet, .refuse("57P03", "one starts")])
    let second = try ScriptedServer([.packet, .refuse("57P03", "two starts")])
    defer { [first, second].forEach { $0.stop() } }
    let error = try #require(throws: PGError.self) { try connect(options([first, second])) }
    #expect(error.message.contains("127.0.0.1:\(first.port): one starts"))
    #expect(error.message.contains("127.0.0.1:\(second.port): two starts"))
  }

  @Test(
    "a host whose TLS fails or that refuses the login is named beside those that failed before it",
    arguments: [
      (.require, [.packet, .send(Array("N".utf8)), .drain], .insecurityError),
      (.require, [.packet, .send(Array("E".utf8)), .drain], .insecurityError),
      (.require, [.packet, .send(Array("S".utf8))], .sqlclientUnableToEstablishSqlconnection),
      (.require, [.packet], .connectionFailure),
      (.disable, [.packet, .refuse("28P01", "not you")], .invalidPassword),
    ] as [(SSLMode, [ScriptedServer.Act], SQLState)])
  func everyHostBeforeTheLast(
    mode: SSLMode, script: [ScriptedServer.Act], code: SQLState
  ) throws {
    let gone = try ScriptedServer([.drain])
    let second = try ScriptedServer(script)
    defer { second.stop() }
    var options = options([gone, second])
    options.sslMode = mode
    gone.stop()
    let error = try #require(throws: PGError.self) { try connect(options) }
    #expect(error.code == code)
    for port in [gone.port, second.port] {
      #expect(error.message.contains("\(port)"), "\(error.message)")
    }
    #expect(error.message.contains("127.0.0.1"))
    if code == .invalidPassword {
      #expect(error.message.contains("127.0.0.1:\(second.port): not you"))
      #expect(error.fields?.message == "not you")
    }
  }

  @Test("a refusal stays as it is when only the same host has failed before it")
  func sameHost() throws {
    let server = try ScriptedServer([.packet], [.packet, .refuse("28P01", "not you")])
    defer { server.stop() }
    let error = try #require(throws: PGError.self) { try connect(options([server, server])) }
    #expect(error.message == "not you")
  }

  // MARK: Kind of server

  private static let primary = ["in_hot_standby": "off", "default_transaction_read_only": "off"]
  private static let standby = ["in_hot_standby": "on", "default_transaction_read_only": "off"]
  private static let readOnly = ["in_hot_standby": "off", "default_transaction_read_only": "on"]

  @Test(
    "picks the kind of server that is asked for",
    arguments: [
      (.any, 0), (.readWrite, 2), (.readOnly, 0), (.primary, 1), (.standby, 0), (.preferStandby, 0),
    ] as [(TargetSession, Int)])
  func kinds(target: TargetSession, wanted: Int) throws {
    let servers = try [Self.standby, Self.readOnly, Self.primary].map {
      try ScriptedServer([.packet, .welcome($0), .drain])
    }
    defer { servers.forEach { $0.stop() } }
    var options = options(servers)
    options.targetSession = target
    let connection = try connect(options)
    #expect(connection.endpoint?.description == "127.0.0.1:\(servers[wanted].port)")
    connection.close()
  }

  @Test("prefer-standby takes a primary when there is no standby")
  func preferStandby() throws {
    let server = try ScriptedServer([.packet, .welcome(Self.primary), .drain])
    defer { server.stop() }
    var options = server.options()
    options.targetSession = .preferStandby
    try connect(options).close()
    options.targetSession = .standby
    let error = try #require(throws: PGError.self) { try connect(options) }
    #expect(error.message.contains("target_session_attrs=standby"))
    // Three sessions were begun, and each was left in good order.
    #expect(
      try server.received().map { $0.suffix(5) == [0x58, 0, 0, 0, 4] } == [true, true, true])
  }

  @Test("an older server is asked what it is")
  func asks() throws {
    let server = try ScriptedServer([
      .packet, .welcome(), .until("S"),
      .say([
        "ParseComplete", "BindComplete", "RowDescription 1 \"a\" 0 0 16 1 -1 0",
        "DataRow 1 1 't'", "CommandComplete \"SELECT 1\"", "ReadyForQuery I",
      ]), .drain,
    ])
    defer { server.stop() }
    var options = server.options()
    options.targetSession = .standby
    try connect(options).close()
    #expect(text(try server.received()[0]).contains("pg_is_in_recovery"))
  }

  // MARK: Time

  @Test(
    "connect_timeout ends the wait for a server that says nothing",
    arguments: [
      [.drain], [.packet, .say(["AuthenticationCleartextPassword"]), .drain],
      [.packet, .send([0x52, 0, 0]), .drain], [.packet, .say(["AuthenticationOk"]), .drain],
    ] as [[ScriptedServer.Act]])
  func timeout(script: [ScriptedServer.Act]) throws {
    let server = try ScriptedServer(script)
    defer { server.stop() }
    var options = server.options()
    options.password = "x"
    options.connectTimeout = 1
    let start = ContinuousClock.now
    let error = try #require(throws: PGError.self) { try connect(options) }
    #expect(error.code == .connectTimeoutError)
    #expect(error.isTimeout)
    #expect((.milliseconds(900)..<(.seconds(5))).contains(start.duration(to: .now)))
  }

  @Test(
    "connect_timeout counts once for an address, however many ways are tried there",
    arguments: [SSLMode.prefer, .allow])
  func timeoutOfTwoWays(mode: SSLMode) throws {
    // The first way takes three of the four seconds; the second one never ends.
    let refusal: [ScriptedServer.Act] = [.pause(milliseconds: 3_000), .refuse("28000")]
    let silent: [ScriptedServer.Act] = [.send(Array("S".utf8)), .drain]
    let server = try ScriptedServer([
      mode == .prefer
        ? .whether(tls: [.pause(milliseconds: 3_000)], plain: [.drain])
        : .whether(tls: silent, plain: refusal)
    ])
    defer { server.stop() }
    var options = server.options(mode)
    options.connectTimeout = 4
    let start = ContinuousClock.now
    _ = try #require(throws: PGError.self) { try connect(options) }
    #expect((.milliseconds(3_900)..<(.milliseconds(6_500))).contains(start.duration(to: .now)))
    #expect(try server.received().count == 2)
  }

  @Test("connect_timeout counts for TLS and for the question what the server is")
  func timeoutElsewhere() throws {
    let silent = try ScriptedServer([
      .whether(tls: [.send(Array("S".utf8)), .drain], plain: [.welcome(), .drain])
    ])
    defer { silent.stop() }
    for (mode, target) in [(SSLMode.require, TargetSession.any), (.disable, .standby)] {
      var options = silent.options(mode)
      options.connectTimeout = 1
      options.targetSession = target
      let start = ContinuousClock.now
      let error = try #require(throws: PGError.self) { try connect(options) }
      #expect(error.code == .connectTimeoutError)
      #expect(start.duration(to: .now) < .seconds(5))
    }
  }
}
