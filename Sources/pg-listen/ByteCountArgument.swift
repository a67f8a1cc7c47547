internal import ArgumentParser

/// A number of bytes on the command line: `64MB`, `512kB`, `1GB`, or a bare number.
struct ByteCountArgument: ExpressibleByArgument, Hashable, Sendable {
  let bytes: Int

  /// The most: what a 64-bit machine can hold anyway.
  private static let limit = 1 << 40
  private static let units = ["": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30]

  init(bytes: Int) { self.bytes = bytes }

  /// Reads it; `nil` unless it is a whole number and one of the units.
  init?(argument: String) {
    let digits = argument.prefix { $0.isASCII && $0.isNumber }
    guard let unit = Self.units[String(argument.dropFirst(digits.count))],
      let number = Int(digits)
    else { return nil }
    let (product, isTooLarge) = number.multipliedReportingOverflow(by: unit)
    guard !isTooLarge, product > 0, product <= Self.limit else { return nil }
    bytes = product
  }

  var defaultValueDescription: String { "\(bytes >> 20)MB" }
}
