import COpenSSL
import Foundation
import PGErrorCodes
import PGTestCluster
import Testing

@testable import PGKit

@Suite(
  "TLSStream",
  .enabled(if: CertificateAuthority.isAvailable, "the openssl command is not installed"),
  .timeLimit(.minutes(1)))
struct TLSStreamTests {
  let authority: CertificateAuthority
  let good: CertificateAuthority.Credentials

  init() throws {
    authority = try CertificateAuthority()
    good = try authority.issue(alternatives: ["DNS:db.example.com", "IP:192.0.2.7"])
  }

  private func options(_ mode: SSLMode = .verifyFull) -> ConnectionOptions {
    var options = ConnectionOptions()
    options.sslMode = mode
    options.sslRootCertificate = authority.root.certificate
    return options
  }

  /// The error with which a session is refused.
  private func refusal(
    _ settings: TLSTestServer.Settings, _ options: ConnectionOptions,
    host: String? = "db.example.com", alpn: Bool = false
  ) throws -> PGError {
    let server = try TLSTestServer(settings)
    defer {
      server.client.close()
      _ = server.finish()
    }
    do {
      let stream = try server.open(options, host: host, alpn: alpn)
      stream.close()
    } catch let error as PGError {
      return error
    }
    throw Accepted()
  }

  private struct Accepted: Error {}

  private func isAccepted(
    _ settings: TLSTestServer.Settings, _ options: ConnectionOptions,
    host: String? = "db.example.com", alpn: Bool = false
  ) throws -> Bool {
    do { _ = try refusal(settings, options, host: host, alpn: alpn) } catch is Accepted {
      return true
    }
    return false
  }

  // MARK: Carrying bytes

  @Test("carries megabytes both ways at once", arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
  func carriesMegabytes(newest: Int32) throws {
    let server = try TLSTestServer(
      .init(credentials: good, newest: newest), script: TLSTestServer.echoes)
    let stream = try server.open(options())
    #expect(stream.version == (newest == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"))
    let sent = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    #expect(try exchange(sent, over: stream) == sent)
    stream.close()
    #expect(server.finish())
  }

  private func exchange(_ sent: [UInt8], over stream: TLSStream) throws -> [UInt8] {
    var (received, written): ([UInt8], Int) = ([], 0)
    var buffer = [UInt8](repeating: 0, count: 32 * 1024)
    while received.count < sent.count {
      if written < sent.count {
        // A copy at another address, as of an outbox that moved.
        let rest = Array(sent[written...].prefix(100_000))
        if case .moved(let count) = try rest.withUnsafeBytes({ try stream.write($0) }) {
          written += count
        }
      }
      switch try buffer.withUnsafeMutableBytes({ try stream.read(into: $0) }) {
      case .moved(let count): received += buffer[..<count]
      case .ended: return received
      default:
        _ = try Syscalls.wait(
          for: stream.descriptor, reading: true, writing: written < sent.count,
          until: .after(.seconds(10)))
      }
    }
    return received
  }

  @Test("ends when the server says goodbye")
  func ends() throws {
    let server = try TLSTestServer(
      .init(credentials: good), script: TLSTestServer.sends(Array("bye".utf8)))
    let stream = try server.open(options())
    #expect(try stream.readAll() == Array("bye".utf8))
    #expect(server.finish())
  }

  @Test(
    "a session cut off without goodbye is an error, not an end",
    arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
  func truncation(newest: Int32) throws {
    let server = try TLSTestServer(
      .init(credentials: good, newest: newest),
      script: TLSTestServer.sends(Array("half".utf8), goodbye: false))
    let stream = try server.open(options())
    #expect(try stream.readAll(limit: 4) == Array("half".utf8))
    let error = #expect(throws: PGError.self) { try stream.readAll() }
    #expect(error?.code == .connectionFailure)
    #expect(error?.message.contains("close_notify") == true)
    #expect(throws: PGError.self) { try stream.readAll() }
  }

  @Test("close says goodbye, and only once")
  func goodbye() throws {
    let ending = EndingBox()
    let server = try TLSTestServer(.init(credentials: good)) { session in
      var byte: UInt8 = 0
      let status = SSL_read(session, &byte, 1)
      ending.set(SSL_get_error(session, status))
    }
    let stream = try server.open(options())
    stream.close()
    stream.close()
    #expect(server.finish())
    #expect(ending.value == SSL_ERROR_ZERO_RETURN)
    #expect(throws: PGError.self) { try stream.readAll() }
  }

  @Test("writing to a server that is gone raises no signal and is told by the read")
  func serverGone() throws {
    let server = try TLSTestServer(
      .init(credentials: good), script: TLSTestServer.sends(Array("last words".utf8)))
    let stream = try server.open(options())
    #expect(server.finish())
    let bytes = [UInt8](repeating: 1, count: 100)
    // The first bytes may be on their way before the news is here that nobody takes them.
    var progress = StreamProgress.moved(0)
    for _ in 0..<1000 where progress != .waitToRead {
      progress = try bytes.withUnsafeBytes { try stream.write($0) }
      usleep(5_000)
    }
    #expect(progress == .waitToRead)
    #expect(try stream.readAll() == Array("last words".utf8))
  }

  // MARK: The server's certificate

  @Test("accepts a good certificate by name and by address")
  func accepts() throws {
    for host in ["db.example.com", "DB.Example.COM", "192.0.2.7"] {
      #expect(try isAccepted(.init(credentials: good), options(), host: host))
    }
  }

  @Test("verify-ca does not look at the name")
  func verifyCA() throws {
    #expect(try isAccepted(.init(credentials: good), options(.verifyCA), host: "elsewhere"))
  }

  @Test("refuses a certificate for another host")
  func wrongHost() throws {
    let error = try refusal(.init(credentials: good), options(), host: "elsewhere.example.com")
    #expect(error.code == .insecurityError)
    #expect(
      error.message == "server certificate for \"db.example.com\" (and 1 other name) "
        + "does not match host name \"elsewhere.example.com\"")
  }

  @Test("verify-full without a host name is refused before the handshake")
  func noHost() throws {
    #expect(
      try refusal(.init(credentials: good), options(), host: nil).code
        == .clientParameterError)
  }

