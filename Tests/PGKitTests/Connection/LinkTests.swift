import Foundation
import PGErrorCodes
import Testing

@testable import PGKit

@Suite("Link")
struct LinkTests {
  private static let accepted: [UInt8] = [0x52, 0, 0, 0, 8, 0, 0, 0, 0]
  private static let ready: [UInt8] = [0x5a, 0, 0, 0, 5, 0x49]
  /// Process 7 notifies channel `c` with payload `p`.
  private static let event: [UInt8] =
    [0x41, 0, 0, 0, 12, 0, 0, 0, 7, 0x63, 0, 0x70, 0]
  /// FATAL 57P01 with the message `bye`.
  private static let farewell: [UInt8] =
    [0x45, 0, 0, 0, 24] + Array("SFATAL\0C57P01\0Mbye\0\0".utf8)

  /// A link whose login is over, and the server's end; `more` comes together with ReadyForQuery.
  private func link(_ more: [UInt8] = []) throws -> (Link, Int32) {
    var ends: [Int32] = [0, 0]
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    try #require(socketpair(AF_UNIX, type, 0, &ends) == 0)
    send(Self.accepted + Self.ready + more, to: ends[1])
    let link = Link(stream: try Socket(descriptor: ends[0]))
    var startup = Startup(
      StartupMessage(version: .v3_0, parameters: [("user", "u")]),
      authenticator: Authenticator(
        user: "u", password: nil,
        policy: try AuthenticationPolicy(requireAuth: nil, channelBinding: .disable),
        channel: .plain))
    try link.perform(&startup, until: .after(.seconds(5)))
    return (link, ends[1])
  }

  private func send(_ bytes: [UInt8], to end: Int32) {
    #expect(write(end, bytes, bytes.count) == bytes.count)
  }

  @Test("hears a notification that came together with the end of an exchange")
  func together() throws {
    let (link, end) = try link(Self.event)
    defer { close(end) }
    #expect(try link.listen(until: .never))
    let events = link.session.unsolicited.takeNotifications()
    #expect(events.map(\.processID) == [7])
    #expect(events.map(\.channel) == [Array("c".utf8)])
  }

  @Test("hears a notification that comes byte by byte")
  func pieces() throws {
    let (link, end) = try link()
    defer { close(end) }
    for byte in Self.event {
      #expect(!link.session.unsolicited.hasNotifications)
      send([byte], to: end)
      #expect(try link.listen(until: .never))
    }
    #expect(link.session.unsolicited.takeNotifications().count == 1)
  }

  @Test("says nothing came when time is over, or another descriptor can be read")
  func nothing() throws {
    let (link, end) = try link()
    defer { close(end) }
    #expect(try !link.listen(until: .after(.milliseconds(5))))
    var wakeUp: [Int32] = [0, 0]
    try #require(pipe(&wakeUp) == 0)
    for end in wakeUp { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { wakeUp.forEach { close($0) } }
    send([1], to: wakeUp[1])
    #expect(try !link.listen(until: .never, alsoReading: wakeUp[0]))
  }

  @Test("keeps what came before the server's last word")
  func lastWord() throws {
    let (link, end) = try link()
    send(Self.event + Self.farewell, to: end)
    close(end)
    let error = #expect(throws: PGError.self) { try link.listen(until: .never) }
    #expect(error?.code == .adminShutdown)
    #expect(link.session.unsolicited.takeNotifications().count == 1)
  }

  @Test("ends a session whose server says what an idle one cannot say", arguments: [ready, [0]])
  func protocolViolation(bytes: [UInt8]) throws {
    let (link, end) = try link()
    defer { close(end) }
    send(bytes + [0, 0, 0, 0, 0], to: end)
    let error = #expect(throws: PGError.self) { try link.listen(until: .after(.seconds(5))) }
    #expect(error?.code == .protocolViolation)
    guard case .failed = link.session.state else { return #expect(Bool(false)) }
  }
}
