/// A set of Unicode scalars as sorted ranges.
struct ScalarRanges {
  private let ranges: [ClosedRange<UInt32>]

  /// Reads words such as `A0` or `2000-200B`, in ascending order, with spaces or line ends between.
  init(_ text: String) {
    ranges = Self.words(text).compactMap(Self.range)
  }

  /// Whether `scalar` is in the set.
  func contains(_ scalar: Unicode.Scalar) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].contains(scalar.value) { return true }
      if ranges[middle].lowerBound > scalar.value { high = middle } else { low = middle + 1 }
    }
    return false
  }

  /// The words of a generated table.
  static func words(_ text: String) -> [Substring] {
    text.split { $0 == " " || $0 == "\n" }
  }

  /// The range that one word stands for.
  static func range(_ word: Substring) -> ClosedRange<UInt32>? {
    let ends = word.split(separator: "-").compactMap { UInt32($0, radix: 16) }
    guard let first = ends.first, let last = ends.last, first <= last else { return nil }
    return first...last
  }
}
