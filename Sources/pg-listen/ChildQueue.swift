internal import ArgumentParser
internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// What becomes of events when their command fails.
enum FailurePolicy: Hashable, Sendable, ExpressibleByArgument {
  /// It is said on stderr, and the next event has its turn.
  case goOn
  /// The program ends with 1.
  case stop
  /// It is run again as often, and then the next has its turn.
  case retry(Int)

  /// Reads `continue`, `stop` or `retry:N`.
  init?(argument: String) {
    switch argument {
    case "continue": self = .goOn
    case "stop": self = .stop
    default:
      let prefix = "retry:"
      guard argument.hasPrefix(prefix), let count = Int(argument.dropFirst(prefix.count)), count > 0
      else { return nil }
      self = .retry(count)
    }
  }

  var defaultValueDescription: String {
    switch self {
    case .goOn: "continue"
    case .stop: "stop"
    case .retry(let count): "retry:\(count)"
    }
  }
}

/// Runs a command for each event, at most so many at once, in the order of their arrival, and collects
/// every one of them.
///
/// The payload is the command's stdin, and all of the event is in its environment: never in its
/// arguments, which everybody can read. Its output passes in whole lines.
final class ChildQueue: @unchecked Sendable {
  /// An event and what it is called.
  struct Job {
    let event: ListenedEvent
    let number: Int
    let source: String
    /// Who wants to know that the command has ended well.
    let acknowledgements: Acknowledgements?

    init(_ numbered: NumberedEvent, _ acknowledgements: Acknowledgements?) {
      event = numbered.event
      number = numbered.number
      source = numbered.source
      self.acknowledgements = acknowledgements
    }

    var cost: Int { event.payload.count + event.channel.utf8.count + 200 }
  }

  private let arguments: [String]
  private let policy: FailurePolicy
  private let limit: Int
  /// How long a line of a command's output may be, in bytes.
  private let lineLimit: Int
  private let overflow: PendingOutput.Overflow
  // Guarded by `lock`, which is why this class may be shared.
  private var lock = pthread_mutex_t()
  private var change = pthread_cond_t()
  private var jobs: [Job] = []
  private var head = 0
  private var size = 0
  private var running: [Int32: ChildProcess] = [:]
  private var active = 0
  private var isEnding = false
  /// The signal that those who run have been sent.
  private var signal: Int32?
  private var fault: Failure?
  private var stream: EventStream?

  init(
    _ arguments: [String], policy: FailurePolicy, limit: Int, lineLimit: Int,
    overflow: PendingOutput.Overflow
  ) {
    self.arguments = arguments
    self.policy = policy
    self.limit = limit
    self.lineLimit = lineLimit
    self.overflow = overflow
    pthread_mutex_init(&lock, nil)
    pthread_cond_init(&change, nil)
  }

  /// Begins, before there are any events.
  ///
  /// - Parameter parallel: How many commands may run at once.
  func start(_ parallel: Int, _ stream: EventStream) {
    self.stream = stream
    for _ in 0..<parallel { DetachedThread.start { [self] in work() } }
  }

  /// Takes an event, and waits for nothing.
  ///
  /// - Returns: The older ones that were dropped for it.
  /// - Throws: ``Failure`` with status 1 if there is no room and that is to be a failure.
  func add(_ job: Job) throws(Failure) -> DroppedEvents {
    pthread_mutex_lock(&lock)
    defer { pthread_mutex_unlock(&lock) }
    jobs.append(job)
    size += job.cost
    var dropped = DroppedEvents()
    if size > limit, overflow != .block {
      if overflow == .fail {
        throw ListenCommand.failure("the command is too slow: more than \(limit) bytes wait")
      }
      while size > limit / 2, head < jobs.count - 1 {
        let oldest = jobs[head]
        dropped.add(oldest.event.count, of: oldest.source, places: 1)
        size -= oldest.cost
        head += 1
      }
      compact()
    }
    pthread_cond_broadcast(&change)
    return dropped
  }

  /// Whether no more events are to be received until some have been seen to.
  var isToBeWaitedFor: Bool {
    pthread_mutex_lock(&lock)
    defer { pthread_mutex_unlock(&lock) }
    return overflow == .block && size > limit && !isEnding
  }

  /// Why no more are begun, if a command's failure was to end everything.
  var failure: Failure? {
    pthread_mutex_lock(&lock)
    defer { pthread_mutex_unlock(&lock) }
    return fault
  }

  private func fail(_ failure: Failure) {
    pthread_mutex_lock(&lock)
    fault = fault ?? failure
    isEnding = true
    pthread_cond_broadcast(&change)
    pthread_mutex_unlock(&lock)
    stream?.finish(.failed(failure))
  }

  /// Whether nothing waits and nothing runs.
  var isIdle: Bool {
    pthread_mutex_lock(&lock)
    defer { pthread_mutex_unlock(&lock) }
    return (isEnding || head >= jobs.count) && active == 0
  }

  /// Whether no more are begun, and none runs: what is not acknowledged by now will not be.
  var isOver: Bool {
    pthread_mutex_lock(&lock)
    defer { pthread_mutex_unlock(&lock) }
    return isEnding && active == 0
  }

  /// Begins no more, and passes a signal on to those that run.
  func end(by signal: Int32) {
    pthread_mutex_lock(&lock)
    isEnding = true
    if signal != 0 { self.signal = signal }
    let children = Array(running.values)
    pthread_cond_broadcast(&change)
    pthread_mutex_unlock(&lock)
    for child in children { try? child.send(signal) }
  }

  /// The processes that run.
  var processes: [Int32] {
    pthread_mutex_lock(&lock)
    defer { pthread_mutex_unlock(&lock) }
    return running.keys.sorted()
  }

