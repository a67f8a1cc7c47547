import PGErrorCodes

// One factory for each fault that more than one place can meet, so that a throw site is one word
// and stays off the hot path. Each floor adds the reasons that only it knows beside its own code.

extension PGError {
  /// The server refused: its message, with its code.
  @inline(never)
  public static func server(_ message: ServerMessage) -> PGError {
    PGError(code: message.code, message: message.message, fault: .server, fields: message)
  }

  /// The other end did not keep to the protocol.
  @inline(never)
  public static func protocolViolation(_ message: String) -> PGError {
    PGError(code: .protocolViolation, message: message, fault: .peer)
  }

  /// The connection broke.
  @inline(never)
  public static func connectionFailure(_ message: String, cause: (any Error)? = nil) -> PGError {
    PGError(code: .connectionFailure, message: message, fault: .transport, cause: cause)
  }

  /// No connection could be made.
  @inline(never)
  public static func cannotConnect(
    _ message: String, hint: String? = nil, cause: (any Error)? = nil
  ) -> PGError {
    PGError(
      code: .sqlclientUnableToEstablishSqlconnection, message: message, fault: .transport,
      hint: hint, cause: cause, isSafeToRetry: true)
  }

  /// The object does not hold a connection: it was closed, or never connected.
  @inline(never)
  public static func connectionDoesNotExist(_ message: String) -> PGError {
    PGError(code: .connectionDoesNotExist, message: message, fault: .caller, isSafeToRetry: true)
  }

  /// An option is malformed or contradicts another.
  @inline(never)
  public static func option(_ message: String, hint: String? = nil) -> PGError {
    PGError(
      code: .clientParameterError, message: message, fault: .caller, hint: hint,
      isSafeToRetry: true)
  }

  /// The security that was asked for could not be had.
  @inline(never)
  public static func insecure(_ message: String, hint: String? = nil) -> PGError {
    PGError(code: .insecurityError, message: message, fault: .peer, hint: hint)
  }

  /// The operation does not fit the object's state.
  @inline(never)
  public static func operation(_ message: String, hint: String? = nil) -> PGError {
    PGError(code: .operationError, message: message, fault: .caller, hint: hint)
  }

  /// A parameter's value does not fit the statement.
  @inline(never)
  public static func parameter(_ message: String) -> PGError {
    PGError(code: .parameterError, message: message, fault: .caller, isSafeToRetry: true)
  }

  /// A column's bytes are not a value of its type.
  @inline(never)
  public static func malformedValue(_ message: String) -> PGError {
    PGError(code: .columnError, message: message, fault: .peer)
  }

  /// A column's value cannot be had as the Swift type asked for.
  @inline(never)
  public static func column(_ message: String) -> PGError {
    PGError(code: .columnError, message: message, fault: .caller)
  }
}
