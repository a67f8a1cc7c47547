public import PGErrorCodes

/// Everything that PGKit throws.
///
/// Every error has a code: the server's SQLSTATE, or one of the driver's own in the same form
/// (`--AUT`, `-Cbot`, …), so that one table explains them all. Catch by code, or by class, where a
/// class code matches its members:
///
/// ```swift
/// do { try db.execute("INSERT …") } catch {
///   switch error.code {
///   case .uniqueViolation: …
///   case .integrityConstraintViolation: …
///   default: throw error
///   }
/// }
/// ```
///
/// ``description`` is one line; ``report`` is the full page. PGKit puts no parameter's value and no
/// secret into either.
///
/// In py-postgresql: `postgresql.exceptions.Exception` and its descendants.
public struct PGError: Error {
  /// Who broke the rule.
  public enum Fault: Sendable, Hashable {
    /// The server refused what was asked.
    case server
    /// The caller asked for what cannot be.
    case caller
    /// The other end of the connection did not keep to the protocol.
    case peer
    /// The way between failed: sockets, TLS, time.
    case transport
  }

  private final class Storage: Sendable {
    let code: SQLState
    let message: String
    let fault: Fault
    let fields: ServerMessage?
    let hint: String?
    let origin: ErrorOrigin
    let cause: (any Error)?
    let isSafeToRetry: Bool

    init(
      code: SQLState, message: String, fault: Fault, fields: ServerMessage?, hint: String?,
      origin: ErrorOrigin, cause: (any Error)?, isSafeToRetry: Bool
    ) {
      self.code = code
      self.message = message
      self.fault = fault
      self.fields = fields
      self.hint = hint
      self.origin = origin
      self.cause = cause
      self.isSafeToRetry = isSafeToRetry
    }
  }

  /// Boxed, so that a typed throw moves one word.
  private let storage: Storage

  /// Makes an error of the library or of code built on it.
  ///
  /// - Parameters:
  ///   - code: What happened.
  ///   - message: One sentence that names the thing and its place, without secrets.
  ///   - fault: Who broke the rule.
  ///   - hint: The remedy, as a sentence.
  ///   - fields: The server's message, if it was the server that refused.
  ///   - origin: What the error happened to.
  ///   - cause: What lies beneath.
  ///   - isSafeToRetry: Whether nothing can have been done yet, so that doing it again is safe.
  public init(
    code: SQLState, message: String, fault: Fault, hint: String? = nil,
    fields: ServerMessage? = nil, origin: ErrorOrigin = ErrorOrigin(), cause: (any Error)? = nil,
    isSafeToRetry: Bool = false
  ) {
    storage = Storage(
      code: code, message: message, fault: fault, fields: fields, hint: hint, origin: origin,
      cause: cause, isSafeToRetry: isSafeToRetry)
  }

  /// What happened, as a SQLSTATE.
  public var code: SQLState { storage.code }
  /// The primary message: one sentence.
  public var message: String { storage.message }
  /// Who broke the rule.
  public var fault: Fault { storage.fault }
  /// The server's message with all its fields, if the server sent one.
  public var fields: ServerMessage? { storage.fields }
  /// What may help, from the server or from PGKit.
  public var hint: String? { storage.hint ?? storage.fields?.hint }
  /// The chain of things that the error happened to, innermost first.
  public var origin: ErrorOrigin { storage.origin }
  /// What lies beneath, for example a system call's error.
  public var cause: (any Error)? { storage.cause }

  /// Whether the operation certainly had no effect and may be repeated as it is: nothing had been
  /// sent yet, or the server rolled the transaction back for reasons of concurrency.
  public var isSafeToRetry: Bool {
    storage.isSafeToRetry || code == .serializationFailure || code == .deadlockDetected
  }

  /// Whether time ran out: the driver's deadline, or one of the server's timeouts.
  public var isTimeout: Bool {
    code == .connectTimeoutError || code == .clusterTimeoutError || code == .lockNotAvailable
      || code == .idleInTransactionSessionTimeout || code == .idleSessionTimeout
      || (code == .queryCanceled && fault == .transport)
  }

  /// The same error with one more thing said about where it happened.
  public func inside(_ creator: ErrorOrigin.Creator) -> PGError { with(origin.inside(creator)) }

  /// The same error, said to have happened to something of a connection.
  func insideConnection(_ creator: ErrorOrigin.Creator) -> PGError {
    with(origin.insideConnection(creator))
  }

  private func with(_ origin: ErrorOrigin) -> PGError {
    PGError(
      code: code, message: message, fault: fault, hint: storage.hint, fields: fields,
      origin: origin, cause: cause, isSafeToRetry: storage.isSafeToRetry)
  }
}

extension PGError: Equatable {
  /// Errors are equal when their codes are, so that a test can write the expected one by hand.
  public static func == (left: PGError, right: PGError) -> Bool { left.code == right.code }
}

extension PGError: CustomStringConvertible {
  /// One line: severity, code, message.
  ///
  /// PGKit puts no parameter's value and no secret there; what the server says, it says.
  public var description: String {
    let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    return "\(severity) \(code): \(line)"
  }

  /// The word in front: the server's own (not localized), or `ERROR`.
  public var severity: String { fields?.severity ?? "ERROR" }
}
