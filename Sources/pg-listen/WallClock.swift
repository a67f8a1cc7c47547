internal import Glibc

/// The wall clock.
enum WallClock {
  /// Now, in UTC with microseconds, as in `2026-01-02T03:04:05.678901Z`.
  static func now() -> String { text(of: time()) }

  /// Now.
  static func time() -> timespec {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return time
  }

  /// A time in UTC with microseconds.
  static func text(of time: timespec) -> String {
    var time = time
    var parts = tm()
    gmtime_r(&time.tv_sec, &parts)
    let date = [
      padded(Int(parts.tm_year) + 1900, 4), padded(Int(parts.tm_mon) + 1, 2),
      padded(Int(parts.tm_mday), 2),
    ].joined(separator: "-")
    let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded(Int($0), 2) }
    return "\(date)T\(clock.joined(separator: ":")).\(padded(time.tv_nsec / 1000, 6))Z"
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(width - digits.utf8.count, 0)) + digits
  }
}
