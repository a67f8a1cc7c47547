import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a session is cancelled and ended by, from any thread.
///
/// In an object, because every operation takes it along.
final class SessionReins: Sendable {
  let interruption: Interruption
  /// Another descriptor of the session's socket; -1 where there is none.
  private let socket: Int32

  init(_ interruption: Interruption, socket: Int32) {
    self.interruption = interruption
    self.socket = socket
  }

  deinit { if socket >= 0 { Syscalls.closeDescriptor(socket) } }

  /// Ends the session: whoever waits for it hears that it is lost.
  func end() { _ = shutdown(socket, Int32(SHUT_RDWR)) }
}

/// What becomes of one operation when its task is cancelled: the server is asked to cancel it; if it is
/// not over some time after that, the session ends.
///
/// The request travels on a thread of its own, because whoever cancels a task must not wait.
final class TaskCancellation: Sendable {
  private struct State {
    /// The end of a pipe that is closed when the request is through.
    var waiting: Int32?
    var isOver = false
  }

  /// How long an operation may go on after its cancellation before the session is ended.
  static let grace = Duration.seconds(10)
  private static let pause = Duration.milliseconds(20)

  private let state = Mutex(State())
  private let session: SessionReins

  init(of session: SessionReins) { self.session = session }

  /// Begins to cancel the operation, once.
  func begin() {
    guard case .success(let pipe) = Syscalls.openPipe() else { return }
    let isFirst = state.withLock { state in
      guard !state.isOver, state.waiting == nil else { return false }
      state.waiting = pipe.reading
      return true
    }
    let reason =
      isFirst
      ? Syscalls.startThread { [self] in
        cancel()
        Syscalls.closeDescriptor(pipe.writing)
        endSessionIfLate()
      } : nil
    guard !isFirst || reason != nil else { return }
    Syscalls.closeDescriptor(pipe.writing)
    if !isFirst { Syscalls.closeDescriptor(pipe.reading) }
  }

  private func cancel() {
    // Where it cannot be delivered the statement goes on, and the session ends when that is late.
    do throws(PGError) { try session.interruption.cancel(within: Self.grace) } catch {}
  }

  private func endSessionIfLate() {
    let deadline = Deadline.after(Self.grace)
    while !deadline.hasPassed {
      if state.withLock({ $0.isOver }) { return }
      Syscalls.pause(Self.pause)
    }
    // Under the lock: once it is over, the connection goes on.
    state.withLock { state in
      if !state.isOver { session.end() }
    }
  }

  /// The operation is over; waits until a request that was begun is through, so that it does not meet
  /// the next operation.
  ///
  /// - Returns: Whether there was a request.
  func end() -> Bool {
    let waiting = state.withLock { state in
      state.isOver = true
      return state.waiting
    }
    guard let waiting else { return false }
    let deadline = Deadline.after(Self.grace)
    _ = try? Syscalls.wait(forAny: [DescriptorWatch(waiting, .readable)], until: deadline)
    Syscalls.closeDescriptor(waiting)
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

  /// The task was cancelled between two parts of what it takes.
  static var taskIsCancelledAmid: PGError {
    PGError(
      code: .queryCanceled, message: "the task was cancelled before it had taken everything",
      fault: .caller)
  }
}
