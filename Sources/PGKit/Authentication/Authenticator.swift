// The login, request by request. Nothing here does I/O: whoever decodes the messages with tag `R`
// hands them in and sends what comes out.
//
// The rules, all of them in this file:
// - `require_auth` and `channel_binding` are asked before anything that depends on the password is
//   made, and once more when the server says that the login is accepted.
// - The server's acceptance counts only where nothing is owed: before any request, after a password,
//   or after SCRAM in which the server has proved that it knows the password.
// - A server asks once. After a failure nothing is answered any more.
// - Nothing survives from one host to the next: each attempt has an authenticator of its own.

/// Answers a server's authentication requests.
///
/// It cannot be copied, so that the password in it is neither copied nor dumped.
struct Authenticator: ~Copyable {
  /// What follows from a request.
  enum Answer {
    /// Send this message and wait for the next request.
    case send(any FrontendMessage)
    /// Wait for the next request.
    case wait
    /// The client is in.
    case accepted
  }

  private enum State {
    /// The server has not asked for anything.
    case unasked
    /// The password is on its way.
    case answered
    /// SCRAM has begun; the server's first message is awaited.
    case begun(SCRAM)
    /// SCRAM's proof is on its way; the server's own proof is awaited.
    case proved(SCRAM)
    /// The server has proved that it knows the password.
    case verified(isBound: Bool)
    /// The login is over, well or not.
    case over
  }

  private let user: String
  private let password: [UInt8]
  private let policy: AuthenticationPolicy
  private let channel: ChannelDescription
  private let nonce: String?
  private var state = State.unasked

  /// Makes an authenticator for one attempt on one host.
  ///
  /// - Parameters:
  ///   - user: The role, as in the startup packet.
  ///   - password: The password for this host, if there is one; an empty one is none.
  ///   - policy: What the login must be like.
  ///   - channel: What it happens on.
  ///   - clientNonce: The SCRAM nonce; a random one unless a test wants to know it.
  init(
    user: String, password: String?, policy: AuthenticationPolicy, channel: ChannelDescription,
    clientNonce: String? = nil
  ) {
    self.user = user
    self.password = Array((password ?? "").utf8)
    self.policy = policy
    self.channel = channel
    nonce = clientNonce
  }

  /// Answers one request.
  ///
  /// - Parameter shouldStop: Asked now and then during long computations.
  /// - Throws: ``PGError`` if the server's request is not acceptable or cannot be answered. Nothing
  ///   must be sent then, and the connection is of no use any more.
  mutating func receive(
    _ request: AuthenticationRequest, shouldStop: () -> Bool = { false }
  ) throws(PGError) -> Answer {
    let current = state
    state = .over
    let (next, answer) = try advance(current, request, shouldStop)
    state = next
    return answer
  }

  private func advance(
    _ state: State, _ request: AuthenticationRequest, _ shouldStop: () -> Bool
  ) throws(PGError) -> (State, Answer) {
    switch (state, request) {
    case (.unasked, .ok), (.answered, .ok), (.verified, .ok):
      try judgeAcceptance(state)
      return (.over, .accepted)
    case (.begun, .ok), (.proved, .ok):
      throw .unprovedServer
    case (.unasked, _):
      return try begin(request)
    case (.begun(var scram), .saslContinue(let message)):
      let response = try scram.answer(message, shouldStop: shouldStop)
      return (.proved(scram), .send(response))
    case (.proved(let scram), .saslFinal(let message)):
      try scram.verify(message)
      return (.verified(isBound: scram.binding.isBound), .wait)
    default:
      throw .misplaced(request)
    }
  }

  /// Answers the first request.
  private func begin(_ request: AuthenticationRequest) throws(PGError) -> (State, Answer) {
    try judge(request)
    switch request {
    case .cleartextPassword:
      return (.answered, .send(PasswordMessage(password: try secret(for: request))))
    case .md5Password(let salt):
      let digest = try MD5Password.encode(
        user: user, password: try secret(for: request), salt: salt)
      return (.answered, .send(PasswordMessage(password: digest)))
    case .sasl(let mechanisms):
      let binding = try ChannelBinding.choose(
        offered: mechanisms, requirement: policy.channelBinding, channel: channel)
      let scram = SCRAM(
        password: try secret(for: request), binding: binding,
        nonce: try makeNonce(), iterationLimit: policy.iterationLimit)
      return (.begun(scram), .send(scram.first))
    case .saslContinue, .saslFinal, .gssContinue:
      throw .misplaced(request)
    default:
      throw .unsupported(request)
    }
  }

  /// Asks the policy about a request, before any secret is touched.
  private func judge(_ request: AuthenticationRequest) throws(PGError) {
    if let method = request.method, !policy.allows(method) {
      throw .excluded(request, by: policy.requirement)
    }
    guard policy.channelBinding == .require else { return }
    switch request {
    case .sasl, .saslContinue, .saslFinal: break
    default: throw .unbound(request)
    }
  }

  /// Asks the policy about a login that the server accepts.
  private func judgeAcceptance(_ state: State) throws(PGError) {
    if case .unasked = state, !policy.allows(.none) {
      throw .excluded(.ok, by: policy.requirement)
    }
    if policy.channelBinding == .require {
      guard case .verified(isBound: true) = state else { throw .unbound(.ok) }
    }
  }

  private func makeNonce() throws(PGError) -> String {
    if let nonce { return nonce }
    return try SCRAM.makeNonce()
  }

  /// The password, if there is one that can be sent.
  private func secret(for request: AuthenticationRequest) throws(PGError) -> [UInt8] {
    if password.isEmpty { throw .noPassword(request) }
    if password.contains(0) { throw .zeroInPassword }
    return password
  }
}
