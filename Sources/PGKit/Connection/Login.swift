import PGErrorCodes

/// A session that the server has let in.
struct BegunSession {
  let endpoint: Endpoint
  let link: Link
  let backendKey: BackendKeyData?
  let interruption: Interruption
}

/// The attempts at one address: the socket, TLS or not, the startup packet, the password.
///
/// Nothing survives from one attempt to the next but the options, so that no host ever sees what was
/// meant for another (CVE-2018-10915).
struct Login {
  /// How far an attempt came.
  enum Phase { case connecting, securing, loggingIn }

  let plan: ConnectionPlan
  let endpoint: Endpoint
  let address: SocketAddress
  var phase = Phase.connecting
  /// What may end it from another thread.
  var reins: SocketReins?

  private var options: ConnectionOptions { plan.options }

  /// Opens a session in the first way that `sslmode` allows and the server accepts.
  mutating func open(until deadline: Deadline) throws(PGError) -> BegunSession {
    if address.isUnix { return try open(encrypted: false, until: deadline) }
    switch plan.sslMode {
    case .disable: return try open(encrypted: false, until: deadline)
    case .require, .verifyCA, .verifyFull: return try open(encrypted: true, until: deadline)
    case .allow: return try open(first: false, until: deadline)
    case .prefer: return try open(first: true, until: deadline)
    }
  }

  /// Tries one way, and the other where the failure of the first leaves hope.
  private mutating func open(
    first encrypted: Bool, until deadline: Deadline
  ) throws(PGError) -> BegunSession {
    do throws(PGError) {
      return try open(encrypted: encrypted, until: deadline)
    } catch {
      guard mayTryOtherWay(after: error, encrypted) else { throw error }
      do throws(PGError) {
        return try open(encrypted: !encrypted, until: deadline)
      } catch let second {
        // The first answer says more, unless the second way got further.
        throw second.fault == .server ? second : error
      }
    }
  }

  /// TLS itself may fail; or the server may accept this user only with, or only without, it.
  ///
  /// A wrong password stays wrong, and is not sent a second time in the clear; nor is anything said
  /// in the clear to a server that has failed to prove itself inside TLS.
  private func mayTryOtherWay(after error: PGError, _ encrypted: Bool) -> Bool {
    switch phase {
    case .connecting: false
    case .securing: error.fault != .caller && !error.isTimeout
    case .loggingIn:
      error.code == .invalidAuthorizationSpecification
        || (error.code == .insecurityError && !encrypted)
    }
  }

  private static func channel(of stream: any ByteStream) -> ChannelDescription {
    guard let stream = stream as? TLSStream else { return .plain }
    return ChannelDescription(isEncrypted: true, endpointDigest: stream.endpointDigest)
  }

  private mutating func open(
    encrypted: Bool, until deadline: Deadline
  ) throws(PGError) -> BegunSession {
    phase = .connecting
    let socket = try connect(until: deadline)
    phase = .securing
    let stream: any ByteStream =
      encrypted
      ? try secure(socket, orPlain: plan.sslMode == .prefer, until: deadline) : socket
    phase = .loggingIn
    do throws(PGError) {
      return try begin(on: stream, until: deadline)
    } catch {
      stream.close()
      throw error.whileConnecting(to: endpoint)
    }
  }

  /// A stream as well protected as the session's own.
  func openStream(encrypted: Bool, until deadline: Deadline) throws(PGError) -> any ByteStream {
    let socket = try connect(until: deadline)
    return encrypted ? try secure(socket, orPlain: false, until: deadline) : socket
  }

  private func connect(until deadline: Deadline) throws(PGError) -> Socket {
    try Socket(
      connectingTo: address, of: endpoint, options: options, heldBy: reins, until: deadline)
  }