  /// Waits until those that run have ended and their output is printed; whether that came in time.
  func waitForRunning(until deadline: Deadline) -> Bool {
    while !isIdle {
      if deadline.hasPassed { return false }
      _ = poll(nil, 0, 5)
    }
    return true
  }

  // MARK: The workers

  private func work() {
    while let job = take() {
      run(job)
      pthread_mutex_lock(&lock)
      active -= 1
      pthread_cond_broadcast(&change)
      pthread_mutex_unlock(&lock)
      job.acknowledgements?.wake()
      stream?.waker.wake()
    }
  }

  private func take() -> Job? {
    pthread_mutex_lock(&lock)
    defer { pthread_mutex_unlock(&lock) }
    while head >= jobs.count, !isEnding { pthread_cond_wait(&change, &lock) }
    if isEnding { return nil }
    let job = jobs[head]
    head += 1
    size -= job.cost
    if head == jobs.count || head > jobs.count / 2 { compact() }
    active += 1
    pthread_cond_broadcast(&change)
    return job
  }

  /// Gives back the memory of jobs that are gone.
  private func compact() {
    jobs.removeFirst(head)
    head = 0
  }

  /// Whether a signal has been passed on.
  private var isSignalled: Bool {
    pthread_mutex_lock(&lock)
    defer { pthread_mutex_unlock(&lock) }
    return signal != nil
  }

  private func run(_ job: Job) {
    // One that was about to begin when the end came.
    if isSignalled { return }
    var attempts = 0
    while true {
      attempts += 1
      let fault: String
      do {
        let outcome = try runOnce(job)
        if outcome.ending.isSuccess, outcome.isPrinted {
          job.acknowledgements?.add(job.number)
          return
        }
        let what = outcome.isPrinted ? "\(outcome.ending)" : CommandOutput.tooLong(lineLimit)
        fault = "the command for event \(job.number) \(what)"
      } catch {
        return fail(error.failure(of: ListenCommand.program, status: .localFailure))
      }
      pthread_mutex_lock(&lock)
      let isOver = isEnding
      pthread_mutex_unlock(&lock)
      if isOver { return }
      switch policy {
      case .retry(let count) where attempts <= count: continue
      // A row that nobody has seen to must not be left behind.
      case .retry where job.acknowledgements != nil: return fail(ListenCommand.failure(fault))
      case .stop: return fail(ListenCommand.failure(fault))
      case .retry, .goOn:
        Diagnostic(program: ListenCommand.program, severity: .warning, message: fault).print()
        job.acknowledgements?.add(job.number)
        return
      }
    }
  }

  /// Runs the command once, and says how it ended and whether all of its output could be printed.
  private func runOnce(
    _ job: Job
  ) throws(PGError) -> (ending: ProcessEnding, isPrinted: Bool) {
    let input = try Self.file(of: job.event.payload)
    guard let output = WakePipe.openPipe() else {
      close(input)
      throw .operation("could not open a pipe for the command")
    }
    let child: ChildProcess
    do {
      defer {
        close(input)
        close(output.writing)
      }
      do throws(PGError) { child = try start(job, input, output.writing) } catch {
        close(output.reading)
        throw error
      }
    }
    let isPrinted = CommandOutput.pass(output.reading, of: child, limit: lineLimit) { lines in
      stream?.printOutput(lines) { isSignalled }
    }
    // A command that goes on writing is ended by that.
    close(output.reading)
    let ending = child.wait() ?? .unknown
    pthread_mutex_lock(&lock)
    running[child.pid] = nil
    pthread_mutex_unlock(&lock)
    return (ending, isPrinted)
  }

  /// Puts a payload into a file without a name: a pipe would have to be written to while the command
  /// runs.
  private static func file(of bytes: [UInt8]) throws(PGError) -> CInt {
    let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var path = Array("\(directory)/pg-listen-XXXXXX".utf8CString)
    let descriptor = mkstemp(&path)
    guard descriptor >= 0 else {
      throw .operation("could not make a file for the payload in \(directory): \(errorText())")
    }
    unlink(path)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let reason = errorText()
        close(descriptor)
        throw .operation("could not write the payload for the command: \(reason)")
      }
      rest = rest.dropFirst(count)
    }
    lseek(descriptor, 0, SEEK_SET)
    return descriptor
  }

  private static func errorText() -> String { String(cString: strerror(errno)) }

  private func start(
    _ job: Job, _ input: CInt, _ output: CInt
  ) throws(PGError) -> ChildProcess {
    var environment = ProcessEnvironment.variables
    environment["PGKIT_EVENT"] = "notify"
    environment["PGKIT_CHANNEL"] = job.event.channel
    switch job.event.origin {
    case .process(let process): environment["PGKIT_PID"] = "\(process)"
    case .row(let id, let time):
      environment["PGKIT_ID"] = "\(id)"
      environment["PGKIT_STORED_AT"] = time
    }
    environment["PGKIT_COUNT"] = "\(job.event.count)"
    environment["PGKIT_SEQ"] = "\(job.number)"
    environment["PGKIT_SOURCE"] = job.source
    var launch = ProcessLaunch(arguments[0], Array(arguments.dropFirst()), environment: environment)
    launch.input = .descriptor(input)
    launch.output = .descriptor(output)
    launch.error = .descriptor(STDERR_FILENO)
    launch.group = .inherited
    let child = try launch.start()
    pthread_mutex_lock(&lock)
    running[child.pid] = child
    let signal = signal
    pthread_mutex_unlock(&lock)
    // It was not yet among those that a signal was passed on to.
    if let signal { try? child.send(signal) }
    return child
  }
}
