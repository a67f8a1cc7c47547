/// Where copied data comes from.
///
/// In py-postgresql: `copyman.Producer`.
public protocol CopyProducer: AnyObject {
  /// The next piece, or `nil` after the last.
  ///
  /// - Throws: ``PGError``; nothing more will come then.
  func next() throws(PGError) -> CopyPiece?

  /// The next piece if it is there.
  ///
  /// A producer that cannot know waits for it, as ``next()`` does; that is what it does unless it says
  /// otherwise.
  func nextIfThere() throws(PGError) -> CopyArrival

  /// Whether nobody looks at a piece any more once it was given, so that its rows may be joined in its
  /// memory on their way.
  var givesPiecesAway: Bool { get }

  /// Is asked to join rows that come at the same time, where all receivers take them so.
  ///
  /// A producer that looks at rows, or cannot join them, leaves them as they are.
  func joinRows()

  /// Whether the last piece was all there was, so that to ask for another at once would be in vain.
  var isDrained: Bool { get }

  /// What to wait for when there was nothing yet.
  var watches: [DescriptorWatch] { get }

  /// The number of rows that the producer says it gave, once it has given all; `nil` if it cannot
  /// know.
  var rowCount: Int? { get }

  /// Stops before the end. What it reads from can be used for other things afterwards.
  func stop()
}

/// What a producer has without waiting.
public enum CopyArrival {
  /// A piece.
  case piece(CopyPiece)
  /// Nothing yet.
  case nothingYet
  /// Nothing any more.
  case end
}

extension CopyProducer {
  /// The next piece, waiting for it.
  public func nextIfThere() throws(PGError) -> CopyArrival {
    try next().map { .piece($0) } ?? .end
  }

  /// No: somebody may have kept them.
  public var givesPiecesAway: Bool { false }

  /// Does nothing.
  public func joinRows() {}

  /// Unknown, so that it is asked.
  public var isDrained: Bool { false }

  /// Nothing.
  public var watches: [DescriptorWatch] { [] }
}

/// The rows of a COPY … TO STDOUT.
///
/// In py-postgresql: `StatementProducer`.
public final class StatementProducer: CopyProducer {
  private let connection: Connection
  private let stream: CopyOutStream
  private var isOver = false

  /// Begins the statement.
  ///
  /// - Throws: ``PGError``: the server's; `--OPE` if the statement does not copy out.
  public init(_ connection: Connection, _ sql: String) throws(PGError) {
    self.connection = connection
    stream = try connection.copyOut(sql)
  }

  /// Whether the data is in the binary format.
  public var isBinary: Bool { stream.isBinary }

  /// The next rows, or `nil` after the last.
  public func next() throws(PGError) -> CopyPiece? {
    do throws(PGError) {
      if let chunk = try stream.next() { return .chunk(chunk) }
      isOver = true
      return nil
    } catch {
      isOver = true
      throw error
    }
  }

  /// The next rows, if they have come.
  public func nextIfThere() throws(PGError) -> CopyArrival {
    do throws(PGError) {
      switch try stream.nextIfThere() {
      case .part(let chunk): return .piece(.chunk(chunk))
      case .nothingYet: return .nothingYet
      case .end:
        isOver = true
        return .end
      }
    } catch {
      isOver = true
      throw error
    }
  }

  /// Yes.
  public var givesPiecesAway: Bool { true }

  /// Has them joined where they are received, which costs less than to do it later.
  public func joinRows() { stream.joinRows() }

  /// Whether the server had sent no more.
  public var isDrained: Bool { stream.isDrained }

  /// The server.
  public var watches: [DescriptorWatch] {
    isOver ? [] : [DescriptorWatch(connection.fileDescriptor, .readable)]
  }

  /// The number of rows that the server says it gave.
  public var rowCount: Int? { stream.tag?.rowCount }

  /// Cancels the statement and takes what was already on its way.
  ///
  /// The connection of a server that does not even take note of that in two seconds, or does not come to
  /// an end in ten, is closed.
  public func stop() {
    if isOver { return }
    connection.cancelOrClose()
    let deadline = Deadline.after(CopyTransfer.stopLimit)
    while !isOver {
      let isQuiet = if case .nothingYet? = try? nextIfThere() { true } else { false }
      if isQuiet { _ = try? Syscalls.wait(forAny: watches, until: deadline) }
      guard !isOver, deadline.hasPassed else { continue }
      connection.close()
      isOver = true
    }
  }
}

/// Data that a closure gives.
///
/// In py-postgresql: `IteratorProducer`.
public final class ClosureProducer: CopyProducer {
  private let body: () throws(PGError) -> [UInt8]?

  /// Makes a producer that asks `body` for each piece until it gives `nil`.
  public init(_ body: @escaping () throws(PGError) -> [UInt8]?) { self.body = body }

  /// Makes a producer of the pieces of a sequence.
  public convenience init(_ pieces: some Sequence<[UInt8]>) {
    var iterator = pieces.makeIterator()
    self.init { iterator.next() }
  }

  /// The next piece, or `nil` after the last.
  public func next() throws(PGError) -> CopyPiece? { try body().map(CopyPiece.bytes) }

  /// Unknown: the pieces need not be rows.
  public var rowCount: Int? { nil }

  /// Does nothing.
  public func stop() {}
}

/// No data at all.
///
/// In py-postgresql: `NullProducer`.
public final class NullProducer: CopyProducer {
  /// Makes it.
  public init() {}
  /// Nothing.
  public func next() throws(PGError) -> CopyPiece? { nil }
  /// None.
  public var rowCount: Int? { 0 }
  /// Does nothing.
  public func stop() {}
}
