/// A `timestamptz`: an instant, or one of the two infinities.
///
/// The stored form is the wire's; the session's time zone touches the text form alone. PGKit writes
/// UTC and reads any offset.
public struct PGTimestampTZ: Hashable, Comparable, Sendable {
  /// Microseconds since 2000-01-01 00:00 UTC; the extremes stand for the infinities.
  public let microsecondsSince2000: Int64

  /// Makes a value of its stored form.
  @inlinable public init(microsecondsSince2000: Int64) {
    self.microsecondsSince2000 = microsecondsSince2000
  }

  /// Makes the instant at which clocks at an offset from UTC show a day and a time; `nil` outside
  /// 4714-11-24 BC … 294276-12-31 UTC, and for an infinite day.
  public init?(_ date: PGDate, _ time: PGTime, secondsEast: Int = 0) {
    guard date.isFinite, secondsEast.magnitude < 86_400,
      let instant = Instant.join(
        days: Int(date.daysSince2000), time.microseconds, secondsEast: secondsEast)
    else { return nil }
    microsecondsSince2000 = instant
  }

  /// Later than every other.
  public static let infinity = PGTimestampTZ(microsecondsSince2000: .max)
  /// Earlier than every other.
  public static let minusInfinity = PGTimestampTZ(microsecondsSince2000: .min)

  /// Whether this is an instant and not an infinity.
  public var isFinite: Bool { Instant.isFinite(microsecondsSince2000) }

  /// The day and the time of day in UTC; `nil` for the infinities.
  public var components: (date: PGDate, time: PGTime)? {
    PGTimestamp(microsecondsSince2000: microsecondsSince2000).components
  }

  /// Whether the left one is earlier.
  public static func < (left: PGTimestampTZ, right: PGTimestampTZ) -> Bool {
    left.microsecondsSince2000 < right.microsecondsSince2000
  }
}

extension PGTimestampTZ: PGEncodable {
  /// Whether a parameter of `type` is an instant.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    type.parameterFormat(binaryFor: .timestamptz)
  }

  /// Writes the microseconds.
  ///
  /// - Throws: ``PGError`` `--PIO` outside of the server's calendar.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try require(Instant.isInRange(microsecondsSince2000), of: type)
    writer.writeInteger(microsecondsSince2000)
  }

  /// Writes `2024-02-29 12:30:00.5+00`, `0044-03-15 12:00:00+00 BC`, `infinity`.
  ///
  /// - Throws: ``PGError`` `--PIO` outside of the server's calendar.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try require(Instant.isInRange(microsecondsSince2000), of: type)
    formatText(into: &writer)
  }
}

extension PGTimestampTZ: PGDecodable, PGArrayElement {
  /// Accepts timestamptz.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    type.base == .timestamptz
  }

  /// Reads the microseconds.
  public static func decodeBuiltin(_ reader: ByteReader, as type: TypeOID) -> PGTimestampTZ? {
    guard type == .timestamptz, let microseconds = reader.wholeInteger(Int64.self),
      Instant.isInRange(microseconds)
    else { return nil }
    return PGTimestampTZ(microsecondsSince2000: microseconds)
  }

  /// Reads the microseconds.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    microsecondsSince2000 = try Instant.decode(&reader, as: type)
  }
}

extension PGTimestampTZ: PGTextConvertible {
  /// Writes `2024-02-29 12:30:00.5+00`, `0044-03-15 12:00:00+00 BC`, `infinity`.
  public func formatText(into writer: inout ByteWriter) {
    Instant.format(microsecondsSince2000, offset: 0, into: &writer)
  }

  /// Reads what ``formatText(into:)`` writes, with any offset; the offset must be there.
  public static func parseText(_ reader: inout ByteReader) -> PGTimestampTZ? {
    Instant.parse(&reader, withOffset: true).map { PGTimestampTZ(microsecondsSince2000: $0) }
  }
}
