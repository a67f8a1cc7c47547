/// What timestamp and timestamptz have in common: microseconds since 2000-01-01, and the rules of
/// their range and text.
enum Instant {
  /// The instants that the server has: Julian day 0 to the end of 294276.
  static let finite: Range<Int64> = -211_813_488_000_000_000..<9_223_371_331_200_000_000

  /// Whether the stored form is an instant and not an infinity.
  static func isFinite(_ microseconds: Int64) -> Bool {
    microseconds != .max && microseconds != .min
  }

  /// Whether the stored form is one that the server has: an instant of the calendar, or an infinity.
  static func isInRange(_ microseconds: Int64) -> Bool {
    finite ~= microseconds || !isFinite(microseconds)
  }

  /// Reads the stored form.
  static func decode(_ reader: inout ByteReader, as type: PGType) throws(PGError) -> Int64 {
    let microseconds: Int64 = try reader.readWhole(of: type)
    guard isInRange(microseconds) else {
      throw .malformed(type, "an instant outside the calendar")
    }
    return microseconds
  }

  /// The instant of a day and a time; `nil` outside the server's range, and for a time that no clock
  /// shows.
  ///
  /// - Parameter secondsEast: Less than a day.
  static func join(days: Int, _ time: Int64, secondsEast: Int = 0) -> Int64? {
    // One day beyond the range either way: an offset may bring it back.
    guard -2_451_546...106_751_992 ~= days, PGTime.day ~= time else {
      return nil
    }
    let local = Int64(days).multipliedReportingOverflow(by: PGTime.microsecondsPerDay)
    let shift = time - Int64(secondsEast) * 1_000_000
    let (instant, overflow) = local.partialValue.addingReportingOverflow(shift)
    return !local.overflow && !overflow && finite ~= instant ? instant : nil
  }

  /// The day, rounded down, and the time in it.
  static func split(_ microseconds: Int64) -> (days: Int, time: Int64) {
    let time = microseconds % PGTime.microsecondsPerDay
    let days = microseconds / PGTime.microsecondsPerDay
    return time < 0 ? (Int(days) - 1, time + PGTime.microsecondsPerDay) : (Int(days), time)
  }

  /// Writes an instant with the offset, if there is one, between the time and the era.
  static func format(_ microseconds: Int64, offset: Int?, into writer: inout ByteWriter) {
    guard isFinite(microseconds) else {
      return writer.writeText(microseconds > 0 ? "infinity" : "-infinity")
    }
    let (days, time) = split(microseconds)
    let date = DayCount.date(of: days)
    writer.writeDate(date)
    writer.writeByte(ASCII.space)
    writer.writeTime(time.magnitude)
    if let offset { writer.writeOffset(offset) }
    writer.writeEra(ofYear: date.year)
  }

  /// Reads an instant; the time may follow a space or a `T`, or be missing.
  static func parse(_ reader: inout ByteReader, withOffset: Bool) -> Int64? {
    if let isNegative = reader.takeInfinity() { return isNegative ? .min : .max }
    guard let date = reader.takeDate() else { return nil }
    var time: Int64 = 0
    var offset = 0
    if startsTime(reader) {
      guard reader.take(ASCII.space) || reader.take(word: "t"), let found = reader.takeTimeOfDay(),
        found < PGTime.microsecondsPerDay
      else { return nil }
      time = found
    }
    if withOffset {
      guard let found = reader.takeOffset() else { return nil }
      offset = found
    }
    guard let days = reader.takeEra(of: date) else { return nil }
    return join(days: days, time, secondsEast: offset)
  }

  /// Whether a time comes next, and not an era or an offset.
  private static func startsTime(_ reader: ByteReader) -> Bool {
    guard let separator = reader.next, reader.remaining > 1 else { return false }
    let isSeparator = separator == ASCII.space || separator | 0x20 == UInt8(ascii: "t")
    return isSeparator && ASCII.isDigit(reader.unread[1])
  }
}
