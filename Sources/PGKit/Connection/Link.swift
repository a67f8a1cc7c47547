import PGErrorCodes

// THE PUMP: the only loop that moves bytes between a session and its stream.

/// A session on a stream.
final class Link {
  // Two accesses at once, which only a handler in the middle of one could make, are looked for in debug
  // builds, as the tests are; there are a dozen accesses in every round trip.
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var session = Session()
  let stream: any ByteStream
  /// Whether what the stream has is all in the socket; TLS may keep some.
  private let isPlain: Bool
  /// Hears notices and warnings as they arrive.
  var noticeHandler: ((ServerMessage) -> Void)?
  /// Hears of every message, in the format of ``Trace``.
  var traceHandler: ((String) -> Void)? {
    didSet { trace = Trace(fromStartup: isStarting) }
  }
  private var trace = Trace()
  /// The most that is received while something is sent.
  ///
  /// A server that says more than this without listening would otherwise decide how much memory
  /// the client spends.
  private static let backlogLimit = 256 << 20
  /// The most that is kept of results that nobody has taken when another operation begins.
  static let keptLimit = 256 << 20
  /// What of that is left.
  let keptBudget = MemoryBudget(limit: keptLimit)
  /// Whether a handler hears a message right now, or of one.
  var isDelivering = false
  /// Whether something was sent and nothing received since: then the answer is waited for before it is
  /// read, because a look at once would almost always be in vain.
  private var hasJustSent = false
  /// Whether something was received while something was sent, and has not been looked at since.
  private var hasReceivedMeanwhile = false
  private var pace = ReceivePace()
  /// Whether the last look took all that had come.
  private var hasTakenAll = false

  init(stream: any ByteStream) {
    self.stream = stream
    isPlain = stream is Socket
  }

  /// No session at all: whatever is tried on it throws 08003 with this reason.
  static func none(_ reason: String) -> Link {
    let link = Link(stream: NoStream())
    link.session.fail(.connectionDoesNotExist(reason))
    return link
  }

  /// Runs a whole exchange whose rows, if any come, interest nobody.
  func perform<E: Exchange & ~Copyable>(
    _ exchange: inout E, until deadline: Deadline = .never
  ) throws(PGError) {
    try session.begin(&exchange)
    try finish(&exchange, until: deadline)
  }

  /// Brings an exchange to its end, dropping rows and copied data.
  func finish<E: Exchange & ~Copyable>(
    _ exchange: inout E, until deadline: Deadline = .never
  ) throws(PGError) {
    while true {
      if case .finished = try pump(&exchange, until: deadline) { return }
    }
  }

  /// Moves bytes until the exchange has something to say.
  ///
  /// - Throws: the server's error with the session ready again; or an error that ended the session.
  func pump<E: Exchange & ~Copyable>(
    _ exchange: inout E, until deadline: Deadline = .never
  ) throws(PGError) -> Session.Progress {
    defer { deliverNotices() }
    do throws(PGError) {
      while true {
        let progress = try session.advance(&exchange)
        guard case .needsBytes = progress else { return progress }
        deliverNotices()
        try flush(until: deadline)
        // What came while something was sent may be all that comes.
        if hasReceivedMeanwhile {
          hasReceivedMeanwhile = false
          continue
        }
        try receive(until: deadline)
      }
    } catch {
      throw settle(error, &exchange)
    }
  }

  /// Goes as far as an exchange can without waiting: what it then lacks is told as `needsBytes`.
  ///
  /// - Throws: as ``pump(_:until:)``.
  func pumpWithoutWaiting<E: Exchange & ~Copyable>(
    _ exchange: inout E
  ) throws(PGError) -> Session.Progress {
    defer { deliverNotices() }
    do throws(PGError) {
      while true {
        let progress = try session.advance(&exchange)
        guard case .needsBytes = progress else { return progress }
        deliverNotices()
        let room = session.inbox.room().count
        let before = session.inbox.buffer.count
        if try !receiveWhatIsThere() { return .needsBytes }
        // A read that did not fill its room has taken all there was; TLS may have kept some.
        hasTakenAll = isPlain && session.inbox.buffer.count - before < room
      }
    } catch {
      throw settle(error, &exchange)
    }
  }

  /// Whether another step without waiting would be in vain: the last took all that had come, and there is
  /// no whole message left of it.
  var isDrained: Bool {
    guard hasTakenAll else { return false }
    do throws(PGError) {
      if try session.inbox.nextFrame() != nil { return false }
    } catch { return false }
    return true
  }

