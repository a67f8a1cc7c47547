import PGErrorCodes

// From options to an open session: hosts in order, their addresses, TLS or not, the login, and
// whether the server is of the kind that was asked for.

/// Makes connections, all alike, from options that do not change.
///
/// Nothing is read from the environment here: ``PGKit/open(_:_:)`` does that.
///
/// In py-postgresql: `postgresql.driver.default.host(...)` and its kin.
public struct Connector: Sendable {
  /// Exactly what is known; what is not said has libpq's default.
  public let options: ConnectionOptions
  /// Hears messages of all its connections with which they have not dealt themselves.
  ///
  /// In py-postgresql: the connector's `msghook`.
  public var messageHook: (@Sendable (ServerMessage) -> Bool)?
  /// Makes each of its connections ready for its purpose, when it has just been established.
  public var category: (any Category)?
  /// Hears what its connections do.
  public var observer: (any ConnectionObserver)?

  /// Makes a connector.
  ///
  /// Nothing is checked before ``check()`` or ``connect(until:)``.
  public init(_ options: ConnectionOptions) { self.options = options }

  /// Checks everything about the options that can be known without touching files or the network.
  ///
  /// ``connect(until:)`` does so itself; this is for whoever wants to tell a mistake in the options
  /// from a failure to connect.
  ///
  /// - Throws: ``PGError`` `-*000` if an option is malformed or contradicts another.
  public func check() throws(PGError) { _ = try ConnectionPlan(options) }

  /// Makes a connection that is not yet established: ``Connection/connect(until:)`` does that.
  ///
  /// In py-postgresql: `connector()`.
  public func connection() -> Connection { Connection(self) }

  /// Connects to the first suitable server.
  ///
  /// - Throws: ``PGError``: the server's own if one refused the login; 08001, `--TOE`, `--SEC` or
  ///   `--AUT` naming each place that was tried; `-*000` if the options contradict each other.
  ///
  /// - Parameter deadline: When all attempts together must have led to a connection; each alone has
  ///   the time that `connect_timeout` gives.
  ///
  /// In py-postgresql: `Connector()` followed by `connect()`.
  public func connect(until deadline: Deadline = .never) throws(PGError) -> Connection {
    let connection = connection()
    try connection.connect(until: deadline)
    return connection
  }

  /// Gives `connection` a session with the first suitable server.
  func establish(_ connection: Connection, until deadline: Deadline) throws(PGError) {
    let plan = try ConnectionPlan(options, until: deadline)
    var failures: [Failure] = []
    for pass in plan.passes {
      for endpoint in plan.endpoints {
        if try attempt(endpoint, plan, pass, connection, &failures) { return }
      }
    }
    throw Self.summary(failures)
  }

  /// What became of the attempts at one place.
  private struct Failure {
    let endpoint: Endpoint
    let error: PGError

    /// The message, with the place in front unless it names the server itself.
    var line: String {
      // With its port, or in quotes: a host may be called as any word is.
      let names = ["\(endpoint)", "\"\(endpoint.host)\""]
      let isNamed = error.origin.creators.isEmpty && names.contains { error.message.contains($0) }
      return isNamed ? error.message : "\(endpoint): \(error.message)"
    }
  }

  /// Tries one host: every address, each in the ways that `sslmode` allows; whether that succeeded.
  private func attempt(
    _ endpoint: Endpoint, _ plan: ConnectionPlan, _ target: TargetSession,
    _ connection: Connection, _ failures: inout [Failure]
  ) throws(PGError) -> Bool {
    let addresses: [SocketAddress]
    do throws(PGError) {
      addresses = try plan.order(
        AddressLookup.addresses(of: endpoint, until: plan.deadline()))
    } catch {
      failures.append(Failure(endpoint: endpoint, error: error))
      return false
    }
    for address in addresses {
      var login = Login(plan: plan, endpoint: endpoint, address: address)
      login.reins = connection.reins
      // As in libpq: the time is each address's, whatever is tried and asked there.
      let deadline = plan.deadline()
      do throws(PGError) {
        connection.adopt(try login.open(until: deadline))
        if try target.accepts(connection, until: deadline) { return true }
        let error = PGError.wrongSession(endpoint, target)
        connection.abandon(because: error.message)
        failures.append(Failure(endpoint: endpoint, error: error))
      } catch {
        failures.append(Failure(endpoint: endpoint, error: error))
        guard Self.mayTryNext(after: error) else { throw Self.summary(failures) }
      }
    }
    return false
  }

