internal import PGErrorCodes

// The reasons that only this room knows. Each names the directory or the program it is about.

extension PGError {
  /// A cluster could not be controlled.
  @inline(never)
  static func cluster(
    _ message: String, hint: String? = nil, cause: (any Error)? = nil
  ) -> PGError {
    PGError(code: .clusterError, message: message, fault: .caller, hint: hint, cause: cause)
  }

  /// A call of the system failed while a cluster was handled.
  @inline(never)
  static func cluster(_ message: String, _ reason: SystemError, hint: String? = nil) -> PGError {
    .cluster("\(message): \(reason.text)", hint: hint, cause: reason)
  }

  /// A data directory could not be made.
  @inline(never)
  static func clusterInitialization(
    _ message: String, hint: String? = nil, cause: (any Error)? = nil
  ) -> PGError {
    PGError(
      code: .clusterInitializationError, message: message, fault: .caller, hint: hint, cause: cause)
  }

  /// initdb ran and failed.
  @inline(never)
  static func initDB(_ message: String, hint: String? = nil) -> PGError {
    PGError(code: .initDBError, message: message, fault: .caller, hint: hint)
  }

  /// The server did not start.
  @inline(never)
  static func clusterStartup(
    _ message: String, hint: String? = nil, cause: (any Error)? = nil
  ) -> PGError {
    PGError(
      code: .clusterStartupError, message: message, fault: .caller, hint: hint, cause: cause)
  }

  /// The operation needs a running server.
  @inline(never)
  static func clusterNotRunning(_ message: String) -> PGError {
    PGError(code: .clusterNotRunningError, message: message, fault: .caller)
  }

  /// The server did not reach the wanted state in time.
  @inline(never)
  static func clusterTimeout(_ message: String, hint: String? = nil) -> PGError {
    PGError(code: .clusterTimeoutError, message: message, fault: .transport, hint: hint)
  }
}
