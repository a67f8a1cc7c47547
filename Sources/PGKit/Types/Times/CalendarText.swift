// The parts of which the text forms of dates and times are made (DateStyle ISO):
// `2024-02-29 12:30:00.5+05:30 BC`.

extension ByteWriter {
  /// Writes a date without its era; a BC year counts from 1 backwards.
  mutating func writeDate(_ date: (year: Int, month: Int, day: Int)) {
    let year = date.year > 0 ? date.year : 1 - date.year
    if year < 10000 {
      writePair(year / 100)
      writePair(year % 100)
    } else {
      writeDecimal(year)
    }
    writeByte(ASCII.minus)
    writePair(date.month)
    writeByte(ASCII.minus)
    writePair(date.day)
  }

  /// Writes the era of a BC date, at the very end of a value.
  mutating func writeEra(ofYear year: Int) {
    if year <= 0 { writeText(" BC") }
  }

  /// Writes a time of day, or the hours of an interval; the fraction without trailing zeros.
  mutating func writeTime(_ microseconds: UInt64) {
    let seconds = microseconds / 1_000_000
    let hours = seconds / 3600
    if hours < 100 { writePair(Int(hours)) } else { writeDecimal(hours) }
    writeByte(UInt8(ascii: ":"))
    writePair(Int(seconds / 60 % 60))
    writeByte(UInt8(ascii: ":"))
    writePair(Int(seconds % 60))
    writeFraction(Int(microseconds % 1_000_000))
  }

  private mutating func writeFraction(_ microseconds: Int) {
    guard microseconds > 0 else { return }
    writeByte(ASCII.dot)
    var rest = microseconds
    var place = 100_000
    while rest > 0 {
      writeByte(ASCII.zero &+ UInt8(truncatingIfNeeded: rest / place))
      rest %= place
      place /= 10
    }
  }

  /// Writes an offset from UTC, in seconds east: `+05`, `+05:30`, `-00:25:21`.
  mutating func writeOffset(_ secondsEast: Int) {
    let magnitude = Int(secondsEast.magnitude)
    writeByte(secondsEast < 0 ? ASCII.minus : ASCII.plus)
    writePair(magnitude / 3600 % 100)
    guard magnitude % 3600 != 0 else { return }
    writeByte(UInt8(ascii: ":"))
    writePair(magnitude / 60 % 60)
    guard magnitude % 60 != 0 else { return }
    writeByte(UInt8(ascii: ":"))
    writePair(magnitude % 60)
  }
}

extension ByteReader {
  private static let colon = UInt8(ascii: ":")

  /// Reads `year-month-day`; the year is as written, its era still unknown.
  mutating func takeDate() -> (year: Int, month: Int, day: Int)? {
    guard let year = takeNumber(digits: 7), year.digits >= 4, take(ASCII.minus),
      let month = takePair(), take(ASCII.minus), let day = takePair()
    else { return nil }
    return (year.value, month, day)
  }

  /// Reads the era, if one is written, and counts the day: `nil` if there is no such date.
  mutating func takeEra(
    of date: (year: Int, month: Int, day: Int)
  ) -> Int? {
    let isBC = take(word: " bc")
    let year = isBC ? 1 - date.year : date.year
    guard date.year > 0, 1...12 ~= date.month,
      1...DayCount.length(ofMonth: date.month, year: year) ~= date.day
    else { return nil }
    return DayCount.days(year: year, month: date.month, day: date.day)
  }

  /// Reads a time of day in microseconds, up to and with 24:00.
  mutating func takeTimeOfDay() -> Int64? {
    guard let hour = takePair(), take(Self.colon), let minute = takePair(), minute < 60 else {
      return nil
    }
    guard let second = takeSecond(), second < 60_000_000 else { return nil }
    let microseconds = Int64(hour * 60 + minute) * 60_000_000 + second
    return microseconds <= PGTime.microsecondsPerDay ? microseconds : nil
  }

  /// Reads `:ss` or `:ss.ffffff`, if it is there, in microseconds.
  mutating func takeSecond() -> Int64? {
    guard take(Self.colon) else { return 0 }
    guard let seconds = takePair(), let fraction = takeFraction() else { return nil }
    return Int64(seconds) * 1_000_000 + fraction
  }

  /// Reads a fraction, if there is one, in microseconds; more than six digits are an error, since
  /// nothing here rounds.
  mutating func takeFraction() -> Int64? {
    guard take(ASCII.dot) else { return 0 }
    guard let fraction = takeNumber(digits: 6) else { return nil }
    return (fraction.digits..<6).reduce(into: Int64(fraction.value)) { value, _ in value *= 10 }
  }

  /// Reads an offset from UTC, in seconds east: `Z`, `+05`, `+0530`, `+05:30`, `+05:30:21`.
  mutating func takeOffset() -> Int? {
    if take(word: "z") { return 0 }
    guard next == ASCII.plus || next == ASCII.minus else { return nil }
    let isNegative = takeSign()
    guard let hours = takePair(), hours < 16 else { return nil }
    var seconds = hours * 3600
    if take(Self.colon) || next.map(ASCII.isDigit) == true {
      guard let minutes = takePair(), minutes < 60 else { return nil }
      seconds += minutes * 60
    }
    if take(Self.colon) {
      guard let rest = takePair(), rest < 60 else { return nil }
      seconds += rest
    }
    return isNegative ? -seconds : seconds
  }

  /// Reads `infinity` or `-infinity`: whether it is negative, or `nil` if it is neither.
  mutating func takeInfinity() -> Bool? {
    if take(word: "infinity") { return false }
    return take(word: "-infinity") ? true : nil
  }
}
