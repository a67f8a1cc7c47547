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
    /// Lines on their way to `output`: all of events, or all of none.
    var buffer = OutputBuffer()
    /// Whose events those are, where lines name their source.
    var label: String?
    /// Which of those stand for several events.
    var surplus: [PendingOutput.Surplus] = []
    /// How many events were printed or handed to commands, and not dropped there.
    var count = 0
    var outcome: Outcome?
    var lastEvent = ContinuousClock.now
    /// What is held back to become fewer events.
    var gathering: EventGathering?
  }

  /// Wakes who waits for the end.
  let waker = WakePipe()
  /// Asks the sources before time is judged.
  let lastCall: LastCall
  /// What the sources must bring to its end.
  let work: WorkInHand
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
    lastCall = LastCall(waker)
    work = WorkInHand(waker)
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

  /// Whether stdout does not accept what is written.
  var cannotWrite: Bool {
    guard case .failed(let error) = outcome else { return false }
    return error is StandardOutput.Failure
  }

  /// Whether every event has been seen to, also by its command.
  var isSettled: Bool { work.isDone && children?.isIdle != false }

  /// Ends the run; the first reason counts.
  func finish(_ outcome: Outcome) {
    state.withLock { state in state.outcome = state.outcome ?? outcome }
    waker.wake()
  }

  // MARK: Events

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
    state.withLock { state in
      guard state.outcome == nil else { return false }
      let time = ContinuousClock.now
      let nextHeld = state.gathering?.nextTime
      var line = line(of: source)
      state.label = label(source)
      if body(&state, &line, time) { state.lastEvent = time }
      emitHeld(at: state.outcome == nil ? time : nil, &state)
      writeEvents(&state)
      // Who prints what is held back waits for something else.
      if state.gathering?.nextTime != nextHeld { waker.wake() }
      if case .failed(let error) = state.outcome { return !(error is StandardOutput.Failure) }
      return true
    }
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

  /// Whether an event is what `--until` waits for.
  private func isAwaited(_ event: ListenedEvent) -> Bool {
    !wishes.conditions.isEmpty && wishes.conditions.allSatisfy { $0.holds(for: event) }
  }

  private func emit(_ events: [NumberedEvent], _ state: inout State) {
    for event in events where !isEnough(state.count) {
      let label = label(event.source)
      if label != state.label { writeEvents(&state) }
      state.label = label
      var line = line(of: event.source)
      emit(event.event, event.number, of: event.source, &line, &state)
    }
  }

  private func line(of source: String) -> EventLine {
    EventLine(
      wishes.format, parses: wishes.parses, time: WallClock.now(), source: label(source))
  }

  private func label(_ source: String) -> String? { wishes.namesSources ? source : nil }

  /// Prints an event, or hands it to a command.
  ///
  /// - Returns: Whether it can be printed.
  @discardableResult
  private func emit(
    _ event: ListenedEvent, _ number: Int, of source: String, _ line: inout EventLine,
    _ state: inout State, _ acknowledgements: Acknowledgements? = nil
  ) -> Bool {
    if let children {
      let numbered = NumberedEvent(event: event, number: number, source: source)
      hand(.init(numbered, acknowledgements), to: children, &state)
      return true
    }
    let isPrinted = emit(&state) { (buffer) throws(Failure) in
      try line.append(event, number, to: &buffer)
    }
    if event.count > 1, isPrinted, !state.buffer.bytes.isEmpty {
      state.surplus.append(.init(end: state.buffer.count, count: event.count - 1))
    }
    return isPrinted
  }

  /// Prints an event and counts it; the run may be over then.
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
    if isEnough(state.count) {
      // What is dropped for it is not counted.
      writeEvents(&state)
      judgeCount(&state)
    }
    return true
  }

  private func hand(_ job: ChildQueue.Job, to children: ChildQueue, _ state: inout State) {
    state.count += 1
    do throws(Failure) {
      let dropped = try children.add(job)
      state.count -= dropped.places
      for (source, count) in dropped.counts {
        writeControl(&state) {
          ControlLine.appendDropped(count, of: source.flatMap(label), to: &$0)
        }
      }
    } catch {
      writeControl(&state) { ControlLine.appendOverflow(to: &$0) }
      state.outcome = .failed(error)
    }
    judgeCount(&state)
  }

  /// Whether so many are enough; asked for each event of a flood.
  private func isEnough(_ count: Int) -> Bool { wishes.count.map { count >= $0 } ?? false }

  private func judgeCount(_ state: inout State) {
    guard state.outcome == nil, isEnough(state.count) else { return }
    state.outcome = wishes.conditions.isEmpty ? .done : .failed(Self.inVain(state.count))
  }

  private static func inVain(_ count: Int) -> Failure {
    Failure(
      .negative,
      Diagnostic(
        program: ListenCommand.program,
        message: "none of \(ListenCommand.counted(count, "event")) was what --until waits for"))
  }

  // MARK: Events that are held back

  /// Prints what was held back and is due by a time; everything without one.
  func printHeld(at time: ContinuousClock.Instant?) {
    state.withLock { state in
      emitHeld(at: time, &state)
      writeEvents(&state)
    }
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

  // MARK: What is no event

  /// Prints what is no event: a line that says what happened to the stream.
  func printControl(_ append: (inout OutputBuffer) -> Void) {
    state.withLock { state in
      guard state.outcome == nil else { return }
      writeControl(&state, append)
    }
  }

  /// Prints a line that says that events may be missing here: what came before them is held back no
  /// longer.
  func printLoss(_ append: (inout OutputBuffer) -> Void) {
    state.withLock { state in
      guard state.outcome == nil else { return }
      emitHeld(at: nil, &state)
      writeEvents(&state)
      guard state.outcome == nil else { return }
      writeControl(&state, append)
    }
  }

  /// Says that events of a source were dropped before what comes next.
  func printDropped(_ count: Int, of source: String) {
    printLoss { ControlLine.appendDropped(count, of: label(source), to: &$0) }
  }

  /// How often is looked for room in what waits for the reader of stdout, in milliseconds.
  private static let roomPause: CInt = 10

  /// Waits, where nothing is to be dropped, until there is room for events.
  ///
  /// Only the source's own thread waits: everybody else goes on. Rows need not, of which no more are read
  /// until those before have been seen to.
  private func waitForRoom() {
    while state.withLock({ isToBeWaitedFor($0) && $0.outcome == nil }) {
      _ = poll(nil, 0, Self.roomPause)
    }
  }

  private func isToBeWaitedFor(_ state: State) -> Bool {
    state.output.isToBeWaitedFor || children?.isToBeWaitedFor == true
  }

  /// Prints whole lines of a command, or rows of a query, and waits while too much waits for the reader
  /// of stdout: a command is slowed down by its pipe then.
  ///
  /// - Parameter isOver: Whether not to wait any more.
  func printOutput(_ lines: [UInt8], unless isOver: () -> Bool) {
    state.withLock { state in
      writeEvents(&state)
      state.buffer.append(lines)
      write(.control, &state)
    }
    while state.withLock({ $0.output.isFull }), !isOver() { _ = poll(nil, 0, Self.roomPause) }
  }

  // MARK: Writing

  /// What ends an event, and a line.
  var separator: UInt8 { wishes.format.separator }

  private func writeControl(_ state: inout State, _ append: (inout OutputBuffer) -> Void) {
    writeEvents(&state)
    guard let line = ControlLine.placed(wishes.control, separator, append) else { return }
    state.buffer.append(line)
    write(.control, &state)
  }

  private func writeEvents(_ state: inout State) {
    write(.events(of: state.label, surplus: state.surplus), &state)
    state.surplus = []
  }

  /// A buffer that was larger is given back.
  private static let keptSize = 1 << 20

  private func write(_ content: PendingOutput.Content, _ state: inout State) {
    let wasWaiting = state.output.isWaiting
    do {
      if !state.buffer.bytes.isEmpty {
        state.count -= try state.output.write(state.buffer.bytes, content)
      }
    } catch { state.outcome = .failed(error) }
    if state.buffer.count > Self.keptSize {
      state.buffer = OutputBuffer()
    } else {
      state.buffer.withBytes { $0.removeAll(keepingCapacity: true) }
    }
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
}
