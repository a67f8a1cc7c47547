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
  ///
  /// Every notification's line has one: it is written digit by digit, into the memory of the text.
  static func text(of time: timespec) -> String {
    var time = time
    var parts = tm()
    gmtime_r(&time.tv_sec, &parts)
    return String(unsafeUninitializedCapacity: size) { bytes in
      var rest = bytes
      write(Int(parts.tm_year) + 1900, 4, "-", into: &rest)
      write(Int(parts.tm_mon) + 1, 2, "-", into: &rest)
      write(Int(parts.tm_mday), 2, "T", into: &rest)
      write(Int(parts.tm_hour), 2, ":", into: &rest)
      write(Int(parts.tm_min), 2, ":", into: &rest)
      write(Int(parts.tm_sec), 2, ".", into: &rest)
      write(time.tv_nsec / 1000, 6, "Z", into: &rest)
      return size
    }
  }

  /// How long the text is, until the year 10000.
  private static let size = "2026-01-02T03:04:05.678901Z".utf8.count

  /// Writes the last digits of a number and what stands behind them to the front of some memory, and goes on
  /// behind them.
  private static func write(
    _ number: Int, _ width: Int, _ end: Unicode.Scalar,
    into rest: inout UnsafeMutableBufferPointer<UInt8>
  ) {
    var number = number.magnitude
    for place in (0..<width).reversed() {
      rest[place] = UInt8(ascii: "0") + UInt8(number % 10)
      number /= 10
    }
    rest[width] = UInt8(ascii: end)
    rest = UnsafeMutableBufferPointer(rebasing: rest[(width + 1)...])
  }
}
