internal import Glibc
internal import PGCommandLine
internal import PGKit

/// A table that takes the rows that its server accepts; the others are written to a file.
///
/// Rows are gathered in blocks, and each is a COPY between savepoints. A block that is refused is halved
/// until the rows that cannot be stored stand alone, so that a few bad rows cost a few more COPYs.
final class RejectingReceiver: CopyReceiver {
  /// How much is tried at once.
  private static let blockSize = 1 << 20
  private static let blockRows = 50_000
  /// The longest row from a file or stdin: it is held several times, and one that has no end, because a
  /// quote is open, must not take all memory.
  private static let rowLimit = 256 << 20

  private let connection: Connection
  private let statement: String
  private let file: RejectFile
  private let most: Int
  private let receiver: Receiver
  /// Whether the server takes a line `\.` for the end of the data.
  private let endsAtMarker: Bool
  private var boundary: RowBoundary
  /// Rows that wait, one behind the other; what has come of the next one; and where each that is whole ends.
  ///
  /// What is not whole waits here too, so that a row that comes in many pieces is not moved for each.
  private var block: [UInt8] = []
  private var ends: [Int] = []
  private var stored = 0
  private var rejected = 0
  /// Whether the statement was seen to be accepted when it has no rows.
  private var takesNoRows = false
  /// The number of the first row of the block, from 1.
  private var firstRow = 1

  init(
    _ connection: Connection, _ table: CopyTable, _ format: CopyFormat, encoding: String?,
    into file: RejectFile, most: Int, receiver: Receiver
  ) throws(PGError) {
    (self.connection, self.most, self.receiver) = (connection, most, receiver)
    (self.file, endsAtMarker) = (file, format == .text || connection.serverVersion.major < 18)
    statement = try table.copyIn(format, encoding: encoding)
    boundary = RowBoundary(format)
  }

  func write(_ piece: CopyPiece) throws(PGError) {
    switch piece {
    case .chunk(let chunk):
      chunk.forEach {
        block += $0
        ends.append(block.count)
      }
    case .bytes(let bytes): takeRows(bytes)
    }
    if block.count - (ends.last ?? 0) > Self.rowLimit { throw tooLongRow }
    if block.count >= Self.blockSize || ends.count >= Self.blockRows { try store() }
  }

