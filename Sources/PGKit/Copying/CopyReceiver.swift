/// Where copied data goes.
///
/// In py-postgresql: `copyman.Receiver`.
public protocol CopyReceiver: AnyObject {
  /// Takes a piece.
  ///
  /// - Throws: ``PGError``; the receiver is then given nothing more.
  func write(_ piece: CopyPiece) throws(PGError)

  /// Hears that the data is complete, without waiting for what follows from that.
  func end() throws(PGError)

  /// Waits until everything has been taken in.
  ///
  /// - Returns: The number of rows taken in; `nil` if the receiver cannot know.
  func finish() throws(PGError) -> Int?

  /// Hears that the data will not be complete, and forgets what it has been given.
  func fail(_ reason: String)
}

/// A COPY … FROM STDIN.
///
/// In py-postgresql: `StatementReceiver`.
public final class StatementReceiver: CopyReceiver {
  private let stream: CopyInStream

  /// Begins the statement.
  ///
  /// - Throws: ``PGError``: the server's; `--OPE` if the statement does not copy in.
  public init(_ connection: Connection, _ sql: String) throws(PGError) {
    stream = try connection.copyIn(sql)
  }

  /// Sends a piece; rows of another server are relayed as they came.
  public func write(_ piece: CopyPiece) throws(PGError) {
    switch piece {
    case .chunk(let chunk): try stream.write(chunk)
    case .bytes(let bytes): try stream.write(bytes)
    }
  }

  /// Tells the server that the data is complete.
  public func end() throws(PGError) { try stream.end() }

  /// Waits for the server's word on the data: the number of rows it stored.
  public func finish() throws(PGError) -> Int? { try stream.finish().rowCount }

  /// Has the server forget the data.
  public func fail(_ reason: String) {
    // A connection that cannot even fail is lost, and its server forgets the data as well.
    try? stream.fail(reason)
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
  /// Does nothing.
  public func end() throws(PGError) {}
  /// Unknown.
  public func finish() throws(PGError) -> Int? { nil }
  /// Does nothing.
  public func fail(_ reason: String) {}
}
