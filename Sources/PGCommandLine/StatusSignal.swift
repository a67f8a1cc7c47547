internal import Glibc
internal import Synchronization

/// SIGUSR1: one line on stderr that says how far the program is.
public final class StatusSignal: Sendable {
  /// The process's only one.
  public static let shared = StatusSignal()

  private let report = Mutex(Report())

  /// What is said; before there is something to say, nothing.
  private struct Report {
    var text: (@Sendable () -> String)?
  }

  private init() {}

  /// Begins to take the signal.
  ///
  /// Call it first of all, before ``Signals/handle(_:before:_:)`` and before any thread starts.
  ///
  /// - Parameter program: The program's name.
  public func install(program: String) {
    Signals.takeEach(SIGUSR1) { [self] in
      guard let text = report.withLock({ $0.text }) else { return }
      Diagnostic(program: program, message: text()).print()
    }
  }

  /// From now on this is what is said.
  public func answer(_ text: @escaping @Sendable () -> String) {
    report.withLock { $0.text = text }
  }
}
