import PGErrorCodes
import Testing

@testable import PGKit

@Suite("Cancellation", .timeLimit(.minutes(1))) struct CancellationTests {
  private static let request: [UInt8] =
    [0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 77] + Array("key!".utf8)

  @Test("sends the key on a connection of its own and waits for the end of it")
  func cancels() throws {
    let server = try ScriptedServer(
      [.packet, .welcome(), .drain], [.packet, .pause(milliseconds: 300)])
    defer { server.stop() }
    let connection = try Connector(server.options()).connect()
    let start = ContinuousClock.now
    try connection.interruption.cancel()
    #expect(start.duration(to: .now) >= .milliseconds(290))
    connection.close()
    #expect(try server.received().last == Self.request)
  }

  @Test("a long key is sent whole")
  func longKey() throws {
    let server = try ScriptedServer(
      [
        .packet,
        .say(["AuthenticationOk", "BackendKeyData 77 '0123456789abcdef'", "ReadyForQuery I"]),
        .drain,
      ], [.packet])
    defer { server.stop() }
    var options = server.options()
    options.maximumProtocolVersion = "3.2"
    let connection = try Connector(options).connect()
    try connection.interruption.cancel()
    connection.close()
    #expect(
      try server.received().last
        == [0, 0, 0, 28, 4, 210, 22, 46, 0, 0, 0, 77] + Array("0123456789abcdef".utf8))
  }

  @Test("gives up in time when the server does not answer")
  func timeout() throws {
    let server = try ScriptedServer([.packet, .welcome(), .drain], [.drain])
    defer { server.stop() }
    let connection = try Connector(server.options()).connect()
    let error = try #require(throws: PGError.self) {
      try connection.interruption.cancel(within: .milliseconds(200))
    }
    #expect(error.isTimeout)
    connection.close()
  }

  @Test("says so when the server gave no key")
  func noKey() throws {
    let server = try ScriptedServer([
      .packet, .say(["AuthenticationOk", "ReadyForQuery I"]), .drain,
    ])
    defer { server.stop() }
    let connection = try Connector(server.options()).connect()
    let error = try #require(throws: PGError.self) { try connection.interruption.cancel() }
    #expect(error.code == .operationError)
    connection.close()
  }

  @Test(
    "the key of a session inside TLS does not travel in the clear",
    arguments: [
      SSLMode.allow, .prefer, .require,
    ])
  func staysEncrypted(mode: SSLMode) throws {
    let server = try ScriptedServer([.packet, .send(Array("N".utf8)), .drain])
    defer { server.stop() }
    let options = server.options(mode)
    let plan = try ConnectionPlan(options)
    let address = try #require(
      AddressLookup.addresses(of: plan.endpoints[0], until: .never).first)
    let login = Login(plan: plan, endpoint: plan.endpoints[0], address: address)
    let key = BackendKeyData(processID: 77, secret: Array("key!".utf8))
    let interruption = Interruption(
      Interruption.Target(login: login, key: key, encrypted: true))
    let error = try #require(throws: PGError.self) { try interruption.cancel() }
    #expect(error.code == .insecurityError)
    #expect(try server.received() == [[0, 0, 0, 8, 4, 210, 22, 47]])
  }
}
