internal import Glibc
public import PGCommandLine
public import PGKit
internal import Synchronization

/// INT, TERM and HUP for programs that talk to servers: the first one cancels what runs there, the
/// program then cleans up and dies by the signal; a second one, or five seconds, ends it at once, but
/// not before the servers were asked.
public final class Interruptions: Sendable {
  private struct State {
    var handles: [Interruption] = []
    var signal: CInt?
    var isBusy = false
    /// Whether there has been a connection: before, there is nothing to clean up.
    var hasConnected = false
    /// Whether what runs is still to be asked to stop for the first time.
    var isAsking = false
    /// Whether what runs must come to its end.
    var isFinal = false
    /// Whether the time is over.
    var isExpired = false
    /// How long cleaning up may take.
    var grace = Interruptions.grace
    var told = Told()
    /// The session whose answer is awaited in the last step, and since when.
    var awaited: (descriptor: Int32, since: ContinuousClock.Instant)?
    /// Since when no answer is awaited for longer than the grace.
    var hurriedSince: ContinuousClock.Instant?
    /// Whether the time was over in the last step.
    var isLate = false
    var lastWords = LastWords.none
  }

  /// What is said of work that is cut short.
  private enum LastWords {
    case none
    case ready(@Sendable (_ status: Int32, _ message: String) -> Void)
    case said
  }

  /// Why nobody waited any longer for what a server said in the last step: the cause of an error.
  public enum CutOff: Error {
    /// A signal came.
    case signal
    /// Time was over.
    case deadline
  }

  /// Who is told of a signal in the last step.
  private struct Told {
    var body: @Sendable () -> Void = {}
  }

  /// How long a program may take to clean up unless it says otherwise.
  public static let grace: Duration = .seconds(5)

  /// The process's only one.
  public static let shared = Interruptions()

  private let state = Mutex(State())

  private init() {}

  /// How long a program may take to clean up now.
  public var graceTime: Duration { state.withLock { $0.grace } }

  /// From now on a program may take so long to clean up.
  public func setGrace(_ duration: Duration) {
    state.withLock { $0.grace = max(duration, .milliseconds(100)) }
  }

  /// Begins to take the signals.
  ///
  /// Call it first of all, before any thread starts.
  public func install() {
    Signals.handle([SIGINT, SIGTERM, SIGHUP], before: { Interruptions.shared.waitUntilAsked() }) {
      signal in Interruptions.shared.take(signal)
    }
  }

  /// Adds a connection whose statement is to be cancelled.
  public func add(_ handle: Interruption) {
    state.withLock { state in
      state.handles.append(handle)
      state.hasConnected = true
    }
  }

  /// Forgets the connections, because they are lost: there is nothing to cancel any more.
  public func forgetConnections() { state.withLock { $0.handles = [] } }

  /// From now on what runs must come to its end even if a signal comes, as a COMMIT must: nothing is
  /// cancelled any more, and the process ends by the signal only when its work is done.
  ///
  /// - Parameter body: Is told, on a thread of its own, when a signal comes: work that waits may end then.
  /// - Returns: Whether that holds; `false` if a signal has come already.
  public func beginLastStep(telling body: @escaping @Sendable () -> Void = {}) -> Bool {
    state.withLock { state in
      guard state.signal == nil else { return false }
      state.handles = []
      state.isFinal = true
      state.told.body = body
      return true
    }
  }

  /// Runs `body`, in which a signal must not just end the process but lead to cleaning up: if one
  /// came, what `body` failed with is told and the process then dies by the signal.
  ///
  /// - Throws: What `body` throws, if no signal came.
  public func duringWork(_ body: () throws -> Void) throws {
    state.withLock { $0.isBusy = true }
    defer { state.withLock { $0.isBusy = false } }
    do { try body() } catch {
      if let signal {
        let failure = error as? Failure
        // Who has gone away is told nothing.
        if signal != SIGPIPE { failure?.diagnostic?.print(status: failure?.status) }
        DiagnosticLog.shared.finish(program: failure?.diagnostic?.program ?? "")
        Signals.endProcess(by: signal)
      }
      throw error
    }
    if let signal { Signals.endProcess(by: signal) }
  }

