/// A `pg_lsn`: a place in the write-ahead log.
///
/// Source: PostgreSQL manual, "pg_lsn Type".
public struct PGLSN: Hashable, Comparable, Sendable {
  /// The number of bytes before it.
  public let position: UInt64

  /// Makes a place.
  public init(_ position: UInt64) { self.position = position }

  /// Whether the left one comes first.
  public static func < (left: PGLSN, right: PGLSN) -> Bool { left.position < right.position }
}

extension PGLSN: PGSQLType {
  /// `pg_lsn`.
  public static var sqlType: TypeOID { .pgLsn }

  /// Writes the position.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    writer.writeInteger(position)
  }

  /// Reads the position.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    position = try reader.readWhole(of: type)
  }
}

extension PGLSN: PGTextConvertible {
  /// Writes `16/B374D848`.
  public func formatText(into writer: inout ByteWriter) {
    writer.writeText(String(position >> 32, radix: 16, uppercase: true))
    writer.writeByte(UInt8(ascii: "/"))
    writer.writeText(String(position & 0xFFFF_FFFF, radix: 16, uppercase: true))
  }

  /// Reads `16/B374D848`.
  public static func parseText(_ reader: inout ByteReader) -> PGLSN? {
    guard let high = takeHalf(&reader), reader.take(UInt8(ascii: "/")),
      let low = takeHalf(&reader)
    else { return nil }
    return PGLSN(high << 32 | low)
  }

  private static func takeHalf(_ reader: inout ByteReader) -> UInt64? {
    var value: UInt64 = 0
    var count = 0
    while count < 8, let byte = reader.next, let digit = Hexadecimal.value(of: byte) {
      _ = reader.take(byte)
      value = value << 4 | UInt64(digit)
      count += 1
    }
    return count > 0 ? value : nil
  }
}
