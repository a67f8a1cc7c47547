import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The thread on which one connection lives: the executor of its actor, and of tasks that prefer it.
///
/// A call into the actor from a task that prefers this executor changes no thread, and costs what a call
/// into the synchronous connection does; from elsewhere it costs two changes.
final class ConnectionThread: SerialExecutor, TaskExecutor {
  let queue: WorkQueue

  /// - Throws: ``PGError`` 53000 if the system has no thread or descriptor left.
  init() throws(PGError) {
    let queue = try WorkQueue()
    self.queue = queue
    // The thread does not keep what ends it.
    let (serial, task) = (asUnownedSerialExecutor(), asUnownedTaskExecutor())
    if let reason = Syscalls.startThread({ queue.run(as: serial, task) }) {
      throw PGError(
        code: .insufficientResources, message: "could not start a thread: \(reason.text)",
        fault: .caller, cause: reason)
    }
  }

  deinit { queue.close() }

  func enqueue(_ job: consuming ExecutorJob) {
    queue.append(.job(UnownedJob(job)))
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }
}

/// What a connection's thread has to do, first come, first served.
final class WorkQueue: Sendable {
  /// One thing to do.
  enum Work: Sendable {
    case job(UnownedJob)
    /// Lets go of something that only this thread may touch.
    case release(Release)
  }

  /// Something to be let go of.
  struct Release: @unchecked Sendable { let object: AnyObject }

  private struct State {
    /// What is to be done; `nil` is done.
    var works: [Work?] = []
    /// How many of them are done.
    var done = 0
    /// Whether the thread waits, or is about to, for a byte in the pipe.
    var isWaiting = false
    var isClosed = false
  }

  private let state = Mutex(State())
  /// The number of the job under way; changed by the thread alone.
  private let number = Atomic(0)
  private let pipe: (reading: Int32, writing: Int32)

  init() throws(PGError) {
    switch Syscalls.openPipe() {
    case .success(let ends): pipe = ends
    case .failure(let reason):
      throw PGError(
        code: .insufficientResources, message: "could not open a pipe: \(reason.text)",
        fault: .caller, cause: reason)
    }
  }

  deinit {
    Syscalls.closeDescriptor(pipe.reading)
    Syscalls.closeDescriptor(pipe.writing)
  }

  func append(_ work: Work) {
    let wakes = state.withLock { state in
      state.works.append(work)
      defer { state.isWaiting = false }
      return state.isWaiting
    }
    if wakes { wake() }
  }

  /// Ends the thread when all that there is to do is done.
  func close() {
    let wakes = state.withLock { state in
      state.isClosed = true
      defer { state.isWaiting = false }
      return state.isWaiting
    }
    if wakes { wake() }
  }

  /// Does what there is to do, until closed.
  func run(as serial: UnownedSerialExecutor, _ task: UnownedTaskExecutor) {
    while let work = next() {
      switch work {
      case .job(let job):
        number.store(jobUnderWay &+ 1, ordering: .relaxed)
        job.runSynchronously(isolatedTo: serial, taskExecutor: task)
      case .release: break
      }
    }
  }

  /// Tells the job that runs from all others, on the thread.
  var jobUnderWay: Int { number.load(ordering: .relaxed) }

  /// Whether the job that runs is still this one, and there is something else to do.
  func isAwaited(after job: Int) -> Bool {
    job == jobUnderWay && state.withLock { $0.done < $0.works.count }
  }

  private func next() -> Work? {
    while true {
      let (work, isClosed) = state.withLock { state -> (Work?, Bool) in
        if state.done < state.works.count {
          // Taken out: what is let go of must end on this thread, and not under the lock.
          let work = state.works[state.done].take()
          state.done += 1
          return (work, false)
        }
        (state.works, state.done) = ([], 0)
        state.isWaiting = !state.isClosed
        return (nil, state.isClosed)
      }
      if let work { return work }
      if isClosed { return nil }
      waitForByte()
    }
  }

  // MARK: Waiting elsewhere

  /// Waits for what `body` waits for, on this thread, which the watch that it is handed ends as soon as
  /// there is something else to do here.
  ///
  /// Does nothing where there is something to do already.
  func wait(_ body: (DescriptorWatch) throws(PGError) -> Void) throws(PGError) {
    let mayWait = state.withLock { state in
      state.isWaiting = state.done == state.works.count && !state.isClosed
      return state.isWaiting
    }
    guard mayWait else { return }
    var failure: PGError?
    do throws(PGError) { try body(DescriptorWatch(pipe.reading, .readable)) } catch {
      failure = error
    }
    // Whoever has taken the mark down has written, or is about to.
    let isUntouched = state.withLock { state in
      defer { state.isWaiting = false }
      return state.isWaiting
    }
    if !isUntouched { waitForByte() }
    if let failure { throw failure }
  }

  private func wake() {
    var byte: UInt8 = 0
    while write(pipe.writing, &byte, 1) < 0, errno == EINTR {}
  }

  private func waitForByte() {
    var byte: UInt8 = 0
    _ = read(pipe.reading, &byte, 1)
  }
}
