/// A `point` in the plane.
///
/// In py-postgresql: `postgresql.types.point`.
public struct PGPoint: Hashable, Sendable {
  /// The abscissa.
  public let x: Double
  /// The ordinate.
  public let y: Double

  /// Makes a point.
  public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }

  /// How far it is to another point.
  public func distance(to other: PGPoint) -> Double {
    let (dx, dy) = ((other.x - x).magnitude, (other.y - y).magnitude)
    let (long, short) = (max(dx, dy), min(dx, dy))
    if long == 0 || !long.isFinite { return long }
    let ratio = short / long
    return long * (1 + ratio * ratio).squareRoot()
  }

  /// Moves a point by another.
  public static func + (left: PGPoint, right: PGPoint) -> PGPoint {
    PGPoint(left.x + right.x, left.y + right.y)
  }

  /// Moves a point back by another.
  public static func - (left: PGPoint, right: PGPoint) -> PGPoint {
    PGPoint(left.x - right.x, left.y - right.y)
  }

  /// Turns and stretches a point by another, as complex numbers are multiplied; as the server does.
  public static func * (left: PGPoint, right: PGPoint) -> PGPoint {
    PGPoint(left.x * right.x - left.y * right.y, left.x * right.y + left.y * right.x)
  }
}

extension PGPoint: PGSQLType {
  /// `point`.
  public static var sqlType: TypeOID { .point }

  /// Writes two float8.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    write(into: &writer)
  }

  /// Reads two float8.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    self = try Self.read(&reader, of: type)
    try reader.expectEnd(of: type)
  }

  func write(into writer: inout ByteWriter) {
    writer.writeInteger(x.bitPattern)
    writer.writeInteger(y.bitPattern)
  }

  static func read(_ reader: inout ByteReader, of type: PGType) throws(PGError) -> PGPoint {
    let x = Double(bitPattern: try reader.readField(of: type))
    return PGPoint(x, Double(bitPattern: try reader.readField(of: type)))
  }

  /// Reads a count of points and the points.
  static func readList(
    _ reader: inout ByteReader, of type: PGType
  ) throws(PGError) -> [PGPoint] {
    let count: Int
    do { count = try reader.readCount32(ofSize: 16) } catch {
      throw .malformed(type, "more points than bytes")
    }
    var points: [PGPoint] = []
    for _ in 0..<count { points.append(try read(&reader, of: type)) }
    try reader.expectEnd(of: type)
    return points
  }
}

extension PGPoint: PGTextConvertible {
  /// Writes `(1,2.5)`.
  public func formatText(into writer: inout ByteWriter) {
    writer.writeByte(UInt8(ascii: "("))
    writer.writeFloat(x)
    writer.writeByte(ASCII.comma)
    writer.writeFloat(y)
    writer.writeByte(UInt8(ascii: ")"))
  }

  /// Reads `(1,2.5)`.
  public static func parseText(_ reader: inout ByteReader) -> PGPoint? {
    guard reader.take(UInt8(ascii: "(")), let x = reader.takeFloat(), reader.take(ASCII.comma),
      let y = reader.takeFloat(), reader.take(UInt8(ascii: ")"))
    else { return nil }
    return PGPoint(x, y)
  }

  /// Reads points between commas, at least one.
  static func parseList(_ reader: inout ByteReader) -> [PGPoint]? {
    var points: [PGPoint] = []
    repeat {
      guard let point = parseText(&reader) else { return nil }
      points.append(point)
    } while reader.take(ASCII.comma)
    return points
  }

  /// Writes points between commas.
  static func formatList(_ points: [PGPoint], into writer: inout ByteWriter) {
    for (index, point) in points.enumerated() {
      if index > 0 { writer.writeByte(ASCII.comma) }
      point.formatText(into: &writer)
    }
  }
}

extension ByteWriter {
  /// Writes a float8 as the server prints it.
  mutating func writeFloat(_ value: Double) {
    FloatText(value, fixedBelow: 15).format(into: &self)
  }
}

extension ByteReader {
  /// Reads a float8 up to the next bracket or comma.
  mutating func takeFloat() -> Double? {
    let ends = Array(",()[]{}<>".utf8)
    let length = unread.firstIndex { ends.contains($0) } ?? remaining
    guard let slice = try? readSlice(length) else { return nil }
    return String(validating: slice.unread, as: UTF8.self).flatMap { FloatText.number($0) }
  }
}
