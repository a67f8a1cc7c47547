/// Who may use a connection while one task has it for itself: that task and its children, unless one of
/// these has it for itself in turn; others wait, first come, first served.
struct Turns {
  /// What a task has on a connection for the time of a transaction or a copy, and those have that it starts.
  final class Claim: Sendable {
    /// What the task had before: on this connection or another one.
    let outer: Claim?

    init(inside outer: Claim?) { self.outer = outer }

    /// What each task has of them. (The macro would do the same, but needs a plugin.)
    static let ofTask = TaskLocal<Claim?>(wrappedValue: nil)

    /// The claims of the current task, the latest first.
    static var current: Claim? { ofTask.get() }

    /// Whether `other` is this one, or what it is inside of.
    func isInside(_ other: Claim) -> Bool {
      var claim: Claim? = self
      while let one = claim {
        if one === other { return true }
        claim = one.outer
      }
      return false
    }
  }

  /// What a task may do.
  enum Right {
    case use
    case wait
    /// Nothing: what it is part of is over.
    case refusal
  }

  /// What ends a task's wait.
  enum Call {
    /// It has what it waited for.
    case turn
    case refusal
    case cancellation
  }

  /// The claims that there are.
  private struct Claims {
    /// Each inside the one before it.
    var held: [Claim] = []
    /// What was held inside of something that is over, until its task ends it.
    var voided: [Claim] = []

    func right(of claim: Claim?) -> Right {
      if let claim, voided.contains(where: claim.isInside) { return .refusal }
      guard let top = held.last else { return .use }
      return claim?.isInside(top) == true ? .use : .wait
    }
  }

  private var claims = Claims()
  /// Those who wait for a claim of their own.
  var line = WaitingLine<Claim, Call>()

  /// Whether the current task may use the connection.
  var mayUse: Bool {
    claims.held.isEmpty && claims.voided.isEmpty || claims.right(of: .current) == .use
  }

  /// What a task may do that has `claim`.
  func right(of claim: Claim?) -> Right { claims.right(of: claim) }

  /// Begins somebody's time.
  mutating func begin(_ claim: Claim) { claims.held.append(claim) }

  /// Ends somebody's time, and whatever is still held inside of it; then it is the turn of the first who
  /// waits and may be next.
  mutating func end(_ claim: Claim) {
    if let index = claims.held.firstIndex(where: { $0 === claim }) {
      claims.voided += claims.held[(index + 1)...]
      claims.held.removeSubrange(index...)
    } else {
      claims.voided.removeAll { $0 === claim }
    }
    if !line.isEmpty { callNext() }
  }

  /// Whoever is called has its claim already, so that nobody who asks later comes first.
  private mutating func callNext() {
    let claims = claims
    while line.callFirst(.refusal, where: { claims.right(of: $0.outer) == .refusal }) {}
    var next: Claim?
    line.callFirst(.turn) { claim in
      guard claims.right(of: claim.outer) == .use else { return false }
      next = claim
      return true
    }
    if let next { begin(next) }
  }
}

extension AsyncConnection {
  // Each call of an asynchronous function is a place where others may come in between, also one of the
  // same actor. So what is looked at and what follows from it stand together.

  /// Waits until the current task can have the connection for itself.
  ///
  /// - Returns: Its claim, to be ended by ``Turns/end(_:)``.
  /// - Throws: ``PGError`` 57014 if the task is cancelled meanwhile; `--OPE` if it was part of a
  ///   transaction that is over.
  func takeClaim() async throws(PGError) -> Turns.Claim {
    let claim = Turns.Claim(inside: .current)
    let number = turns.line.draw()
    let call = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Turns.Call, Never>) in
        switch turns.right(of: claim.outer) {
        case .use:
          turns.begin(claim)
          continuation.resume(returning: .turn)
        case .wait where Task.isCancelled: continuation.resume(returning: .cancellation)
        case .wait: turns.line.append(number, claim, continuation)
        case .refusal: continuation.resume(returning: .refusal)
        }
      }
    } onCancel: {
      Task { await self.giveUp(number) }
    }
    switch call {
    case .turn: return claim
    case .refusal: throw .transactionIsOver
    case .cancellation: throw .taskIsCancelled
    }
  }

  private func giveUp(_ number: Int) { turns.line.call(number, .cancellation) }
}

extension PGError {
  /// A task has outlived what it was a part of.
  fileprivate static var transactionIsOver: PGError {
    .operation(
      "the transaction or copy that this was part of is over",
      hint: "Wait for the tasks that it starts.")
  }
}
