/// A `circle`, by its middle and its radius.
///
/// In py-postgresql: `postgresql.types.circle`.
public struct PGCircle: Hashable, Sendable {
  /// The point in its middle.
  public let center: PGPoint
  /// The distance from the middle to the rim; not negative, says the server.
  public let radius: Double

  /// Makes a circle.
  ///
  /// - Throws: ``PGError`` `--PIO` if the radius is negative.
  public init(_ center: PGPoint, radius: Double) throws(PGError) {
    guard !(radius < 0) else { throw .parameter("a circle's radius cannot be negative") }
    (self.center, self.radius) = (center, radius)
  }

  private init(unchecked center: PGPoint, _ radius: Double) {
    (self.center, self.radius) = (center, radius)
  }
}

extension PGCircle: PGSQLType {
  /// `circle`.
  public static var sqlType: TypeOID { .circle }

  /// Writes three float8.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    center.write(into: &writer)
    writer.writeInteger(radius.bitPattern)
  }

  /// Reads three float8.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    center = try PGPoint.read(&reader, of: type)
    radius = Double(bitPattern: try reader.readWhole(of: type))
  }
}

extension PGCircle: PGTextConvertible {
  /// Writes `<(0,0),1>`.
  public func formatText(into writer: inout ByteWriter) {
    writer.writeByte(UInt8(ascii: "<"))
    center.formatText(into: &writer)
    writer.writeByte(ASCII.comma)
    writer.writeFloat(radius)
    writer.writeByte(UInt8(ascii: ">"))
  }

  /// Reads `<(0,0),1>`.
  public static func parseText(_ reader: inout ByteReader) -> PGCircle? {
    guard reader.take(UInt8(ascii: "<")), let center = PGPoint.parseText(&reader),
      reader.take(ASCII.comma), let radius = reader.takeFloat(), reader.take(UInt8(ascii: ">"))
    else { return nil }
    return PGCircle(unchecked: center, radius)
  }
}