  /// Takes in what has come while no exchange is under way, waiting for something until `deadline`.
  ///
  /// - Returns: Whether anything came, before time was over or `other` or `output` said something.
  func listen(
    until deadline: Deadline, alsoReading other: Int32? = nil, orHangUpOf output: Int32? = nil
  ) throws(PGError) -> Bool {
    defer { deliverNotices() }
    do throws(PGError) {
      // What was received together with the end of an exchange, or what TLS has read ahead, poll
      // cannot see: so as long as something can be had without waiting, there is no waiting.
      if try receiveWhileIdle() || session.unsolicited.hasNotifications { return true }
      let ready = try Syscalls.wait(
        for: stream.descriptor, reading: true, until: deadline, alsoReading: other,
        orHangUpOf: output)
      return ready.contains(.reading) ? try receiveWhileIdle() : false
    } catch {
      throw settle(error)
    }
  }

  /// Receives what can be received without waiting; says whether anything came.
  private func receiveWhileIdle() throws(PGError) -> Bool {
    let came = try receiveWhatIsThere()
    try session.advanceIdle()
    return came
  }

  /// Sends everything in the outbox.
  func flush(until deadline: Deadline) throws(PGError) {
    guard !session.outbox.isEmpty else { return }
    if session.outbox.overflowed { throw .messageTooLong() }
    // Taken out while it is sent, because receiving changes the session; put back for its memory.
    var outgoing = ByteWriter()
    swap(&outgoing, &session.outbox)
    try ask(outgoing.bytes, until: deadline)
    outgoing.removeFirst(outgoing.count)
    if session.outbox.isEmpty { swap(&outgoing, &session.outbox) }
  }

  /// Sends whole messages that are answered, past the outbox.
  func ask(_ bytes: [UInt8], until deadline: Deadline = .never) throws(PGError) {
    try send(bytes, until: deadline)
    hasJustSent = true
    pace.sent()
  }

  /// Sends bytes that are whole messages, past the outbox.
  func send(_ bytes: [UInt8], until deadline: Deadline = .never) throws(PGError) {
    let failure: PGError? = bytes.withUnsafeBytes { buffer in
      do throws(PGError) {
        try send(buffer, until: deadline)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }

  /// Sends borrowed bytes that are whole messages, past the outbox.
  ///
  /// While the server cannot take them, what it has to say is received, so that two full pipes
  /// never wait for each other.
  func send(_ bytes: UnsafeRawBufferPointer, until deadline: Deadline = .never) throws(PGError) {
    var rest = bytes
    while !rest.isEmpty {
      switch try stream.write(rest) {
      case .moved(let count):
        note(rest[..<count], from: .frontend)
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      case .ended: throw .serverIsGone()
      case .waitToRead:
        _ = try wait(reading: true, until: deadline)
        try receiveWhileSending()
      case .waitToWrite:
        let ready = try wait(reading: true, writing: true, until: deadline)
        guard ready.contains(.reading) else { continue }
        try receiveWhileSending()
      }
    }
  }

  /// Sends what the stream takes at once of borrowed bytes, past the outbox.
  ///
  /// - Returns: How many bytes that were.
  func offer(_ bytes: UnsafeRawBufferPointer) throws(PGError) -> Int {
    var moved = 0
    while moved < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[moved...])
      switch try stream.write(rest) {
      case .moved(let count):
        note(rest[..<count], from: .frontend)
        moved += count
        // A socket that did not take all of it is full; TLS takes a record at a time.
        if count < rest.count, isPlain { return moved }
      case .ended: throw .serverIsGone()
      case .waitToRead:
        try receiveWhileSending()
        return moved
      case .waitToWrite: return moved
      }
    }
    return moved
  }

  private func receiveWhileSending() throws(PGError) {
    if try receiveWhatIsThere() { hasReceivedMeanwhile = true }
    if session.inbox.buffer.count > Self.backlogLimit { throw .serverDoesNotListen() }
  }

  /// Receives one byte that is no message: the answer to a request for TLS.
  func receiveByte(until deadline: Deadline) throws(PGError) -> UInt8 {
    var byte: UInt8 = 0
    while true {
      let progress = try withUnsafeMutableBytes(of: &byte) { buffer throws(PGError) in
        try stream.read(into: buffer)
      }
      switch progress {
      case .moved: return byte
      case .ended: throw .serverIsGone()
      case .waitToRead, .waitToWrite: _ = try wait(reading: true, until: deadline)
      }
    }
  }

  /// Receives what one read can without waiting; says whether anything came.
  @discardableResult
  func receiveWhatIsThere() throws(PGError) -> Bool {
    let room = session.inbox.room()
    switch try stream.read(into: room) {
    case .moved(let count): received(count, in: room)
    case .ended: throw .serverIsGone()
    case .waitToRead, .waitToWrite: return false
    }
    return true
  }

  /// Says what an error means for the session: the server's own refusals and the caller's mistakes
  /// leave it usable, everything else ends it.
  func settle(_ error: PGError) -> PGError {
    switch (error.fault, session.state) {
    case (.server, .idle), (.caller, .idle): return error
    case (_, .failed): break
    default: session.fail(error)
    }
    stream.close()
    return error
  }

