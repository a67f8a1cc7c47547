/// The way in for the data of a running COPY … FROM STDIN.
///
/// Finish it, or the server rolls the copying back.
///
/// In py-postgresql: `load_rows` and `load_chunks` of a statement that copies in.
public final class CopyInStream {
  /// What is gathered before it is sent.
  private static let flushSize = 256 * 1024
  /// The largest piece of data put into one message.
  private static let pieceSize = 1 << 20

  private let connection: Connection
  private let running: RunningCopyIn
  private var pending = ByteWriter()

  fileprivate init(_ connection: Connection, _ running: RunningCopyIn) {
    self.connection = connection
    self.running = running
  }

  /// Whether the data must be in the binary format.
  public var isBinary: Bool { running.response?.isBinary ?? false }

  /// The number of columns.
  public var columnCount: Int { running.response?.columnFormats.count ?? 0 }

  /// Sends data; it may begin and end anywhere within rows.
  ///
  /// - Throws: ``PGError``: the server's, as soon as it is known, which may be some data later.
  public func write(_ data: UnsafeRawBufferPointer) throws(PGError) {
    try running.requireCopying(on: connection)
    var rest = data
    while !rest.isEmpty {
      let piece = rest.prefix(Self.pieceSize)
      pending.writeByte(FrontendTag.copyData.rawValue)
      pending.writeInteger(Int32(piece.count + 4))
      pending.writeBytes(UnsafeRawBufferPointer(rebasing: piece))
      rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
      if pending.count >= Self.flushSize { try flush() }
    }
  }

