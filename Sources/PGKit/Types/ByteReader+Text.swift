// The steps of which the text parsers are made. None of them trusts a length: digits are counted,
// and arithmetic on them cannot overflow.

extension ByteReader {
  /// The next byte, which stays unread.
  var next: UInt8? { unread.first }

  /// Reads the next byte if it is `byte`.
  mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    advance()
    return true
  }

  /// Reads `word`, in lower case, if it comes next in any case.
  mutating func take(word: StaticString) -> Bool {
    guard word.utf8CodeUnitCount <= remaining else { return false }
    let matches = word.withUTF8Buffer { letters in
      zip(letters, unread).allSatisfy { $0 == $1 || (ASCII.isLetter($1) && $0 == $1 | 0x20) }
    }
    if matches { advance(word.utf8CodeUnitCount) }
    return matches
  }

  /// Reads a digit.
  mutating func takeDigit() -> UInt8? {
    guard let byte = next, ASCII.isDigit(byte) else { return nil }
    advance()
    return byte &- ASCII.zero
  }

  /// Reads the digits that come next, at least one and at most `limit` (no more than 18).
  mutating func takeNumber(digits limit: Int) -> (value: Int, digits: Int)? {
    var value = 0
    var count = 0
    while count < min(limit, 18), let digit = takeDigit() {
      value = value &* 10 &+ Int(digit)
      count += 1
    }
    return count > 0 ? (value, count) : nil
  }

  /// Reads exactly two digits.
  mutating func takePair() -> Int? {
    guard let pair = takeNumber(digits: 2), pair.digits == 2 else { return nil }
    return pair.value
  }

  /// Reads a sign, if there is one, and says whether it was a minus.
  mutating func takeSign() -> Bool {
    if take(ASCII.minus) { return true }
    _ = take(ASCII.plus)
    return false
  }

  /// Reads an integer with an optional sign; `nil` if there is none or it does not fit.
  mutating func takeInteger<Value: FixedWidthInteger>(_: Value.Type = Value.self) -> Value? {
    let isNegative = takeSign()
    guard let first = takeDigit() else { return nil }
    var value: Value = 0
    var digit: UInt8? = first
    while let current = digit {
      let (tens, tooLarge) = value.multipliedReportingOverflow(by: 10)
      let step = Value(truncatingIfNeeded: current)
      let (sum, outside) =
        isNegative
        ? tens.subtractingReportingOverflow(step) : tens.addingReportingOverflow(step)
      if tooLarge || outside { return nil }
      value = sum
      digit = takeDigit()
    }
    return value
  }

  /// Passes over bytes that were seen to be there.
  private mutating func advance(_ count: Int = 1) { try? skip(count) }
}
