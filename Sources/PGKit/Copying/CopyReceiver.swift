/// Where copied data goes.
///
/// In py-postgresql: `copyman.Receiver`.
public protocol CopyReceiver: AnyObject {
  /// Takes a piece, waiting for as long as that takes.
  ///
  /// - Throws: ``PGError``; the receiver is then given nothing more, unless it is reconciled.
  func write(_ piece: CopyPiece) throws(PGError)

  /// Takes a piece without waiting, to pass it on when that can be done.
  ///
  /// A receiver without a queue does as ``write(_:)`` does; that is what it does unless it says
  /// otherwise.
  func enqueue(_ piece: CopyPiece) throws(PGError)

  /// Passes on what can be passed on without waiting.
  ///
  /// - Throws: ``PGError``, also when the other end has one to tell.
  func sendQueued() throws(PGError)

  /// How many bytes wait to be passed on.
  var queuedBytes: Int { get }

  /// What to wait for before more can be passed on, or the other end has something to say.
  var watches: [DescriptorWatch] { get }

  /// Whether the rows of a server may come joined: many in one message.
  var takesJoinedRows: Bool { get }

  /// Hears that others are given the same data, which wait while it takes none.
  ///
  /// It is told once, before the first piece.
  func joinOthers()

  /// Hears that the data is complete, without waiting for what follows from that.
  func end() throws(PGError)

  /// Waits until everything has been taken in.
  ///
  /// - Returns: The number of rows taken in; `nil` if the receiver cannot know.
  func finish() throws(PGError) -> Int?

  /// Hears that the data will not be complete, and forgets what it has been given.
  func fail(_ reason: String)
}

extension CopyReceiver {
  /// Takes the piece at once.
  public func enqueue(_ piece: CopyPiece) throws(PGError) { try write(piece) }
  /// Does nothing.
  public func sendQueued() throws(PGError) {}
  /// None.
  public var queuedBytes: Int { 0 }
  /// Nothing.
  public var watches: [DescriptorWatch] { [] }
  /// No: each row comes by itself.
  public var takesJoinedRows: Bool { false }
  /// Does nothing.
  public func joinOthers() {}
}

/// A COPY … FROM STDIN.
///
/// In py-postgresql: `StatementReceiver`.
public final class StatementReceiver: CopyReceiver {
  private let connection: Connection
  private let stream: CopyInStream

  /// Begins the statement.
  ///
  /// - Throws: ``PGError``: the server's; `--OPE` if the statement does not copy in.
  public init(_ connection: Connection, _ sql: String) throws(PGError) {
    self.connection = connection
    stream = try connection.copyIn(sql)
  }

  /// Sends a piece; rows of another server are relayed as they came.
  public func write(_ piece: CopyPiece) throws(PGError) {
    switch piece {
    case .chunk(let chunk): try stream.write(chunk)
    case .bytes(let bytes): try stream.write(bytes)
    }
  }

  /// Keeps a piece until the server takes it.
  public func enqueue(_ piece: CopyPiece) throws(PGError) {
    switch piece {
    case .chunk(let chunk): try stream.enqueue(.run(chunk.run))
    case .bytes(let bytes): try stream.enqueue(CopyInQueue.messages(of: bytes))
    }
  }

  /// Sends what the server takes at once.
  public func sendQueued() throws(PGError) { try stream.sendQueued() }

  /// How many bytes wait for the server.
  public var queuedBytes: Int { stream.queuedBytes }

  /// The server.
  public var watches: [DescriptorWatch] {
    let reading = DescriptorWatch(stream.descriptor, .readable)
    return queuedBytes == 0
      ? [reading] : [reading, DescriptorWatch(stream.descriptor, .writable)]
  }

  /// Yes: a server does not mind where messages begin and end.
  public var takesJoinedRows: Bool { true }

  /// How much may wait in the socket of one of several.
  ///
  /// What the servers do takes now longer at the one and now at the other: with more under way to each the
  /// sender is woken less often (an eighth of its time) and they wait less for each other. For one alone
  /// the small buffer that the system gives is better, as it stays where the processor reaches it fast.
  private static let sharedQueueSize = 1 << 20

  /// Lets more be under way to a server on the same machine, as long as its connection lives.
  public func joinOthers() { stream.widenQueue(to: Self.sharedQueueSize) }

  /// Tells the server that the data is complete.
  public func end() throws(PGError) { try stream.end() }

  /// Tells the server that the data is complete, as far as that can be done without waiting, and looks for
  /// its word on it.
  ///
  /// Whoever has several receivers can so wait for all of them at the same time.
  ///
  /// - Returns: Whether it has said its word: ``finish()`` will not wait. If not, wait for ``watches``
  ///   and ask again.
  /// - Throws: ``PGError``: the server's; then nothing was stored.
  public func endWithoutWaiting() throws(PGError) -> Bool { try stream.endWithoutWaiting() }

  /// Waits for the server's word on the data: the number of rows it stored.
  public func finish() throws(PGError) -> Int? { try stream.finish().rowCount }

  /// Has the server forget the data; the connection of one that does not say so in ten seconds is closed.
  public func fail(_ reason: String) {
    // A server that does not take what waits would not hear of its end either.
    if stream.queuedBytes > 0, !connection.isClosed { connection.cancelOrClose() }
    // A connection that cannot even fail is lost, and its server forgets the data as well.
    try? stream.fail(reason, until: .after(CopyTransfer.stopLimit))
  }
}

/// A closure that is given each piece.
///
/// In py-postgresql: `CallReceiver`.
public final class ClosureReceiver: CopyReceiver {
  private let body: (CopyPiece) throws(PGError) -> Void

  /// Makes a receiver that hands each piece to `body`.
  public init(_ body: @escaping (CopyPiece) throws(PGError) -> Void) { self.body = body }

  /// Hands the piece to the closure.
  public func write(_ piece: CopyPiece) throws(PGError) { try body(piece) }
  /// Does nothing.
  public func end() throws(PGError) {}
  /// Unknown.
  public func finish() throws(PGError) -> Int? { nil }
  /// Does nothing.
  public func fail(_ reason: String) {}
}

/// Takes everything and keeps nothing.
///
/// In py-postgresql: `NullReceiver`.
public final class NullReceiver: CopyReceiver {
  /// Makes it.
  public init() {}
  /// Does nothing.
  public func write(_ piece: CopyPiece) throws(PGError) {}
  /// Yes.
  public var takesJoinedRows: Bool { true }
  /// Does nothing.
  public func end() throws(PGError) {}
  /// Unknown.
  public func finish() throws(PGError) -> Int? { nil }
  /// Does nothing.
  public func fail(_ reason: String) {}
}
