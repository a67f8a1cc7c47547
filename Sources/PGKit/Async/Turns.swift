/// Who may use a connection while one task is in a transaction: that task and its children; others wait,
/// first come, first served.
struct Turns {
  /// A transaction's claim on a connection, for the task that began it and those that it starts.
  final class Claim: Sendable {
    /// A claim on another connection that the task holds at the same time.
    let outer: Claim?

    init(inside outer: Claim?) { self.outer = outer }

    /// What each task has of them. (The macro would do the same, but needs a plugin.)
    static let ofTask = TaskLocal<Claim?>(wrappedValue: nil)

    /// The claims of the current task, the latest first.
    static var current: Claim? { ofTask.get() }

    /// Whether the current task holds this one.
    var isOurs: Bool {
      var claim = Claim.current
      while let one = claim {
        if one === self { return true }
        claim = one.outer
      }
      return false
    }
  }

  /// The transaction that the connection is in.
  var holder: Claim?
  private var waiting: [(number: Int, continuation: CheckedContinuation<Bool, Never>)] = []
  private var last = 0

  /// A number for one who is about to wait.
  mutating func draw() -> Int {
    last &+= 1
    return last
  }

  mutating func wait(_ number: Int, _ continuation: CheckedContinuation<Bool, Never>) {
    waiting.append((number, continuation))
  }

  /// Sends one away who does not want to wait any more.
  mutating func giveUp(_ number: Int) {
    guard let index = waiting.firstIndex(where: { $0.number == number }) else { return }
    waiting.remove(at: index).continuation.resume(returning: false)
  }

  /// Ends the holder's time: whoever waits asks again, in order.
  mutating func pass() {
    holder = nil
    let waiters = waiting
    waiting = []
    for waiter in waiters { waiter.continuation.resume(returning: true) }
  }
}

extension AsyncConnection {
  /// Waits until no other task is in a transaction.
  ///
  /// - Throws: ``PGError`` 57014 if the task is cancelled meanwhile.
  func awaitTurn() async throws(PGError) {
    while let holder = turns.holder, !holder.isOurs {
      if Task.isCancelled { throw .taskIsCancelled }
      let number = turns.draw()
      let isCalled = await withTaskCancellationHandler {
        await withCheckedContinuation { turns.wait(number, $0) }
      } onCancel: {
        Task { await self.giveUp(number) }
      }
      if !isCalled { throw .taskIsCancelled }
    }
  }

  private func giveUp(_ number: Int) { turns.giveUp(number) }
}
