/// A sum over rows that does not depend on their order: 128 bits, and their number.
///
/// It finds rows that are lost, doubled or changed by accident. It cannot find what somebody has forged.
public struct RowChecksum: Hashable, Sendable, CustomStringConvertible {
  private var low: UInt64 = 0
  private var high: UInt64 = 0
  /// How many rows there were.
  public private(set) var count = 0

  /// The sum of no rows.
  public init() {}

  /// Adds one row.
  public mutating func add(_ row: UnsafeRawBufferPointer) {
    let hash = WordHash(row)
    add(low: hash.low, high: hash.high, count: 1)
  }

  /// Adds a server's rows; each is a message.
  public mutating func add(_ piece: CopyPiece) {
    piece.forEach { add($0) }
  }

  /// Adds what another sum has.
  public mutating func add(_ other: RowChecksum) {
    add(low: other.low, high: other.high, count: other.count)
  }

  private mutating func add(low: UInt64, high: UInt64, count: Int) {
    let (sum, carries) = self.low.addingReportingOverflow(low)
    self.low = sum
    self.high = self.high &+ high &+ (carries ? 1 : 0)
    self.count += count
  }

  /// 32 hexadecimal digits.
  public var description: String { Self.digits(high) + Self.digits(low) }

  private static func digits(_ word: UInt64) -> String {
    stride(from: 60, through: 0, by: -4).map { String(word >> UInt64($0) & 15, radix: 16) }.joined()
  }
}

/// Sums up the rows of one COPY as they pass.
///
/// Of the binary format, what stands before the first row and behind the last is left out, so that the
/// parts of a table add up to the table.
public struct CopyChecksum: Sendable {
  /// The sum so far.
  public private(set) var sum = RowChecksum()
  /// Finds the rows in the binary format.
  private var rows: BinaryCopyFile.Rows?

  /// Begins.
  public init(_ format: CopyFormat) { rows = format == .binary ? .init() : nil }

  /// Adds a server's rows; each is a message.
  public mutating func add(_ piece: CopyPiece) {
    guard rows != nil else { return sum.add(piece) }
    piece.forEach { message in
      if let row = rows?.row(in: message) { sum.add(row) }
    }
  }
}
