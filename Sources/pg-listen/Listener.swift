internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// One run of pg-listen: starts the sources, and waits until it is time to end.
///
/// The sources print by themselves. Here is waited for what concerns all of them: time, the reader of
/// stdout, and the end. What has arrived is printed in any case; for the rest it depends on what ends it:
///
/// | what ends it          | commands that run    | events that wait for one | rows                 | the reader |
/// |-----------------------|----------------------|--------------------------|----------------------|------------|
/// | all is done           | are waited for       | get theirs               | are acknowledged     | has time   |
/// | a failure, `--timeout`| have 4 s, then TERM  | get none                 | if they are seen to  | has time   |
/// | a signal              | get it, and 4 s      | get none                 | if they are seen to  | has 4 s    |
/// | it, with `--graceful` | have 4 s, then get it| get theirs in that time  | if they are seen to  | has 4 s    |
struct Listener {
  /// How long sources may take to print what had arrived when time was over.
  private static let decision = Duration.seconds(1)
  /// How long commands have to end, rows to be acknowledged and stdout to be read when the program is
  /// ended: whoever ends it kills it after five seconds.
  private static let grace = Duration.seconds(4)
  /// How long commands have to end that are ended because their time was over.
  private static let lastGrace = Duration.milliseconds(700)

  private let command: ListenCommand
  private let deadline: Deadline
  private let stream: EventStream
  private let sources: [SourceThread]
  private let announcement: Announcement

  /// Makes a run whose time begins now.
  ///
  /// - Throws: ``Failure`` with status 64 if an IRI is malformed, 1 if a command is not there.
  init(_ command: ListenCommand) throws {
    self.command = command
    deadline = command.timeout.map { Deadline.after($0.duration) } ?? .never
    let (iris, channels) = command.places
    for iri in iris { _ = try Connecting(program: ListenCommand.program).options(iri: iri) }
    let wishes = EventStream.Wishes(
      count: command.count, conditions: command.until, format: command.format,
      control: command.events ?? (command.format == .json ? .inline : .stderr),
      namesSources: iris.count > 1, parses: command.parse)
    let output = PendingOutput(
      limit: command.buffer.bytes, overflow: command.overflow, control: wishes.control,
      separator: command.format.separator)
    let children =
      command.exec
      ? ChildQueue(
        try Self.found(command.command), policy: command.failurePolicy,
        limit: command.durable.table == nil ? command.buffer.bytes : .max,
        lineLimit: command.buffer.bytes, overflow: command.overflow) : nil
    let stream = EventStream(wishes, output, children, gathering: command.gathering)
    let announcement = Announcement(
      sources: iris.count, channels: channels, subject: command.durable.summary,
      isQuiet: command.quiet, descriptor: command.readyFD)
    self.stream = stream
    self.announcement = announcement
    sources = iris.enumerated().map { number, iri in
      SourceThread(
        number, command.plan(iri, channels), isAlone: iris.count == 1, stream, announcement)
    }
  }

  /// A command with its path.
  private static func found(_ words: [String]) throws(Failure) -> [String] {
    do throws(Failure) {
      let path = try CommandPath.find(words[0], for: ListenCommand.program)
      return [path] + words.dropFirst()
    } catch { throw Failure(.localFailure, error.diagnostic) }
  }

  /// Runs until the end.
  ///
  /// - Throws: ``Failure``: 2 when a connection is given up, 3 when a server refuses to listen, 4 when
  ///   the time is over, 6 when `--until` waited in vain; or ``StandardOutput/Failure``.
  func run() throws {
    StandardOutput.shared.setBuffering(.lineBuffered)
    StatusSignal.shared.answer { [stream, sources] in
      let places = sources.map(\.summary).joined(separator: "; ")
      return places + (stream.isWaiting ? "; the reader of stdout is slow" : "")
    }
    stream.children?.start(command.maxParallel ?? 1, stream)
    for source in sources { source.start() }
    while signal == nil {
      if let outcome = stream.outcome { return try finish(outcome) }
      if let late = lateness { try decide(late) } else { try wait(until: nextJudgement) }
    }
    try finishAfterSignal()
  }

  /// The signal that has come, if one has.
  private var signal: CInt? { Interruptions.shared.signal }

  /// Has it look whether there is a signal.
  func wake() { stream.waker.wake() }

  // MARK: The end

  private func finish(_ outcome: EventStream.Outcome) throws {
    ServiceNotifier.send("STOPPING=1")
    if case .failed = outcome {
      let patience = Deadline.after(Self.grace)
      endCommands(by: 0)
      try waitUntilSettled(until: patience)
      if patience.hasPassed { try endLateCommands(by: SIGTERM) }
    } else {
      try waitUntilSettled(until: .never)
      if signal != nil { tellOfCommandsLeft() }
    }
    try awaitReader(until: .never)
    if let failure = stream.children?.failure { throw failure }
    if case .failed(let error) = outcome { throw error }
    if !stream.isSettled, signal == nil { throw Self.notAcknowledged }
  }

