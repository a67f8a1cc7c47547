import COpenSSL

// Puts OpenSSL's errors into words. Everything in them is ours, OpenSSL's or escaped: the other end
// has no way to put text of its own on the user's terminal.

/// Why a TLS session could not be had, with what is needed to explain it.
struct TLSFailure {
  /// The errors in OpenSSL's queue, the oldest first.
  let errors: [OpenSSL.QueuedError]
  /// What was wrong with the certificate chain.
  let trace: VerificationTrace
  /// What was asked for.
  let context: TLSContext
  /// The server in words.
  let remote: String

  /// The failure as the error to throw while the session is being made.
  var error: PGError {
    if trace.code != X509_V_OK, context.verifiesChain { return certificateError }
    guard let first = errors.first(where: \.isOfTLS) ?? errors.first else {
      return .attemptFailed(remote, "the TLS handshake failed without a reason")
    }
    if let alert = first.alert { return alertError(alert, first) }
    return localError(first)
  }

  /// The alert that the other end sent, if that is how it failed.
  var alert: Int32? { errors.lazy.compactMap(\.alert).first }

  private func localError(_ error: OpenSSL.QueuedError) -> PGError {
    switch error.reason {
    case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_PACKET_LENGTH_TOO_LONG:
      return .attemptFailed(
        remote, "what the server sent is not TLS (\(error))",
        hint: "Check host and port: another program, or somebody between, may have answered.",
        cause: error)
    case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_VERSION_TOO_LOW,
      SSL_R_WRONG_SSL_VERSION, SSL_R_UNSUPPORTED_SSL_VERSION:
      return versionError(error)
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return .attemptFailed(remote, "the server closed the connection during the TLS handshake")
    default:
      return .attemptFailed(remote, "the TLS handshake failed: \(error)", cause: error)
    }
  }

  private func versionError(_ error: OpenSSL.QueuedError) -> PGError {
    let newest = context.versions.newest?.rawValue ?? TLSVersion.tls13.rawValue
    return .insecure(
      "connection to \(remote) failed: no common TLS version (\(error))",
      hint: "The server may support no version between \(context.versions.oldest.rawValue) and "
        + "\(newest); see ssl_min_protocol_version and ssl_max_protocol_version.")
  }
}

// Alerts: what the server says in refusing. The numbers are of RFC 8446, 6.2.
extension TLSFailure {
  private func alertError(_ alert: Int32, _ error: OpenSSL.QueuedError) -> PGError {
    switch alert {
    case 70: return versionError(error)
    case 40: return refused("its alert is \"handshake failure\"", Self.handshakeHint, error)
    case 41...46, 48, 49, 51, 116: return identityError(alert, error)
    case 112:
      return refused("it does not serve this host name", "See sslsni.", error)
    case 120: return refused("it does not speak PostgreSQL here (ALPN)", nil, error)
    default: return refused("its alert is number \(alert) (\(error))", nil, error)
    }
  }

  private static let handshakeHint =
    "The two may have no cipher in common, or the server may require a client certificate "
    + "(sslcert, sslkey)."

  private func identityError(_ alert: Int32, _ error: OpenSSL.QueuedError) -> PGError {
    guard let file = context.clientCertificate else {
      return refused(
        "it requires a client certificate", "Name one with sslcert, and its key with sslkey.",
        error)
    }
    let reason =
      switch alert {
      case 44: "it is revoked"
      case 45: "it is expired"
      case 48: "its authority is unknown to the server"
      default: "\(error)"
      }
    return refused("it does not accept client certificate \"\(file)\": \(reason)", nil, error)
  }

  private func refused(
    _ reason: String, _ hint: String?, _ error: OpenSSL.QueuedError
  ) -> PGError {
    .attemptFailed(remote, "the server refused TLS: \(reason)", hint: hint, cause: error)
  }
}

// Certificates that this end refuses.
extension TLSFailure {
  private var certificateError: PGError {
    .insecure(
      "connection to \(remote) failed: the server's certificate is not trusted: "
        + "\(certificateReason)\(certificateName)",
      hint: certificateHint)
  }

  private var certificateName: String {
    guard !trace.subject.isEmpty else { return "" }
    return " (certificate \"\(trace.subject)\", issued by \"\(trace.issuer)\")"
  }

  private var certificateReason: String {
    switch trace.code {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
      return "its authority is unknown"
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "it is signed by itself or by an unknown self-signed authority"
    case X509_V_ERR_CERT_HAS_EXPIRED: return "it has expired"
    case X509_V_ERR_CERT_NOT_YET_VALID: return "it is not yet valid"
    case X509_V_ERR_CERT_REVOKED: return "it has been revoked"
    case X509_V_ERR_UNABLE_TO_GET_CRL: return "there is no revocation list of its issuer"
    case X509_V_ERR_CRL_HAS_EXPIRED: return "the revocation list of its issuer has expired"
    case X509_V_ERR_INVALID_PURPOSE: return "it is not meant for servers"
    default: return String(cString: X509_verify_cert_error_string(Int(trace.code)))
    }
  }

  private var certificateHint: String? {
    switch trace.code {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "The server needs a new certificate; or this computer's clock is wrong."
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "This computer's clock, or the one where the certificate was made, may be wrong."
    case X509_V_ERR_CERT_REVOKED, X509_V_ERR_INVALID_PURPOSE:
      return "The server needs a new certificate."
    case X509_V_ERR_UNABLE_TO_GET_CRL, X509_V_ERR_CRL_HAS_EXPIRED:
      return "Every authority of the chain must have a current list in "
        + "\(context.trust.revocationPlace)."
    default:
      return "Trusted is \(context.trust.description); name the server's authority with "
        + "sslrootcert."
    }
  }
}
