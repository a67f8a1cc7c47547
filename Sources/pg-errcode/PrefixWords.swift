internal import PGErrorCodes

/// The words that stand before the severity of a line.
struct PrefixWords {
  /// More than prefixes have; a longer one is not read.
  private static let maximumCount = 48

  private let head: Piece.Head
  /// Where the words begin and end, counted from the head's start.
  private var starts = InlineArray<48, UInt16>(repeating: 0)
  private var ends = InlineArray<48, UInt16>(repeating: 0)
  private(set) var count = 0

  /// Reads the words; `nil` if there are too many.
  init?(_ head: Piece.Head, before severity: Int) {
    self.head = head
    var place = head.start
    while place < severity {
      guard ByteKinds(of: head.bytes[place]).contains(.word) else {
        place += 1
        continue
      }
      guard count < Self.maximumCount else { return nil }
      starts[count] = UInt16(truncatingIfNeeded: place - head.start)
      while place < severity, ByteKinds(of: head.bytes[place]).contains(.word) { place += 1 }
      ends[count] = UInt16(truncatingIfNeeded: place - head.start)
      count += 1
    }
  }

  func start(_ index: Int) -> Int { head.start + Int(starts[index]) }
  private func end(_ index: Int) -> Int { head.start + Int(ends[index]) }

  /// The code that a word is; `nil` if it cannot be one.
  func code(_ index: Int) -> SQLState? {
    ends[index] - starts[index] == 5 ? head.code(at: start(index)) : nil
  }

  /// The byte before a word; 0 at the line's start.
  func byteBefore(_ index: Int) -> UInt8 {
    starts[index] == 0 ? 0 : head.bytes[start(index) - 1]
  }

  /// The byte behind a word: there is one, at least that of the severity.
  func byteBehind(_ index: Int) -> UInt8 { head.bytes[end(index)] }

  /// Whether no client has a say in these words: times with their zones, and numbers.
  func areMechanical(_ range: Range<Int>) -> Bool { range.allSatisfy(isMechanical) }

  private func isMechanical(_ index: Int) -> Bool {
    let range = start(index)..<end(index)
    if range.allSatisfy({ ASCIIText.isDigit(head.bytes[$0]) }) { return true }
    if range.allSatisfy({ isHexDigit(head.bytes[$0]) }) {
      // `%c`: two numbers with a dot between.
      return byteBefore(index) == UInt8(ascii: ".") || byteBehind(index) == UInt8(ascii: ".")
    }
    // A zone stands behind seconds, as in 13:18:47.123 UTC.
    guard range.count < 6, range.allSatisfy({ ASCIIText.isCapital(head.bytes[$0]) }), index > 0,
      byteBefore(index) == UInt8(ascii: " ")
    else { return false }
    return [UInt8(ascii: ":"), UInt8(ascii: ".")].contains(byteBefore(index - 1))
  }

  private func isHexDigit(_ byte: UInt8) -> Bool {
    ASCIIText.isDigit(byte) || byte &- 0x61 < 6
  }
}