  @Test("a wildcard certificate is good for one label")
  func wildcard() throws {
    let server = try authority.issue(alternatives: ["DNS:*.example.com"])
    #expect(try isAccepted(.init(credentials: server), options(), host: "a.example.com"))
    #expect(!(try isAccepted(.init(credentials: server), options(), host: "a.b.example.com")))
  }

  @Test("the common name counts only without alternative names")
  func commonName() throws {
    let plain = try authority.issue(subject: "/CN=common.example.com")
    #expect(try isAccepted(.init(credentials: plain), options(), host: "common.example.com"))
    let both = try authority.issue(
      subject: "/CN=common.example.com", alternatives: ["DNS:other.example.com"])
    #expect(!(try isAccepted(.init(credentials: both), options(), host: "common.example.com")))
  }

  @Test("refuses a certificate whose name has a NUL byte in it")
  func embeddedNUL() throws {
    let name = Array("db.example.com\0.evil.org".utf8)
    let encoded = [0x30, UInt8(name.count + 2), 0x82, UInt8(name.count)] + name
    let text = encoded.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    let server = try authority.issue(alternatives: ["DER:" + text])
    let error = try refusal(.init(credentials: server), options())
    #expect(error.message.contains("NUL"))
  }

  @Test("refuses an expired certificate and one not yet valid")
  func outOfTime() throws {
    let names = ["DNS:db.example.com"]
    let past = try authority.issue(alternatives: names, validity: .past)
    let future = try authority.issue(alternatives: names, validity: .future)
    let old = try refusal(.init(credentials: past), options())
    #expect(old.code == .insecurityError)
    #expect(old.message.contains("it has expired (certificate \"/CN=server\""))
    let early = try refusal(.init(credentials: future), options())
    #expect(early.message.contains("it is not yet valid"))
    #expect(early.hint?.contains("clock") == true)
  }

  @Test("refuses a certificate of an unknown authority and says what is trusted")
  func unknownAuthority() throws {
    let stranger = try CertificateAuthority(named: "Stranger")
    let server = try stranger.issue(alternatives: ["DNS:db.example.com"])
    let error = try refusal(.init(credentials: server), options(.verifyCA))
    #expect(error.code == .insecurityError)
    #expect(error.message.contains("its authority is unknown"))
    #expect(error.message.contains("issued by \"/CN=Stranger\""))
    #expect(error.hint?.contains(authority.root.certificate) == true)
  }

  @Test("refuses a self-signed certificate")
  func selfSigned() throws {
    let server = try authority.selfSigned()
    let error = try refusal(.init(credentials: server), options(.verifyCA))
    #expect(error.message.contains("it is signed by itself"))
  }

  @Test("refuses a certificate that is meant for clients")
  func wrongPurpose() throws {
    let server = try authority.issue(alternatives: ["DNS:db.example.com"], purpose: .client)
    let error = try refusal(.init(credentials: server), options())
    #expect(error.message.contains("it is not meant for servers"))
  }

  @Test("accepts a chain with an intermediate authority, and refuses it without")
  func intermediate() throws {
    let middle = try CertificateAuthority(named: "Middle", under: authority)
    let server = try middle.issue(alternatives: ["DNS:db.example.com"])
    #expect(try isAccepted(.init(credentials: middle.chain(server)), options()))
    #expect(!(try isAccepted(.init(credentials: server), options())))
  }

