/// An `interval`: months, days and microseconds, kept apart as the server keeps them.
///
/// A month is no fixed number of days and a day no fixed number of hours, so nothing is ever folded.
/// Equal values have equal fields: one month and thirty days, which SQL's `=` calls equal, are not.
/// Source: PostgreSQL manual, "Interval Input" and "Interval Output".
public struct PGInterval: Hashable, Sendable {
  /// Whole months, twelve to a year.
  public var months: Int32
  /// Whole days.
  public var days: Int32
  /// The rest, in microseconds.
  public var microseconds: Int64

  /// Makes an interval of its fields.
  public init(months: Int32 = 0, days: Int32 = 0, microseconds: Int64 = 0) {
    self.months = months
    self.days = days
    self.microseconds = microseconds
  }

  /// Longer than every other (PostgreSQL 17 and later).
  public static let infinity = PGInterval(months: .max, days: .max, microseconds: .max)
  /// Shorter than every other (PostgreSQL 17 and later).
  public static let minusInfinity = PGInterval(months: .min, days: .min, microseconds: .min)

  /// Whether this is not an infinity.
  public var isFinite: Bool { self != .infinity && self != .minusInfinity }
}

extension PGInterval: PGEncodable {
  /// Whether a parameter of `type` is an interval.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    type.parameterFormat(binaryFor: .interval)
  }

  /// Writes microseconds, days, months.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    writer.writeInteger(microseconds)
    writer.writeInteger(days)
    writer.writeInteger(months)
  }
}

extension PGInterval: PGDecodable, PGArrayElement {
  /// Accepts interval.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool { type.base == .interval }

  /// Reads microseconds, days, months.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    microseconds = try reader.readField(of: type)
    days = try reader.readField(of: type)
    months = try reader.readWhole(of: type)
  }
}
