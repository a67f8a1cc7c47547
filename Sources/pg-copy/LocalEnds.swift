internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// stdout as a receiver.
final class StandardOutputReceiver: CopyReceiver {
  private var gathered: [UInt8] = []

  func write(_ piece: CopyPiece) throws(PGError) {
    gathered.removeAll(keepingCapacity: true)
    gathered.reserveCapacity(piece.byteCount)
    piece.forEach { gathered.append(contentsOf: $0) }
    try checked {
      try gathered.withUnsafeBytes { try StandardOutput.shared.write($0) }
    }
  }

  var takesJoinedRows: Bool { true }

  func end() throws(PGError) {}

  /// Everything must have been accepted before any receiver commits.
  func finish() throws(PGError) -> Int? {
    try checked { try StandardOutput.shared.finish() }
    return nil
  }

  func fail(_ reason: String) {}

  /// A failure of stdout is none of the library's; it passes through it as a cause.
  private func checked(_ body: () throws -> Void) throws(PGError) {
    do { try body() } catch {
      throw PGError(
        code: .operatorIntervention, message: "stdout failed", fault: .caller, cause: error)
    }
  }
}

/// stdin or a file as a producer, watched for data that servers would drop.
enum LocalProducer {
  private static let pieceSize = 64 * 1024

  /// A producer of what comes from stdin; a signal ends it with an error.
  ///
  /// - Parameter endsAtMarker: Whether a receiver would drop what comes behind a line `\.`; that is
  ///   then an error.
  static func standardInput(endsAtMarker: Bool) -> ClosureProducer {
    watched(endsAtMarker) { () throws(PGError) -> [UInt8]? in
      let piece: [UInt8]?
      do throws(Failure) {
        piece = try StandardInput.readPiece(upTo: pieceSize, program: CopyCommand.program) {
          Interruptions.shared.signal == nil && !Interruptions.shared.isExpired
        }
      } catch {
        throw PGError(
          code: .operatorIntervention, message: "stdin failed", fault: .caller, cause: error)
      }
      if piece == nil, Interruptions.shared.signal != nil || Interruptions.shared.isExpired {
        throw PGError(code: .operatorIntervention, message: "interrupted", fault: .caller)
      }
      return piece
    }
  }

  /// A producer of what a file holds.
  ///
  /// - Throws: ``PGError`` if it cannot be opened.
  static func file(_ path: String, endsAtMarker: Bool) throws(PGError) -> ClosureProducer {
    let file = try FileProducer(path: path)
    return watched(endsAtMarker) { () throws(PGError) -> [UInt8]? in
      guard case .bytes(let bytes) = try file.next() else { return nil }
      return bytes
    }
  }

  private static func watched(
    _ endsAtMarker: Bool, _ body: @escaping () throws(PGError) -> [UInt8]?
  ) -> ClosureProducer {
    var marker = EndMarker()
    return ClosureProducer { () throws(PGError) -> [UInt8]? in
      let piece = try body()
      if endsAtMarker, let piece, marker.hasDataBehind(piece) {
        throw dataBehindMarker(line: marker.line)
      }
      return piece
    }
  }

  private static func dataBehindMarker(line: Int) -> PGError {
    PGError(
      code: .badCopyFileFormat,
      message: "line \(line): \\. ends the data, but there is more behind it",
      fault: .caller,
      hint: "As a value it is written \\\\. in text, and \"\\.\" in CSV.")
  }
}

/// A producer whose beginning was looked at.
///
/// So nothing need be done at a receiver before the source has shown that it gives something.
final class BegunProducer: CopyProducer {
  private let inner: any CopyProducer
  private var first: CopyPiece?
  private var isEmpty = false

  /// Waits for the first piece, or the end.
  init(_ inner: any CopyProducer) throws(PGError) {
    self.inner = inner
    first = try inner.next()
    isEmpty = first == nil
  }

  func next() throws(PGError) -> CopyPiece? {
    if isEmpty { return nil }
    if let first {
      self.first = nil
      return first
    }
    return try inner.next()
  }

  func nextIfThere() throws(PGError) -> CopyArrival {
    if isEmpty { return .end }
    if let first {
      self.first = nil
      return .piece(first)
    }
    return try inner.nextIfThere()
  }

  var watches: [DescriptorWatch] { inner.watches }
  var rowCount: Int? { inner.rowCount }
  func stop() { if !isEmpty { inner.stop() } }
}