  @Test("refuses a revoked certificate, from a file and from a directory of lists")
  func revoked() throws {
    let server = try authority.issue(subject: "/CN=gone", alternatives: ["DNS:db.example.com"])
    try authority.revoke(server)
    var (byFile, byDirectory) = (options(), options())
    byFile.sslRevocationList = try authority.writeRevocationList()
    byDirectory.sslRevocationDirectory = try authority.writeRevocationList(inDirectory: true)
    for options in [byFile, byDirectory] {
      #expect(try isAccepted(.init(credentials: good), options))
      let error = try refusal(.init(credentials: server), options)
      #expect(error.code == .insecurityError)
      #expect(error.message.contains("it has been revoked"))
    }
    #expect(try isAccepted(.init(credentials: server), self.options()))
  }

  @Test("a list of another authority does not count as checked")
  func listOfStranger() throws {
    let stranger = try CertificateAuthority(named: "Stranger")
    var options = options()
    options.sslRevocationList = try stranger.writeRevocationList()
    let error = try refusal(.init(credentials: good), options)
    withExtendedLifetime(stranger) {}
    #expect(error.message.contains("there is no revocation list of its issuer"))
  }

  @Test("require checks the chain when there is a root certificate, and prefer never does")
  func weakModes() throws {
    let server = try authority.selfSigned()
    #expect(!(try isAccepted(.init(credentials: server), options(.require))))
    #expect(try isAccepted(.init(credentials: good), options(.require), host: "elsewhere"))
    #expect(try isAccepted(.init(credentials: server), options(.prefer)))
    #expect(try isAccepted(.init(credentials: server), options(.allow)))
    var unchecked = ConnectionOptions()
    unchecked.sslMode = .require
    #expect(try isAccepted(.init(credentials: server), unchecked))
  }

  @Test("the system's roots do not know the test's authority")
  func systemRoots() throws {
    var options = ConnectionOptions()
    options.sslRootCertificate = "system"
    let error = try refusal(.init(credentials: good), options)
    #expect(error.code == .insecurityError)
    #expect(error.hint?.contains("the system's trusted roots") == true)
  }

  // MARK: Who the client is

  @Test("a missing client certificate is named", arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
  func missingClientCertificate(newest: Int32) throws {
    let server = try TLSTestServer(
      .init(credentials: good, clientAuthority: authority.root.certificate, newest: newest))
    let error = #expect(throws: PGError.self) {
      // In TLS 1.3 the refusal comes after the client's part of the handshake.
      try server.open(options()).readAll()
    }
    #expect(error?.code == .sqlclientUnableToEstablishSqlconnection)
    #expect(error?.hint?.contains("sslcert") == true)
  }

  @Test("shows its certificate, with the key under a passphrase")
  func clientCertificate() throws {
    let client = try authority.issue(subject: "/CN=alice", purpose: .client)
    var options = options()
    options.sslCertificate = client.certificate
    options.sslKey = try authority.encrypt(client.key, passphrase: "open sesame")
    options.sslPassword = "open sesame"
    let server = try TLSTestServer(
      .init(credentials: good, clientAuthority: authority.root.certificate),
      script: TLSTestServer.sends([1, 2, 3]))
    #expect(try server.open(options).readAll() == [1, 2, 3])
  }

  @Test("a client certificate that the server does not know is named")
  func unknownClient() throws {
    let stranger = try CertificateAuthority(named: "Stranger")
    let client = try stranger.issue(subject: "/CN=mallory", purpose: .client)
    var options = options()
    options.sslCertificate = client.certificate
    options.sslKey = client.key
    let server = try TLSTestServer(
      .init(credentials: good, clientAuthority: authority.root.certificate))
    let error = #expect(throws: PGError.self) { try server.open(options).readAll() }
    #expect(error?.code == .sqlclientUnableToEstablishSqlconnection)
    #expect(error?.message.contains(client.certificate) == true)
    #expect(error?.message.contains("its authority is unknown to the server") == true)
  }

  // MARK: Negotiation

  @Test("refuses a server that is too old, naming the versions")
  func oldServer() throws {
    var options = options()
    options.sslMinimumVersion = .tls13
    let error = try refusal(.init(credentials: good, newest: TLS1_2_VERSION), options)
    #expect(error.code == .insecurityError)
    #expect(error.message.contains("no common TLS version"))
    #expect(error.hint?.contains("ssl_min_protocol_version") == true)
  }

  @Test("keeps to the newest version allowed")
  func newestVersion() throws {
    let server = try TLSTestServer(.init(credentials: good), script: TLSTestServer.echoes)
    var options = options()
    options.sslMaximumVersion = .tls12
    let stream = try server.open(options)
    #expect(stream.version == "TLSv1.2")
    stream.close()
  }

