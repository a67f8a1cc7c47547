/// Days since 2000-01-01 and dates of the proleptic Gregorian calendar, in integers alone.
///
/// Years are astronomical: year 0 is 1 BC. The algorithm counts from 1 March of year 0, so that the
/// leap day ends a year (H. Hinnant, "chrono-compatible low-level date algorithms").
enum DayCount {
  /// Days from 0000-03-01 to 2000-01-01.
  private static let epoch = 730_425
  private static let daysPer400Years = 146_097

  /// The day of a date; nothing overflows for years of up to ten digits.
  static func days(year: Int, month: Int, day: Int) -> Int {
    let shifted = month > 2 ? year : year - 1
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * daysPer400Years + dayOfEra - epoch
  }

  /// The date of a day.
  static func date(of days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + epoch
    let era = (shifted >= 0 ? shifted : shifted - (daysPer400Years - 1)) / daysPer400Years
    let dayOfEra = shifted - era * daysPer400Years
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  /// The number of days of a month.
  static func length(ofMonth month: Int, year: Int) -> Int {
    if month == 2 {
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      return isLeap ? 29 : 28
    }
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
  }
}
