/// A `date`: a day of the proleptic Gregorian calendar, or one of the two infinities.
///
/// The stored form is the wire's, so reading a column costs one load; the calendar is consulted
/// when ``components`` or the text form is asked for. Source: PostgreSQL manual, "Date/Time Types".
public struct PGDate: Hashable, Comparable, Sendable {
  /// Days since 2000-01-01; the extremes stand for the infinities.
  public let daysSince2000: Int32

  /// Makes a value of its stored form.
  public init(daysSince2000: Int32) { self.daysSince2000 = daysSince2000 }

  /// Makes a date of the calendar; `nil` if there is no such day, or the server has none
  /// (before 4714-11-24 BC, after 5874897-12-31).
  ///
  /// - Parameters:
  ///   - year: The astronomical year: 0 is 1 BC, −1 is 2 BC.
  ///   - month: 1 to 12.
  ///   - day: 1 to 31.
  public init?(year: Int, month: Int, day: Int) {
    guard -4713...5_874_897 ~= year, 1...12 ~= month,
      1...DayCount.length(ofMonth: month, year: year) ~= day
    else { return nil }
    self.init(days: DayCount.days(year: year, month: month, day: day))
  }

  private init?(days: Int) {
    guard Self.finiteDays ~= days, let days = Int32(exactly: days) else { return nil }
    daysSince2000 = days
  }

  /// Later than every day.
  public static let infinity = PGDate(daysSince2000: .max)
  /// Earlier than every day.
  public static let minusInfinity = PGDate(daysSince2000: .min)

  /// The days that the server has: Julian day 0 to the end of 5874897.
  static let finiteDays = -2_451_545..<2_145_031_949

  /// Whether this is a day and not an infinity.
  public var isFinite: Bool { self != .infinity && self != .minusInfinity }

  /// The astronomical year (0 is 1 BC), month and day; `nil` for the infinities.
  public var components: (year: Int, month: Int, day: Int)? {
    isFinite ? DayCount.date(of: Int(daysSince2000)) : nil
  }

  /// Whether the left one is earlier.
  public static func < (left: PGDate, right: PGDate) -> Bool {
    left.daysSince2000 < right.daysSince2000
  }
}

extension PGDate: PGEncodable {
  /// Whether a parameter of `type` is a date.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    type.parameterFormat(binaryFor: .date)
  }

  /// Writes the day's number.
  ///
  /// - Throws: ``PGError`` `--PIO` for a day that the server does not have.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try require(isInRange, of: type)
    writer.writeInteger(daysSince2000)
  }

  /// Writes `2024-02-29`, `0044-03-15 BC`, `infinity`.
  ///
  /// - Throws: ``PGError`` `--PIO` for a day that the server does not have.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try require(isInRange, of: type)
    formatText(into: &writer)
  }

  /// Whether it is a day that the server has, or an infinity.
  private var isInRange: Bool { Self.finiteDays ~= Int(daysSince2000) || !isFinite }
}

extension PGDate: PGDecodable, PGArrayElement {
  /// Accepts date.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool { type.base == .date }

  /// Reads the day's number.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    daysSince2000 = try reader.readWhole(of: type)
    guard isInRange else {
      throw .malformed(type, "a day outside the calendar")
    }
  }
}

extension PGDate: PGTextConvertible {
  /// Writes `2024-02-29`, `0044-03-15 BC`, `infinity`.
  public func formatText(into writer: inout ByteWriter) {
    guard let date = components else {
      return writer.writeText(self == .infinity ? "infinity" : "-infinity")
    }
    writer.writeDate(date)
    writer.writeEra(ofYear: date.year)
  }

  /// Reads `2024-02-29`, `0044-03-15 BC`, `infinity`.
  public static func parseText(_ reader: inout ByteReader) -> PGDate? {
    if let isNegative = reader.takeInfinity() { return isNegative ? .minusInfinity : .infinity }
    guard let date = reader.takeDate(), let days = reader.takeEra(of: date) else { return nil }
    return PGDate(days: days)
  }
}
