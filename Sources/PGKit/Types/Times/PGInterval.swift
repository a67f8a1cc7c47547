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

  /// Whether fields that stand for an infinity are meant as they are: to servers before PostgreSQL 17,
  /// which have no infinities, they are the longest and the shortest interval.
  private var isLiteral = false

  /// Makes an interval of its fields; if all are the largest or all the smallest, it is an infinity.
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
  public var isFinite: Bool { isLiteral || !hasFieldsOfInfinity }

  private var hasFieldsOfInfinity: Bool {
    months == .max && days == .max && microseconds == .max
      || months == .min && days == .min && microseconds == .min
  }

  /// The same fields, meant as they are.
  var literal: PGInterval {
    var interval = self
    interval.isLiteral = hasFieldsOfInfinity
    return interval
  }

  /// Whether they have the same fields, and both are infinities or neither is.
  public static func == (left: PGInterval, right: PGInterval) -> Bool {
    left.months == right.months && left.days == right.days
      && left.microseconds == right.microseconds && left.isFinite == right.isFinite
  }

  /// Feeds the fields.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(months)
    hasher.combine(days)
    hasher.combine(microseconds)
  }
}

extension PGInterval: PGEncodable {
  /// Whether a parameter of `type` is an interval.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    type.parameterFormat(binaryFor: .interval)
  }

  /// Writes microseconds, days, months.
  ///
  /// - Throws: ``PGError`` `--PIO` for an infinity that the server does not have, and for the longest and
  ///   the shortest finite interval of one that does not have these.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try check(as: type)
    writer.writeInteger(microseconds)
    writer.writeInteger(days)
    writer.writeInteger(months)
  }

  /// Writes the form of IntervalStyle postgres.
  ///
  /// - Throws: ``PGError`` `--PIO`, as in binary.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try check(as: type)
    formatText(into: &writer)
  }

  private func check(as type: PGType) throws(PGError) {
    // Before all else, what nearly every interval is.
    guard hasFieldsOfInfinity, !type.isShown, !type.takesAnyText else { return }
    guard type.hasInfiniteIntervals || isFinite else {
      throw .unwritable(
        Self.self, as: type, ": servers before PostgreSQL 17 have no infinite intervals")
    }
    try require(!type.hasInfiniteIntervals || !isFinite, of: type)
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
    if !type.hasInfiniteIntervals { isLiteral = hasFieldsOfInfinity }
  }

  /// Reads the forms of IntervalStyle postgres and iso_8601.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard let value = Self.parseText(&reader), reader.isAtEnd else {
      throw .malformed(type, "this text is not a value of it", hint: Self.styleHint)
    }
    guard value.isFinite || type.hasInfiniteIntervals else {
      throw .malformed(type, "an infinity, which servers before PostgreSQL 17 do not have")
    }
    self = value
  }
}
