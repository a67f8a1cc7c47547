/// An operation under way whose results are taken bit by bit, as the connection and whoever takes them
/// both hold it.
///
/// Whatever the results are, this is their life: while they arrive they are handed over; when another
/// operation begins, what is left is received and kept; when nobody takes them any more, they are dropped
/// as they arrive. An error ends them. It is told each time that somebody asks for more; and if
/// nobody does, it is not lost (``takeUnheard()``).
class RunningResult<Running: StatementExchange, Part>: RunningOperation {
  private enum Phase {
    case running
    case kept(KeptResults<Part>)
    case over
    /// Nobody takes anything any more.
    case closed
  }

  #if !DEBUG
    @exclusivity(unchecked)  // as the link's session
  #endif
  final var exchange: Running
  /// What errors say of it, where that is not what they say of its owner.
  private var ownOrigin: ErrorOrigin.Creator?
  /// What the statement said of itself when it was complete.
  private(set) final var tag: CommandTag?
  private var phase = Phase.running
  private(set) final var isWanted = true
  /// What ended them, and whether anybody knows.
  private var failure: PGError?
  private var isTold = false
  private var isCancellationExpected = false
  private var observation: Observation?
  /// The statement or cursor that runs it.
  final private(set) var owner: (any MessageHearer)?
  /// The same, once nobody takes the results: the connection must not keep what keeps the connection.
  private weak var formerOwner: (any MessageHearer)?
  private let deadline: Deadline

  init(
    _ exchange: Running, origin: ErrorOrigin.Creator?, owner: (any MessageHearer)?,
    observation: Observation?, deadline: Deadline = .never
  ) {
    self.exchange = exchange
    ownOrigin = origin
    self.owner = owner
    self.observation = observation
    self.deadline = deadline
  }

  // MARK: What the kinds of results differ in

  /// The results that a step of the session brought; `nil` if it brought none.
  func part(of progress: Session.Progress) throws(PGError) -> Part? { nil }

  /// How much memory a part takes.
  func size(of part: Part) -> Int { 0 }

  /// Hears that the exchange is complete.
  func finished() {}

  /// Begins anew after an error, where that promises better; whether it did.
  func isRenewed(after error: PGError, on connection: Connection) throws(PGError) -> Bool { false }

  /// Hears that nobody takes the results any more.
  func forgotten() {}

  // MARK: Life

  final var hearer: (any MessageHearer)? { owner ?? formerOwner }

  /// What errors say of it.
  final var origin: ErrorOrigin.Creator { ownOrigin ?? owner?.origin ?? .statement("") }

  /// Whether the exchange is complete, or has failed.
  final var isOver: Bool { if case .over = phase { true } else { false } }

  /// Whether the results are handed over as they come: none was received for later.
  final var isArriving: Bool { if case .running = phase { true } else { false } }

  /// Sends the operation.
  final func begin(on connection: Connection) throws(PGError) {
    do throws(PGError) {
      try connection.begin(&exchange, until: deadline)
      connection.running = self
    } catch { throw failed(error, on: connection) }
    do throws(PGError) { try connection.link.flush(until: deadline) } catch {
      throw failed(connection.link.settle(error, &exchange), on: connection)
    }
  }

  /// The next results; `nil` after the last.
  final func next(on connection: Connection) throws(PGError) -> Part? {
    try connection.link.requireNoDelivery()
    switch phase {
    case .running: break
    case .over:
      guard let failure else { return nil }
      throw failure.inside(origin, of: connection)
    case .closed: throw .operation("the results were closed").inside(origin, of: connection)
    case .kept(let kept): return try next(of: kept, on: connection)
    }
    connection.hearer = hearer
    defer { connection.hearer = nil }
    do throws(PGError) { return try pump(on: connection) } catch {
      do throws(PGError) {
        if try isRenewed(after: error, on: connection) { return try next(on: connection) }
      } catch { throw failed(error, on: connection) }
      throw failed(error, on: connection)
    }
  }

  private func next(
    of kept: KeptResults<Part>, on connection: Connection
  ) throws(PGError) -> Part? {
    if let part = kept.next() { return part }
    guard let end = failure ?? (kept.isOverflowed ? kept.overflow : nil) else {
      phase = .over
      return nil
    }
    isTold = true
    throw end.inside(origin, of: connection)
  }

