/// A `polygon`, by its corners.
///
/// Source: PostgreSQL manual, "Polygons".
public struct PGPolygon: Hashable, Sendable {
  /// The corners, in order; there must be some, says the server.
  public let points: [PGPoint]

  /// Makes a polygon.
  public init(_ points: [PGPoint]) { self.points = points }
}

extension PGPolygon: PGSQLType {
  /// `polygon`.
  public static var sqlType: TypeOID { .polygon }

  /// Writes the number of corners, and the corners.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    writer.writeInteger(Int32(truncatingIfNeeded: points.count))
    for point in points { point.write(into: &writer) }
  }

  /// Reads the number of corners, and the corners.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    points = try PGPoint.readList(&reader, of: type)
  }
}

extension PGPolygon: PGTextConvertible {
  /// Writes `((0,0),(1,1),(1,0))`.
  public func formatText(into writer: inout ByteWriter) {
    writer.writeByte(UInt8(ascii: "("))
    PGPoint.formatList(points, into: &writer)
    writer.writeByte(UInt8(ascii: ")"))
  }

  /// Reads `((0,0),(1,1),(1,0))`.
  public static func parseText(_ reader: inout ByteReader) -> PGPolygon? {
    guard reader.take(UInt8(ascii: "(")), let points = PGPoint.parseList(&reader),
      reader.take(UInt8(ascii: ")"))
    else { return nil }
    return PGPolygon(points)
  }
}
