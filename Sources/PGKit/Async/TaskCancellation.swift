import Synchronization

/// What a session is cancelled and ended by, from any thread, and which of its operations is under way.
///
/// When an operation is cancelled, the connection begins nothing more for it, and the server is asked to
/// cancel what runs: again and again until the operation is over, because a request may come before its
/// statement or after it. If it is not over after ``grace``, the session ends.
///
/// The requests travel on a thread of their own, because whoever cancels a task must not wait.
final class SessionReins: Sendable {
  private struct State {
    var interruption = Interruption(nil)
    /// The number of the operation under way, or of the last one.
    var operation: UInt64 = 0
    /// What it is a part of, whose cancellation is its own; 0 is nothing.
    var whole: UInt64 = 0
    var isUnderWay = false
    var isCancelled = false
    /// Whether a request is on its way.
    var isRequesting = false
  }

  /// How long an operation may go on after its cancellation before the session is ended.
  static let grace = Duration.seconds(10)
  /// How long the first request is waited on before the second; each time twice as long.
  private static let firstPause = Duration.milliseconds(50)
  private static let longestPause = Duration.seconds(1)
  /// How exactly an end is noticed.
  private static let step = Duration.milliseconds(1)

  /// What ends the session.
  let socket = SocketReins()
  private let halt: Halt
  private let state = Mutex(State())
  private let last = Atomic<UInt64>(0)

  init(halting halt: Halt) { self.halt = halt }

  /// What cancels what runs.
  var interruption: Interruption {
    get { state.withLock { $0.interruption } }
    set { state.withLock { $0.interruption = newValue } }
  }

  /// A number for an operation that is to begin.
  func draw() -> UInt64 { last.wrappingAdd(1, ordering: .relaxed).newValue }

  /// An operation begins; there is one at a time.
  ///
  /// - Parameter whole: The number of what it is a part of, for ``cancel(partOf:)``; 0 is nothing.
  func begin(_ number: UInt64, partOf whole: UInt64 = 0) {
    state.withLock { state in
      state.operation = number
      state.whole = whole
      state.isUnderWay = true
    }
  }

  /// Cancels the operation under way, if it is a part of this.
  func cancel(partOf whole: UInt64) {
    let number = state.withLock { state in
      state.isUnderWay && state.whole == whole ? state.operation : nil
    }
    if let number { cancel(number) }
  }

  /// Cancels an operation, if it is still under way.
  ///
  /// - Parameters:
  ///   - number: Which one; `nil` is the one under way.
  ///   - patience: How long it may go on before the server is asked.
  func cancel(_ number: UInt64?, after patience: Duration = .zero) {
    let number: UInt64? = state.withLock { state in
      guard state.isUnderWay, number ?? state.operation == state.operation, !state.isCancelled
      else {
        return nil
      }
      state.isCancelled = true
      halt.isSet = true
      return state.operation
    }
    guard let number else { return }
    let reason = Syscalls.startThread { [self] in
      let deadline = Deadline.after(patience + Self.grace)
      pause(patience, unlessOver: number)
      cancel(number, until: deadline)
    }
    // Nobody could be asked, and nobody would end it later.
    if reason != nil { end(number) }
  }

  private func cancel(_ number: UInt64, until deadline: Deadline) {
    var gap = Self.firstPause
    while beginRequest(number) {
      let error = request(until: deadline)
      state.withLock { $0.isRequesting = false }
      if deadline.hasPassed {
        // One that is still on its way could meet another operation.
        return error?.isTimeout == true ? socket.end() : end(number)
      }
      pause(gap, unlessOver: number)
      gap = min(gap * 2, Self.longestPause)
    }
  }

  /// Whether the operation is still under way; if so, it waits for the request before it ends.
  private func beginRequest(_ number: UInt64) -> Bool {
    state.withLock { state in
      state.isRequesting = state.isUnderWay && state.operation == number
      return state.isRequesting
    }
  }

  private func request(until deadline: Deadline) -> PGError? {
    do throws(PGError) {
      try interruption.cancel(until: deadline)
      return nil
    } catch { return error }
  }

  private func pause(_ duration: Duration, unlessOver number: UInt64) {
    let deadline = Deadline.after(duration)
    while !deadline.hasPassed, isUnderWay(number) { Syscalls.pause(Self.step) }
  }

  private func isUnderWay(_ number: UInt64) -> Bool {
    state.withLock { $0.isUnderWay && $0.operation == number }
  }

  /// Ends the session, unless the operation is over.
  private func end(_ number: UInt64) {
    // Under the lock: once it is over, the connection goes on.
    state.withLock { state in
      if state.isUnderWay, state.operation == number { socket.end() }
    }
  }

  /// The operation is over; waits until a request is through, so that it does not meet the next one.
  ///
  /// - Returns: Whether it was cancelled.
  func finish() -> Bool {
    let wasCancelled = state.withLock { state in
      state.isUnderWay = false
      return state.isCancelled
    }
    guard wasCancelled else { return false }
    while state.withLock({ $0.isRequesting }) { Syscalls.pause(Self.step) }
    state.withLock { $0.isCancelled = false }
    halt.isSet = false
    return true
  }
}

extension PGError {
  /// The task was cancelled before anything was sent.
  static var taskIsCancelled: PGError {
    PGError(
      code: .queryCanceled, message: "the task was cancelled before the operation began",
      fault: .caller, isSafeToRetry: true)
  }
}
