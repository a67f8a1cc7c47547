public import ArgumentParser

/// A length of time on the command line: `500ms`, `10s`, `2m`, `1h`, `1d`; a bare number is seconds.
public struct DurationArgument: ExpressibleByArgument, Hashable, Sendable {
  /// The longest one: a hundred years, so that adding it to a clock never overflows.
  public static let limit: Duration = .seconds(100 * 366 * 86_400)

  /// The length of time.
  public let duration: Duration

  /// Reads it; `nil` unless it is a number of at most three decimals with one of the units.
  public init?(argument: String) {
    let number = argument.prefix { $0.isASCII && ($0.isWholeNumber || $0 == ".") }
    guard let milliseconds = Self.milliseconds(number, unit: argument.dropFirst(number.count)),
      .milliseconds(milliseconds) <= Self.limit
    else { return nil }
    duration = .milliseconds(milliseconds)
  }

  private static func milliseconds(_ number: Substring, unit: Substring) -> Int64? {
    let factors: [Substring: Int64] = [
      "ms": 1, "": 1000, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000,
    ]
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard let factor = factors[unit], parts.count <= 2,
      let whole = parts.first.flatMap({ Int64($0) })
    else { return nil }
    let decimals = parts.count == 2 ? parts[1] : "0"
    guard !decimals.isEmpty, decimals.count <= 3, let fraction = Int64(decimals) else { return nil }
    let scale: Int64 = [10, 100, 1000][decimals.count - 1]
    let (product, overflow) = whole.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product.addingReportingOverflow(fraction * factor / scale).partialValue
  }
}

extension DurationArgument {
  /// A length of time in seconds, for defaults.
  public init(seconds: Int) { duration = .seconds(seconds) }

  /// How help shows a default.
  public var defaultValueDescription: String { "\(duration.components.seconds)s" }
}