  /// A server that refused the login means it for every address; one that is only not ready, full
  /// or out of reach leaves hope for the next.
  private static func mayTryNext(after error: PGError) -> Bool {
    switch error.code {
    case .cannotConnectNow, .tooManyConnections: true
    default: error.fault == .transport
    }
  }

  /// One error for all that was tried: the last one, with the messages of those before it.
  ///
  /// A server's own refusal says all that there is to say about its host: that another address of the
  /// same name did not answer does not matter then.
  private static func summary(_ failures: [Failure]) -> PGError {
    guard let last = failures.last else { return .option("no host to connect to") }
    let isRefusal = !mayTryNext(after: last.error) && last.error.fault == .server
    let told = failures.dropLast().filter { !isRefusal || $0.endpoint != last.endpoint } + [last]
    if told.count == 1 { return last.error }
    // A second pass over the hosts mostly meets the same faults.
    var lines: [String] = []
    for line in told.map(\.line) where !lines.contains(line) { lines.append(line) }
    return PGError(
      code: last.error.code, message: lines.joined(separator: "; "), fault: last.error.fault,
      hint: last.error.hint, fields: last.error.fields, cause: last.error.cause,
      isSafeToRetry: failures.allSatisfy(\.error.isSafeToRetry))
  }
}

/// What the options say about the whole undertaking, worked out once.
///
/// From here on there are only the options as they are after checking: what they take away, such as a
/// client certificate, is nowhere to be found any more.
struct ConnectionPlan {
  let options: ConnectionOptions
  let endpoints: [Endpoint]
  let user: String
  let sslMode: SSLMode
  let policy: AuthenticationPolicy
  let minimumVersion: ProtocolVersion
  let maximumVersion: ProtocolVersion
  /// Made only where TLS is begun.
  let tls: SharedTLSContext
  private let end: Deadline

  init(_ given: ConnectionOptions, until end: Deadline = .never) throws(PGError) {
    options = try given.validated()
    tls = SharedTLSContext(options)
    self.end = end
    let hosts = try options.endpoints()
    endpoints = options.loadBalanceHosts == true ? hosts.shuffled() : hosts
    sslMode = options.sslMode ?? .prefer
    policy = try AuthenticationPolicy(
      requireAuth: options.requireAuthentication,
      channelBinding: ChannelBinding.Requirement(options.channelBinding ?? .prefer),
      iterationLimit: options.scramIterationLimit)
    minimumVersion = try Self.version(options.minimumProtocolVersion, "min_protocol_version")
    maximumVersion = try Self.version(options.maximumProtocolVersion, "max_protocol_version")
    guard minimumVersion <= maximumVersion else {
      throw .option("min_protocol_version is larger than max_protocol_version")
    }
    for endpoint in endpoints { try AddressLookup.check(endpoint) }
    guard let user = options.user, !user.isEmpty else {
      throw .option("no user name was given", hint: "Set user in the IRI, or PGUSER.")
    }
    self.user = user
  }

  /// Which kinds of server to look for, one pass over all hosts for each.
  var passes: [TargetSession] {
    let wanted = options.targetSession ?? .any
    return wanted == .preferStandby ? [.standby, .any] : [wanted]
  }

  /// When what begins now, a lookup or the attempts at one address, must have succeeded.
  func deadline() -> Deadline {
    guard let seconds = options.connectTimeout, seconds > 0 else { return end }
    return end.earlier(.after(.seconds(seconds)))
  }

  func order(_ addresses: [SocketAddress]) -> [SocketAddress] {
    options.loadBalanceHosts == true ? addresses.shuffled() : addresses
  }

  private static func version(
    _ text: String?, _ keyword: String
  ) throws(PGError) -> ProtocolVersion {
    switch text {
    case nil, "3.0": .v3_0
    case "3.2", "latest": .v3_2
    default:
      throw .option("invalid \(keyword): it must be 3.0, 3.2 or latest")
    }
  }
}

extension ChannelBinding.Requirement {
  init(_ policy: ChannelBindingPolicy) {
    switch policy {
    case .disable: self = .disable
    case .prefer: self = .prefer
    case .require: self = .require
    }
  }
}

extension PGError {
  @inline(never)
  static func wrongSession(_ endpoint: Endpoint, _ target: TargetSession) -> PGError {
    .cannotConnect(
      "the server at \(endpoint) is not what target_session_attrs=\(target.rawValue) asks for")
  }
}
