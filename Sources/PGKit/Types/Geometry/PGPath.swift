/// A `path`: points in a row, open, or closed from the last one to the first.
///
/// Source: PostgreSQL manual, "Paths".
public struct PGPath: Hashable, Sendable {
  /// The points; there must be some, says the server.
  public let points: [PGPoint]
  /// Whether the last point is joined to the first.
  public let isClosed: Bool

  /// Makes a path.
  public init(_ points: [PGPoint], isClosed: Bool = false) {
    (self.points, self.isClosed) = (points, isClosed)
  }
}

extension PGPath: PGSQLType {
  /// `path`.
  public static var sqlType: TypeOID { .path }

  /// Writes whether it is closed, the number of points, and the points.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    writer.writeByte(isClosed ? 1 : 0)
    writer.writeInteger(Int32(truncatingIfNeeded: points.count))
    for point in points { point.write(into: &writer) }
  }

  /// Reads whether it is closed, the number of points, and the points.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    let flag: UInt8 = try reader.readField(of: type)
    guard flag <= 1 else { throw .malformed(type, "neither open nor closed") }
    isClosed = flag == 1
    points = try PGPoint.readList(&reader, of: type)
  }
}

extension PGPath: PGTextConvertible {
  /// Writes `[(0,0),(1,1)]`, or `((0,0),(1,1))` if it is closed.
  public func formatText(into writer: inout ByteWriter) {
    writer.writeByte(UInt8(ascii: isClosed ? "(" : "["))
    PGPoint.formatList(points, into: &writer)
    writer.writeByte(UInt8(ascii: isClosed ? ")" : "]"))
  }

  /// Reads `[(0,0),(1,1)]`, or `((0,0),(1,1))`.
  public static func parseText(_ reader: inout ByteReader) -> PGPath? {
    let isOpen = reader.take(UInt8(ascii: "["))
    guard isOpen || reader.take(UInt8(ascii: "(")), let points = PGPoint.parseList(&reader),
      reader.take(UInt8(ascii: isOpen ? "]" : ")"))
    else { return nil }
    return PGPath(points, isClosed: !isOpen)
  }
}
