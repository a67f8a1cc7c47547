import COpenSSL
import PGErrorCodes

/// TLS over a socket.
///
/// The rule of writing: when ``write(_:)`` could not go on, the next attempt must begin with the
/// same bytes (there may be more of them, and they may have moved), because a record with them may
/// already be under way.
///
/// A session that ends without the other end's goodbye (`close_notify`) is an error, never an end:
/// somebody between could have cut it.
final class TLSStream: ByteStream {
  private let carrier: SocketBIO
  private let context: TLSContext
  private let trace = VerificationTrace()
  /// What may help when there is no TLS after all.
  private let hint: String?
  /// OpenSSL's `SSL`; none once closed.
  private var session: OpaquePointer?
  /// What ended the session; every later call says the same.
  private var failure: PGError?
  /// Whether the server has sent anything through the session: until then, a refusal of the
  /// handshake may still be coming, since in TLS 1.3 the client is done with it first.
  private var hasReceived = false

  /// Makes a TLS session on a connected socket that has not yet carried any of it.
  ///
  /// - Parameters:
  ///   - serverName: The name to ask for (SNI); IP addresses are not sent.
  ///   - verifyHost: The name that the certificate must have when the context demands one.
  ///   - alpn: Whether the server must agree to speak `postgresql`, as direct negotiation demands.
  /// - Throws: ``PGError`` `--SEC` when the server is not whom it should be or too old, 08001 when
  ///   the handshake fails otherwise, `--TOE` when time runs out.
  init(
    over socket: Socket, context: TLSContext, serverName: String?, verifyHost: String?,
    alpn: Bool, deadline: Deadline
  ) throws(PGError) {
    self.context = context
    hint = alpn ? Self.directHint : nil
    carrier = SocketBIO(socket)
    if context.verifiesHost && (verifyHost ?? "").isEmpty {
      throw .option("a host name must be specified for a verified TLS connection")
    }
    OpenSSL.clearErrors()
    guard let made = SSL_new(context.handle) else { throw Self.unavailable(socket) }
    session = made
    guard let bio = carrier.makeHandle() else {
      SSL_free(made)
      session = nil
      throw Self.unavailable(socket)
    }
    SSL_set_bio(made, bio, bio)
    trace.attach(to: made)
    do throws(PGError) {
      try name(serverName, on: made)
      if alpn { try offerProtocol(on: made) }
      try shakeHands(made, until: deadline)
      if alpn { try requireProtocol(on: made) }
      if context.verifiesHost { try verify(host: verifyHost ?? "", on: made) }
    } catch {
      release()
      throw error
    }
  }

  deinit { close() }

  var descriptor: Int32 { carrier.socket.descriptor }

  /// The socket beneath.
  var socket: Socket { carrier.socket }

  /// The digest of the server's certificate for the channel binding `tls-server-end-point`; `nil`
  /// when the certificate's signature has no single hash.
  var endpointDigest: [UInt8]? {
    session.flatMap { PeerCertificate(of: $0)?.endpointDigest }
  }

  /// The version in use, as OpenSSL writes it: `TLSv1.3`.
  var version: String? { session.flatMap { SSL_get_version($0) }.map { String(cString: $0) } }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(PGError) -> StreamProgress {
    let session = try openSession()
    guard !buffer.isEmpty else { return .waitToRead }
    var filled = 0
    repeat {
      var count = 0
      OpenSSL.clearErrors()
      let free = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let status = SSL_read_ex(session, free.baseAddress, free.count, &count)
      guard status == 1 else {
        // What came before a failure is delivered first; the failure is remembered.
        if filled > 0 {
          if case .failure(let error) = outcome(session, status) { failure = error }
          return .moved(filled)
        }
        return try settle(readOutcome(session, status))
      }
      hasReceived = true
      filled += count
      // More of the same piece needs no further system call.
    } while filled < buffer.count && SSL_has_pending(session) == 1
    return .moved(filled)
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(PGError) -> StreamProgress {
    let session = try openSession()
    var count = 0
    OpenSSL.clearErrors()
    let status = SSL_write_ex(session, bytes.baseAddress, bytes.count, &count)
    if status == 1 { return .moved(count) }
    let progress = try settle(outcome(session, status))
    // Nothing more can be sent; but the server's last words may be waiting (see Socket).
    return socket.sendingFailure == nil ? progress : .waitToRead
  }

  /// Says goodbye if that needs no waiting, and closes.
  func close() {
    if let session, failure == nil {
      OpenSSL.clearErrors()
      _ = SSL_shutdown(session)
      OpenSSL.clearErrors()
    }
    release()
    socket.close()
  }

  private func release() {
    if let session { SSL_free(session) }
    session = nil
  }

  private func openSession() throws(PGError) -> OpaquePointer {
    if let failure { throw failure }
    guard let session else { throw .connectionDoesNotExist("the connection is closed") }
    return session
  }
}

// What an unfinished call means
extension TLSStream {
  private static func unavailable(_ socket: Socket) -> PGError {
    .attemptFailed(socket.remoteName, "no TLS session: \(OpenSSL.takeErrorText())")
  }

