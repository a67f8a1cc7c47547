internal import PGErrorCodes

/// What a backslash begins in a string like `E'…'`.
///
/// Source: PostgreSQL manual, "String Constants with C-Style Escapes".
struct StringEscape {
  /// The bytes that it stands for.
  private(set) var value: [UInt8]
  /// How many bytes it takes, the backslash among them.
  private(set) var length = 2

  /// Reads the escape whose backslash is at `place`.
  init(_ bytes: [UInt8], at place: Int) {
    guard place + 1 < bytes.count else {
      value = [UInt8(ascii: "\\")]
      length = 1
      return
    }
    let letter = bytes[place + 1]
    value = [letter]
    switch letter {
    case UInt8(ascii: "b"): value = [0x08]
    case UInt8(ascii: "f"): value = [0x0C]
    case UInt8(ascii: "n"): value = [0x0A]
    case UInt8(ascii: "r"): value = [0x0D]
    case UInt8(ascii: "t"): value = [0x09]
    case UInt8(ascii: "x"): readNumber(bytes, from: place + 2, radix: 16, digits: 1...2)
    case UInt8(ascii: "u"): readNumber(bytes, from: place + 2, radix: 16, digits: 4...4)
    case UInt8(ascii: "U"): readNumber(bytes, from: place + 2, radix: 16, digits: 8...8)
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      readNumber(bytes, from: place + 1, radix: 8, digits: 1...3)
      length -= 1
    default: break
    }
  }

  /// Reads a byte or, if it has more than three digits, a character; leaves the letter for itself if
  /// there are too few digits.
  private mutating func readNumber(
    _ bytes: [UInt8], from start: Int, radix: Int, digits: ClosedRange<Int>
  ) {
    let text = bytes[start...].prefix(digits.upperBound).prefix {
      Character(UnicodeScalar($0)).hexDigitValue.map { $0 < radix } ?? false
    }
    guard digits.contains(text.count),
      let number = UInt32(String(decoding: text, as: UTF8.self), radix: radix)
    else { return }
    if digits.upperBound > 3 {
      guard let scalar = Unicode.Scalar(number) else { return }
      value = Array(String(scalar).utf8)
    } else {
      value = [UInt8(truncatingIfNeeded: number)]
    }
    length = 2 + text.count
  }
}
