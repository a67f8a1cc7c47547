/// What bytes of a text are: of codes and names, of logs and scripts.
package enum ASCIIText {
  /// `0` to `9`.
  @inlinable package static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
  /// `A` to `Z`.
  @inlinable package static func isCapital(_ byte: UInt8) -> Bool { byte &- 0x41 < 26 }
  /// A letter, large or small.
  @inlinable package static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
  /// A letter or a digit.
  @inlinable package static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    isLetter(byte) || isDigit(byte)
  }
  /// What the server's codes are made of: digits and capital letters.
  @inlinable package static func isCode(_ byte: UInt8) -> Bool { isDigit(byte) || isCapital(byte) }
  /// What words are made of: letters, digits, underscores, and whatever is not ASCII.
  @inlinable package static func isWord(_ byte: UInt8) -> Bool {
    isLetterOrDigit(byte) || byte == 0x5F || byte >= 0x80
  }
}
