import PGErrorCodes
import Synchronization

/// Hears a notice or a warning of the server.
///
/// - Returns: Whether it is dealt with; otherwise the next one in the chain hears it.
public typealias MessageHook = (ServerMessage) -> Bool

/// The last place that a message comes to when nobody on its way has dealt with it: the cursor, the
/// statement, the connection, the connector.
///
/// In py-postgresql: `postgresql.sys.msghook`, `postgresql.sys.errformat`.
public enum Messages {
  /// In a structure: a closure that a Mutex holds by itself is wrapped once more each time it is read.
  private struct Last {
    var hook: @Sendable (ServerMessage) -> Void
  }

  private static let last = Mutex(Last(hook: print))

  /// What is done with a message in the end.
  ///
  /// By default warnings, and what is worse, go to stderr; notices are dropped. It may be called from
  /// any thread.
  public static var hook: @Sendable (ServerMessage) -> Void {
    get { last.withLock { $0.hook } }
    set { last.withLock { $0.hook = newValue } }
  }

  /// How an error is shown to people: ``PGError/report``.
  public static var errorFormat: @Sendable (PGError) -> String {
    get { PGError.reportFormat ?? { $0.fullReport } }
    set { PGError.reportFormat = newValue }
  }

  /// Gives the hook its default again.
  ///
  /// In py-postgresql: `sys.reset_msghook`.
  public static func resetHook() { last.withLock { $0.hook = Self.print } }

  /// Gives the format its default again.
  ///
  /// In py-postgresql: `sys.reset_errformat`.
  public static func resetErrorFormat() { PGError.reportFormat = nil }

  @Sendable private static func print(_ message: ServerMessage) {
    guard message.isWarning else { return }
    Syscalls.writeToStandardError(message.report + "\n")
  }
}

/// What may hear the messages of an operation before its connection does.
protocol MessageHearer: AnyObject {
  var messageHook: MessageHook? { get }
  /// What messages say of it.
  var origin: ErrorOrigin.Creator { get }
  /// Who hears them next; `nil` for the connection.
  var nextHearer: (any MessageHearer)? { get }
}