  /// TLS over `socket`; or `socket` itself where the server has no TLS and that will do.
  private func secure(
    _ socket: Socket, orPlain mayBePlain: Bool, until deadline: Deadline
  ) throws(PGError) -> any ByteStream {
    do throws(PGError) {
      if options.sslNegotiation != .direct {
        guard try TLSNegotiation.ask(socket, at: endpoint, until: deadline) else {
          if mayBePlain { return socket }
          throw .insecure(
            "the server does not support TLS, but sslmode=\(plan.sslMode.rawValue)",
            hint: "Turn on ssl in the server's postgresql.conf.")
        }
      }
      return try TLSStream(
        over: socket, context: try plan.tls.context(),
        serverName: options.sslServerNameIndication == false ? nil : endpoint.name,
        verifyHost: plan.sslMode == .verifyFull ? endpoint.host : nil,
        alpn: options.sslNegotiation == .direct, deadline: deadline)
    } catch {
      socket.close()
      throw error.naming(socket.remoteName, unlessAbout: endpoint)
    }
  }

  private func begin(
    on stream: any ByteStream, until deadline: Deadline
  ) throws(PGError) -> BegunSession {
    let startup = StartupMessage(
      version: plan.maximumVersion, parameters: options.startupParameters())
    var exchange = Startup(
      startup, minimumVersion: plan.minimumVersion,
      authenticator: Authenticator(
        user: plan.user, password: OptionSources.password(for: endpoint, of: options).password,
        policy: plan.policy, channel: Self.channel(of: stream)),
      shouldStop: { deadline.hasPassed })
    let link = Link(stream: stream)
    do throws(PGError) { try link.perform(&exchange, until: deadline) } catch {
      guard !exchange.isAnswered else { throw error }
      let words = Array(link.session.inbox.buffer.unread)
      throw UnknownPeer(endpoint: endpoint, words: words).explain(error)
    }
    // A request to cancel travels on a socket that nobody else ends.
    var login = self
    login.reins = nil
    let target = Interruption.Target(
      login: login, key: exchange.backendKey, encrypted: stream is TLSStream)
    return BegunSession(
      endpoint: endpoint, link: link, backendKey: exchange.backendKey,
      interruption: Interruption(target))
  }
}

/// The question before TLS.
enum TLSNegotiation {
  /// Asks whether the server speaks TLS and reads its answer: exactly one byte, so that nothing which
  /// was sent in the clear can be taken for something from inside TLS (CVE-2021-23222).
  ///
  /// - Throws: ``PGError`` if the answer is neither yes nor no. What an error message before TLS
  ///   says is never shown: anybody may have sent it (CVE-2024-10977).
  static func ask(
    _ socket: Socket, at endpoint: Endpoint, until deadline: Deadline
  ) throws(PGError) -> Bool {
    var request = ByteWriter()
    SSLRequest().encode(into: &request)
    let link = Link(stream: socket)
    try link.send(request.bytes, until: deadline)
    switch try link.receiveByte(until: deadline) {
    case UInt8(ascii: "S"): return true
    case UInt8(ascii: "N"): return false
    case UInt8(ascii: "E"):
      throw .insecure(
        "the server answered the request for TLS with an error",
        hint: "The server's log may say why: what it says before TLS could be anybody's.")
    default:
      throw .insecure(
        UnknownPeer(endpoint: endpoint).description, hint: UnknownPeer.hint)
    }
  }
}

extension Endpoint {
  /// The host name that TLS may tell the server; `nil` where there is none.
  fileprivate var name: String? {
    if case .tcp(let host, _, _) = self, !host.isEmpty { return host }
    return nil
  }
}

extension PGError {
  /// The same failure to connect, with the server's name in its message.
  ///
  /// What is wrong with the options or files of this end is not about any server.
  fileprivate func naming(_ remote: String, unlessAbout endpoint: Endpoint) -> PGError {
    guard fault != .caller, !message.contains(remote), !names(endpoint) else { return self }
    return PGError(
      code: code, message: "connection to \(remote) failed: \(message)", fault: fault, hint: hint,
      origin: origin, cause: cause, isSafeToRetry: isSafeToRetry)
  }

  /// The same error, saying which server it was about.
  fileprivate func whileConnecting(to endpoint: Endpoint) -> PGError {
    fault != .server && names(endpoint)
      ? self : inside(ErrorOrigin.Creator("HOST", "\(endpoint)"))
  }

  private func names(_ endpoint: Endpoint) -> Bool { message.contains("\(endpoint)") }
}