  private func settle(
    _ outcome: Result<StreamProgress, PGError>
  ) throws(PGError) -> StreamProgress {
    if case .failure(let error) = outcome { failure = error }
    return try outcome.get()
  }

  private func outcome(
    _ session: OpaquePointer, _ status: Int32
  ) -> Result<StreamProgress, PGError> {
    switch SSL_get_error(session, status) {
    case SSL_ERROR_WANT_READ: return .success(.waitToRead)
    case SSL_ERROR_WANT_WRITE: return .success(.waitToWrite)
    case SSL_ERROR_ZERO_RETURN: return .success(.ended)
    default: return .failure(sessionError())
    }
  }

  /// A socket that cannot send any more looks writable for ever, so reading must not wait for it.
  private func readOutcome(
    _ session: OpaquePointer, _ status: Int32
  ) -> Result<StreamProgress, PGError> {
    let outcome = outcome(session, status)
    guard case .success(.waitToWrite) = outcome, let lost = socket.sendingFailure else {
      return outcome
    }
    return .failure(.serverGone(socket.remoteName, lost.text, cause: lost))
  }

  private func sessionError() -> PGError {
    let failed = tlsFailure()
    if let error = carrier.failure { return error }
    if carrier.hasEnded {
      return .serverGone(socket.remoteName, "the TLS session was cut off without close_notify")
    }
    if !hasReceived, failed.alert != nil { return failed.error }
    let reason = failed.errors.first.map { "\($0)" } ?? "the session is broken"
    return .serverGone(socket.remoteName, "TLS error: \(reason)")
  }

  private func tlsFailure() -> TLSFailure {
    TLSFailure(
      errors: OpenSSL.takeErrors(), trace: trace, context: context, remote: socket.remoteName)
  }
}

// The handshake
extension TLSStream {
  private func shakeHands(_ session: OpaquePointer, until deadline: Deadline) throws(PGError) {
    while true {
      OpenSSL.clearErrors()
      let status = SSL_connect(session)
      if status == 1 { return }
      switch SSL_get_error(session, status) {
      case SSL_ERROR_WANT_READ: try wait(writing: false, until: deadline)
      case SSL_ERROR_WANT_WRITE where socket.sendingFailure == nil:
        try wait(writing: true, until: deadline)
      default: throw handshakeError()
      }
    }
  }

  private func wait(writing: Bool, until deadline: Deadline) throws(PGError) {
    let ready = try Syscalls.wait(
      for: descriptor, reading: !writing, writing: writing, until: deadline)
    if ready.isEmpty { throw .connectingTimedOut("negotiating TLS with \(socket.remoteName)") }
  }

  private func handshakeError() -> PGError {
    let failed = tlsFailure()
    let lost = carrier.failure?.cause as? SystemError ?? socket.sendingFailure
    if let lost, failed.errors.isEmpty || failed.alert == nil && trace.code == X509_V_OK {
      return .attemptFailed(
        socket.remoteName, "connection lost during the TLS handshake: \(lost.text)", hint: hint,
        cause: lost)
    }
    if carrier.hasEnded {
      return .attemptFailed(
        socket.remoteName, "the server closed the connection during the TLS handshake", hint: hint)
    }
    return failed.error
  }

  /// Asks for the server by name; RFC 6066 allows neither addresses nor a full stop at the end.
  private func name(_ name: String?, on session: OpaquePointer) throws(PGError) {
    guard context.sendsServerName, var name, !name.isEmpty, NumericAddress.parse(name) == nil,
      !name.contains(":")
    else { return }
    if name.hasSuffix(".") { name.removeLast() }
    let status = name.withCString {
      SSL_ctrl(
        session, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name),
        UnsafeMutableRawPointer(mutating: $0))
    }
    guard status == 1 else {
      throw .option("host name \"\(name)\" cannot be sent to the server", hint: "See sslsni.")
    }
  }

  /// Older servers take a TLS handshake for a packet of impossible length, and just leave.
  private static let directHint =
    "Direct TLS needs PostgreSQL 17 or later, with ssl turned on; with older servers use "
    + "sslnegotiation=postgres."

  private static let protocolName = Array("postgresql".utf8)

  private func offerProtocol(on session: OpaquePointer) throws(PGError) {
    let list = [UInt8(Self.protocolName.count)] + Self.protocolName
    guard SSL_set_alpn_protos(session, list, UInt32(list.count)) == 0 else {
      throw .attemptFailed(socket.remoteName, "could not offer ALPN: \(OpenSSL.takeErrorText())")
    }
  }

  private func requireProtocol(on session: OpaquePointer) throws(PGError) {
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    SSL_get0_alpn_selected(session, &name, &count)
    guard UnsafeBufferPointer(start: name, count: Int(count)).elementsEqual(Self.protocolName)
    else {
      throw .insecure(
        "connection to \(socket.remoteName) failed: the server did not agree to speak "
          + "\"postgresql\" (ALPN)",
        hint: Self.directHint)
    }
  }

  private func verify(host: String, on session: OpaquePointer) throws(PGError) {
    guard let certificate = PeerCertificate(of: session) else {
      throw .insecure("the server at \"\(host)\" showed no certificate")
    }
    try certificate.names.verify(host: host)
  }
}
