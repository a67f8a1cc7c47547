public import Foundation
public import PGKit

extension Date: PGEncodable, PGDecodable, PGArrayElement {
  /// Seconds from 2000-01-01 to Foundation's reference date, 2001-01-01.
  private static let referenceOffset: Int64 = 366 * 86_400

  /// Whether a parameter of `type` is an instant.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    PGTimestampTZ.infinity.encodingFormat(for: type)
  }

  /// Writes the instant, rounded to a microsecond.
  ///
  /// - Throws: `PGError` `--PIO` if it lies outside 4714 BC … 294276 AD.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try timestamp().encodeBinary(as: type, into: &writer)
  }

  /// Writes the instant in UTC, rounded to a microsecond.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try timestamp().encodeText(as: type, into: &writer)
  }

  /// Accepts timestamptz.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    PGTimestampTZ.accepts(type, format)
  }

  /// Reads an instant; the infinities are no Date, and an error.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    try self.init(PGTimestampTZ(binary: &reader, as: type))
  }

  /// Reads an instant at any offset; the infinities are no Date, and an error.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    try self.init(PGTimestampTZ(text: &reader, as: type))
  }

  /// The last Date that the server has: a Double does not know the microseconds of that time.
  private static let last = (9_223_371_331_200 - Double(referenceOffset)).nextDown

  /// Makes a Date of an instant, exact to about a microsecond in this millennium.
  ///
  /// - Throws: `PGError` `--CIO` for the infinities: read those columns as `PGTimestampTZ`.
  public init(_ timestamp: PGTimestampTZ) throws(PGError) {
    guard timestamp.isFinite else { throw .column("an infinite timestamptz is no Date") }
    // Whole seconds first, so that the fraction keeps its digits.
    let (seconds, rest) = timestamp.microsecondsSince2000.quotientAndRemainder(
      dividingBy: 1_000_000)
    let interval = Double(seconds - Self.referenceOffset) + Double(rest) / 1e6
    // Rounded up, the last ones would be Dates that cannot be sent back.
    self.init(timeIntervalSinceReferenceDate: min(interval, Self.last))
  }

  private func timestamp() throws(PGError) -> PGTimestampTZ {
    try PGTimestampTZ(self)
  }
}

extension PGTimestampTZ {
  /// The instants that the server has, in microseconds since 2000-01-01.
  private static let finite: Range<Int64> = -211_813_488_000_000_000..<9_223_371_331_200_000_000

  /// Makes an instant of a Date, rounded to a microsecond.
  ///
  /// - Throws: `PGError` `--PIO` if it lies outside 4714 BC … 294276 AD.
  public init(_ date: Date) throws(PGError) {
    let seconds = date.timeIntervalSinceReferenceDate.rounded(.down)
    let fraction = date.timeIntervalSinceReferenceDate - seconds
    // Beyond this, or for NaN, the seconds would not fit an integer of microseconds.
    guard seconds.magnitude < 9.3e12 else { throw Self.outOfRange }
    let (whole, overflow) = (Int64(seconds) + 366 * 86_400).multipliedReportingOverflow(
      by: 1_000_000)
    let (microseconds, carry) = whole.addingReportingOverflow(Int64((fraction * 1e6).rounded()))
    guard !overflow, !carry, Self.finite ~= microseconds else { throw Self.outOfRange }
    self.init(microsecondsSince2000: microseconds)
  }

  private static var outOfRange: PGError {
    .parameter("a Date outside 4714 BC … 294276 AD cannot be sent as SQL type timestamptz")
  }
}