  @Test("direct negotiation demands that the server chooses postgresql")
  func alpn() throws {
    #expect(
      try isAccepted(.init(credentials: good, protocolName: "postgresql"), options(), alpn: true))
    let error = try refusal(.init(credentials: good), options(), alpn: true)
    #expect(error.code == .insecurityError)
    #expect(error.message.contains("ALPN"))
    #expect(
      !(try isAccepted(.init(credentials: good, protocolName: "http/1.1"), options(), alpn: true)))
  }

  @Test("sends the host name, but no address, and nothing when told not to")
  func serverName() throws {
    #expect(try requestedName(options(.verifyCA), host: "db.example.com") == "db.example.com")
    #expect(try requestedName(options(.verifyCA), host: "db.example.com.") == "db.example.com")
    #expect(try requestedName(options(.verifyCA), host: "192.0.2.7") == nil)
    #expect(try requestedName(options(.verifyCA), host: "2001:db8::1") == nil)
    #expect(try requestedName(options(.verifyCA), host: "fe80::1%lo") == nil)
    var silent = options(.verifyCA)
    silent.sslServerNameIndication = false
    #expect(try requestedName(silent, host: "db.example.com") == nil)
  }

  private func requestedName(_ options: ConnectionOptions, host: String) throws -> String? {
    let server = try TLSTestServer(.init(credentials: good))
    let stream = try server.open(options, host: host)
    #expect(server.finish() && server.hasShakenHands)
    stream.close()
    return server.requestedName
  }

  @Test("nothing sent in the clear before the handshake is taken for part of the session")
  func plaintextFirst() throws {
    // AuthenticationOk and ReadyForQuery, as somebody between would inject them.
    let injected: [UInt8] = [0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]
    let error = try refusal(
      .init(credentials: good, plaintextFirst: injected), options(.require))
    #expect(error.code == .sqlclientUnableToEstablishSqlconnection)
    #expect(error.message.contains("is not TLS"))
  }

  @Test("a server that never answers the handshake runs into the deadline")
  func hangingHandshake() throws {
    var ends: [Int32] = [0, 0]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    defer { close(ends[1]) }
    let socket = try Socket(descriptor: ends[0])
    let context = try TLSContext(options())
    let error = #expect(throws: PGError.self) {
      try TLSStream(
        over: socket, context: context, serverName: "h", verifyHost: "h", alpn: false,
        deadline: .after(.milliseconds(50)))
    }
    #expect(error?.code == .connectTimeoutError)
    #expect(error?.isTimeout == true)
  }

  @Test("a server that hangs up during the handshake is told as such")
  func hangUp() throws {
    var ends: [Int32] = [0, 0]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    close(ends[1])
    let socket = try Socket(descriptor: ends[0])
    let context = try TLSContext(options())
    let error = #expect(throws: PGError.self) {
      try TLSStream(
        over: socket, context: context, serverName: "h", verifyHost: "h", alpn: false,
        deadline: .after(.seconds(10)))
    }
    #expect(error?.code == .sqlclientUnableToEstablishSqlconnection)
    #expect(error?.message.contains("during the TLS handshake") == true)
  }

  // MARK: Channel binding

  @Test("the endpoint's digest is by the signature's own hash, MD5 and SHA-1 give way to SHA-256")
  func endpointDigest() throws {
    #expect(try digest(good) == authority.digest(good, "sha256"))
    let longer = try authority.selfSigned(signature: ["-sha384"])
    #expect(try digest(longer) == authority.digest(longer, "sha384"))
    let pss = try authority.selfSigned(
      key: .rsa, signature: ["-sha512", "-sigopt", "rsa_padding_mode:pss"])
    #expect(try digest(pss) == authority.digest(pss, "sha512"))
    let weak = try authority.selfSigned(key: .rsa, signature: ["-sha1"])
    #expect(try digest(weak) == authority.digest(weak, "sha256"))
  }

  @Test("a certificate signed with Ed25519 has no digest to bind to")
  func noEndpointDigest() throws {
    #expect(try digest(authority.selfSigned(key: .ed25519)) == nil)
  }

  private func digest(_ credentials: CertificateAuthority.Credentials) throws -> String? {
    var options = ConnectionOptions()
    options.sslMode = .require
    let server = try TLSTestServer(.init(credentials: credentials))
    let stream = try server.open(options)
    defer { stream.close() }
    return stream.endpointDigest.map { bytes in
      bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }
}

/// How a session ended, as the server's thread saw it.
private final class EndingBox: @unchecked Sendable {
  private let lock = NSLock()
  private var ending: Int32 = -1
  func set(_ value: Int32) { lock.withLock { ending = value } }
  var value: Int32 { lock.withLock { ending } }
}