  private func finishAfterSignal() throws {
    ServiceNotifier.send("STOPPING=1")
    let patience = Deadline.after(Self.grace)
    if command.graceful { try collect(until: patience.earlier(.after(Self.decision))) }
    stream.printHeld(at: nil)
    stream.finish(.done)
    if !command.graceful { endCommands(by: signal ?? SIGTERM) }
    try waitUntilSettled(until: patience)
    if command.graceful { try endLateCommands(by: signal ?? SIGTERM) } else { tellOfCommandsLeft() }
    try awaitReader(until: patience)
  }

  /// Begins no more commands, and passes a signal on to those that run.
  private func endCommands(by signal: CInt) {
    stream.children?.end(by: signal)
    // What is not acknowledged by then will not be.
    for source in sources { source.wake() }
  }

  /// Ends those that run and have had their time.
  private func endLateCommands(by signal: CInt) throws {
    endCommands(by: signal)
    try waitUntilSettled(until: .after(Self.lastGrace))
    tellOfCommandsLeft()
  }

  private func tellOfCommandsLeft() {
    guard let left = stream.children?.processes, !left.isEmpty else { return }
    let numbers = left.map { "\($0)" }.joined(separator: ", ")
    Diagnostic(
      program: ListenCommand.program, severity: .warning,
      message: "commands do not end and are left running: process \(numbers)"
    ).print()
  }

  /// Waits until every event has been seen to.
  ///
  /// The reader of stdout and the commands take their time, unless a signal comes; after that,
  /// acknowledging what they took has its own, as a connection may be lost.
  private func waitUntilSettled(until patience: Deadline) throws {
    var (patience, end): (Deadline, Deadline?) = (patience, nil)
    var hasHeard = signal != nil
    while !stream.isSettled, !patience.hasPassed, end?.hasPassed != true {
      if !hasHeard, let signal {
        hasHeard = true
        patience = patience.earlier(.after(Self.grace))
        if !command.graceful { endCommands(by: signal) }
      }
      end = stream.isSlow ? nil : end ?? .after(Self.grace)
      try wait(until: patience.earlier(end ?? .never))
    }
  }

  /// Waits until the reader of stdout has taken all that was printed; after a signal not for long.
  private func awaitReader(until patience: Deadline) throws {
    var patience = patience
    var hasHeard = false
    while stream.isWaiting, !stream.cannotWrite {
      if !hasHeard, signal != nil {
        hasHeard = true
        patience = patience.earlier(.after(Self.grace))
      }
      if patience.hasPassed {
        throw ListenCommand.failure("the reader of stdout has not taken all that was printed")
      }
      try wait(until: patience)
    }
    try stream.flush()
  }

  private static let notAcknowledged = Failure(
    .connection,
    Diagnostic(
      program: ListenCommand.program, message: "the last rows were printed and not acknowledged",
      details: [("HINT", "they will come again")]))

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
    try collect(until: late == .drained ? .never : .after(Self.decision))
    if late == .drained, signal != nil { return }
    if late != .idle || lateness != nil { stream.printHeld(at: nil) }
    switch late {
    case .drained: stream.finish(.done)
    case .timeout: stream.finish(.failed(timedOut("--timeout")))
    case .idle where lateness == nil: break
    case .idle: stream.finish(.failed(timedOut("--idle-timeout")))
    }
  }

  /// Has the sources take what has arrived.
  private func collect(until patience: Deadline) throws {
    let earlier = signal
    let asked = sources.filter(\.isListening)
    stream.lastCall.ask(Set(asked.map(\.number)))
    for source in asked { source.wake() }
    while !stream.lastCall.haveAllAnswered, !patience.hasPassed, stream.outcome == nil,
      signal == earlier
    {
      try wait(until: patience)
    }
    stream.lastCall.ask([])
  }

  /// Waits for news of the sources, for room in stdout, or for its reader to go.
  private func wait(until deadline: Deadline) throws {
    var polled = [
      pollfd(fd: stream.waker.descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(
        fd: STDOUT_FILENO, events: stream.isWaiting ? Int16(POLLOUT) : 0, revents: 0),
    ]
    let next = stream.nextHeld.map { Deadline(instant: $0) } ?? .never
    _ = poll(&polled, nfds_t(polled.count), deadline.earlier(next).pollTimeout)
    stream.waker.clear()
    if stream.drain() { wakeReaders() }
    stream.printHeld(at: .now)
    if StandardOutput.shared.isHungUp {
      // A closed stdout is a failure of its own, which the next write tells of.
      if polled[1].revents & Int16(POLLNVAL) == 0 { Signals.endProcess(by: SIGPIPE) }
    }
  }

  /// What was printed has been written, and can be acknowledged.
  private func wakeReaders() {
    if command.durable.table != nil { for source in sources { source.wake() } }
  }

  private func timedOut(_ option: String) -> Failure {
    let count = stream.count
    let events =
      command.count.map { "\(count) of \(ListenCommand.counted($0, "event"))" }
      ?? ListenCommand.counted(count, "event")
    return Failure(
      .deadline,
      Diagnostic(
        program: ListenCommand.program,
        message: "the time given by \(option) is over after \(events)"))
  }
}
