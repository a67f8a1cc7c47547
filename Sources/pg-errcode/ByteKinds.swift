internal import PGErrorCodes

/// What a byte of a log may be part of: looked up, because every byte of every prefix is asked for.
struct ByteKinds: OptionSet {
  let rawValue: UInt8

  /// A word: letters, digits, underscores, and whatever is not ASCII.
  static let word = ByteKinds(rawValue: 1)
  /// A code: digits and capital letters.
  static let code = ByteKinds(rawValue: 2)
  static let digit = ByteKinds(rawValue: 4)
  /// A number of any base, with dots, slashes and dashes.
  static let number = ByteKinds(rawValue: 8)
  /// A time zone.
  static let zone = ByteKinds(rawValue: 16)
  /// Anything but a blank.
  static let mark = ByteKinds(rawValue: 32)

  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The kinds of a byte.
  init(of byte: UInt8) { self = Self.table[Int(byte)] }

  /// The kinds of every byte.
  static let table = InlineArray<256, ByteKinds> { index in
    let byte = UInt8(truncatingIfNeeded: index)
    let isDigit = ASCIIText.isDigit(byte)
    var kinds: ByteKinds = byte == 0x20 ? [] : .mark
    if ASCIIText.isWord(byte) { kinds.insert(.word) }
    if ASCIIText.isCode(byte) { kinds.insert(.code) }
    if isDigit { kinds.insert(.digit) }
    // a to f, and the marks - . /
    if isDigit || (byte | 0x20) &- 0x61 < 6 || byte &- 0x2D < 3 { kinds.insert(.number) }
    if byte > 0x20, byte != UInt8(ascii: "[") { kinds.insert(.zone) }
    return kinds
  }
}
