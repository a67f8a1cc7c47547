/// A way to log in, as `require_auth` names it.
enum AuthenticationMethod: String, Sendable, CaseIterable {
  /// The password itself.
  case password
  /// Its MD5 digest.
  case md5
  /// GSSAPI.
  case gss
  /// SSPI.
  case sspi
  /// SCRAM-SHA-256, with or without channel binding.
  case scramSHA256 = "scram-sha-256"
  /// OAuth bearer tokens (PostgreSQL 18).
  case oauth
  /// The server asks for nothing.
  case none
}

extension AuthenticationRequest {
  /// The method that a request begins; `nil` for a request that continues one, or is unknown.
  var method: AuthenticationMethod? {
    switch self {
    case .ok: AuthenticationMethod.none
    case .cleartextPassword: .password
    case .md5Password: .md5
    case .gss: .gss
    case .sspi: .sspi
    case .sasl: .scramSHA256
    case .kerberosV5, .scmCredential, .gssContinue, .saslContinue, .saslFinal, .unknown: nil
    }
  }

  /// What the server did, for messages.
  var title: String {
    switch self {
    case .ok: "accepted the login"
    case .kerberosV5: "asked for Kerberos V5 authentication"
    case .cleartextPassword: "asked for a cleartext password"
    case .md5Password: "asked for an MD5 password"
    case .scmCredential: "asked for SCM credentials"
    case .gss: "asked for GSSAPI authentication"
    case .gssContinue: "continued GSSAPI authentication"
    case .sspi: "asked for SSPI authentication"
    case .sasl: "asked for SASL authentication"
    case .saslContinue: "continued SASL authentication"
    case .saslFinal: "completed SASL authentication"
    case .unknown(let code): "asked for an unknown authentication method (code \(code))"
    }
  }
}
