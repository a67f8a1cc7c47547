internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// One run of pg-listen: starts the sources, and waits until it is time to end.
///
/// The sources print by themselves. Here is waited for what concerns all of them: time, the reader of
/// stdout, and the end.
struct Listener {
  /// How long sources may take to print what had arrived when time was over.
  private static let decision = Duration.seconds(1)

  /// How often is looked for a signal where that does not end the process by itself.
  private static let signalPause = Duration.milliseconds(100)

  private let command: ListenCommand
  private let deadline: Deadline
  private let stream: EventStream
  private let sources: [SourceThread]
  private let announcement: Announcement

  /// Makes a run whose time begins now.
  ///
  /// - Throws: ``Failure`` with status 64 if an IRI is malformed.
  init(_ command: ListenCommand) throws {
    self.command = command
    deadline = command.timeout.map { Deadline.after($0.duration) } ?? .never
    let (iris, channels) = command.places
    for iri in iris { _ = try Connecting(program: ListenCommand.program).options(iri: iri) }
    let wishes = EventStream.Wishes(
      count: command.count, conditions: command.until, format: command.format,
      control: command.events ?? (command.format == .json ? .inline : .stderr),
      sender: command.fromPID, namesSources: iris.count > 1)
    let output = PendingOutput(
      limit: command.buffer.bytes, overflow: command.onOverflow,
      separator: command.format == .nul ? 0 : UInt8(ascii: "\n"))
    let children =
      command.exec
      ? ChildQueue(
        command.command, policy: command.onFail, limit: command.buffer.bytes,
        overflow: command.onOverflow) : nil
    let stream = EventStream(wishes, output, children)
    let announcement = Announcement(
      sources: iris.count, channels: channels, isQuiet: command.quiet, descriptor: command.readyFD)
    self.stream = stream
    self.announcement = announcement
    sources = iris.enumerated().map { number, iri in
      SourceThread(number, command.plan(iri, channels), stream, announcement)
    }
  }

  /// Runs until the end.
  ///
  /// - Throws: ``Failure``: 2 when a connection is given up, 3 when a server refuses to listen, 4 when
  ///   the time is over, 6 when `--until` waited in vain; or ``StandardOutput/Failure``.
  func run() throws {
    StandardOutput.shared.setBuffering(.lineBuffered)
    stream.children?.start(command.maxParallel, stream)
    for source in sources { source.start() }
    while !hasSignal {
      if let outcome = stream.outcome { return try finish(outcome) }
      if let late = lateness { try decide(late) } else { try wait() }
    }
  }

  /// How long commands have to end when the program is ended.
  private static let grace = Duration.seconds(4)

  /// Whether a signal has come that the commands are to hear of; without any it ends the process.
  private var hasSignal: Bool {
    guard let children = stream.children, let signal = Interruptions.shared.signal else {
      return false
    }
    children.end(by: signal)
    _ = children.waitForRunning(until: .after(Self.grace))
    return true
  }

  private func finish(_ outcome: EventStream.Outcome) throws {
    if let children = stream.children {
      // What failed begins no more; what succeeded has all its events seen to.
      var patience = Deadline.never
      if case .failed = outcome {
        children.end(by: 0)
        patience = .after(Self.grace)
      }
      while !stream.isSettled, !hasSignal, !patience.hasPassed { try wait(until: patience) }
      if patience.hasPassed { children.end(by: SIGTERM) }
    }
    try stream.flush()
    if let failure = stream.children?.failure { throw failure }
    if case .failed(let error) = outcome { throw error }
  }

  /// Why it is time to end.
  private enum Lateness { case timeout, idle, drained }

  private var lateness: Lateness? {
    if deadline.hasPassed { return .timeout }
    if let idle = command.idleTimeout, stream.lastEvent.advanced(by: idle.duration) <= .now {
      return .idle
    }
    return command.drain && announcement.isMade ? .drained : nil
  }

  private var nextJudgement: Deadline {
    guard let idle = command.idleTimeout else { return deadline }
    return deadline.earlier(Deadline(instant: stream.lastEvent.advanced(by: idle.duration)))
  }

  /// Has what has arrived printed before time is judged.
  private func decide(_ late: Lateness) throws {
    let asked = sources.filter(\.isListening)
    stream.ask(Set(asked.map(\.number)))
    for source in asked { source.wake() }
    let patience = Deadline.after(Self.decision)
    while !stream.haveAllAnswered, !patience.hasPassed, stream.outcome == nil {
      try wait(until: patience)
    }
    stream.ask([])
    switch late {
    case .drained: stream.finish(.done)
    case .timeout: stream.finish(.failed(timedOut("--timeout")))
    case .idle where lateness == nil: break
    case .idle: stream.finish(.failed(timedOut("--idle-timeout")))
    }
  }

  private func wait() throws {
    try wait(until: announcement.isMade || !command.drain ? nextJudgement : .never)
  }

  /// Waits for news of the sources, for room in stdout, or for its reader to go.
  private func wait(until deadline: Deadline) throws {
    var polled = [
      pollfd(fd: stream.waker.descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(
        fd: STDOUT_FILENO, events: stream.isWaiting ? Int16(POLLOUT) : 0, revents: 0),
    ]
    let limit = stream.children == nil ? deadline : deadline.earlier(.after(Self.signalPause))
    _ = poll(&polled, nfds_t(polled.count), limit.pollTimeout)
    stream.waker.clear()
    if stream.isWaiting { stream.drain() }
    if StandardOutput.shared.isHungUp {
      // A closed stdout is a failure of its own, which the next write tells of.
      if polled[1].revents & Int16(POLLNVAL) == 0 { Signals.endProcess(by: SIGPIPE) }
    }
  }

  private func timedOut(_ option: String) -> Failure {
    let wanted = command.count.map { " of \($0)" } ?? ""
    let count = stream.count
    let events = count == 1 && wanted.isEmpty ? "event" : "events"
    return Failure(
      .deadline,
      Diagnostic(
        program: ListenCommand.program,
        message: "the time given by \(option) is over after \(count)\(wanted) \(events)"))
  }
}
