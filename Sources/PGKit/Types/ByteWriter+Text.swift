// The steps of which the text formatters are made: digits go straight into the writer, with no
// String on the way.

extension ByteWriter {
  /// Writes two decimal digits of a number below 100.
  mutating func writePair(_ value: Int) {
    writeByte(ASCII.zero &+ UInt8(truncatingIfNeeded: value / 10))
    writeByte(ASCII.zero &+ UInt8(truncatingIfNeeded: value % 10))
  }

  /// Writes a number in decimal with at least `width` digits.
  mutating func writeDecimal(_ magnitude: UInt64, width: Int = 1) {
    var divisor: UInt64 = 1
    var digits = 1
    while digits < width || magnitude / divisor >= 10 {
      // 10¹⁹ is the largest power of ten below 2⁶⁴, and no caller asks for a wider field.
      guard digits < 20 else { break }
      divisor &*= 10
      digits += 1
    }
    var rest = magnitude
    while divisor > 0 {
      writeByte(ASCII.zero &+ UInt8(truncatingIfNeeded: rest / divisor))
      rest %= divisor
      divisor /= 10
    }
  }

  /// Writes an integer in decimal.
  mutating func writeDecimal(_ value: some FixedWidthInteger) {
    if value < 0 { writeByte(ASCII.minus) }
    writeDecimal(UInt64(truncatingIfNeeded: value.magnitude))
  }
}
