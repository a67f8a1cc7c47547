internal import Glibc
internal import PGCommandLine
internal import PGKit
internal import Synchronization

/// What all sources write to: events in the order in which they arrive, each as one line, and whether
/// it is time to end.
///
/// A source's thread writes to stdout itself, so that no event waits for a thread to wake up.
final class EventStream: Sendable {
  private struct State {
    var output: PendingOutput
    var buffer = OutputBuffer()
    var count = 0
    var outcome: Outcome?
    var lastEvent = ContinuousClock.now
    /// What is held back to become fewer events.
    var gathering: EventGathering?
    /// What is to be handed to commands.
    var jobs: [ChildQueue.Job] = []
    /// The sources that are to take what has arrived before time is judged.
    var undecided: Set<Int> = []
    /// How many threads have events in hand that are not yet among those of the commands.
    var handing = 0
  }

  /// How the run ends.
  enum Outcome: Sendable {
    case done
    case failed(any Error)
  }

  /// What is wanted of the events.
  struct Wishes: Sendable {
    /// How many.
    var count: Int?
    /// What the one that ends the run is like.
    var conditions: [UntilCondition]
    var format: EventFormat
    var control: ControlEvents
    /// Whether lines name their source.
    var namesSources: Bool
    /// Whether payloads that are JSON are printed as such, too.
    var parses = false
  }

  /// Wakes who waits for the end.
  let waker = WakePipe()
  let wishes: Wishes
  private let state: Mutex<State>
  /// What runs a command for each event, instead of printing it.
  let children: ChildQueue?

  init(
    _ wishes: Wishes, _ output: PendingOutput, _ children: ChildQueue? = nil,
    gathering: EventGathering? = nil
  ) {
    self.wishes = wishes
    self.children = children
    state = Mutex(State(output: output, gathering: gathering))
  }

  /// How the run ends, if it does.
  var outcome: Outcome? { state.withLock { $0.outcome } }
  /// How many events there were.
  var count: Int { state.withLock { $0.count } }
  /// When the last event came.
  var lastEvent: ContinuousClock.Instant { state.withLock { $0.lastEvent } }
  /// Whether lines wait for the reader of stdout.
  var isWaiting: Bool { state.withLock { $0.output.isWaiting } }

  /// Whether the reader of stdout, or a command, is to be waited for.
  var isSlow: Bool { state.withLock { isSlow($0) } }

  /// Whether every event has been seen to, also by its command.
  var isSettled: Bool {
    state.withLock { $0.handing } == 0 && children?.isIdle != false
  }

  /// Ends the run; the first reason counts.
  func finish(_ outcome: Outcome) {
    state.withLock { state in state.outcome = state.outcome ?? outcome }
    waker.wake()
  }

  /// Prints rows of a source, and counts them there.
  ///
  /// - Parameter acknowledgements: Who wants to know that the commands for them have ended well.
  /// - Returns: How many of them were taken: fewer than all when the end came among them, none when
  ///   they could not be written.
  func print(
    _ events: [ListenedEvent], of source: String, number: inout Int,
    acknowledgements: Acknowledgements
  ) -> Int {
    let former = number
    let isWritten = admit(from: source) { state, line, time in
      for event in events where state.outcome == nil {
        // What was refused has not been seen to.
        let isTaken = take(
          event, number + 1, of: source, at: time, &line, &state, acknowledgements)
        if isTaken { number += 1 }
      }
      return number > former
    }
    return isWritten ? number - former : 0
  }

  /// Prints those of a source's notifications that are wanted, and counts them there.
  func print(
    _ notifications: NotificationBatch, _ wanted: WantedNotifications, of source: String,
    number: inout Int
  ) {
    waitForRoom()
    let areLookedAt = children != nil || !wishes.conditions.isEmpty
    admit(from: source) { state, line, time in
      let former = number
      let areKept = areLookedAt || state.gathering != nil
      notifications.forEachBytes { bytes in
        guard state.outcome == nil, wanted.contains(bytes) else { return }
        number += 1
        if areKept {
          _ = take(ListenedEvent(bytes), number, of: source, at: time, &line, &state, nil)
        } else {
          emit(&state) { (buffer) throws(Failure) in
            try line.append(bytes, number, to: &buffer)
          }
        }
      }
      return number > former
    }
  }

