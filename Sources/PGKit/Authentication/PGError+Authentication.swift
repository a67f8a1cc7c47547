import PGErrorCodes

// The reasons that only a login knows.

extension PGError {
  /// The server's method is not acceptable, or not known.
  @inline(never)
  static func authenticationMethod(_ message: String, hint: String? = nil) -> PGError {
    PGError(code: .authenticationMethodError, message: message, fault: .peer, hint: hint)
  }

  /// `require_auth` excludes what the server did.
  @inline(never)
  static func excluded(_ request: AuthenticationRequest, by requirement: String) -> PGError {
    let deed =
      request == .ok ? "accepted the login without any authentication" : request.title
    return authenticationMethod(
      "the server \(deed), which require_auth \"\(requirement)\" does not allow")
  }

  /// The driver has no such method.
  @inline(never)
  static func unsupported(_ request: AuthenticationRequest) -> PGError {
    authenticationMethod(
      "the server \(request.title), which PGKit does not support",
      hint: "Let pg_hba.conf use scram-sha-256, md5, password, cert, peer or trust.")
  }

  /// A request that does not fit what went before.
  @inline(never)
  static func misplaced(_ request: AuthenticationRequest) -> PGError {
    protocolViolation("the server \(request.title) at a point where that cannot be")
  }

  /// The server asks for a password and there is none.
  @inline(never)
  static func noPassword(_ request: AuthenticationRequest) -> PGError {
    PGError(
      code: .invalidPassword,
      message: "no password supplied, but the server \(request.title)", fault: .caller,
      hint: "Supply it in the password option, in PGPASSWORD, or in a password file.")
  }

  /// A zero byte would end the password early on its way.
  static var zeroInPassword: PGError { option("the password contains a zero byte") }

  /// A SCRAM message that breaks the rules.
  @inline(never)
  static func malformedSCRAM(_ message: String) -> PGError {
    protocolViolation("malformed SCRAM message from the server: \(message)")
  }

  /// The server wants more work than anybody should do for it.
  @inline(never)
  static func tooManyIterations(limit: Int) -> PGError {
    insecure(
      "the server asks for more SCRAM iterations than the limit of \(limit)",
      hint: "If the server is to be trusted, raise scram_max_iterations.")
  }

  /// The server could not show that it knows the password.
  static var wrongSignature: PGError {
    insecure(
      "the server's SCRAM signature is wrong: it does not know the password",
      hint: "Something may stand between this client and the server.")
  }

  /// The server let the client in before it had shown that it knows the password.
  static var unprovedServer: PGError {
    insecure("the server accepted the login in the middle of SCRAM authentication")
  }

  /// The server's last SCRAM message is an error.
  @inline(never)
  static func refusedSCRAM(_ reason: String) -> PGError {
    PGError(
      code: reason == "invalid-proof" ? .invalidPassword : .invalidAuthorizationSpecification,
      message: "the server refused SCRAM authentication: \(reason)", fault: .server)
  }

  /// libcrypto failed, or time ran out, in the middle of a login.
  @inline(never)
  static func crypto(
    _ failure: CryptoFailure, during act: String, hint: String? = nil
  ) -> PGError {
    switch failure {
    case .stopped:
      PGError(
        code: .connectTimeoutError, message: "time ran out during \(act)", fault: .transport)
    case .refused(let operation, let reason):
      PGError(
        code: .driverError,
        message: "\(act): OpenSSL could not compute \(operation)"
          + (reason.map { ": \($0)" } ?? ""),
        fault: .caller, hint: hint)
    }
  }
}

// Channel binding.

extension PGError {
  static var bindingNeedsTLS: PGError {
    insecure(
      "channel binding is required, but the connection is not encrypted",
      hint: "Channel binding needs TLS: use sslmode=require or above.")
  }

  static var bindingOfferedWithoutTLS: PGError {
    insecure(
      "the server offered SCRAM-SHA-256-PLUS over a connection without TLS",
      hint: "Something may have removed TLS between this client and the server.")
  }

  static var bindingNotOffered: PGError {
    insecure("channel binding is required, but the server does not offer SCRAM-SHA-256-PLUS")
  }

  static var endpointUnknown: PGError {
    insecure(
      "channel binding is required, but the server's certificate does not allow it",
      hint: "Its signature algorithm has no digest of its own, as with Ed25519; use RSA or ECDSA.")
  }

  @inline(never)
  static func unbound(_ request: AuthenticationRequest) -> PGError {
    insecure("channel binding is required, but the server \(request.title) without it")
  }

  /// Nothing on offer is known.
  @inline(never)
  static func noMechanism(of offered: [String]) -> PGError {
    if offered.isEmpty {
      return protocolViolation("the server asked for SASL authentication without a mechanism")
    }
    let names = offered.prefix(8).map { isMechanismName($0) ? $0 : "(malformed)" }
    return authenticationMethod(
      "none of the server's SASL mechanisms can be used: \(names.joined(separator: ", "))",
      hint: "PGKit knows SCRAM-SHA-256, and SCRAM-SHA-256-PLUS over TLS.")
  }

  /// RFC 4422 section 3.1; anything else does not belong on a terminal.
  private static func isMechanismName(_ name: String) -> Bool {
    (1...20).contains(name.utf8.count)
      && name.utf8.allSatisfy {
        ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == ASCII.minus || $0 == UInt8(ascii: "_")
      }
  }
}
