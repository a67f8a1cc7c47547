internal import PGKit

/// Sums up a receiver's rows for each statement that stored them.
///
/// Behind its own values each row has the number of that statement within its transaction, which is taken
/// off, so that what is summed up is the row as it came from the source.
struct StatementSums {
  /// The sums in the order of the statements.
  var inOrder: [RowChecksum] { sums.sorted { $0.key < $1.key }.map(\.value) }

  private var sums: [UInt32: RowChecksum] = [:]
  /// Finds the rows in the binary format.
  private var rows: BinaryCopyFile.Rows?
  /// The row without its number.
  private var row: [UInt8] = []

  /// The number of values, in front; the number of the statement with its length, behind.
  private static let countSize = 2
  private static let numberSize = 8

  init(_ format: CopyFormat) { rows = format == .binary ? .init() : nil }

  /// Adds rows; each is a message.
  ///
  /// - Throws: ``PGError`` 08P01 if a row has no such number.
  mutating func add(_ piece: CopyPiece) throws(PGError) {
    var isWhole = true
    piece.forEach { message in
      if rows != nil {
        isWhole = addBinary(message) && isWhole
      } else {
        isWhole = addText(message) && isWhole
      }
    }
    guard isWhole else {
      throw PGError(
        code: .protocolViolation, message: "a row came back without its statement's number",
        fault: .peer)
    }
  }

  /// Whether the row had a number.
  private mutating func addText(_ message: UnsafeRawBufferPointer) -> Bool {
    let line = message.last == UInt8(ascii: "\n") ? message.dropLast() : message[...]
    let tab = line.lastIndex(of: UInt8(ascii: "\t"))
    let digits = line[(tab.map { $0 + 1 } ?? line.startIndex)...]
    guard let number = UInt32(String(decoding: digits, as: UTF8.self)) else { return false }
    row.removeAll(keepingCapacity: true)
    if let tab { row += line[..<tab] }
    row.append(UInt8(ascii: "\n"))
    sum(number)
    return true
  }

  private mutating func addBinary(_ whole: UnsafeRawBufferPointer) -> Bool {
    guard let message = rows?.row(in: whole) else { return true }
    guard message.count >= Self.countSize + Self.numberSize else { return false }
    let count = message.prefix(Self.countSize).reduce(0) { $0 << 8 | UInt32($1) }
    guard count > 0 else { return false }
    row.removeAll(keepingCapacity: true)
    row.append(UInt8(truncatingIfNeeded: (count - 1) >> 8))
    row.append(UInt8(truncatingIfNeeded: count - 1))
    row += message.dropFirst(Self.countSize).dropLast(Self.numberSize)
    sum(message.suffix(4).reduce(0) { $0 << 8 | UInt32($1) })
    return true
  }

  private mutating func sum(_ number: UInt32) {
    row.withUnsafeBytes { sums[number, default: RowChecksum()].add($0) }
  }
}
