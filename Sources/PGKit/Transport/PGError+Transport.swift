import PGErrorCodes

extension PGError {
  /// Time ran out before there was a connection; `activity` says what was being done.
  @inline(never)
  static func connectingTimedOut(_ activity: String) -> PGError {
    PGError(
      code: .connectTimeoutError, message: "timeout expired while \(activity)", fault: .transport,
      hint: "Raise connect_timeout, or check that the server can be reached.",
      isSafeToRetry: true)
  }

  /// The other end is gone without a word.
  @inline(never)
  static func serverGone(_ remote: String, _ reason: String, cause: SystemError? = nil) -> PGError {
    PGError(
      code: .connectionFailure, message: "connection to \(remote) was lost: \(reason)",
      fault: .transport,
      hint: "The server may have terminated abnormally; its log may say why.", cause: cause)
  }

  /// A connection attempt to `remote` failed.
  @inline(never)
  static func attemptFailed(
    _ remote: String, _ reason: String, hint: String? = nil, cause: (any Error)? = nil
  ) -> PGError {
    .cannotConnect("connection to \(remote) failed: \(reason)", hint: hint, cause: cause)
  }
}
