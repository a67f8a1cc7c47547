/// A `tid`: where a row's version lies in its table, as `ctid` shows.
///
/// Source: PostgreSQL manual, "Object Identifier Types".
public struct PGTID: Hashable, Comparable, Sendable {
  /// The number of the block, from 0.
  public let block: UInt32
  /// The place within the block, from 1.
  public let offset: UInt16

  /// Makes a place.
  public init(block: UInt32, offset: UInt16) { (self.block, self.offset) = (block, offset) }

  /// Whether the left one comes first.
  public static func < (left: PGTID, right: PGTID) -> Bool {
    (left.block, left.offset) < (right.block, right.offset)
  }
}

extension PGTID: PGSQLType {
  /// `tid`.
  public static var sqlType: TypeOID { .tid }

  /// Writes the block and the offset.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    writer.writeInteger(block)
    writer.writeInteger(offset)
  }

  /// Reads the block and the offset.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    block = try reader.readField(of: type)
    offset = try reader.readWhole(of: type)
  }
}

extension PGTID: PGTextConvertible {
  /// Writes `(0,1)`.
  public func formatText(into writer: inout ByteWriter) {
    writer.writeByte(UInt8(ascii: "("))
    writer.writeDecimal(block)
    writer.writeByte(ASCII.comma)
    writer.writeDecimal(offset)
    writer.writeByte(UInt8(ascii: ")"))
  }

  /// Reads `(0,1)`.
  public static func parseText(_ reader: inout ByteReader) -> PGTID? {
    guard reader.take(UInt8(ascii: "(")), let block = reader.takeInteger(UInt32.self),
      reader.take(ASCII.comma), let offset = reader.takeInteger(UInt16.self),
      reader.take(UInt8(ascii: ")"))
    else { return nil }
    return PGTID(block: block, offset: offset)
  }
}
