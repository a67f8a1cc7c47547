import Testing

@testable import PGKit

/// Dates and times as their parts.
struct CalendarTests {
  @Test("counts every day of nine centuries around each turn in order")
  func consecutiveDays() throws {
    for start in [-2_451_545, -730_500, -200, 0, 2_145_031_949 - 200_000] {
      var previous = DayCount.date(of: start)
      for day in start + 1..<start + 200_000 {
        let date = DayCount.date(of: day)
        #expect(DayCount.days(year: date.year, month: date.month, day: date.day) == day)
        let isNext =
          date.day == previous.day + 1
          || (date.day == 1
            && previous.day == DayCount.length(ofMonth: previous.month, year: previous.year))
        if !isNext { Issue.record("day \(day)") }
        previous = date
      }
    }
  }

  @Test("makes dates of the calendar only")
  func dates() throws {
    let leap = try #require(PGDate(year: 2024, month: 2, day: 29))
    #expect(leap.components.map { [$0.year, $0.month, $0.day] } == [2024, 2, 29])
    #expect(PGDate(year: 0, month: 12, day: 31)?.description == "0001-12-31 BC")
    #expect(PGDate(year: 2023, month: 2, day: 29) == nil)
    #expect(PGDate(year: -4713, month: 11, day: 23) == nil)
    #expect(PGDate(year: -4713, month: 11, day: 24)?.description == "4714-11-24 BC")
    #expect(PGDate(year: 5_874_898, month: 1, day: 1) == nil)
    #expect(PGDate(year: .max, month: 1, day: 1) == nil)
    #expect(PGDate(year: 2000, month: .max, day: .min) == nil)
    #expect(PGDate.infinity.components == nil && PGDate.minusInfinity < leap)
  }

  @Test("makes times of the clock only")
  func times() {
    #expect(PGTime(hour: 24, minute: 0)?.description == "24:00:00")
    #expect(PGTime(hour: 24, minute: 0, second: 1) == nil)
    #expect(PGTime(hour: .max, minute: 0) == nil)
    #expect(PGTime(hour: 1, minute: 2, second: 3, microsecond: 40)?.description == "01:02:03.00004")
    let parts = PGTime(microseconds: 3_723_000_004).components
    #expect([parts.hour, parts.minute, parts.second, parts.microsecond] == [1, 2, 3, 4])
  }

  @Test("joins and splits instants around the epoch and at both ends")
  func instants() throws {
    let date = try #require(PGDate(year: 1999, month: 12, day: 31))
    let time = try #require(PGTime(hour: 23, minute: 59, second: 59, microsecond: 999_999))
    let last = try #require(PGTimestamp(date, time))
    #expect(last.microsecondsSince2000 == -1)
    #expect(last.components?.date == date && last.components?.time == time)
    let offset = try #require(PGTimestampTZ(date, time, secondsEast: -3600))
    #expect(offset.description == "2000-01-01 00:59:59.999999+00")
    #expect(PGTimestamp(.infinity, time) == nil)
    #expect(PGTimestampTZ(date, time, secondsEast: .min) == nil)
    #expect(PGTimestamp(try #require(PGDate(year: 294_276, month: 12, day: 31)), time) != nil)
    #expect(PGTimestamp(PGDate(daysSince2000: 2_000_000_000), time) == nil)
  }

  @Test("orders times with offsets by instant, then by offset")
  func offsets() throws {
    let noon = try #require(PGTimeTZ("12:00:00+00"))
    let same = try #require(PGTimeTZ("13:00:00+01"))
    let later = try #require(PGTimeTZ("12:00:00-01"))
    #expect(same < noon && noon < later && same != noon)
  }

  @Test("reads instants as ISO 8601 writes them")
  func isoText() {
    #expect(PGTimestamp("2024-02-29T12:00:00") == PGTimestamp("2024-02-29 12:00:00"))
    #expect(PGTimestampTZ("2024-02-29T12:00:00Z") == PGTimestampTZ("2024-02-29 14:00:00+0200"))
    #expect(PGTimestamp("2024-02-29") == PGTimestamp("2024-02-29 00:00:00"))
    #expect(PGTimestamp("0044-03-15 BC") == PGTimestamp("0044-03-15 00:00:00 BC"))
  }
}
