/// A `pg_snapshot`, or `txid_snapshot`: which transactions had ended at a moment.
///
/// Source: PostgreSQL manual, "Transaction ID and Snapshot Information Functions".
public struct PGSnapshot: Hashable, Sendable {
  /// The lowest transaction that was still going on; all before it had ended.
  public let xmin: UInt64
  /// One more than the highest transaction that had ended.
  public let xmax: UInt64
  /// The transactions between them that were still going on, in order.
  public let xip: [UInt64]

  /// Makes a snapshot.
  public init(xmin: UInt64, xmax: UInt64, xip: [UInt64]) {
    (self.xmin, self.xmax, self.xip) = (xmin, xmax, xip)
  }
}

extension PGSnapshot: PGEncodable, PGDecodable, PGArrayElement {
  /// Binary for both types; text where the server decides what it means.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    Self.accepts(type, .binary) ? .binary : type.takesAnyText ? .text : nil
  }

  /// Accepts pg_snapshot and txid_snapshot.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    type.base == .pgSnapshot || type.base == .txidSnapshot
  }

  /// Writes the count, the bounds, and the transactions.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    writer.writeInteger(Int32(truncatingIfNeeded: xip.count))
    writer.writeInteger(xmin)
    writer.writeInteger(xmax)
    for transaction in xip { writer.writeInteger(transaction) }
  }

  /// Reads the count, the bounds, and the transactions.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    let count: Int32 = try reader.readField(of: type)
    xmin = try reader.readField(of: type)
    xmax = try reader.readField(of: type)
    guard count >= 0, reader.remaining == Int(count) * 8 else {
      throw .malformed(type, "a wrong count of transactions")
    }
    var transactions: [UInt64] = []
    while !reader.isAtEnd { transactions.append(try reader.readField(of: type)) }
    xip = transactions
  }
}

extension PGSnapshot: PGTextConvertible {
  /// Writes `10:20:10,14,15`.
  public func formatText(into writer: inout ByteWriter) {
    writer.writeDecimal(xmin)
    writer.writeByte(UInt8(ascii: ":"))
    writer.writeDecimal(xmax)
    writer.writeByte(UInt8(ascii: ":"))
    for (index, transaction) in xip.enumerated() {
      if index > 0 { writer.writeByte(ASCII.comma) }
      writer.writeDecimal(transaction)
    }
  }

  /// Reads `10:20:10,14,15`.
  public static func parseText(_ reader: inout ByteReader) -> PGSnapshot? {
    guard let xmin = reader.takeInteger(UInt64.self), reader.take(UInt8(ascii: ":")),
      let xmax = reader.takeInteger(UInt64.self), reader.take(UInt8(ascii: ":"))
    else { return nil }
    var xip: [UInt64] = []
    if !reader.isAtEnd {
      repeat {
        guard let transaction = reader.takeInteger(UInt64.self) else { return nil }
        xip.append(transaction)
      } while reader.take(ASCII.comma)
    }
    return PGSnapshot(xmin: xmin, xmax: xmax, xip: xip)
  }
}
