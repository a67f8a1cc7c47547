/// A `timestamp` (without time zone): a date and a time on some wall, or one of the two infinities.
///
/// The stored form is the wire's. It names no instant: see ``PGTimestampTZ`` for that.
public struct PGTimestamp: Hashable, Comparable, Sendable {
  /// Microseconds since 2000-01-01 00:00; the extremes stand for the infinities.
  public let microsecondsSince2000: Int64

  /// Makes a value of its stored form.
  public init(microsecondsSince2000: Int64) { self.microsecondsSince2000 = microsecondsSince2000 }

  /// Makes a value of a day and a time; `nil` outside 4714-11-24 BC … 294276-12-31, and for an
  /// infinite day.
  public init?(_ date: PGDate, _ time: PGTime) {
    guard date.isFinite,
      let instant = Instant.join(days: Int(date.daysSince2000), time.microseconds)
    else { return nil }
    microsecondsSince2000 = instant
  }

  /// Later than every other.
  public static let infinity = PGTimestamp(microsecondsSince2000: .max)
  /// Earlier than every other.
  public static let minusInfinity = PGTimestamp(microsecondsSince2000: .min)

  /// Whether this is not an infinity.
  public var isFinite: Bool { Instant.isFinite(microsecondsSince2000) }

  /// The day and the time of day; `nil` for the infinities.
  public var components: (date: PGDate, time: PGTime)? {
    guard isFinite else { return nil }
    let (days, time) = Instant.split(microsecondsSince2000)
    // A quotient by a day's microseconds always fits 32 bits.
    return (PGDate(daysSince2000: Int32(truncatingIfNeeded: days)), PGTime(microseconds: time))
  }

  /// Whether the left one is earlier.
  public static func < (left: PGTimestamp, right: PGTimestamp) -> Bool {
    left.microsecondsSince2000 < right.microsecondsSince2000
  }
}

extension PGTimestamp: PGEncodable {
  /// Whether a parameter of `type` is a timestamp.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    type.parameterFormat(binaryFor: .timestamp)
  }

  /// Writes the microseconds.
  ///
  /// - Throws: ``PGError`` `--PIO` outside of the server's calendar.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try require(Instant.isInRange(microsecondsSince2000), of: type)
    writer.writeInteger(microsecondsSince2000)
  }

  /// Writes `2024-02-29 12:30:00.5`, `0044-03-15 12:00:00 BC`, `infinity`.
  ///
  /// - Throws: ``PGError`` `--PIO` outside of the server's calendar.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try require(Instant.isInRange(microsecondsSince2000), of: type)
    formatText(into: &writer)
  }
}

extension PGTimestamp: PGDecodable, PGArrayElement {
  /// Accepts timestamp.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool { type.base == .timestamp }

  /// Reads the microseconds.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    microsecondsSince2000 = try Instant.decode(&reader, as: type)
  }
}

extension PGTimestamp: PGTextConvertible {
  /// Writes `2024-02-29 12:30:00.5`, `0044-03-15 12:00:00 BC`, `infinity`.
  public func formatText(into writer: inout ByteWriter) {
    Instant.format(microsecondsSince2000, offset: nil, into: &writer)
  }

  /// Reads what ``formatText(into:)`` writes, also with a `T` before the time, or no time.
  public static func parseText(_ reader: inout ByteReader) -> PGTimestamp? {
    Instant.parse(&reader, withOffset: false).map { PGTimestamp(microsecondsSince2000: $0) }
  }
}
