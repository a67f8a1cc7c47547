import COpenSSL
import Foundation
import PGTestCluster
import Synchronization
import Testing

@testable import PGKit

/// The server's end of a TLS session, on a thread of its own at the other end of a socket pair.
final class TLSTestServer: @unchecked Sendable {
  /// What the server does once the handshake is through.
  typealias Script = @Sendable (_ session: OpaquePointer) -> Void

  /// The settings of the server.
  struct Settings {
    var credentials: CertificateAuthority.Credentials
    /// The authority whose client certificates are demanded.
    var clientAuthority: String?
    var newest: Int32 = 0
    /// The ALPN protocol that the server chooses.
    var protocolName: String?
    /// Sent in the clear before the handshake.
    var plaintextFirst: [UInt8] = []
  }

  /// The client's end.
  let client: Socket
  private let descriptor: Int32
  private let context: OpaquePointer
  private let finished = DispatchSemaphore(value: 0)
  private let name = Mutex<String?>(nil)
  private let handshakes = Mutex(0)

  /// Starts a server that shakes hands and then follows `script`.
  init(_ settings: Settings, script: @escaping Script = { _ in }) throws {
    var ends: [Int32] = [0, 0]
    // A program that another test starts meanwhile must not keep an end open.
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
    client = try Socket(descriptor: ends[0], remoteName: "server at \"test\", port 5432")
    descriptor = ends[1]
    context = try #require(SSL_CTX_new(TLS_server_method()))
    try configure(settings)
    let plaintext = settings.plaintextFirst
    Thread.detachNewThread { self.serve(plaintext, script) }
  }

  deinit { SSL_CTX_free(context) }

  /// Waits until the server's thread has done its part.
  func finish() -> Bool { finished.wait(timeout: .now() + 10) == .success }

  /// The name that the client asked for (SNI).
  var requestedName: String? { name.withLock { $0 } }

  /// Whether the handshake came to its end on the server's side.
  var hasShakenHands: Bool { handshakes.withLock { $0 > 0 } }

  private func configure(_ settings: Settings) throws {
    try #require(
      SSL_CTX_use_certificate_chain_file(context, settings.credentials.certificate) == 1)
    try #require(
      SSL_CTX_use_PrivateKey_file(context, settings.credentials.key, SSL_FILETYPE_PEM) == 1)
    _ = SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(settings.newest), nil)
    if let authority = settings.clientAuthority {
      try #require(SSL_CTX_load_verify_file(context, authority) == 1)
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }
    guard let name = settings.protocolName else { return }
    let chosen = ChosenProtocol(name)
    SSL_CTX_set_alpn_select_cb(
      context,
      { _, output, count, _, _, argument in
        guard let argument else { return SSL_TLSEXT_ERR_NOACK }
        let chosen = Unmanaged<ChosenProtocol>.fromOpaque(argument).takeUnretainedValue()
        output?.pointee = UnsafePointer(chosen.bytes.baseAddress)
        count?.pointee = UInt8(chosen.bytes.count)
        return SSL_TLSEXT_ERR_OK
      }, Unmanaged.passRetained(chosen).toOpaque())
  }

  private func serve(_ plaintext: [UInt8], _ script: Script) {
    defer { finished.signal() }
    // The client must do without SIGPIPE; OpenSSL's own socket BIO on this side cannot.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    defer { close(descriptor) }
    if !plaintext.isEmpty { _ = write(descriptor, plaintext, plaintext.count) }
    guard let session = SSL_new(context) else { return }
    defer { SSL_free(session) }
    SSL_set_fd(session, descriptor)
    guard SSL_accept(session) == 1 else { return }
    handshakes.withLock { $0 += 1 }
    name.withLock {
      $0 = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) }
    }
    script(session)
  }

  private final class ChosenProtocol {
    let bytes: UnsafeMutableBufferPointer<UInt8>
    init(_ name: String) {
      bytes = .allocate(capacity: name.utf8.count)
      _ = bytes.initialize(from: name.utf8)
    }
  }
}

extension TLSTestServer {
  /// Sends `bytes` and says goodbye.
  static func sends(_ bytes: [UInt8], goodbye: Bool = true) -> Script {
    { session in
      _ = SSL_write(session, bytes, Int32(bytes.count))
      if goodbye { SSL_shutdown(session) }
    }
  }

  /// Sends back what comes until the client says goodbye.
  static let echoes: Script = { session in
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = SSL_read(session, &buffer, Int32(buffer.count))
      if count <= 0 { break }
      _ = SSL_write(session, buffer, count)
    }
    SSL_shutdown(session)
  }

  /// A client's session with this server.
  func open(
    _ options: ConnectionOptions, host: String? = "db.example.com", alpn: Bool = false,
    seconds: Int = 10
  ) throws -> TLSStream {
    let context = try TLSContext(options)
    return try TLSStream(
      over: client, context: context, serverName: host, verifyHost: host, alpn: alpn,
      deadline: .after(.seconds(seconds)))
  }
}

extension ByteStream {
  /// Reads until the end, or until there are `limit` bytes.
  func readAll(limit: Int = .max) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 32 * 1024)
    while bytes.count < limit {
      switch try buffer.withUnsafeMutableBytes({ try read(into: $0) }) {
      case .moved(let count): bytes += buffer[..<count]
      case .ended: return bytes
      case .waitToRead: try waitReady(reading: true)
      case .waitToWrite: try waitReady(reading: false)
      }
    }
    return bytes
  }

  /// Waits at most ten seconds.
  func waitReady(reading: Bool) throws {
    let ready = try Syscalls.wait(
      for: descriptor, reading: reading, writing: !reading, until: .after(.seconds(10)))
    try #require(!ready.isEmpty, "nothing happened for ten seconds")
  }
}