  /// The next results, if they are there.
  ///
  /// An error that ``isRenewed(after:on:)`` could mend is one here.
  final func nextIfThere(on connection: Connection) throws(PGError) -> Arrival<Part> {
    guard case .running = phase else {
      return try next(on: connection).map { .part($0) } ?? .end
    }
    try connection.link.requireNoDelivery()
    connection.hearer = hearer
    defer { connection.hearer = nil }
    do throws(PGError) {
      while true {
        let progress = try connection.link.pumpWithoutWaiting(&exchange)
        if case .needsBytes = progress { return .nothingYet }
        if case .finished = progress {
          complete(on: connection)
          return .end
        }
        if let part = try part(of: progress) { return .part(part) }
      }
    } catch { throw failed(error, on: connection) }
  }

  /// Whether to ask for more at once would be in vain; what was kept is there.
  final func isDrained(on connection: Connection) -> Bool {
    if case .running = phase { connection.link.isDrained } else { false }
  }

  /// Everything has come.
  private func complete(on connection: Connection) {
    phase = .over
    connection.running = nil
    finished()
    tag = exchange.tag
    connection.heed(exchange)
    ended(.completed(tag))
  }

  private func pump(on connection: Connection) throws(PGError) -> Part? {
    while true {
      switch try connection.link.pump(&exchange, until: deadline) {
      case .finished:
        complete(on: connection)
        return nil
      case let progress: if let part = try part(of: progress) { return part }
      }
    }
  }

  /// Takes everything that is left, for nobody.
  final func finish(on connection: Connection) throws(PGError) {
    while try next(on: connection) != nil {}
  }

  /// Nobody is left to take the results.
  final func forget() {
    isWanted = false
    if case .kept = phase { phase = .closed }
    // Of what is over and has not failed nobody hears any more.
    if let owner, !isOver || failure != nil {
      ownOrigin = ownOrigin ?? owner.origin
      formerOwner = owner
    }
    owner = nil
    forgotten()
  }

  final func takeUnheard() -> PGError? {
    guard case .closed = phase, !isTold else { return nil }
    isTold = true
    return isCancellationExpected && failure?.code == .queryCanceled ? nil : failure
  }

  final func expectCancellation() { isCancellationExpected = true }

  final func complete(on connection: Connection, until deadline: Deadline) throws(PGError) {
    guard case .running = phase else { return }
    let kept = isWanted ? KeptResults<Part>(connection.link.keptBudget) : nil
    phase = kept.map { .kept($0) } ?? .closed
    do throws(PGError) {
      while true {
        switch try connection.link.pump(&exchange, until: deadline) {
        case .finished:
          finished()
          tag = exchange.tag
          connection.heed(exchange)
          ended(.leftUnread)
          return
        case let progress:
          // A dropped part may be of a kind that nobody can take.
          guard let kept, let part = try part(of: progress) else { continue }
          kept.append(part, size: size(of: part))
        }
      }
    } catch {
      failure = error
      connection.heed(exchange)
      ended(.failed(error))
      // What went wrong with the results is told to whoever takes them; a lost connection to everybody.
      guard error.endsSession else { return }
      isTold = true
      throw error
    }
  }

  /// Tells the observer, once.
  private func ended(_ outcome: ObservedOperation.Outcome) {
    observation?.ended(outcome)
    observation = nil
  }

  private func failed(_ error: PGError, on connection: Connection) -> PGError {
    let located = error.inside(origin, of: connection)
    // The caller's mistake leaves the exchange under way; whatever comes next brings it to its end.
    if case .busy = connection.link.session.state, error.fault == .caller { return located }
    phase = .over
    failure = error
    isTold = true
    if connection.running === self { connection.running = nil }
    connection.heed(exchange)
    ended(.failed(error))
    return located
  }
}

/// What can be had of results without waiting.
enum Arrival<Part> {
  /// These.
  case part(Part)
  /// None before more bytes come.
  case nothingYet
  /// None any more.
  case end
}

extension PGError {
  /// Whether no other operation can follow on the session: anything but the server's refusal of one.
  var endsSession: Bool { fault != .server || fields?.isFatal == true }
}
