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
  private struct State {
    var hook: @Sendable (ServerMessage) -> Void = Messages.print
    var errorFormat: @Sendable (PGError) -> String = { $0.report }
  }

  private static let state = Mutex(State())

  /// What is done with a message in the end.
  ///
  /// By default warnings, and what is worse, go to stderr; notices are dropped. It may be called from
  /// any thread.
  public static var hook: @Sendable (ServerMessage) -> Void {
    get { state.withLock { $0.hook } }
    set { state.withLock { $0.hook = newValue } }
  }

  /// How an error is shown to people, for those who print one.
  public static var errorFormat: @Sendable (PGError) -> String {
    get { state.withLock { $0.errorFormat } }
    set { state.withLock { $0.errorFormat = newValue } }
  }

  /// Gives the hook its default again.
  ///
  /// In py-postgresql: `sys.reset_msghook`.
  public static func resetHook() { state.withLock { $0.hook = Self.print } }

  /// Gives the format its default again.
  ///
  /// In py-postgresql: `sys.reset_errformat`.
  public static func resetErrorFormat() { state.withLock { $0.errorFormat = { $0.report } } }

  @Sendable private static func print(_ message: ServerMessage) {
    guard message.isWarning else { return }
    Syscalls.writeToStandardError(message.report + "\n")
  }
}

/// What may hear the messages of an operation before its connection does.
protocol MessageHearer: AnyObject {
  var messageHook: MessageHook? { get }
}
