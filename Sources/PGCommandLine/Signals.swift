public import Glibc
internal import Synchronization

/// INT, TERM, HUP: cancel, clean up, and die by the signal, so that a shell sees it.
///
/// The signals are blocked in every thread and taken by one thread of their own with `sigwait`, so
/// that the handler is ordinary code. Therefore ``handle(_:_:)`` comes before other threads start.
public enum Signals {
  private struct State {
    var mask: sigset_t?
    /// What is run each time when a signal comes.
    var each: [CInt: @Sendable () -> Void] = [:]
    /// Whether a thread waits for signals and the first moment is not over.
    var isEarly = false
    /// What is to be started when it is.
    var deferred: [@Sendable () -> Void] = []
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
    let each = state.withLock { $0.each }
    guard !heeded.isEmpty || !each.isEmpty else { return }
    let ending = block(heeded)
    let all = set(of: heeded + each.keys)
    state.withLock { $0.isEarly = true }
    DetachedThread.start {
      let early = waitAMoment(for: all, each)
      startDeferred()
      let first = early ?? wait(for: all, each)
      DetachedThread.start { handler(first) }
      ignoreEchoes(of: ending)
      let second = wait(for: all, each)
      last()
      endProcess(by: second)
    }
  }

  /// How long a run lasts before it gets the threads that a shorter one does without.
  private static let moment = Duration.milliseconds(100)

  /// Runs `body` on a thread of its own, but not within the first tenth of a second after
  /// ``handle(_:before:_:)``: a run that is over by then is spared the thread.
  public static func afterAMoment(_ body: @escaping @Sendable () -> Void) {
    let isDeferred = state.withLock { state in
      if state.isEarly { state.deferred.append(body) }
      return state.isEarly
    }
    if !isDeferred { DetachedThread.start(body) }
  }

  private static func startDeferred() {
    let bodies = state.withLock { state in
      defer { (state.isEarly, state.deferred) = (false, []) }
      return state.deferred
    }
    for body in bodies { DetachedThread.start(body) }
  }

  /// Waits as ``wait(for:_:)`` does, but only for the first moment.
  private static func waitAMoment(
    for signals: sigset_t, _ each: [CInt: @Sendable () -> Void]
  ) -> CInt? {
    let end = ContinuousClock.now + moment
    while let signal = wait(for: signals, until: end) {
      guard let body = each[signal] else { return signal }
      DetachedThread.start(body)
    }
    return nil
  }

  /// Waits for one of the signals that is not among `each`; those are answered meanwhile, on threads of
  /// their own: what they say must not keep others waiting.
  private static func wait(
    for signals: sigset_t, _ each: [CInt: @Sendable () -> Void]
  ) -> CInt {
    while true {
      let signal = wait(for: signals)
      guard let body = each[signal] else { return signal }
      DetachedThread.start(body)
    }
  }

  /// Runs `body` each time when `signal` comes, on a thread of its own.
  ///
  /// Call it before ``handle(_:before:_:)``, whose thread waits for it, too: each thread costs a tenth of a
  /// millisecond of every run.
  public static func takeEach(_ signal: CInt, _ body: @escaping @Sendable () -> Void) {
    if isIgnored(signal) { return }
    _ = block([signal])
    state.withLock { $0.each[signal] = body }
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
    StandardError.removeLineAtOnce()
    Glibc.signal(signal, SIG_DFL)
    var set = Signals.set(of: [signal])
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    // Sent to this thread, not to the process: there the thread in sigwait could take it.
    raise(signal)
    _exit(128 &+ signal)
  }

  /// Has a thread's system call that waits return, with what it has done so far.
  static func interrupt(_ thread: pthread_t) {
    // What a process is told by it is dropped, but a handler must be there, or nothing is interrupted.
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in }
    sigaction(interrupting, &action, nil)
    pthread_kill(thread, interrupting)
  }

  /// A signal that means nothing to programs which do not ask for it.
  private static let interrupting = SIGURG

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
    let end = ContinuousClock.now + echo
    while wait(for: signals, until: end) != nil {}
  }

  /// Waits for a signal until `end`, which is less than a second away.
  private static func wait(
    for signals: sigset_t, until end: ContinuousClock.Instant
  ) -> CInt? {
    var signals = signals
    while true {
      let rest = (end - .now).components
      guard rest.seconds == 0, rest.attoseconds > 0 else { return nil }
      var limit = timespec(tv_sec: 0, tv_nsec: Int(rest.attoseconds / 1_000_000_000))
      let signal = sigtimedwait(&signals, nil, &limit)
      if signal > 0 { return signal }
    }
  }

  private static func isIgnored(_ signal: CInt) -> Bool {
    var action = sigaction()
    guard sigaction(signal, nil, &action) == 0 else { return false }
    return action.__sigaction_handler.sa_handler.map { unsafeBitCast($0, to: Int.self) } == 1
  }
}
