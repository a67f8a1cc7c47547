/// A `timetz`: a time of day at an offset from UTC.
///
/// Equal values have the same time and the same offset; SQL's order, which compares instants and
/// then offsets, is ``<(_:_:)``.
public struct PGTimeTZ: Hashable, Comparable, Sendable {
  /// Microseconds since local midnight.
  public let microseconds: Int64
  /// The offset in seconds **west** of UTC, as the server stores it.
  public let secondsWest: Int32

  /// Makes a value of its stored form.
  public init(microseconds: Int64, secondsWest: Int32) {
    self.microseconds = microseconds
    self.secondsWest = secondsWest
  }

  /// Makes a value of a time and an offset in seconds **east** of UTC; `nil` at sixteen hours or
  /// more, which the server refuses.
  public init?(_ time: PGTime, secondsEast: Int) {
    guard secondsEast.magnitude < Self.offsetLimit else { return nil }
    self.init(microseconds: time.microseconds, secondsWest: Int32(-secondsEast))
  }

  private static let offsetLimit = 16 * 3600

  /// The offset in seconds east of UTC.
  public var secondsEast: Int { -Int(secondsWest) }
  /// The local time of day.
  public var time: PGTime { PGTime(microseconds: microseconds) }

  /// Whether the left one is earlier in UTC or, at the same instant, further west.
  public static func < (left: PGTimeTZ, right: PGTimeTZ) -> Bool {
    let instants = (left.instant, right.instant)
    if instants.0 != instants.1 { return instants.0 < instants.1 }
    return left.secondsWest < right.secondsWest
  }

  private var instant: Int64 { microseconds &+ Int64(secondsWest) * 1_000_000 }
}

extension PGTimeTZ: PGEncodable {
  /// Whether a parameter of `type` is a time with an offset.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    type.parameterFormat(binaryFor: .timetz)
  }

  /// Writes the microseconds and the seconds west.
  ///
  /// - Throws: ``PGError`` `--PIO` for a time outside of the day, and for an offset of sixteen hours or
  ///   more.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try require(isInRange, of: type)
    writer.writeInteger(microseconds)
    writer.writeInteger(secondsWest)
  }

  /// Writes `12:30:00.5+05:30`.
  ///
  /// - Throws: ``PGError`` `--PIO` for a time outside of the day, and for an offset of sixteen hours or
  ///   more.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try require(isInRange, of: type)
    formatText(into: &writer)
  }

  private var isInRange: Bool {
    PGTime.day ~= microseconds && secondsWest.magnitude < Self.offsetLimit
  }
}

extension PGTimeTZ: PGDecodable, PGArrayElement {
  /// Accepts timetz.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool { type.base == .timetz }

  /// Reads the microseconds and the seconds west.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    microseconds = try reader.readField(of: type)
    secondsWest = try reader.readWhole(of: type)
    try PGTime.check(microseconds, of: type)
    guard secondsWest.magnitude < Self.offsetLimit else {
      throw .malformed(type, "an offset of sixteen hours or more")
    }
  }
}

extension PGTimeTZ: PGTextConvertible {
  /// Writes `12:30:00.5+05:30`.
  public func formatText(into writer: inout ByteWriter) {
    time.formatText(into: &writer)
    writer.writeOffset(secondsEast)
  }

  /// Reads `12:30:00.5+05:30`.
  public static func parseText(_ reader: inout ByteReader) -> PGTimeTZ? {
    guard let time = PGTime.parseText(&reader), let offset = reader.takeOffset() else { return nil }
    return PGTimeTZ(time, secondsEast: offset)
  }
}
