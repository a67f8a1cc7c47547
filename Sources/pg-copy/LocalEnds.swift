internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// stdout as a receiver.
final class StandardOutputReceiver: CopyReceiver {
  private var gathered: [UInt8] = []
  /// Whether all of the data was accepted.
  private(set) var isComplete = false

  /// - Parameter endsWithReader: Whether the program ends at once with its reader, as others do; else that is
  ///   an error of a write.
  init(endsWithReader: Bool) { if !endsWithReader { signal(SIGPIPE, SIG_IGN) } }

  func write(_ piece: CopyPiece) throws(PGError) {
    gathered.removeAll(keepingCapacity: true)
    gathered.reserveCapacity(piece.byteCount)
    piece.forEach { gathered.append(contentsOf: $0) }
    do { try gathered.withUnsafeBytes { try StandardOutput.shared.write($0) } } catch {
      throw .output(error)
    }
  }

  var takesJoinedRows: Bool { true }

  func end() throws(PGError) {}

  /// Everything must have been accepted before any receiver commits.
  func finish() throws(PGError) -> Int? {
    do { try StandardOutput.shared.finish() } catch { throw .output(error) }
    isComplete = true
    return nil
  }

  func fail(_ reason: String) {}

  /// Has what was written go out, as far as that is possible, because nothing more will come.
  ///
  /// - Returns: How many bytes the system has taken.
  func settle() -> Int {
    // A reader that does not read must not keep a program from its end, nor one that has gone end it now.
    signal(SIGPIPE, SIG_IGN)
    if !Interruptions.shared.isInterrupted { try? StandardOutput.shared.finish() }
    return StandardOutput.shared.acceptedBytes
  }
}

/// stdin or a file as a producer, watched for data that servers would drop.
final class LocalProducer: CopyProducer {
  private enum Place {
    case standardInput
    case file(FileProducer)
  }

  private static let pieceSize = 64 * 1024
  /// How long a quiet stdin is waited for before the other ends are looked after: a pipe is filled again
  /// much sooner.
  private static let patience = 10
  private let place: Place
  private let endsAtMarker: Bool
  private var marker = EndMarker()

  private init(_ place: Place, endsAtMarker: Bool) {
    (self.place, self.endsAtMarker) = (place, endsAtMarker)
  }

  /// A producer of what comes from stdin; a signal ends it with an error.
  ///
  /// - Parameter endsAtMarker: Whether a receiver would drop what comes behind a line `\.`; that is
  ///   then an error.
  static func standardInput(endsAtMarker: Bool) -> LocalProducer {
    LocalProducer(.standardInput, endsAtMarker: endsAtMarker)
  }

  /// A producer of what a file holds.
  ///
  /// - Throws: ``PGError`` if it cannot be opened.
  static func file(_ path: String, endsAtMarker: Bool) throws(PGError) -> LocalProducer {
    LocalProducer(.file(try FileProducer(path: path)), endsAtMarker: endsAtMarker)
  }

  func next() throws(PGError) -> CopyPiece? {
    let piece: [UInt8]?
    switch place {
    case .standardInput: piece = try readStandardInput()
    case .file(let file):
      piece = if case .bytes(let bytes)? = try file.next() { bytes } else { nil }
    }
    guard let piece else { return nil }
    if endsAtMarker, marker.hasDataBehind(piece) {
      throw Self.dataBehindMarker(line: marker.line)
    }
    return .bytes(piece)
  }

  func nextIfThere() throws(PGError) -> CopyArrival {
    if case .standardInput = place,
      !StandardInput.waitToRead(milliseconds: Self.patience)
    {
      return .nothingYet
    }
    return try next().map { .piece($0) } ?? .end
  }

  var watches: [DescriptorWatch] {
    if case .standardInput = place { [DescriptorWatch(STDIN_FILENO, .readable)] } else { [] }
  }

  /// Unknown: the pieces need not be rows.
  var rowCount: Int? { nil }

  func stop() {}

  private func readStandardInput() throws(PGError) -> [UInt8]? {
    let piece: [UInt8]?
    do throws(Failure) {
      piece = try StandardInput.readPiece(upTo: Self.pieceSize, program: CopyCommand.program) {
        !Interruptions.shared.isInterrupted
      }
    } catch {
      throw PGError(
        code: .operatorIntervention, message: "stdin failed", fault: .caller, cause: error)
    }
    if piece == nil, Interruptions.shared.isInterrupted {
      throw PGError(code: .operatorIntervention, message: "interrupted", fault: .caller)
    }
    return piece
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
  /// Whether there is nothing.
  private(set) var isEmpty = false

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

  var givesPiecesAway: Bool { inner.givesPiecesAway }
  func joinRows() { inner.joinRows() }
  var isDrained: Bool { inner.isDrained }
  var watches: [DescriptorWatch] { inner.watches }
  var rowCount: Int? { inner.rowCount }
  func stop() { if !isEmpty { inner.stop() } }
}
