import COpenSSL

/// libcrypto refused an operation, or the caller stopped it.
///
/// Crypto stands below Errors: Authentication says what this means for a login.
enum CryptoFailure: Error, Equatable {
  /// The operation and libcrypto's reason, if it gave one. A FIPS provider refuses MD5 this way.
  case refused(operation: String, reason: String?)
  /// The caller's `shouldStop` said so.
  case stopped

  /// The failure of `operation` just now.
  ///
  /// The thread's error queue is emptied: libssl would take what is left there for its own.
  static func last(_ operation: String) -> CryptoFailure {
    if let fault = pgkit_libcrypto_fault() {
      return .refused(operation: operation, reason: String(cString: fault))
    }
    let reason = ERR_reason_error_string(ERR_peek_last_error()).map { String(cString: $0) }
    ERR_clear_error()
    return .refused(operation: operation, reason: reason)
  }
}
