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
    /// The only session whose events are wanted.
    var sender: Int32?
    /// Whether lines name their source.
    var namesSources: Bool
  }

  /// Wakes who waits for the end.
  let waker = WakePipe()
  let wishes: Wishes
  private let state: Mutex<State>
  /// What runs a command for each event, instead of printing it.
  let children: ChildQueue?

  init(_ wishes: Wishes, _ output: PendingOutput, _ children: ChildQueue? = nil) {
    self.wishes = wishes
    self.children = children
    state = Mutex(State(output: output))
  }

  /// How the run ends, if it does.
  var outcome: Outcome? { state.withLock { $0.outcome } }
  /// How many events there were.
  var count: Int { state.withLock { $0.count } }
  /// When the last event came.
  var lastEvent: ContinuousClock.Instant { state.withLock { $0.lastEvent } }
  /// Whether lines wait for the reader of stdout.
  var isWaiting: Bool { state.withLock { $0.output.isWaiting } }

  /// Whether every event has been seen to, also by its command.
  var isSettled: Bool {
    state.withLock { $0.handing } == 0 && children?.isIdle != false
  }

  /// Ends the run; the first reason counts.
  func finish(_ outcome: Outcome) {
    state.withLock { state in state.outcome = state.outcome ?? outcome }
    waker.wake()
  }

  /// Prints events of a source, and counts them there.
  func print(_ events: [PGNotification], of source: String, number: inout Int) {
    // Waiting for room among the commands must not keep their output from being printed.
    var jobs: [ChildQueue.Job] = []
    defer { hand(jobs) }
    state.withLock { state in
      guard state.outcome == nil else { return }
      defer { if !jobs.isEmpty { state.handing += 1 } }
      let line = EventLine(wishes.format, time: WallClock.now(), source: label(source))
      state.lastEvent = .now
      for event in events where wishes.sender.map({ $0 == event.processID }) ?? true {
        number += 1
        state.count += 1
        if children != nil {
          jobs.append(.init(event: event, number: number, source: source))
        } else {
          do { try line.append(event, number, to: &state.buffer) } catch {
            state.outcome = .failed(error)
            break
          }
        }
        judge(event, &state)
        if state.outcome != nil { break }
      }
      write(isEvents: true, &state)
    }
  }

  private func hand(_ jobs: [ChildQueue.Job]) {
    guard let children, !jobs.isEmpty else { return }
    var dropped = 0
    do throws(Failure) {
      for job in jobs { dropped += try children.add(job) }
    } catch { finish(.failed(error)) }
    if dropped > 0 {
      printControl { $0.append("{\"event\":\"dropped\",\"count\":\(dropped)}\n") }
    }
    state.withLock { $0.handing -= 1 }
    waker.wake()
  }

  /// Prints whole lines of a command.
  func printOutput(_ lines: [UInt8]) {
    state.withLock { state in
      state.buffer.append(lines)
      write(isEvents: false, &state)
    }
  }

  private func judge(_ event: PGNotification, _ state: inout State) {
    let conditions = wishes.conditions
    if !conditions.isEmpty, conditions.allSatisfy({ $0.holds(for: event) }) {
      state.outcome = .done
    } else if state.count == wishes.count {
      state.outcome = conditions.isEmpty ? .done : .failed(Self.inVain(state.count))
    }
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
    if state.outcome != nil || state.output.isWaiting != wasWaiting { waker.wake() }
  }

  /// Writes what waits, as far as the reader of stdout takes it.
  func drain() {
    state.withLock { state in
      do { try state.output.drain() } catch { state.outcome = .failed(error) }
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
