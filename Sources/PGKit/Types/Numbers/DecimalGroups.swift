/// The digits of a numeric in groups of four: up to eight groups, 29 digits and more, are kept within the
/// value itself, so that reading a column of usual numbers allocates nothing.
struct DecimalGroups: Sendable {
  private enum Storage: Sendable {
    /// The first group is in the lowest sixteen bits of the first word.
    case few(UInt64, UInt64)
    case many([UInt16])
  }

  /// How many are few.
  static let room = 8

  private var storage = Storage.few(0, 0)
  /// The number of groups while they are few.
  private var fewCount: UInt8 = 0

  init() {}

  /// Makes a few, the first one in the lowest sixteen bits.
  init(_ first: UInt64, _ second: UInt64, count: UInt8) {
    storage = .few(first, second)
    fewCount = count
  }

  init(_ groups: some Sequence<UInt16>) {
    self.init()
    for group in groups { append(group) }
  }

  mutating func append(_ group: UInt16) {
    switch storage {
    case .few(let first, let second) where fewCount < Self.room:
      let index = Int(fewCount)
      if index < 4 {
        storage = .few(first | UInt64(group) << UInt64(index * 16), second)
      } else {
        storage = .few(first, second | UInt64(group) << UInt64((index - 4) * 16))
      }
      fewCount += 1
    case .few: storage = .many(Array(self) + [group])
    case .many(var groups):
      // Let go of first, so that nothing is copied.
      storage = .few(0, 0)
      groups.append(group)
      storage = .many(groups)
    }
  }

  /// Leaves only a part of them.
  mutating func keep(_ range: Range<Int>) {
    if range.lowerBound == 0, range.upperBound == count { return }
    self = DecimalGroups(self[range.clamped(to: 0..<count)])
  }

  /// Puts another group in the place of the last one.
  mutating func replaceLast(with group: UInt16) {
    keep(0..<Swift.max(count - 1, 0))
    append(group)
  }
}

extension DecimalGroups: RandomAccessCollection {
  var startIndex: Int { 0 }

  var endIndex: Int {
    switch storage {
    case .few: Int(fewCount)
    case .many(let groups): groups.count
    }
  }

  subscript(index: Int) -> UInt16 {
    switch storage {
    case .few(let first, let second):
      UInt16(truncatingIfNeeded: index < 4 ? first >> (index * 16) : second >> ((index - 4) * 16))
    case .many(let groups): groups[index]
    }
  }
}

extension DecimalGroups: Hashable {
  static func == (left: DecimalGroups, right: DecimalGroups) -> Bool { left.elementsEqual(right) }

  func hash(into hasher: inout Hasher) {
    for group in self { hasher.combine(group) }
  }
}

extension DecimalGroups: ExpressibleByArrayLiteral {
  init(arrayLiteral groups: UInt16...) { self.init(groups) }
}