  /// Waits for what a session says to the end of its work, as to a COMMIT, in the last step.
  ///
  /// That takes as long as it takes; but once a signal has come, or the time of
  /// ``limit(to:program:sparesLastStep:)`` is over, no answer is awaited for longer than ``graceTime``: the
  /// session is then cut off. What its server makes of that is to be found out.
  ///
  /// - Parameters:
  ///   - descriptor: The session's socket.
  ///   - body: What asks and waits.
  /// - Throws: What `body` throws; 08006 if the session was cut off, with a ``CutOff`` as its cause.
  public func awaiting<Result>(
    _ descriptor: Int32, _ body: () throws(PGError) -> Result
  ) throws(PGError) -> Result {
    // One of our own: the session may close its own meanwhile, and another file then has that number.
    let socket = dup(descriptor)
    state.withLock { $0.awaited = (socket, .now) }
    defer {
      state.withLock { $0.awaited = nil }
      close(socket)
    }
    do throws(PGError) { return try body() } catch {
      guard state.withLock({ $0.awaited == nil }) else { throw error }
      let cause: CutOff = signal == nil ? .deadline : .signal
      throw PGError(
        code: .connectionFailure,
        message: "the server did not answer in time after the \(cause)", fault: .transport,
        cause: cause)
    }
  }

  /// From now on no answer is awaited for longer than the grace.
  private func limitAnswers() {
    let isFirst = state.withLock { state in
      defer { state.hurriedSince = state.hurriedSince ?? .now }
      return state.hurriedSince == nil
    }
    guard isFirst else { return }
    DetachedThread.start {
      while true {
        self.cutOffSilence()
        usleep(20_000)
      }
    }
  }

  private func cutOffSilence() {
    state.withLock { state in
      guard let awaited = state.awaited, let hurried = state.hurriedSince,
        ContinuousClock.now - max(awaited.since, hurried) >= state.grace
      else { return }
      // Under the lock, so that nobody closes it meanwhile.
      shutdown(awaited.descriptor, Int32(SHUT_RDWR))
      state.awaited = nil
    }
  }

  /// Cancels what runs when time is over; a program that then does not come to its end within the
  /// grace is ended with status 4.
  ///
  /// - Parameter sparesLastStep: Whether what must come to its end, as a COMMIT must, is let go on then, as
  ///   long as its server answers (``awaiting(_:_:)``).
  public func limit(to deadline: Deadline, program: String, sparesLastStep: Bool = false) {
    guard deadline.instant != nil else { return }
    DetachedThread.start {
      while !deadline.hasPassed { _ = poll(nil, 0, deadline.pollTimeout) }
      if sparesLastStep, self.isLateInLastStep() { return }
      self.state.withLock { $0.isExpired = true }
      self.cancelRepeatedly(until: .after(self.graceTime))
      if sparesLastStep, self.isLateInLastStep() { return }
      let message = Self.unended("time is over")
      self.sayLastWords(ExitStatus.deadline.rawValue, message)
      Diagnostic(program: program, message: message).print(status: .deadline)
      DiagnosticLog.shared.finish(program: program)
      _exit(ExitStatus.deadline.rawValue)
    }
  }

  private func isLateInLastStep() -> Bool {
    let isFinal = state.withLock { state in
      if state.isFinal { state.isLate = true }
      return state.isFinal
    }
    if isFinal { limitAnswers() }
    return isFinal
  }

  /// Sets what is said where the process must end before its work does, because a server does not answer.
  ///
  /// - Parameter body: Is told what a shell will see and why, on another thread than the work's.
  public func setLastWords(_ body: @escaping @Sendable (_ status: Int32, _ message: String) -> Void)
  {
    state.withLock { state in
      if case .said = state.lastWords { return }
      state.lastWords = .ready(body)
    }
  }

