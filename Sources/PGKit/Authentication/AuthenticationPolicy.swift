/// What a login must be like to be acceptable: `require_auth`, `channel_binding`, and how much work
/// a server may ask for.
struct AuthenticationPolicy: Sendable, Hashable {
  /// The largest PBKDF2 count accepted unless the caller says otherwise.
  ///
  /// PostgreSQL's default is 4096. A million is a fraction of a second of one core: more than
  /// anybody configures, and far from the two billion with which a hostile server burns minutes.
  static let defaultIterationLimit = 1_000_000

  /// The methods that may be used; ``AuthenticationMethod/none`` if the server need not ask.
  let methods: [AuthenticationMethod]
  /// `require_auth` as it was written, for messages.
  let requirement: String
  /// `channel_binding`.
  let channelBinding: ChannelBinding.Requirement
  /// The largest PBKDF2 count accepted.
  ///
  /// There is no smallest: PostgreSQL allows one iteration.
  let iterationLimit: Int

  /// Makes a policy of the connection's options.
  ///
  /// - Parameters:
  ///   - requireAuth: libpq's list: `scram-sha-256,md5` allows only these, `!password` all but this.
  ///   - channelBinding: Whether the login must be bound to the TLS channel.
  ///   - iterationLimit: The largest PBKDF2 count accepted from a server.
  /// - Throws: ``PGError`` -*000 if a value is malformed or contradicts itself.
  init(
    requireAuth: String? = nil, channelBinding: ChannelBinding.Requirement = .prefer,
    iterationLimit: Int? = nil
  ) throws(PGError) {
    requirement = requireAuth ?? ""
    methods = try Self.parse(requirement)
    self.channelBinding = channelBinding
    self.iterationLimit = iterationLimit ?? Self.defaultIterationLimit
    guard self.iterationLimit >= 1 else {
      throw .option("scram_max_iterations must be at least 1, not \(self.iterationLimit)")
    }
  }

  /// Whether `method` may be used.
  func allows(_ method: AuthenticationMethod) -> Bool { methods.contains(method) }

  /// The methods that a list allows.
  ///
  /// An empty list says nothing, so everything is allowed.
  private static func parse(_ list: String) throws(PGError) -> [AuthenticationMethod] {
    let everything = AuthenticationMethod.allCases
    if list.isEmpty { return everything }
    let words = list.split(separator: ",", omittingEmptySubsequences: false)
    let isNegative = words.first?.hasPrefix("!") ?? false
    var named: [AuthenticationMethod] = []
    for word in words {
      guard word.hasPrefix("!") == isNegative else { throw mixed(word, isNegative) }
      let name = isNegative ? word.dropFirst() : word
      guard let method = AuthenticationMethod(rawValue: String(name)) else { throw unknown(name) }
      guard !named.contains(method) else {
        throw .option("require_auth names the method \"\(method.rawValue)\" more than once")
      }
      named.append(method)
    }
    return isNegative ? everything.filter { !named.contains($0) } : named
  }

  private static func unknown(_ name: Substring) -> PGError {
    let known = AuthenticationMethod.allCases.map(\.rawValue).joined(separator: ", ")
    return .option(
      "require_auth names an unknown method: \"\(name)\"", hint: "The methods are \(known).")
  }

  private static func mixed(_ word: Substring, _ isNegative: Bool) -> PGError {
    .option(
      isNegative
        ? "require_auth method \"\(word)\" cannot be mixed with negative methods"
        : "negative require_auth method \"\(word)\" cannot be mixed with other methods",
      hint: "Name either the methods that are allowed or, each with \"!\", those that are not.")
  }
}