  /// Sends data.
  public func write(_ data: [UInt8]) throws(PGError) {
    let failure: PGError? = data.withUnsafeBytes { bytes in
      do throws(PGError) {
        try write(bytes)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }

  /// What data begins with that is sent as it lies: room for the header of its message.
  static let headerRoom: [UInt8] = [FrontendTag.copyData.rawValue, 0, 0, 0, 0]

  /// Sends data that begins with ``headerRoom``, without another copy.
  func write(message: inout ByteWriter) throws(PGError) {
    guard message.count <= Self.pieceSize else {
      return try write(Array(message.bytes.dropFirst(Self.headerRoom.count)))
    }
    try flush()
    // The length counts itself, and not the tag.
    message.patch(Int32(clamping: message.count - 1), at: 1)
    try send(message.bytes)
  }

  /// Relays rows from another server just as they came, without looking into them.
  public func write(_ chunk: CopyChunk) throws(PGError) {
    try flush()
    let failure: PGError? = chunk.run.withFrames { frames in
      do throws(PGError) {
        try running.send(frames, on: connection)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }

  /// Adds whole messages to what waits to be sent; nothing is sent yet.
  func enqueue(_ frames: CopyInQueue.Frames) throws(PGError) {
    try flush()
    try running.enqueue(frames, on: connection)
  }

  /// Sends what the server takes at once of what waits, and looks whether it has something to say.
  func sendQueued() throws(PGError) { try running.sendQueued(on: connection) }

  /// How many bytes wait to be sent.
  var queuedBytes: Int { running.queuedBytes }

  /// Where the data goes to.
  var descriptor: Int32 { connection.fileDescriptor }

  /// Lets more wait in the socket for the server, where that is the system's to say.
  func widenQueue(to count: Int) { (connection.link.stream as? Socket)?.widenQueue(to: count) }

  /// Says that the data is complete, without waiting for what the server makes of it.
  ///
  /// So several servers can bring their copying to its end at the same time. ``finish()`` must
  /// follow.
  ///
  /// - Throws: ``PGError``, as ``write(_:)-([UInt8])``.
  public func end() throws(PGError) {
    try flush()
    try running.end(on: connection)
  }

  /// Says that the data is complete, and goes on as far as that can be done without waiting.
  ///
  /// - Returns: Whether the server's word on it is there: ``finish()`` will not wait.
  /// - Throws: ``PGError``: the server's; then nothing was stored.
  func endWithoutWaiting() throws(PGError) -> Bool {
    try flush()
    return try running.endWithoutWaiting(on: connection)
  }

  /// Ends the data, and waits for the server's word on it.
  ///
  /// - Returns: What the statement says of itself: `COPY 3`.
  /// - Throws: ``PGError``: the server's; then nothing was stored.
  @discardableResult
  public func finish() throws(PGError) -> CommandTag {
    try flush()
    return try running.finish(on: connection)
  }

  /// Ends the data in failure: the server forgets what it was sent and keeps `reason` in its log.
  ///
  /// - Throws: ``PGError`` `--OPE` if the data was said to be complete before: it is stored, unless its
  ///   transaction is rolled back.
  public func fail(_ reason: String) throws(PGError) { try fail(reason, until: .never) }

  func fail(_ reason: String, until deadline: Deadline) throws(PGError) {
    pending = ByteWriter()
    try running.fail(reason, on: connection, until: deadline)
  }

  private func flush() throws(PGError) {
    if pending.isEmpty { return }
    defer { pending.removeFirst(pending.count) }
    try send(pending.bytes)
  }

  private func send(_ frames: [UInt8]) throws(PGError) {
    let failure: PGError? = frames.withUnsafeBytes { buffer in
      do throws(PGError) {
        try running.send(buffer, on: connection)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }
}

private final class RunningCopyIn: RunningOperation {
  private enum Phase {
    case copying, ended
    /// The server has said what it made of the data, and nobody has heard it.
    case answered
    case finished, interrupted
  }

  var exchange: SimpleQuery
  private var phase = Phase.copying
  private var sentSinceLook = 0
  /// How much is sent between two looks for an error of the server: seldom enough to cost nothing,
  /// often enough not to send for long what nobody takes.
  private static let lookInterval = 1 << 20

  /// What is sent as the server takes it.
  private var queue = CopyInQueue()
  private let origin: ErrorOrigin.Creator
  private let observation: Observation?
  /// What the server says of the data.
  let response: CopyResponse?
  private(set) weak var hearer: (any MessageHearer)?

  init(
    _ exchange: SimpleQuery, origin: ErrorOrigin.Creator, hearer: (any MessageHearer)?,
    observation: Observation?
  ) {
    self.exchange = exchange
    self.origin = origin
    self.hearer = hearer
    self.observation = observation
    response = exchange.copyResponse
  }

  var queuedBytes: Int { queue.byteCount }

  func enqueue(_ frames: CopyInQueue.Frames, on connection: Connection) throws(PGError) {
    try requireCopying(on: connection)
    queue.append(frames)
  }

  func sendQueued(on connection: Connection) throws(PGError) {
    try requireCopying(on: connection)
    var hasMoved = false
    do throws(PGError) {
      while let moved = try queue.send(by: { bytes throws(PGError) in
        try connection.link.offer(bytes)
      }) {
        sentSinceLook += moved
        if moved > 0 { hasMoved = true }
        // What was not taken as a whole will not be taken now.
        if moved == 0 || queue.isSendingFirst { break }
      }
      // A server that takes nothing may have something to say.
      if sentSinceLook >= Self.lookInterval || !hasMoved {
        try look(on: connection.link)
      }
    } catch { throw ended(error, connection) }
  }

  /// Looks whether the server has something to say, which can only be that it does not want more.
  func look(on connection: Connection) throws(PGError) {
    try requireCopying(on: connection)
    do throws(PGError) { try look(on: connection.link) } catch { throw ended(error, connection) }
  }

  /// Sends all that waits, for as long as that takes.
  private func drain(_ link: Link) throws(PGError) {
    while try queue.send(by: { bytes throws(PGError) in
      try link.send(bytes)
      return bytes.count
    }) != nil {}
  }

  /// Sends whole CopyData messages.
  func send(_ frames: UnsafeRawBufferPointer, on connection: Connection) throws(PGError) {
    try requireCopying(on: connection)
    do throws(PGError) {
      try drain(connection.link)
      try connection.link.send(frames)
      sentSinceLook += frames.count
      if sentSinceLook >= Self.lookInterval { try look(on: connection.link) }
    } catch { throw ended(error, connection) }
  }

  func end(on connection: Connection) throws(PGError) {
    try requireCopying(on: connection)
    phase = .ended
    do throws(PGError) {
      try drain(connection.link)
      BodilessMessage.copyDone.encode(into: &connection.link.session.outbox)
      try connection.link.flush(until: .never)
    } catch { throw ended(error, connection) }
  }

  private static let copyDone: [UInt8] = {
    var writer = ByteWriter()
    BodilessMessage.copyDone.encode(into: &writer)
    return writer.bytes
  }()

  /// Whether the data was said to be complete, and nothing of that was sent yet.
  private var isEndUnsent: Bool {
    phase == .ended && queue.byteCount >= Self.copyDone.count
  }

  func endWithoutWaiting(on connection: Connection) throws(PGError) -> Bool {
    if phase == .answered { return true }
    if phase == .copying {
      try sendQueued(on: connection)
      guard queue.isEmpty else { return false }
      // It goes the way of the data, for which there may be no room either.
      queue.append(.bytes(Self.copyDone))
      phase = .ended
    }
    try connection.link.requireNoDelivery()
    try requireOpen()
    connection.hearer = hearer
    defer { connection.hearer = nil }
    do throws(PGError) {
      while let moved = try queue.send(by: { bytes throws(PGError) in
        try connection.link.offer(bytes)
      }), moved > 0 {}
      // What came while something was sent lies in the inbox already, where no poll sees it.
      while true {
        switch try connection.link.pumpWithoutWaiting(&exchange) {
        case .needsBytes: return false
        case .finished:
          guard queue.isEmpty else { throw .endedTooSoon }
          phase = .answered
          return true
        default: continue
        }
      }
    } catch { throw ended(error, connection) }
  }

  func finish(on connection: Connection) throws(PGError) -> CommandTag {
    try connection.link.requireNoDelivery()
    try requireOpen()
    if phase == .copying { try end(on: connection) }
    connection.hearer = hearer
    defer { connection.hearer = nil }
    do throws(PGError) {
      if phase == .ended {
        try drain(connection.link)
        try connection.link.finish(&exchange)
      }
    } catch { throw ended(error, connection) }
    phase = .finished
    if connection.running === self { connection.running = nil }
    observation?.ended(.completed(exchange.tag))
    return exchange.tag ?? CommandTag("")
  }

  func fail(
    _ reason: String, on connection: Connection, until deadline: Deadline
  ) throws(PGError) {
    try requireOpen()
    try reason.requireNoNUL("the reason for failing a copy")
    connection.running = nil
    let wasComplete = phase == .answered || phase == .ended && !isEndUnsent
    try abandon(reason, on: connection, until: deadline)
    if wasComplete {
      throw .operation("the data was complete already", hint: "roll the transaction back")
    }
  }

  func complete(on connection: Connection, until deadline: Deadline) throws(PGError) {
    // What the server made of it can still be heard.
    if phase == .answered { return }
    try abandon(
      "another operation began before the data was complete", on: connection, until: deadline)
  }

  private func abandon(
    _ reason: String, on connection: Connection, until deadline: Deadline
  ) throws(PGError) {
    let link = connection.link
    guard isOpen else { return }
    let (wasAnswered, wasCopying) = (phase == .answered, phase == .copying || isEndUnsent)
    phase = .interrupted
    observation?.ended(
      .failed(PGError(code: .queryCanceled, message: reason, fault: .caller).inside(origin)))
    if wasAnswered { return }
    do throws(PGError) {
      try completeMessage(link, until: deadline)
      if wasCopying { CopyFail(reason: reason).encode(into: &link.session.outbox) }
      try link.finish(&exchange, until: deadline)
    } catch {
      // The server answers CopyFail with an error; that is what was asked for.
      if error.endsSession { throw error }
    }
  }

  /// Sends the rest of a message that was sent in part, or the server would take what follows for it.
  private func completeMessage(_ link: Link, until deadline: Deadline) throws(PGError) {
    let rest = queue.takeRestOfMessage()
    if !rest.isEmpty { try link.send(rest, until: deadline) }
  }

  func requireCopying(on connection: Connection) throws(PGError) {
    try connection.link.requireNoDelivery()
    try requireCopying()
  }

  private func requireCopying() throws(PGError) {
    if phase != .copying { throw isOver }
  }

  private var isOver: PGError {
    let reason =
      switch phase {
      case .finished: "it was finished"
      case .ended, .answered: "its data was said to be complete"
      case .interrupted, .copying:
        "it failed, or another operation began before its data was complete"
      }
    return .operation("the copying is over: \(reason)", hint: "begin another COPY").inside(origin)
  }

  private func requireOpen() throws(PGError) {
    if !isOpen { throw isOver }
  }

  private var isOpen: Bool { phase == .copying || phase == .ended || phase == .answered }

  private func look(on link: Link) throws(PGError) {
    sentSinceLook = 0
    try link.receiveWhatIsThere()
    if case .finished = try link.session.advance(&exchange) {
      throw .endedTooSoon
    }
  }

  private func ended(_ error: PGError, _ connection: Connection) -> PGError {
    // The server's own error may lie behind the one of a socket that it closed.
    phase = .interrupted
    connection.running = nil
    let error = connection.link.settle(error, &exchange)
    // What the server has refused it still reads to the end of a message; if that cannot be sent, the
    // next use of the connection shows it.
    if case .idle = connection.link.session.state {
      try? completeMessage(connection.link, until: .never)
    }
    observation?.ended(.failed(error))
    return error.inside(origin, of: connection)
  }
}

extension PGError {
  /// A server said that a copy was complete before it was told so.
  @inline(never)
  fileprivate static var endedTooSoon: PGError {
    .protocolViolation("the server ended a copy before its data was complete")
  }
}

extension Connection {
  /// Runs a COPY … FROM STDIN; send the data through what is returned, and finish it.
  ///
  /// - Throws: ``PGError``: the server's; `--OPE` if the statement does not copy in.
  ///
  /// On the wire: Query, as every COPY.
  public func copyIn(_ sql: String) throws(PGError) -> CopyInStream {
    try copyIn(sql, hearer: nil)
  }

  func copyIn(_ sql: String, hearer: (any MessageHearer)?) throws(PGError) -> CopyInStream {
    var exchange = SimpleQuery(sql, copying: .in)
    let observation = observe(.copy, sql)
    guard try beginCopy(&exchange, sql, hearer, observation) else {
      throw PGError.noCopy(sql, on: self)
    }
    let operation = RunningCopyIn(
      exchange, origin: .statement(sql), hearer: hearer, observation: observation)
    running = operation
    return CopyInStream(self, operation)
  }
}