  /// Takes that back, because the work itself says what came of it.
  ///
  /// - Returns: Whether it was not said already.
  public func takeBackLastWords() -> Bool {
    state.withLock { state in
      if case .said = state.lastWords { return false }
      state.lastWords = .none
      return true
    }
  }

  /// What is said where the work does not end by itself; whoever does not read stdout keeps it from that.
  private static func unended(_ reason: String) -> String {
    let cause = StandardOutput.shared.isStalled ? ": it waits for stdout" : ""
    return "\(reason), and the work does not come to its end\(cause)"
  }

  private func sayLastWords(_ status: Int32, _ message: String) {
    let words = state.withLock { state in
      defer { if case .ready = state.lastWords { state.lastWords = .said } }
      return state.lastWords
    }
    if case .ready(let body) = words { body(status, message) }
  }

  /// Whether the time of ``limit(to:program:sparesLastStep:)`` was over in the last step, which went on.
  public var isLate: Bool { state.withLock { $0.isLate } }

  /// Whether no answer is awaited for longer than the grace any more.
  public var isHurried: Bool { state.withLock { $0.hurriedSince != nil } }

  /// Whether the time of ``limit(to:program:sparesLastStep:)`` is over.
  public var isExpired: Bool { state.withLock { $0.isExpired } }

  /// The signal that came, if one did.
  public var signal: CInt? { state.withLock { $0.signal } }

  /// Whether a signal came, or the time is over.
  public var isInterrupted: Bool { state.withLock { $0.signal != nil || $0.isExpired } }

  /// Ends what a signal or the time has interrupted: it must not end as if all of it were done.
  ///
  /// Call it between the steps of the work.
  ///
  /// - Throws: ``Failure`` with status 4 if the time is over, without a message; with 1 if a signal came, by
  ///   which the process then dies.
  public func check() throws(Failure) {
    let (signal, isExpired) = state.withLock { ($0.signal, $0.isExpired) }
    if signal != nil { throw Failure(.localFailure) }
    if isExpired { throw Failure(.deadline) }
  }

  /// Takes it for SIGPIPE when the reader of `output`, a pipe or socket, goes away, so that a statement
  /// whose rows nobody wants does not run to its end.
  ///
  /// Call it before the work begins.
  public func watchReader(of output: StandardOutput) {
    guard output.hasReader else { return }
    Signals.afterAMoment {
      output.waitForHangUp()
      self.take(SIGPIPE)
    }
  }

  private func take(_ signal: CInt) {
    DiagnosticLog.shared.willEnd(by: signal)
    let (isWorking, isFinal) = state.withLock { state in
      state.signal = signal
      state.isAsking = state.isBusy && state.hasConnected && !state.isFinal
      return (state.isAsking, state.isFinal && state.isBusy)
    }
    if isFinal {
      limitAnswers()
      return state.withLock({ $0.told }).body()
    }
    guard isWorking else { Signals.endProcess(by: signal) }
    cancelRepeatedly(until: .after(graceTime))
    sayLastWords(128 &+ signal, Self.unended("interrupted"))
    Signals.endProcess(by: signal)
  }

  /// Again and again, because a request that comes just before a statement begins cancels nothing.
  private func cancelRepeatedly(until end: Deadline) {
    while !end.hasPassed {
      for handle in state.withLock({ $0.handles }) { try? handle.cancel(within: graceTime) }
      state.withLock { $0.isAsking = false }
      sleep(1)
    }
  }

  /// How long somebody who is impatient waits for the servers to be asked.
  private static let impatience = Duration.seconds(1)

  private func waitUntilAsked() {
    let end = Deadline.after(Self.impatience)
    while state.withLock({ $0.isAsking }), !end.hasPassed { usleep(5_000) }
  }
}
