/// Whether and how strictly a connection is protected by TLS: `sslmode`.
///
/// Source: PostgreSQL manual, "SSL Support", table "SSL Mode Descriptions".
public enum SSLMode: String, Sendable, CaseIterable, Comparable {
  /// Never TLS.
  case disable
  /// Plaintext first, TLS if the server refuses.
  case allow
  /// TLS first, plaintext if the server has none.
  case prefer
  /// TLS or nothing; the certificate is checked only if a root certificate is at hand.
  case require
  /// TLS with a certificate signed by a known authority.
  case verifyCA = "verify-ca"
  /// TLS with such a certificate that also names the host.
  case verifyFull = "verify-full"

  /// Whether a session without TLS is refused.
  public var requiresTLS: Bool { self >= .require }

  /// Orders modes by strictness.
  public static func < (left: SSLMode, right: SSLMode) -> Bool { left.rank < right.rank }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
