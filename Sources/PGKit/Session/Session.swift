import PGErrorCodes

// The rules of this room:
//
// 1. Nothing here does I/O or knows a clock: bytes come in through the inbox, progress goes out, and
//    bytes to send lie in the outbox. `Connection/Link.swift` moves them.
// 2. Every transition of the session's state is in this file.
// 3. At most one exchange is under way. It ends with the ReadyForQuery that answers its one Sync (or
//    Query); a ReadyForQuery that nobody waits for means that both ends have lost step, and ends
//    the session, because the next answer would be taken for another question's. What the next one sends
//    may have been sent already (`ExecutionBatch`); its answer is looked at when it is begun.
// 4. A server's error does not end an exchange: it is kept, what follows is skipped, and it is thrown
//    when the server is ready again. Only FATAL and PANIC, and errors during start-up, end the
//    session at once: nothing follows them.

/// The client's side of a session, without I/O.
struct Session: ~Copyable {
  /// What came of the bytes received so far.
  enum Progress {
    /// Nothing more can be said before more bytes come.
    case needsBytes
    /// These rows came.
    case rows(RowRun)
    /// This copied data came.
    case copyData(CopyRun)
    /// The exchange reached a point that its caller waits for.
    case delivered
    /// The exchange is complete and the server ready.
    case finished
  }

  /// The most that a server may say before it is ready for the first time, in bytes: its settings,
  /// and perhaps a notice.
  static let startupLimit = 1 << 20

  var inbox = Inbox()
  var outbox = ByteWriter()
  var unsolicited = Unsolicited()
  private(set) var state = SessionState.starting
  /// Whether the exchange under way, or the last one, began inside a transaction block.
  private(set) var beganInBlock = false
  /// The server's first error in the exchange under way.
  private var refusal: PGError?
  private var startupBytes = 0

  /// Opens an exchange: its first messages are in the outbox afterwards.
  ///
  /// - Throws: ``PGError`` if the session is over or busy, or what is to be sent is too long; then
  ///   nothing of it will be sent.
  mutating func begin<E: Exchange & ~Copyable>(_ exchange: inout E) throws(PGError) {
    switch state {
    case .starting, .idle: break
    case .busy: throw .operation("the connection is in the middle of another operation")
    case .failed(let error): throw error
    case .closed: throw .connectionDoesNotExist("the connection is closed")
    }
    inbox.joinsCopyData = false
    let length = outbox.count
    do throws(PGError) {
      try exchange.open(&outbox)
      if outbox.overflowed { throw .messageTooLong() }
    } catch {
      outbox.truncate(to: length)
      throw error
    }
    if case .idle(let status) = state {
      beganInBlock = status != .idle
      state = .busy
    }
  }

  /// Goes as far as the bytes received allow.
  ///
  /// - Throws: the server's error once the server is ready again; or, with the session over, an
  ///   error of the protocol or a fatal one of the server.
  mutating func advance<E: Exchange & ~Copyable>(
    _ exchange: inout E
  ) throws(PGError) -> Progress {
    if case .failed(let error) = state { throw error }
    while let frame = try nextFrame() {
      switch frame.tag {
      case BackendTag.dataRow.rawValue:
        if let rows = try takeRows(exchange.dataPlane) { return .rows(rows) }
      case BackendTag.copyData.rawValue:
        if let data = try takeCopyData(exchange.dataPlane) { return .copyData(data) }
      case BackendTag.notificationResponse.rawValue:
        try takeNotification(frame, mayCome: maySpeakUnasked(exchange))
      default:
        if let progress = try receive(try takeMessage(frame), &exchange) { return progress }
      }
    }
    return .needsBytes
  }

  /// Takes in what comes while no exchange is under way: only unsolicited messages may.
  mutating func advanceIdle() throws(PGError) {
    if case .failed(let error) = state { throw error }
    while let frame = try nextFrame() {
      if frame.tag == BackendTag.notificationResponse.rawValue {
        try takeNotification(frame, mayCome: true)
        continue
      }
      let message = try takeMessage(frame)
      if unsolicited.accept(message) { continue }
      if case .errorResponse(let fields) = message { throw fail(.server(fields)) }
      throw fail(.protocolViolation("unexpected \(message.name) message from an idle server"))
    }
  }

  /// Ends the session for `error`, which is thrown for every later use as well.
  @discardableResult
  mutating func fail(_ error: PGError) -> PGError {
    switch state {
    case .failed(let first): return first
    case .closed: return error
    case .starting, .idle, .busy:
      state = .failed(error)
      return error
    }
  }

