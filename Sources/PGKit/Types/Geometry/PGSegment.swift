/// An `lseg`: the part of a line between two points.
///
/// In py-postgresql: `postgresql.types.lseg`.
public struct PGSegment: Hashable, Sendable {
  /// Where it begins.
  public let start: PGPoint
  /// Where it ends.
  public let end: PGPoint

  /// Makes a segment.
  public init(_ start: PGPoint, _ end: PGPoint) { (self.start, self.end) = (start, end) }

  /// How long it is.
  public var length: Double { start.distance(to: end) }

  /// How steeply it rises; infinite if it is vertical.
  public var slope: Double {
    isVertical ? .infinity : (end.y - start.y) / (end.x - start.x)
  }

  /// The point in its middle.
  public var center: PGPoint { PGPoint((start.x + end.x) / 2, (start.y + end.y) / 2) }

  /// Whether both ends have the same x.
  public var isVertical: Bool { start.x == end.x }

  /// Whether both ends have the same y.
  public var isHorizontal: Bool { start.y == end.y }
}

extension PGSegment: PGSQLType {
  /// `lseg`.
  public static var sqlType: TypeOID { .lseg }

  /// Writes two points.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    start.write(into: &writer)
    end.write(into: &writer)
  }

  /// Reads two points.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    start = try PGPoint.read(&reader, of: type)
    end = try PGPoint.read(&reader, of: type)
    try reader.expectEnd(of: type)
  }
}

extension PGSegment: PGTextConvertible {
  /// Writes `[(0,0),(1,1)]`.
  public func formatText(into writer: inout ByteWriter) {
    writer.writeByte(UInt8(ascii: "["))
    PGPoint.formatList([start, end], into: &writer)
    writer.writeByte(UInt8(ascii: "]"))
  }

  /// Reads `[(0,0),(1,1)]`.
  public static func parseText(_ reader: inout ByteReader) -> PGSegment? {
    guard reader.take(UInt8(ascii: "[")), let ends = PGPoint.parseList(&reader), ends.count == 2,
      reader.take(UInt8(ascii: "]"))
    else { return nil }
    return PGSegment(ends[0], ends[1])
  }
}
