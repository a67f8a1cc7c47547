/// The data of a running COPY … TO STDOUT.
///
/// When another operation begins on the connection before the last of it was taken, the rest is received
/// first and kept, as far as 256 MiB for the connection go.
///
/// In py-postgresql: the chunks of a statement that copies out.
public final class CopyOutStream {
  private let connection: Connection
  private let running: RunningCopyOut

  fileprivate init(_ connection: Connection, _ running: RunningCopyOut) {
    self.connection = connection
    self.running = running
  }

  deinit { running.forget() }

  /// Whether the data is in the binary format.
  public var isBinary: Bool { running.exchange.copyResponse?.isBinary ?? false }

  /// The number of columns.
  public var columnCount: Int { running.exchange.copyResponse?.columnFormats.count ?? 0 }

  /// What the statement said of itself: `COPY 3`.
  ///
  /// Only there after the last chunk.
  public var tag: CommandTag? { running.isFinished ? running.exchange.tag : nil }

  /// The next rows, or `nil` after the last.
  ///
  /// - Throws: ``PGError``: the server's, or `--OPE` if what was left was too much to keep.
  public func next() throws(PGError) -> CopyChunk? { try running.next(on: connection) }
}

private final class RunningCopyOut: RunningOperation {
  var exchange: SimpleQuery
  private(set) var isFinished = false
  private let origin: ErrorOrigin.Creator
  private var isWanted = true
  /// What had arrived when another operation began, and the error that came behind it.
  private var kept: KeptResults<CopyChunk>?
  private var failure: PGError?
  private let observation: Observation?

  init(_ exchange: SimpleQuery, _ sql: String, _ observation: Observation?) {
    self.exchange = exchange
    self.observation = observation
    origin = .init("STATEMENT", sql)
  }

  /// Nobody is left to take the data.
  func forget() {
    isWanted = false
    kept = nil
  }

  func next(on connection: Connection) throws(PGError) -> CopyChunk? {
    try connection.link.requireNoDelivery()
    if isFinished { return nil }
    if let failure { throw failure }
    if let kept {
      if let chunk = try kept.next() { return chunk }
      isFinished = true
      return nil
    }
    do throws(PGError) {
      while true {
        switch try connection.link.pump(&exchange) {
        case .copyData(let run): return CopyChunk(run: run)
        case .finished:
          isFinished = true
          connection.running = nil
          observation?.ended(.completed(exchange.tag))
          return nil
        default: continue
        }
      }
    } catch {
      connection.running = nil
      observation?.ended(.failed(error))
      let located = error.inside(origin, of: connection)
      failure = located
      throw located
    }
  }

  func complete(on link: Link) throws(PGError) {
    let kept = isWanted ? KeptResults<CopyChunk>(link.keptBudget) : nil
    self.kept = kept
    do throws(PGError) {
      while true {
        switch try link.pump(&exchange) {
        case .copyData(let run):
          kept?.append(CopyChunk(run: run), size: run.memorySize)
        case .finished:
          observation?.ended(.leftUnread)
          return
        case .rows, .delivered, .needsBytes: continue
        }
      }
    } catch {
      observation?.ended(.failed(error))
      kept?.end(with: error.inside(origin))
      if error.fault != .server || error.fields?.isFatal == true { throw error }
    }
  }
}

extension Connection {
  /// Runs a COPY … TO STDOUT.
  ///
  /// - Throws: ``PGError``: the server's; `--OPE` if the statement does not copy out.
  ///
  /// On the wire: Query, as every COPY.
  public func copyOut(_ sql: String) throws(PGError) -> CopyOutStream {
    guard let stream = try copyOutIfAny(sql) else { throw PGError.noCopy(sql) }
    return stream
  }

  /// Runs a statement that may copy out; `nil` if it has run without, as COPY … TO a file of the
  /// server does.
  ///
  /// - Throws: ``PGError``: the server's.
  public func copyOutIfAny(_ sql: String) throws(PGError) -> CopyOutStream? {
    var exchange = SimpleQuery(sql, copying: .out)
    let observation = observe(.copy, sql)
    guard try beginCopy(&exchange, sql, observation) else { return nil }
    let operation = RunningCopyOut(exchange, sql, observation)
    running = operation
    return CopyOutStream(self, operation)
  }

  /// Sends a COPY and waits until data can flow; whether that came to be.
  func beginCopy(
    _ exchange: inout SimpleQuery, _ sql: String, _ observation: Observation?
  ) throws(PGError) -> Bool {
    do throws(PGError) {
      try begin(&exchange)
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
      throw error.inside(.init("STATEMENT", sql), of: self)
    }
  }
}

extension PGError {
  /// A statement that was to copy has run, and did not.
  @inline(never)
  static func noCopy(_ sql: String) -> PGError {
    .operation(
      "the statement ran, but is no COPY of the kind that was asked for",
      hint: "COPY … TO STDOUT copies out, COPY … FROM STDIN copies in"
    ).inside(.init("STATEMENT", sql))
  }
}
