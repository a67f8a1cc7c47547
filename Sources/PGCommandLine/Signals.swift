public import Glibc
internal import Synchronization

/// INT, TERM, HUP: cancel, clean up, and die by the signal, so that a shell sees it.
///
/// The signals are blocked in every thread and taken by one thread of their own with `sigwait`, so
/// that the handler is ordinary code. Therefore ``handle(_:_:)`` comes before other threads start.
public enum Signals {
  private struct State {
    var mask: sigset_t?
  }

  private static let state = Mutex(State())

  /// How soon after the first a second signal is still the same wish: `timeout`, and a terminal with
  /// a script in between, send one to the process and one to its group.
  private static let echo = Duration.milliseconds(200)

  /// Runs `handler` once, on a thread of its own, when the first of `signals` comes.
  ///
  /// A second signal ends the process. Signals that the process was started to ignore, as by
  /// `nohup`, stay ignored. Call it once, before any other thread starts.
  ///
  /// - Parameter last: What a second signal still waits for, briefly; then the process ends.
  public static func handle(
    _ signals: [CInt], before last: @escaping @Sendable () -> Void = {},
    _ handler: @escaping @Sendable (CInt) -> Void
  ) {
    let heeded = signals.filter { !isIgnored($0) }
    guard !heeded.isEmpty else { return }
    let awaited = block(heeded)
    DetachedThread.start {
      let first = wait(for: awaited)
      DetachedThread.start { handler(first) }
      ignoreEchoes(of: awaited)
      let second = wait(for: awaited)
      last()
      endProcess(by: second)
    }
  }

  /// Runs `body` each time when `signal` comes, on a thread of its own.
  ///
  /// Call it before ``handle(_:before:_:)``, and before any other thread starts.
  public static func takeEach(_ signal: CInt, _ body: @escaping @Sendable () -> Void) {
    if isIgnored(signal) { return }
    let awaited = block([signal])
    withoutSignals {
      DetachedThread.start {
        while true {
          _ = wait(for: awaited)
          body()
        }
      }
    }
  }

  /// Runs `body`, whose threads take no signals but those that they wait for: by default one of those that
  /// ``handle(_:before:_:)`` waits for would end the process.
  private static func withoutSignals(_ body: () -> Void) {
    var all = sigset_t()
    sigfillset(&all)
    var before = sigset_t()
    pthread_sigmask(SIG_SETMASK, &all, &before)
    body()
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }

  /// Keeps signals from every thread that is started from now on.
  private static func block(_ signals: [CInt]) -> sigset_t {
    var set = Signals.set(of: signals)
    var before = sigset_t()
    pthread_sigmask(SIG_BLOCK, &set, &before)
    let mask = before
    state.withLock { $0.mask = $0.mask ?? mask }
    return set
  }

  /// The signal mask from before ``handle(_:_:)``, which child processes are to start with.
  public static var maskForChildren: sigset_t {
    if let mask = state.withLock({ $0.mask }) { return mask }
    var mask = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &mask)
    return mask
  }

  /// Gives the calling thread the mask from before ``handle(_:_:)``, as between fork and exec.
  public static func restoreMask() {
    var mask = maskForChildren
    pthread_sigmask(SIG_SETMASK, &mask, nil)
  }

  /// Ends the process as `signal` does by default, so that the shell sees 128 + `signal`.
  public static func endProcess(by signal: CInt) -> Never {
    Glibc.signal(signal, SIG_DFL)
    var set = Signals.set(of: [signal])
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    // Sent to this thread, not to the process: there the thread in sigwait could take it.
    raise(signal)
    _exit(128 &+ signal)
  }

  private static func set(of signals: [CInt]) -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
    return set
  }

  private static func wait(for signals: sigset_t) -> CInt {
    var signals = signals
    var signal: CInt = 0
    while sigwait(&signals, &signal) != 0 {}
    return signal
  }

  /// Takes what comes for as long as an echo may.
  private static func ignoreEchoes(of signals: sigset_t) {
    var signals = signals
    let end = ContinuousClock.now + echo
    while true {
      let rest = (end - .now).components
      guard rest.seconds == 0, rest.attoseconds > 0 else { return }
      var limit = timespec(tv_sec: 0, tv_nsec: Int(rest.attoseconds / 1_000_000_000))
      _ = sigtimedwait(&signals, nil, &limit)
    }
  }

  private static func isIgnored(_ signal: CInt) -> Bool {
    var action = sigaction()
    guard sigaction(signal, nil, &action) == 0 else { return false }
    return action.__sigaction_handler.sa_handler.map { unsafeBitCast($0, to: Int.self) } == 1
  }
}