  private func takeRows(_ bytes: [UInt8]) {
    // Cut at newlines, which is where rows can end; those within a row join what comes next.
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      let isLast = line.endIndex == bytes.endIndex
      let piece = isLast ? Array(line) : Array(line) + [UInt8(ascii: "\n")]
      if piece.isEmpty { continue }
      let before = boundary.rowCount
      boundary.take(piece)
      block += piece
      if boundary.rowCount > before { ends.append(block.count) }
    }
  }

  private var tooLongRow: PGError {
    PGError(
      code: .programLimitExceeded,
      message:
        "row \(firstRow + ends.count) does not end within \(Self.rowLimit >> 20) MiB, which is what --rejects takes",
      fault: .caller,
      hint: "is a quote not closed? Without --rejects the server says how long a row may be")
  }

  func end() throws(PGError) {}

  func finish() throws(PGError) -> Int? {
    if block.count > ends.last ?? 0 { ends.append(block.count) }
    try store()
    try file.finish()
    receiver.refused(rejected)
    return stored.addingRows(rejected)
  }

  func fail(_ reason: String) { file.remove() }

  /// Stores the block's whole rows.
  private func store() throws(PGError) {
    guard let end = ends.last else { return }
    try store(0..<ends.count)
    firstRow += ends.count
    block.removeSubrange(..<end)
    ends.removeAll(keepingCapacity: true)
  }

  private func store(_ rows: Range<Int>) throws(PGError) {
    let start = rows.lowerBound == 0 ? 0 : ends[rows.lowerBound - 1]
    let data = Array(block[start..<ends[rows.upperBound - 1]])
    guard let refusal = try refusal(of: data) else { return }
    guard rows.count > 1 else {
      try requireRowsFault(refusal)
      return try reject(data, rows.lowerBound, refusal)
    }
    let middle = rows.lowerBound + rows.count / 2
    try store(rows.lowerBound..<middle)
    try store(middle..<rows.upperBound)
  }

  /// Why the rows were not stored; `nil` if they were.
  private func refusal(of data: [UInt8]) throws(PGError) -> PGError? {
    if endsAtMarker, Self.markers.contains(data) { return nil }
    try connection.execute("SAVEPOINT pgkit_copy")
    do throws(PGError) {
      let stream = try connection.copyIn(statement)
      try stream.write(data)
      stored = stored.addingRows(try stream.finish().rowCount ?? 0)
      try connection.execute("RELEASE pgkit_copy")
      return nil
    } catch {
      guard error.fault == .server, error.fields?.isFatal != true, !Self.isAboutMore(error) else {
        throw error
      }
      try connection.execute("ROLLBACK TO pgkit_copy; RELEASE pgkit_copy")
      return error
    }
  }

  /// The lines that end the data: they stand at its very end, or the data is refused as a whole.
  private static let markers = ["\\.", "\\.\n", "\\.\r\n"].map { Array($0.utf8) }

  /// Makes sure that a refusal is not one of the statement as such, because of an option or a trigger that
  /// it has: what happens without any row is no row's fault.
  private func requireRowsFault(_ refusal: PGError) throws(PGError) {
    if takesNoRows || Self.namesLine(refusal) { return }
    if let general = try self.refusal(of: []) { throw general }
    takesNoRows = true
  }

  /// Whether an error is not a row's own, so that no row can be blamed for it.
  private static func isAboutMore(_ error: PGError) -> Bool {
    let characters = error.code.classCharacters
    // Where a trigger has said it, that stands before the line.
    if valueClasses.contains(characters), error.fields?.context?.hasPrefix("COPY ") == true {
      return false
    }
    return classesAboutMore.contains(characters)
  }

  /// Whether the server has said in which line it was: then it was at that.
  ///
  /// Only the words around COPY are translated.
  private static func namesLine(_ error: PGError) -> Bool {
    error.fields?.context?.contains("COPY ") == true
  }

  /// Of the classes below, those that the text of a value can be the reason of, too: a pattern may have what
  /// the server cannot do (0A), and a value may be the name of a schema (3F).
  private static let valueClasses: Set<String> = ["0A", "3F"]

  /// The classes of errors that have another reason than what is in a row: the connection of a trigger or a
  /// foreign table to another server (08), what the server cannot do (0A), who asks (0L, 0P, 28), the
  /// transaction (25, 2D, 3B, 40), names (26, 34, 3D, 3F, 42), another server behind a foreign table (HV),
  /// and the server's state.
  ///
  /// Values, constraints, limits of a row's size (54) and what triggers raise (P0) are a row's own.
  ///
  /// Source: PostgreSQL manual, "PostgreSQL Error Codes".
  private static let classesAboutMore: Set<String> = [
    "08", "0A", "0L", "0P", "25", "26", "28", "2D", "34", "3B", "3D", "3F", "40", "42", "53", "55",
    "57", "58", "72", "F0", "HV", "XX",
  ]

  private func reject(_ data: [UInt8], _ index: Int, _ refusal: PGError) throws(PGError) {
    rejected += 1
    receiver.refused(rejected)
    try file.write(row: firstRow + index, data, refusal)
    guard rejected > most else { return }
    // Nothing is stored, but what is wrong with the rows was found out, and is kept.
    try file.finish()
    try file.publish()
    throw PGError(
      code: refusal.code,
      message:
        "row \(firstRow + index) was refused, and \(most) were before, as many as may be: \(refusal.message)",
      fault: .server,
      hint: "The rows that were refused are in \(file.path); --max-rejects allows more.",
      fields: refusal.fields)
  }
}
