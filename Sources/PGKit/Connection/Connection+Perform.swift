// THE PUMP: the only loop that moves bytes between a session and its stream.

/// An operation that hands its results over bit by bit and so outlives the call that began it.
protocol RunningOperation: AnyObject {
  /// Runs to its end, dropping what nobody took.
  func abandon(on connection: Connection) throws(PGError)
}

extension Connection {
  /// Runs a whole exchange whose rows, if any come, interest nobody.
  func perform(
    _ exchange: inout some Exchange, until deadline: Deadline = .never
  ) throws(PGError) {
    try begin(&exchange)
    try finish(&exchange, until: deadline)
  }

  /// Opens an exchange, after the operation that still runs has been brought to its end.
  func begin(_ exchange: inout some Exchange) throws(PGError) {
    try abandonRunning()
    if !discarded.isEmpty { try closeDiscarded() }
    try session.begin(&exchange)
  }

  /// Brings an exchange to its end, dropping rows and copied data.
  func finish(
    _ exchange: inout some Exchange, until deadline: Deadline = .never
  ) throws(PGError) {
    while true {
      if case .finished = try pump(&exchange, until: deadline) { return }
    }
  }

  /// Drops what is left of the operation under way.
  func abandonRunning() throws(PGError) {
    guard let operation = running else { return }
    running = nil
    try operation.abandon(on: self)
  }

  /// Moves bytes until the exchange has something to say.
  ///
  /// - Throws: the server's error with the session ready again; or an error that ended the session.
  func pump(
    _ exchange: inout some Exchange, until deadline: Deadline = .never
  ) throws(PGError) -> Session.Progress {
    defer { deliverNotices() }
    do throws(PGError) {
      while true {
        let progress = try session.advance(&exchange)
        guard case .needsBytes = progress else { return progress }
        try flush(until: deadline)
        try receive(until: deadline)
      }
    } catch {
      throw settle(error)
    }
  }

  /// Sends everything in the outbox. While the server cannot take it, what the server has to say is
  /// received, so that two full pipes never wait for each other.
  func flush(until deadline: Deadline) throws(PGError) {
    guard !session.outbox.isEmpty else { return }
    let bytes = session.outbox.bytes
    session.outbox.removeFirst(bytes.count)
    try send(bytes, until: deadline)
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
  func send(_ bytes: UnsafeRawBufferPointer, until deadline: Deadline = .never) throws(PGError) {
    var rest = bytes
    while !rest.isEmpty {
      switch try stream.write(rest) {
      case .moved(let count): rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      case .ended: throw .serverIsGone()
      case .waitToRead, .waitToWrite:
        let ready = try Syscalls.wait(
          for: stream.descriptor, reading: true, writing: true, until: deadline)
        if ready.isReadable { try receiveWhatIsThere() }
      }
    }
  }

  /// Receives at least one byte.
  func receive(until deadline: Deadline) throws(PGError) {
    while true {
      switch try stream.read(into: session.inbox.room()) {
      case .moved(let count): return session.inbox.received(count)
      case .ended: throw .serverIsGone()
      case .waitToRead:
        _ = try Syscalls.wait(
          for: stream.descriptor, reading: true, writing: false, until: deadline)
      case .waitToWrite:
        _ = try Syscalls.wait(
          for: stream.descriptor, reading: false, writing: true, until: deadline)
      }
    }
  }

  /// Receives what can be received without waiting.
  func receiveWhatIsThere() throws(PGError) {
    switch try stream.read(into: session.inbox.room()) {
    case .moved(let count): session.inbox.received(count)
    case .ended: throw .serverIsGone()
    case .waitToRead, .waitToWrite: break
    }
  }

  /// Says what an error means for the session, and where it happened.
  func settle(_ error: PGError) -> PGError {
    switch error.fault {
    case .server where error.fields?.isFatal != true: break
    case .caller where !isClosed: break
    default:
      session.fail(error)
      stream.close()
    }
    return error
  }

  private func deliverNotices() {
    guard !session.unsolicited.notices.isEmpty else { return }
    for notice in session.unsolicited.takeNotices() { noticeHandler?(notice) }
  }

  private func closeDiscarded() throws(PGError) {
    guard case .idle = session.state else { return }
    var closing = CloseNamed(discarded.takeAll())
    try session.begin(&closing)
    try finish(&closing)
  }
}

extension PGError {
  @inline(never)
  static func serverIsGone() -> PGError {
    .connectionFailure(
      "the server closed the connection unexpectedly")
  }
}