  /// Takes events of one moment, if the run is not over, and writes what has come of them.
  ///
  /// - Parameter body: Prints them, and says whether there were any.
  /// - Returns: Whether they could be written.
  @discardableResult
  private func admit(
    from source: String,
    _ body: (inout State, inout EventLine, ContinuousClock.Instant) -> Bool
  ) -> Bool {
    let jobs: [ChildQueue.Job]
    let isWritten: Bool
    (jobs, isWritten) = state.withLock { state in
      guard state.outcome == nil else { return ([], false) }
      let time = ContinuousClock.now
      let nextHeld = state.gathering?.nextTime
      var line = line(of: source)
      if body(&state, &line, time) { state.lastEvent = time }
      emitHeld(at: state.outcome == nil ? time : nil, &state)
      write(isEvents: true, &state)
      // Who prints what is held back waits for something else.
      if state.gathering?.nextTime != nextHeld { waker.wake() }
      if case .failed(let error) = state.outcome, error is StandardOutput.Failure {
        return (takeJobs(&state), false)
      }
      return (takeJobs(&state), true)
    }
    // Waiting for room among the commands must not keep their output from being printed.
    hand(jobs)
    return isWritten
  }

  private func take(
    _ event: ListenedEvent, _ number: Int, of source: String, at time: ContinuousClock.Instant,
    _ line: inout EventLine, _ state: inout State, _ acknowledgements: Acknowledgements?
  ) -> Bool {
    if isAwaited(event) { state.outcome = .done }
    if state.gathering != nil {
      let numbered = NumberedEvent(event: event, number: number, source: source)
      state.gathering?.add(numbered, at: time)
      emit(state.gathering?.takeExcess() ?? [], &state)
      return true
    }
    return emit(event, number, of: source, &line, &state, acknowledgements)
  }

  /// Prints what was held back and is due by a time; everything without one.
  func printHeld(at time: ContinuousClock.Instant?) {
    let jobs = state.withLock { state in
      emitHeld(at: time, &state)
      write(isEvents: true, &state)
      return takeJobs(&state)
    }
    hand(jobs)
  }

  /// When what is held back is due next; `nil` if nothing is held back, or the reader is to be waited
  /// for.
  var nextHeld: ContinuousClock.Instant? {
    state.withLock { state in isSlow(state) ? nil : state.gathering?.nextTime }
  }

  /// Whether the reader of stdout, or the commands, have not yet taken what they were given.
  private func isSlow(_ state: State) -> Bool {
    state.output.isWaiting || children?.isIdle == false
  }

  private func emitHeld(at time: ContinuousClock.Instant?, _ state: inout State) {
    guard state.gathering?.isEmpty == false, time == nil || !isSlow(state) else { return }
    emit(state.gathering?.take(at: time) ?? [], &state)
  }

  private func emit(_ events: [NumberedEvent], _ state: inout State) {
    for event in events where !hasEnough(state) {
      var line = line(of: event.source)
      emit(event.event, event.number, of: event.source, &line, &state)
    }
  }

  private func line(of source: String) -> EventLine {
    EventLine(
      wishes.format, parses: wishes.parses, time: WallClock.now(), source: label(source))
  }

  @discardableResult
  private func emit(
    _ event: ListenedEvent, _ number: Int, of source: String, _ line: inout EventLine,
    _ state: inout State, _ acknowledgements: Acknowledgements? = nil
  ) -> Bool {
    guard children != nil else {
      return emit(&state) { (buffer) throws(Failure) in
        try line.append(event, number, to: &buffer)
      }
    }
    emit(&state) { _ in }
    let numbered = NumberedEvent(event: event, number: number, source: source)
    state.jobs.append(.init(numbered, acknowledgements))
    return true
  }

  /// Counts an event and prints it; the run may be over then.
  ///
  /// - Returns: Whether it can be printed.
  @discardableResult
  private func emit(
    _ state: inout State, _ append: (inout OutputBuffer) throws(Failure) -> Void
  ) -> Bool {
    do throws(Failure) { try append(&state.buffer) } catch {
      state.outcome = .failed(error)
      return false
    }
    state.count += 1
    if state.outcome == nil, hasEnough(state) {
      state.outcome = wishes.conditions.isEmpty ? .done : .failed(Self.inVain(state.count))
    }
    return true
  }

  private func hasEnough(_ state: State) -> Bool { wishes.count.map { state.count >= $0 } ?? false }

  private func takeJobs(_ state: inout State) -> [ChildQueue.Job] {
    if !state.jobs.isEmpty { state.handing += 1 }
    defer { state.jobs = [] }
    return state.jobs
  }

