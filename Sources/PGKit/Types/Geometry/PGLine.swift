/// A `line`: the points where `a·x + b·y + c` is 0.
///
/// Source: PostgreSQL manual, "Lines".
public struct PGLine: Hashable, Sendable {
  /// The factor of x.
  public let a: Double
  /// The factor of y.
  public let b: Double
  /// The rest.
  public let c: Double

  /// Makes a line; `a` and `b` must not both be 0, says the server.
  public init(a: Double, b: Double, c: Double) { (self.a, self.b, self.c) = (a, b, c) }
}

extension PGLine: PGSQLType {
  /// `line`.
  public static var sqlType: TypeOID { .line }

  /// Writes three float8.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    for factor in [a, b, c] { writer.writeInteger(factor.bitPattern) }
  }

  /// Reads three float8.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    a = Double(bitPattern: try reader.readField(of: type))
    b = Double(bitPattern: try reader.readField(of: type))
    c = Double(bitPattern: try reader.readWhole(of: type))
  }
}

extension PGLine: PGTextConvertible {
  /// Writes `{1,-1,0}`.
  public func formatText(into writer: inout ByteWriter) {
    writer.writeByte(UInt8(ascii: "{"))
    writer.writeFloat(a)
    writer.writeByte(ASCII.comma)
    writer.writeFloat(b)
    writer.writeByte(ASCII.comma)
    writer.writeFloat(c)
    writer.writeByte(UInt8(ascii: "}"))
  }

  /// Reads `{1,-1,0}`.
  public static func parseText(_ reader: inout ByteReader) -> PGLine? {
    guard reader.take(UInt8(ascii: "{")), let a = reader.takeFloat(), reader.take(ASCII.comma),
      let b = reader.takeFloat(), reader.take(ASCII.comma), let c = reader.takeFloat(),
      reader.take(UInt8(ascii: "}"))
    else { return nil }
    return PGLine(a: a, b: b, c: c)
  }
}
