import PGErrorCodes
import PGTestCluster
import Testing

@testable import PGKit

/// What each `sslmode` makes of each answer to the request for TLS.
@Suite("sslmode", .timeLimit(.minutes(2))) struct SSLModeTests {
  enum Answer: String, CaseIterable {
    case yesAndGarbage, no, error, oldError, close, garbage

    var acts: [ScriptedServer.Act] {
      switch self {
      case .yesAndGarbage: [.send(Array("S".utf8) + SSLModeTests.injected), .drain]
      case .no: [.send(Array("N".utf8)), .packet, .welcome(), .drain]
      case .error: [.refuse("XX000", SSLModeTests.shout), .drain]
      case .oldError: [.send(Array("E\(SSLModeTests.shout)\n\0".utf8)), .drain]
      case .close: []
      case .garbage: [.send(Array("HTTP/1.1 400 \(SSLModeTests.shout)\r\n".utf8)), .drain]
      }
    }
  }

  /// What comes of an attempt.
  enum Outcome: Equatable {
    /// A session in the clear, on the connection with this number.
    case plain(connection: Int)
    case refused(SQLState)
  }

  static let shout = "pay to account 4711"
  /// What somebody between would like the client to take for the server's words inside TLS.
  static let injected: [UInt8] = [
    "AuthenticationOk", "ParameterStatus \"server_version\" \"66.6\"", "BackendKeyData 1 'evil'",
    "ReadyForQuery I",
  ].flatMap { (try? BackendEncoder.encode($0)) ?? [] }

  static let table: [(SSLMode, [Answer: Outcome])] = [
    (
      .disable,
      Dictionary(uniqueKeysWithValues: Answer.allCases.map { ($0, .plain(connection: 0)) })
    ),
    (.allow, Dictionary(uniqueKeysWithValues: Answer.allCases.map { ($0, .plain(connection: 0)) })),
    (
      .prefer,
      [
        .yesAndGarbage: .plain(connection: 1), .no: .plain(connection: 0),
        .error: .plain(connection: 1), .oldError: .plain(connection: 1),
        .close: .plain(connection: 1), .garbage: .plain(connection: 1),
      ]
    ),
    (.require, strict), (.verifyCA, strict), (.verifyFull, strict),
  ]

  private static let strict: [Answer: Outcome] = [
    .yesAndGarbage: .refused(.sqlclientUnableToEstablishSqlconnection),
    .no: .refused(.insecurityError), .error: .refused(.insecurityError),
    .oldError: .refused(.insecurityError), .close: .refused(.connectionFailure),
    .garbage: .refused(.insecurityError),
  ]

  static let authority = Result { try CertificateAuthority() }

  private func options(_ server: ScriptedServer, _ mode: SSLMode) throws -> ConnectionOptions {
    var options = server.options(mode)
    options.password = "secret"
    if mode >= .verifyCA { options.sslRootCertificate = try Self.authority.get().root.certificate }
    return options
  }

  @Test(
    "each mode takes each answer as it should", .enabled(if: CertificateAuthority.isAvailable),
    arguments: table.map(\.0), Answer.allCases)
  func outcomes(mode: SSLMode, answer: Answer) throws {
    let wanted = try #require(Self.table.first { $0.0 == mode }?.1[answer])
    let server = try ScriptedServer(
      [.whether(tls: answer.acts, plain: [.welcome(), .drain])])
    defer { server.stop() }
    switch wanted {
    case .plain(let number):
      let connection = try Connector(try options(server, mode)).connect()
      #expect(!connection.isEncrypted)
      #expect(connection.backendID == 77)
      #expect(connection.reportedSetting("server_version") == nil)
      connection.close()
      #expect(try server.received().count == number + 1)
    case .refused(let code):
      let error = try #require(throws: PGError.self) {
        try Connector(try options(server, mode)).connect()
      }
      #expect(error.code == code)
      #expect(!"\(error)\(error.report)".contains("4711"))
      #expect(error.message.contains("127.0.0.1") && error.message.contains("\(server.port)"))
      let received = try server.received()
      #expect(received.count == 1)
      expectNothingInClear(received)
    }
  }

  /// No startup packet, no name, no password.
  private func expectNothingInClear(_ received: [[UInt8]]) {
    for bytes in received {
      #expect(Array(bytes.prefix(8)) == [0, 0, 0, 8, 4, 210, 22, 47])
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(!text.contains("jwp") && !text.contains("secret"))
    }
  }

  @Test("allow asks for TLS when the server does not let it in without")
  func allow() throws {
    let server = try ScriptedServer([
      .whether(
        tls: [.send(Array("N".utf8)), .drain], plain: [.refuse("28000", "no entry"), .drain])
    ])
    defer { server.stop() }
    let error = try #require(throws: PGError.self) {
      try Connector(server.options(.allow)).connect()
    }
    #expect(error.code == .invalidAuthorizationSpecification)
    let received = try server.received()
    #expect(received.count == 2)
    #expect(received.last?.count == 8)
  }

  @Test("a wrong password is not tried a second time", arguments: [SSLMode.allow, .prefer])
  func wrongPassword(mode: SSLMode) throws {
    let ask: [ScriptedServer.Act] = [
      .say(["AuthenticationCleartextPassword"]), .until("p"), .refuse("28P01"), .drain,
    ]
    let server = try ScriptedServer([
      .whether(tls: [.send(Array("N".utf8)), .packet] + ask, plain: ask)
    ])
    defer { server.stop() }
    var options = server.options(mode)
    options.password = "wrong"
    let error = try #require(throws: PGError.self) { try Connector(options).connect() }
    #expect(error.code == .invalidPassword)
    #expect(!error.report.contains("wrong"))
    #expect(try server.received().count == 1)
  }

  @Test("a server that cannot be reached is not tried twice")
  func unreachable() throws {
    let server = try ScriptedServer([.drain])
    let options = server.options(.prefer)
    server.stop()
    let error = try #require(throws: PGError.self) { try Connector(options).connect() }
    #expect(error.code == .sqlclientUnableToEstablishSqlconnection)
    #expect(error.isSafeToRetry)
  }
}
