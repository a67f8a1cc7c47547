// Out: IntervalStyle postgres, as in `1 year 2 mons -3 days +04:05:06.7`. In: that, and iso_8601,
// as in `P1Y2M-3DT4H5M6.7S`. Every number is added with a check, so that no text can overflow.

extension PGInterval: PGTextConvertible {
  /// Writes the form of IntervalStyle postgres.
  public func formatText(into writer: inout ByteWriter) {
    guard isFinite else { return writer.writeText(months > 0 ? "infinity" : "-infinity") }
    let start = writer.count
    var followsNegative = false
    for (value, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")]
    where value != 0 {
      if writer.count > start { writer.writeByte(ASCII.space) }
      if followsNegative, value > 0 { writer.writeByte(ASCII.plus) }
      writer.writeDecimal(value)
      writer.writeByte(ASCII.space)
      writer.writeText(unit)
      if value != 1 { writer.writeByte(UInt8(ascii: "s")) }
      followsNegative = value < 0
    }
    guard microseconds != 0 || writer.count == start else { return }
    if writer.count > start { writer.writeByte(ASCII.space) }
    if microseconds < 0 {
      writer.writeByte(ASCII.minus)
    } else if followsNegative {
      writer.writeByte(ASCII.plus)
    }
    writer.writeTime(microseconds.magnitude)
  }

  /// Reads the forms of IntervalStyle postgres and iso_8601.
  public static func parseText(_ reader: inout ByteReader) -> PGInterval? {
    if let isNegative = reader.takeInfinity() { return isNegative ? .minusInfinity : .infinity }
    // An infinity has a word of its own; the same fields, written out, are none.
    return (reader.take(UInt8(ascii: "P")) ? parseISO(&reader) : parsePostgres(&reader))?.literal
  }

  private static func parsePostgres(_ reader: inout ByteReader) -> PGInterval? {
    var interval = PGInterval()
    guard !reader.isAtEnd else { return nil }
    repeat {
      let sign: Int64 = reader.takeSign() ? -1 : 1
      guard let number = reader.takeNumber(digits: 18) else { return nil }
      let value = Int64(number.value) * sign
      if reader.next == UInt8(ascii: ":") {
        guard let rest = takeMinutes(&reader), interval.add(value, times: microsecondsPerHour),
          interval.add(rest * sign, times: 1)
        else { return nil }
      } else {
        guard reader.take(ASCII.space), interval.addField(value, named: &reader) else { return nil }
      }
    } while reader.take(ASCII.space)
    return interval
  }

  /// Reads `:mm:ss.ffffff` in microseconds.
  private static func takeMinutes(_ reader: inout ByteReader) -> Int64? {
    guard reader.take(UInt8(ascii: ":")), let minutes = reader.takePair(), minutes < 60,
      let seconds = reader.takeSecond(), seconds < 60_000_000
    else { return nil }
    return Int64(minutes) * 60_000_000 + seconds
  }

  /// Adds a field whose unit comes next in the text.
  private mutating func addField(_ value: Int64, named reader: inout ByteReader) -> Bool {
    let added =
      if reader.take(word: "year") {
        addMonths(value, times: 12)
      } else if reader.take(word: "month") || reader.take(word: "mon") {
        addMonths(value, times: 1)
      } else if reader.take(word: "week") {
        addDays(value, times: 7)
      } else if reader.take(word: "day") {
        addDays(value, times: 1)
      } else if reader.take(word: "hour") {
        add(value, times: Self.microsecondsPerHour)
      } else if reader.take(word: "minute") || reader.take(word: "min") {
        add(value, times: 60_000_000)
      } else if reader.take(word: "second") || reader.take(word: "sec") {
        add(value, times: 1_000_000)
      } else {
        false
      }
    _ = reader.take(word: "s")
    return added
  }

  private static func parseISO(_ reader: inout ByteReader) -> PGInterval? {
    var interval = PGInterval()
    var inTime = false
    var fields = 0
    while !reader.isAtEnd {
      if !inTime, reader.take(UInt8(ascii: "T")) { inTime = true }
      let sign: Int64 = reader.takeSign() ? -1 : 1
      guard let number = reader.takeNumber(digits: 18), let fraction = reader.takeFraction(),
        let unit = try? reader.readByte(),
        interval.addISO(Int64(number.value) * sign, unit, inTime: inTime)
      else { return nil }
      if fraction != 0 {
        guard inTime, unit == UInt8(ascii: "S"), interval.add(fraction * sign, times: 1) else {
          return nil
        }
      }
      fields += 1
    }
    return fields > 0 ? interval : nil
  }

  private mutating func addISO(_ value: Int64, _ unit: UInt8, inTime: Bool) -> Bool {
    switch (inTime, unit) {
    case (false, UInt8(ascii: "Y")): addMonths(value, times: 12)
    case (false, UInt8(ascii: "M")): addMonths(value, times: 1)
    case (false, UInt8(ascii: "W")): addDays(value, times: 7)
    case (false, UInt8(ascii: "D")): addDays(value, times: 1)
    case (true, UInt8(ascii: "H")): add(value, times: Self.microsecondsPerHour)
    case (true, UInt8(ascii: "M")): add(value, times: 60_000_000)
    case (true, UInt8(ascii: "S")): add(value, times: 1_000_000)
    default: false
    }
  }

  private static let microsecondsPerHour: Int64 = 3_600_000_000

  private mutating func addMonths(_ value: Int64, times factor: Int64) -> Bool {
    Self.add(value, times: factor, to: &months)
  }

  private mutating func addDays(_ value: Int64, times factor: Int64) -> Bool {
    Self.add(value, times: factor, to: &days)
  }

  private mutating func add(_ value: Int64, times factor: Int64) -> Bool {
    Self.add(value, times: factor, to: &microseconds)
  }

  /// Adds a product to a field; false if it does not fit.
  private static func add<Field: FixedWidthInteger>(
    _ value: Int64, times factor: Int64, to field: inout Field
  ) -> Bool {
    let (product, tooLarge) = value.multipliedReportingOverflow(by: factor)
    let (sum, outside) = Int64(field).addingReportingOverflow(product)
    guard !tooLarge, !outside, let result = Field(exactly: sum) else { return false }
    field = result
    return true
  }
}