  /// Ends the session in good order: Terminate is in the outbox afterwards, if it can be sent, and
  /// nothing else: what has not been sent before must not be done after all.
  mutating func close() {
    if case .closed = state { return }
    outbox.truncate(to: 0)
    if case .idle = state { BodilessMessage.terminate.encode(into: &outbox) }
    if case .failed = state { return }
    state = .closed
  }

  // MARK: Steps

  private mutating func receive<E: Exchange & ~Copyable>(
    _ message: BackendMessage, _ exchange: inout E
  ) throws(PGError) -> Progress? {
    let mayCome = if case .noticeResponse = message { true } else { maySpeakUnasked(exchange) }
    if mayCome, unsolicited.accept(message) { return nil }
    switch message {
    case .errorResponse(let fields):
      try refuse(fields)
      return nil
    case .readyForQuery(let status):
      return try becomeReady(status, isComplete: exchange.isComplete)
    default:
      // After an error a server skips to Sync; what it had sent before is of no interest now.
      if refusal != nil { return nil }
      do throws(PGError) {
        return try exchange.receive(message, &outbox) == .deliver ? .delivered : nil
      } catch {
        throw fail(error)
      }
    }
  }

  /// Before it has let the client in, a server may at most give notice.
  private func maySpeakUnasked<E: Exchange & ~Copyable>(_ exchange: borrowing E) -> Bool {
    if case .starting = state { return exchange.isComplete }
    return true
  }

  private mutating func refuse(_ fields: ServerMessage) throws(PGError) {
    if case .starting = state { throw fail(.server(fields)) }
    if fields.isFatal { throw fail(.server(fields)) }
    if refusal == nil { refusal = .server(fields) }
  }

  private mutating func becomeReady(
    _ status: TransactionStatus, isComplete: Bool
  ) throws(PGError) -> Progress {
    if case .idle = state {
      throw fail(.protocolViolation("the server is ready although nothing was asked"))
    }
    if let error = refusal {
      refusal = nil
      inbox.giveBack()
      state = .idle(status)
      throw error
    }
    guard isComplete else {
      throw fail(.protocolViolation("the server is ready before the exchange was complete"))
    }
    inbox.limit = FrameHeader.longLimit
    inbox.giveBack()
    state = .idle(status)
    return .finished
  }

  // The inbox's errors are the peer's, and the session does not survive them.

  private mutating func nextFrame() throws(PGError) -> Frame? {
    do throws(PGError) { return try inbox.nextFrame() } catch { throw fail(error) }
  }

  private mutating func takeMessage(_ frame: Frame) throws(PGError) -> BackendMessage {
    try countStartup(frame)
    do throws(PGError) { return try inbox.takeMessage(frame) } catch { throw fail(error) }
  }

  private mutating func takeNotification(_ frame: Frame, mayCome: Bool) throws(PGError) {
    guard mayCome else { throw fail(.misplaced("\(BackendTag.notificationResponse)")) }
    try countStartup(frame)
    do throws(PGError) { try inbox.takeNotification(frame, into: &unsolicited) } catch {
      throw fail(error)
    }
  }

  private mutating func countStartup(_ frame: Frame) throws(PGError) {
    guard case .starting = state else { return }
    startupBytes += Frame.headerSize + frame.body.count
    guard startupBytes <= Self.startupLimit else {
      throw fail(.protocolViolation("the server talks too long before it is ready"))
    }
  }

  private mutating func takeRows(_ plane: DataPlane) throws(PGError) -> RowRun? {
    guard case .rows(let columns) = plane else { throw fail(.misplaced("DataRow")) }
    do throws(PGError) {
      let rows = try inbox.takeRows(columns: columns)
      return refusal == nil ? rows : nil
    } catch { throw fail(error) }
  }

  private mutating func takeCopyData(_ plane: DataPlane) throws(PGError) -> CopyRun? {
    guard case .copyData = plane else { throw fail(.misplaced("CopyData")) }
    do throws(PGError) {
      let data = try inbox.takeCopyData()
      return refusal == nil ? data : nil
    } catch { throw fail(error) }
  }
}

extension PGError {
  @inline(never)
  static func misplaced(_ message: String) -> PGError {
    .protocolViolation("unexpected \(message) message from the server")
  }

  @inline(never)
  static func messageTooLong() -> PGError {
    PGError(
      code: .programLimitExceeded,
      message: "a message to the server would be longer than \(ByteWriter.lengthLimit) bytes",
      fault: .caller, hint: "send less at once, or use COPY")
  }
}
