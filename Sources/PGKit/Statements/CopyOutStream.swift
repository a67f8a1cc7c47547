/// The data of a running COPY … TO STDOUT.
///
/// When another operation begins on the connection before the last of it was taken, the rest is received
/// first and kept, as far as 256 MiB for the connection go.
///
/// In py-postgresql: the chunks of a statement that copies out.
public final class CopyOutStream {
  private let connection: Connection
  private let running: RunningCopyOut
  /// The COPY under way, as the connection knows it.
  var operation: any RunningOperation { running }

  fileprivate init(_ connection: Connection, _ running: RunningCopyOut) {
    self.connection = connection
    self.running = running
  }

  deinit {
    running.forget()
    if let error = running.takeUnheard() { connection.noteUnheard(error) }
  }

  /// Whether the data is in the binary format.
  public var isBinary: Bool { running.response?.isBinary ?? false }

  /// The number of columns.
  public var columnCount: Int { running.response?.columnFormats.count ?? 0 }

  /// What the statement said of itself: `COPY 3`.
  ///
  /// Only there after the last chunk.
  public var tag: CommandTag? { running.isOver ? running.tag : nil }

  /// The next rows, or `nil` after the last.
  ///
  /// - Throws: ``PGError``: the server's, or `--OPE` if what was left was too much to keep.
  public func next() throws(PGError) -> CopyChunk? { try running.next(on: connection) }

  /// Whether there were no more when the last came.
  var isDrained: Bool { running.isDrained(on: connection) }

  /// Has the rows that come at the same time joined in one message, from now on.
  ///
  /// Only who is alone in taking them may ask for it.
  func joinRows() {
    if running.isArriving { connection.link.session.inbox.joinsCopyData = true }
  }

  /// The next rows, if they are there.
  func nextIfThere() throws(PGError) -> Arrival<CopyChunk> {
    try running.nextIfThere(on: connection)
  }
}

private final class RunningCopyOut: RunningResult<SimpleQuery, CopyChunk> {
  /// What the server says of the data.
  let response: CopyResponse?

  init(
    _ exchange: SimpleQuery, origin: ErrorOrigin.Creator, hearer: (any MessageHearer)?,
    observation: Observation?
  ) {
    response = exchange.copyResponse
    super.init(exchange, origin: origin, owner: hearer, observation: observation)
  }

  override func part(of progress: Session.Progress) throws(PGError) -> CopyChunk? {
    if case .copyData(let run) = progress { CopyChunk(run: run) } else { nil }
  }

  override func size(of part: CopyChunk) -> Int { part.run.memorySize }
}

extension Connection {
  /// Runs a COPY … TO STDOUT.
  ///
  /// - Throws: ``PGError``: the server's; `--OPE` if the statement does not copy out.
  ///
  /// On the wire: Query, as every COPY.
  public func copyOut(_ sql: String) throws(PGError) -> CopyOutStream {
    guard let stream = try copyOutIfAny(sql) else { throw PGError.noCopy(sql, on: self) }
    return stream
  }

  /// Runs a statement that may copy out; `nil` if it has run without, as COPY … TO a file of the
  /// server does.
  ///
  /// - Throws: ``PGError``: the server's.
  public func copyOutIfAny(_ sql: String) throws(PGError) -> CopyOutStream? {
    try copyOut(sql, hearer: nil)
  }

  func copyOut(
    _ sql: String, hearer: (any MessageHearer)?
  ) throws(PGError) -> CopyOutStream? {
    var exchange = SimpleQuery(sql, copying: .out)
    let observation = observe(.copy, sql)
    guard try beginCopy(&exchange, sql, hearer, observation) else { return nil }
    let operation = RunningCopyOut(
      exchange, origin: .statement(sql), hearer: hearer, observation: observation)
    running = operation
    return CopyOutStream(self, operation)
  }

  /// Sends a COPY and waits until data can flow; whether that came to be.
  func beginCopy(
    _ exchange: inout SimpleQuery, _ sql: String, _ hearer: (any MessageHearer)?,
    _ observation: Observation?
  ) throws(PGError) -> Bool {
    do throws(PGError) {
      try begin(&exchange)
      self.hearer = hearer
      defer { self.hearer = nil }
      while true {
        switch try link.pump(&exchange) {
        case .delivered: return true
        case .finished:
          observation?.ended(.completed(exchange.tag))
          return false
        default: continue
        }
      }
    } catch {
      observation?.ended(.failed(error))
      throw error.inside(.statement(sql), of: self)
    }
  }
}

extension PGError {
  /// A statement that was to copy has run, and did not.
  @inline(never)
  static func noCopy(_ sql: String, on connection: Connection) -> PGError {
    .operation(
      "the statement ran, but is no COPY of the kind that was asked for",
      hint: "COPY … TO STDOUT copies out, COPY … FROM STDIN copies in"
    ).inside(.statement(sql), of: connection)
  }
}
