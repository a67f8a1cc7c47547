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

  /// Whether the work had no effect and may be done again, from the beginning of its transaction:
  /// nothing had been sent yet, or the server refused with a code that the table calls retryable, such
  /// as `40001`, `40P01`, `55P03` or `53300`.
  ///
  /// It speaks of one transaction: what a procedure or a `DO` block committed before the error stays
  /// committed, and would be done twice.
  ///
  /// ``retry`` says whether at once or later, and why.
  public var isSafeToRetry: Bool {
    storage.isSafeToRetry || code.retry.answer == .now || fault == .server && retry.isRetryable
  }

  /// Whether the same may be done again, and why, as the table of codes has it.
  ///
  /// Where the table says that nobody knows and this error knows that nothing had been sent,
  /// ``isSafeToRetry`` is the more exact answer.
  public var retry: RetryRule { code.retry }

  /// Whether the error descends from this name: a condition (`unique_violation`), a name of
  /// py-postgresql's (`UniqueError`), or any ancestor (`ICVError`, `Disconnection`, `Error`).
  ///
  /// A name that does not exist has no descendants.
  ///
  /// In py-postgresql: `isinstance(error, UndefinedError)`.
  public func isKind(of name: String) -> Bool { ErrorFamily(name).map(belongs(to:)) ?? false }

  /// The name of the error in py-postgresql's tree; that of the nearest ancestor for a code that
  /// is in no table, and `Error` for an error with the code of a warning.
  ///
  /// In py-postgresql: the name of the exception's class.
  public var name: String { definition?.name ?? "Error" }

  /// Whether the error descends from the family's root.
  func belongs(to family: ErrorFamily) -> Bool {
    definition == nil ? family.name == "Error" : family.contains(code)
  }

  /// The definition nearest to the code; `nil` if there is none of an error, as where a function
  /// raises an `ERROR` with a warning's code.
  private var definition: SQLStateDefinition? {
    code.nearestDefinition.flatMap { $0.severity == .error ? $0 : nil }
  }

  /// Whether time ran out: the driver's deadline, or one of the server's timeouts; the codes are those
  /// of the set `timeout`.
  ///
  /// `57014` from the server is a timeout only where the driver's own deadline sent the cancel
  /// request: the server says the same of `statement_timeout` and of somebody's cancelling. `55P03`
  /// is always one: the server says the same of `lock_timeout` and of `NOWAIT`, where there was no
  /// time to wait at all.
  public var isTimeout: Bool {
    guard SQLStateSet("timeout")?.contains(code) == true else { return false }
    return code != .queryCanceled || fault == .transport
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

extension PGError {
  /// Catches by code, and by class where the pattern is a class's own code:
  /// `catch SQLState.uniqueViolation`.
  public static func ~= (pattern: SQLState, error: PGError) -> Bool { pattern ~= error.code }

  /// Catches by ancestor: `catch ErrorFamily.undefined`.
  public static func ~= (family: ErrorFamily, error: PGError) -> Bool {
    error.belongs(to: family)
  }
}

/// Catches by code, and by class where the pattern is a class's own code, wherever an error's type
/// is not known.
public func ~= (pattern: SQLState, error: any Error) -> Bool {
  (error as? PGError).map { pattern ~= $0.code } ?? false
}

/// Catches by ancestor wherever an error's type is not known.
public func ~= (family: ErrorFamily, error: any Error) -> Bool {
  (error as? PGError).map { $0.belongs(to: family) } ?? false
}

extension PGError: Equatable {
  /// Errors are equal when their codes are, so that a test can write the expected one by hand.
  public static func == (left: PGError, right: PGError) -> Bool { left.code == right.code }
}
