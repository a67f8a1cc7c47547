/// A `box`: a rectangle with upright sides, by its upper right and its lower left corner.
///
/// In py-postgresql: `postgresql.types.box`.
public struct PGBox: Hashable, Sendable {
  /// The upper right corner.
  public let high: PGPoint
  /// The lower left corner.
  public let low: PGPoint

  /// Makes a box of any two opposite corners.
  public init(_ corner: PGPoint, _ opposite: PGPoint) {
    high = PGPoint(max(corner.x, opposite.x), max(corner.y, opposite.y))
    low = PGPoint(min(corner.x, opposite.x), min(corner.y, opposite.y))
  }

  /// The point in its middle.
  public var center: PGPoint { PGPoint((high.x + low.x) / 2, (high.y + low.y) / 2) }
}

extension PGBox: PGSQLType {
  /// `box`.
  public static var sqlType: TypeOID { .box }

  /// Writes the corners, the upper right one first.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    high.write(into: &writer)
    low.write(into: &writer)
  }

  /// Reads two opposite corners.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    let corner = try PGPoint.read(&reader, of: type)
    self.init(corner, try PGPoint.read(&reader, of: type))
    try reader.expectEnd(of: type)
  }
}

extension PGBox: PGTextConvertible {
  /// Writes `(2,2),(0,0)`.
  public func formatText(into writer: inout ByteWriter) {
    PGPoint.formatList([high, low], into: &writer)
  }

  /// Reads `(2,2),(0,0)`.
  public static func parseText(_ reader: inout ByteReader) -> PGBox? {
    guard let corners = PGPoint.parseList(&reader), corners.count == 2 else { return nil }
    return PGBox(corners[0], corners[1])
  }
}