  /// The same, for an error in the middle of an exchange: a server that ends a session says why
  /// before it closes the socket, and that is worth more than the news that the socket is closed.
  func settle<E: Exchange & ~Copyable>(_ error: PGError, _ exchange: inout E) -> PGError {
    guard error.fault == .transport, !error.isTimeout else { return settle(error) }
    switch session.state {
    case .failed, .closed: return settle(error)
    case .starting, .idle, .busy: return settle(lastWord(in: &exchange) ?? error)
    }
  }

  /// The server's error in what has been received and not yet looked at.
  private func lastWord<E: Exchange & ~Copyable>(in exchange: inout E) -> PGError? {
    do throws(PGError) {
      while true {
        switch try session.advance(&exchange) {
        case .needsBytes, .finished: return nil
        case .rows, .copyData, .delivered: continue
        }
      }
    } catch {
      return error.fault == .server ? error : nil
    }
  }

  /// Ends the session in good order, as far as that is possible without waiting.
  func close() {
    session.close()
    let farewell = session.outbox.bytes
    if case .closed = session.state, !farewell.isEmpty {
      // The server rolls back and leaves all the same when the socket closes.
      _ = farewell.withUnsafeBytes { bytes in try? stream.write(bytes) }
    }
    stream.close()
  }

  /// Receives at least one byte.
  private func receive(until deadline: Deadline) throws(PGError) {
    // TLS may have read the answer already while it sent.
    //
    // A call that waits and reads in one would take longer on a Unix-domain socket: it is woken, too, when
    // the server takes what was sent, and poll is not.
    if isPlain, hasJustSent || pace.isDrained { _ = try wait(reading: true, until: deadline) }
    hasJustSent = false
    while true {
      let room = session.inbox.room()
      if isPlain {
        let pause = pace.pauseBeforeReading()
        if pause > 0 { Syscalls.pause(.nanoseconds(pause)) }
      }
      switch try stream.read(into: room) {
      case .moved(let count):
        hasTakenAll = false
        pace.received(count, of: room.count)
        return received(count, in: room)
      case .ended: throw .serverIsGone()
      case .waitToRead:
        pace.foundNothing()
        _ = try wait(reading: true, until: deadline)
      case .waitToWrite: _ = try wait(writing: true, until: deadline)
      }
    }
  }

  private func received(_ count: Int, in room: UnsafeMutableRawBufferPointer) {
    note(UnsafeRawBufferPointer(room)[..<count], from: .backend)
    session.inbox.received(count)
  }

  private func note(_ bytes: Slice<UnsafeRawBufferPointer>, from sender: Trace.Sender) {
    guard let traceHandler else { return }
    let wasDelivering = isDelivering
    isDelivering = true
    defer { isDelivering = wasDelivering }
    trace.lines(UnsafeRawBufferPointer(rebasing: bytes), from: sender).forEach(traceHandler)
  }

  /// Waits for the stream.
  ///
  /// - Throws: ``PGError`` when the deadline passes first.
  private func wait(
    reading: Bool = false, writing: Bool = false, until deadline: Deadline
  ) throws(PGError) -> Syscalls.Readiness {
    // Whoever hears a notice may have closed it; nobody would ever answer.
    guard stream.descriptor >= 0 else {
      throw .connectionDoesNotExist("the connection is closed")
    }
    let ready = try Syscalls.wait(
      for: stream.descriptor, reading: reading, writing: writing, until: deadline)
    if ready.isEmpty { throw .timedOut(connecting: isStarting) }
    return ready
  }

  private var isStarting: Bool {
    if case .starting = session.state { true } else { false }
  }

  /// Refuses to begin or to go on with anything while a handler hears a notice or of a message: the
  /// operation that it belongs to is in the middle of its own work.
  func requireNoDelivery() throws(PGError) {
    if isDelivering {
      throw .operation(
        "a connection cannot be used while it delivers a notice or a line of its trace",
        hint: "note what is to be done, and do it after the operation")
    }
  }

  private func deliverNotices() {
    guard session.unsolicited.hasNotices else { return }
    for notice in session.unsolicited.takeNotices() { noticeHandler?(notice) }
  }
}

extension PGError {
  @inline(never)
  static func serverIsGone() -> PGError {
    .connectionFailure("the server closed the connection unexpectedly")
  }

  @inline(never)
  static func serverDoesNotListen() -> PGError {
    .protocolViolation("the server sends without end and does not receive what is sent to it")
  }

  @inline(never)
  static func timedOut(connecting: Bool) -> PGError {
    PGError(
      code: connecting ? .connectTimeoutError : .queryCanceled,
      message: "the server did not answer in time", fault: .transport, isSafeToRetry: connecting)
  }
}
