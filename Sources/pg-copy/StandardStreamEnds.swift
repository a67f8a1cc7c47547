internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// stdout as a receiver.
final class StandardOutputReceiver: CopyReceiver {
  private var gathered: [UInt8] = []
  private var byteCount = 0

  func write(_ piece: CopyPiece) throws(PGError) {
    gathered.removeAll(keepingCapacity: true)
    gathered.reserveCapacity(piece.byteCount)
    piece.forEach { gathered.append(contentsOf: $0) }
    try checked {
      try gathered.withUnsafeBytes { try StandardOutput.shared.write($0) }
    }
  }

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

/// stdin as a producer.
enum StandardInputProducer {
  private static let pieceSize = 64 * 1024

  /// A producer of what comes from stdin; a signal ends it with an error.
  ///
  /// - Parameter endsAtMarker: Whether a receiver would drop what comes behind a line `\.`; that is
  ///   then an error.
  static func make(endsAtMarker: Bool) -> ClosureProducer {
    var marker = EndMarker()
    return ClosureProducer { () throws(PGError) -> [UInt8]? in
      let piece: [UInt8]?
      do throws(Failure) {
        piece = try StandardInput.readPiece(upTo: pieceSize, program: CopyCommand.program) {
          Interruptions.shared.signal == nil
        }
      } catch {
        throw PGError(
          code: .operatorIntervention, message: "stdin failed", fault: .caller, cause: error)
      }
      if piece == nil, Interruptions.shared.signal != nil {
        throw PGError(code: .operatorIntervention, message: "interrupted", fault: .caller)
      }
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
