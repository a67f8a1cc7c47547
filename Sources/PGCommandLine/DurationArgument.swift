public import ArgumentParser

/// A length of time on the command line: `500ms`, `10s`, `2m`, `1.5h`, `1d`; a bare number is seconds.
public struct DurationArgument: ExpressibleByArgument, Hashable, Sendable {
  /// The longest one: a hundred years, so that adding it to a clock never overflows.
  public static let limit: Duration = .seconds(100 * 366 * 86_400)

  /// The longest one in words.
  static let limitText = "a hundred years"
  /// How one is written.
  static let form =
    "a duration is a number with ms, s, m, h or d, as 90s or 1.5h; a bare one is seconds"

  /// The length of time.
  public let duration: Duration

  /// Reads it; `nil` unless it is a number with at most three decimals and one of the units.
  public init?(argument: String) {
    let number = argument.prefix { $0.isASCII && ($0.isWholeNumber || $0 == ".") }
    guard let unit = Self.microseconds[argument.dropFirst(number.count)],
      let microseconds = Self.multiply(number, by: unit),
      .microseconds(microseconds) <= Self.limit
    else { return nil }
    duration = .microseconds(microseconds)
  }

  /// The units: microseconds, so that three decimals of a millisecond are still whole.
  private static let microseconds: [Substring: Int64] = [
    "ms": 1000, "": 1_000_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000,
    "d": 86_400_000_000,
  ]

  /// A decimal number times a unit, exactly.
  private static func multiply(_ number: Substring, by unit: Int64) -> Int64? {
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = Int64(parts[0]) else { return nil }
    let (product, isTooLarge) = whole.multipliedReportingOverflow(by: unit)
    guard !isTooLarge else { return nil }
    guard parts.count == 2 else { return product }
    guard (1...3).contains(parts[1].count), let thousandths = Int64(parts[1] + zeros(parts[1]))
    else { return nil }
    let (sum, overflows) = product.addingReportingOverflow(thousandths * (unit / 1000))
    return overflows ? nil : sum
  }

  private static func zeros(_ decimals: Substring) -> String {
    String(repeating: "0", count: 3 - decimals.count)
  }
}

extension Duration {
  /// The whole milliseconds in it.
  public var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }
}

extension DurationArgument {
  /// A length of time in seconds, for defaults.
  public init(seconds: Int) { duration = .seconds(seconds) }

  /// How help shows a default.
  public var defaultValueDescription: String { "\(duration.components.seconds)s" }
}