  private func hand(_ jobs: [ChildQueue.Job]) {
    guard let children, !jobs.isEmpty else { return }
    var dropped = 0
    do throws(Failure) {
      for job in jobs { dropped += try children.add(job) }
    } catch { finish(.failed(error)) }
    if dropped > 0 { printDropped(dropped) }
    state.withLock { $0.handing -= 1 }
    waker.wake()
  }

  /// Says that events were dropped before what comes next.
  func printDropped(_ count: Int) {
    printControl { $0.append("{\"event\":\"dropped\",\"count\":\(count)}\n") }
  }

  /// How often is looked for room in what waits for the reader of stdout.
  private static let roomPause: CInt = 10

  /// Waits, where nothing is to be dropped, until there is room for events.
  ///
  /// Only the source's own thread waits: everybody else goes on. Rows need not, of which no more are read
  /// until those before have been seen to.
  private func waitForRoom() {
    while state.withLock({ $0.output.isToBeWaitedFor && $0.outcome == nil }) {
      _ = poll(nil, 0, Self.roomPause)
    }
  }

  /// Prints whole lines of a command, and waits while too much waits for the reader of stdout: the
  /// command is slowed down by its pipe then.
  ///
  /// - Parameter isOver: Whether not to wait any more.
  func printOutput(_ lines: [UInt8], unless isOver: () -> Bool) {
    state.withLock { state in
      state.buffer.append(lines)
      write(isEvents: false, &state)
    }
    while state.withLock({ $0.output.isFull }), !isOver() { _ = poll(nil, 0, Self.roomPause) }
  }

  /// Whether an event is what `--until` waits for.
  private func isAwaited(_ event: ListenedEvent) -> Bool {
    !wishes.conditions.isEmpty && wishes.conditions.allSatisfy { $0.holds(for: event) }
  }

  /// Work is being done that must come to its end before the program does.
  func beginsWork() { state.withLock { $0.handing += 1 } }

  /// It has come to its end.
  func endsWork() {
    state.withLock { $0.handing -= 1 }
    waker.wake()
  }

  private static func inVain(_ count: Int) -> Failure {
    Failure(
      .negative,
      Diagnostic(
        program: ListenCommand.program,
        message: "none of \(count) events was what --until waits for"))
  }

  /// Prints what is no event: a line that says what happened to the stream.
  func printControl(_ append: (inout OutputBuffer) -> Void) {
    guard wishes.control != .off else { return }
    state.withLock { state in
      guard state.outcome == nil else { return }
      append(&state.buffer)
      if wishes.control == .stderr {
        StandardError.print(String(decoding: state.buffer.bytes.dropLast(), as: UTF8.self))
        state.buffer = OutputBuffer()
      } else {
        write(isEvents: false, &state)
      }
    }
  }

  private func label(_ source: String) -> String? { wishes.namesSources ? source : nil }

  private func write(isEvents: Bool, _ state: inout State) {
    let wasWaiting = state.output.isWaiting
    do {
      if !state.buffer.bytes.isEmpty {
        try state.output.write(state.buffer.bytes, isEvents: isEvents)
      }
    } catch { state.outcome = .failed(error) }
    state.buffer.withBytes { $0.removeAll(keepingCapacity: true) }
    // Who waits for room is woken by it; it must only know that there is something to wait for.
    let beginsToWait = state.output.isWaiting && !wasWaiting
    if state.outcome != nil || beginsToWait { waker.wake() }
  }

  /// Writes what waits, as far as the reader of stdout takes it.
  ///
  /// - Returns: Whether the last of what waited has been written since this was last asked.
  func drain() -> Bool {
    state.withLock { state in
      do { try state.output.drain() } catch { state.outcome = .failed(error) }
      return state.output.takeEndOfWaiting()
    }
  }

  /// Writes all that waits.
  ///
  /// - Throws: ``StandardOutput/Failure``.
  func flush() throws { try state.withLock { try $0.output.finish() } }

  // MARK: Judging time

  /// Asks sources to take what has arrived.
  func ask(_ sources: Set<Int>) { state.withLock { $0.undecided = sources } }

  /// Whether a source is asked to take what has arrived.
  func isAsking(_ source: Int) -> Bool { state.withLock { $0.undecided.contains(source) } }

  /// A source has taken what had arrived.
  func answered(_ source: Int) {
    _ = state.withLock { $0.undecided.remove(source) }
    waker.wake()
  }

  /// Whether all that were asked have answered.
  var haveAllAnswered: Bool { state.withLock { $0.undecided.isEmpty } }
}
