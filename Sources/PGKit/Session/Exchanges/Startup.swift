/// Begins a session: says who wants what, proves it, and learns the server's settings.
///
/// Sent: StartupMessage; then whatever the authentication asks for.
/// Comes: [NegotiateProtocolVersion,] AuthenticationXXX…, AuthenticationOk, ParameterStatus…,
///   BackendKeyData, ReadyForQuery. An ErrorResponse at any point ends the session.
struct Startup: Exchange, ~Copyable {
  private enum Phase { case authenticating, settingUp }

  private let message: StartupMessage
  /// The oldest version that will do.
  private let minimumVersion: ProtocolVersion
  private var authenticator: Authenticator
  /// Asked between rounds of key derivation, so that a server's count cannot outlast a deadline.
  private let shouldStop: () -> Bool
  private var phase = Phase.authenticating
  /// The version that both ends speak.
  private(set) var version: ProtocolVersion
  private(set) var backendKey: BackendKeyData?
  /// Whether anything came that only a PostgreSQL server says.
  private(set) var isAnswered = false

  init(
    _ message: StartupMessage, minimumVersion: ProtocolVersion = .v3_0,
    authenticator: consuming Authenticator, shouldStop: @escaping () -> Bool = { false }
  ) {
    self.message = message
    self.minimumVersion = minimumVersion
    self.authenticator = authenticator
    self.shouldStop = shouldStop
    version = message.version
  }

  var dataPlane: DataPlane { .nothing }
  var isComplete: Bool { phase == .settingUp }

  func open(_ outbox: inout ByteWriter) throws(PGError) {
    for (name, value) in message.parameters {
      try name.requireNoNUL("the name of a startup parameter")
      try value.requireNoNUL("the startup parameter \(name)")
    }
    message.encode(into: &outbox)
  }

  mutating func receive(
    _ message: BackendMessage, _ outbox: inout ByteWriter
  ) throws(PGError) -> ExchangeStep {
    switch (phase, message) {
    case (.authenticating, .negotiateProtocolVersion(let answer)): try settle(answer)
    case (.authenticating, .authentication(let request)): try authenticate(request, &outbox)
    case (.settingUp, .backendKeyData(let key)) where backendKey == nil:
      if version < .v3_2, key.secret.count != 4 { throw unexpected(message) }
      backendKey = key
    default: throw unexpected(message)
    }
    return .proceed
  }

  private mutating func authenticate(
    _ request: AuthenticationRequest, _ outbox: inout ByteWriter
  ) throws(PGError) {
    isAnswered = true
    switch try authenticator.receive(request, shouldStop: shouldStop) {
    case .send(let answer): answer.encode(into: &outbox)
    case .wait: break
    case .accepted: phase = .settingUp
    }
  }

  private mutating func settle(_ answer: NegotiateProtocolVersion) throws(PGError) {
    isAnswered = true
    guard answer.version < version, answer.version.major == version.major else {
      throw .protocolViolation(
        "the server answered protocol version \(answer.version) to an offer of \(version)")
    }
    if let option = answer.unknownOptions.first {
      throw .protocolViolation("the server refused the protocol option \(option), never asked for")
    }
    guard answer.version >= minimumVersion else {
      throw .cannotConnect(
        "the server speaks protocol version \(answer.version) only",
        hint: "min_protocol_version asks for \(minimumVersion) at least")
    }
    version = answer.version
  }
}
