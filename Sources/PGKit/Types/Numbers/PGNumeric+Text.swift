// Both directions walk the digits once: there is no arithmetic on whole numbers, so a numeric of a
// hundred thousand digits costs what its length says.

extension PGNumeric: PGTextConvertible {
  /// Writes all the digits, as many decimals as the scale says, and no exponent.
  public func formatText(into writer: inout ByteWriter) {
    switch form {
    case .nan: return writer.writeText("NaN")
    case .infinity: return writer.writeText("Infinity")
    case .minusInfinity: return writer.writeText("-Infinity")
    case .finite: break
    case .negative: writer.writeByte(ASCII.minus)
    }
    formatInteger(into: &writer)
    if scale > 0 { formatDecimals(into: &writer) }
  }

  /// The group worth 10000 to the `power`.
  private func group(ofPower power: Int) -> UInt16 {
    let index = Int(weight) - power
    return groups.indices.contains(index) ? groups[index] : 0
  }

  private func formatInteger(into writer: inout ByteWriter) {
    guard weight >= 0 else { return writer.writeByte(ASCII.zero) }
    writer.writeDecimal(UInt64(group(ofPower: Int(weight))))
    for power in stride(from: Int(weight) - 1, through: 0, by: -1) {
      writeGroup(group(ofPower: power), digits: 4, into: &writer)
    }
  }

  private func formatDecimals(into writer: inout ByteWriter) {
    writer.writeByte(ASCII.dot)
    var power = -1
    for start in stride(from: 0, to: Int(scale), by: 4) {
      writeGroup(group(ofPower: power), digits: Int(scale) - start, into: &writer)
      power -= 1
    }
  }

  /// Writes the first digits, at most four, of a group.
  private func writeGroup(_ group: UInt16, digits: Int, into writer: inout ByteWriter) {
    var rest = group
    var place: UInt16 = 1000
    for _ in 0..<min(digits, 4) {
      writer.writeByte(ASCII.zero &+ UInt8(truncatingIfNeeded: rest / place))
      rest %= place
      place /= 10
    }
  }

  /// Reads digits with an optional sign, point and exponent, `NaN`, `Infinity` or `-Infinity`.
  ///
  /// The scale is the number of decimals written. Numbers that no numeric can hold (131072 digits
  /// before the point, 16383 after it) are refused.
  public static func parseText(_ reader: inout ByteReader) -> PGNumeric? {
    if reader.take(word: "nan") { return .nan }
    let isNegative = reader.takeSign()
    if reader.take(word: "infinity") { return isNegative ? .minusInfinity : .infinity }
    var digits = takeDigits(&reader)
    let integerDigits = digits.count
    if reader.take(ASCII.dot) { digits += takeDigits(&reader) }
    guard !digits.isEmpty, let exponent = takeExponent(&reader) else { return nil }
    return PGNumeric(
      isNegative: isNegative, digits: digits, point: integerDigits + exponent,
      scale: max(0, digits.count - integerDigits - exponent))
  }

  private static func takeDigits(_ reader: inout ByteReader) -> [UInt8] {
    var digits: [UInt8] = []
    while let digit = reader.takeDigit() { digits.append(digit) }
    return digits
  }

  private static func takeExponent(_ reader: inout ByteReader) -> Int? {
    guard reader.take(word: "e") else { return 0 }
    let isNegative = reader.takeSign()
    // Nine digits are far beyond any exponent that a numeric can have.
    guard let number = reader.takeNumber(digits: 9) else { return nil }
    return isNegative ? -number.value : number.value
  }

  /// Makes a value of single digits, the first `point` of which stand before the point.
  private init?(isNegative: Bool, digits: [UInt8], point: Int, scale: Int) {
    let significant = digits.drop { $0 == 0 }
    guard scale <= Self.scaleLimit else { return nil }
    guard !significant.isEmpty else {
      self.init(isNegative: false, groups: [], weight: 0, scale: UInt16(scale))
      return
    }
    let point = point - (digits.count - significant.count)
    // Rounded towards minus infinity: the first group may be short, and may lie after the point.
    let weight = (point - 1 - ((point - 1) % 4 + 4) % 4) / 4
    guard let weight = Int16(exactly: weight) else { return nil }
    let groups = Self.grouped(significant, firstWidth: point - Int(weight) * 4)
    self.init(isNegative: isNegative, groups: groups, weight: weight, scale: UInt16(scale))
  }

  /// Joins digits in fours, the first group having `firstWidth` of them.
  private static func grouped(_ digits: ArraySlice<UInt8>, firstWidth: Int) -> DecimalGroups {
    var groups = DecimalGroups()
    var group: UInt16 = 0
    var missing = firstWidth
    for digit in digits {
      group = group * 10 + UInt16(digit)
      missing -= 1
      if missing == 0 {
        groups.append(group)
        group = 0
        missing = 4
      }
    }
    guard missing < 4 else { return groups }
    for _ in 0..<missing { group *= 10 }
    groups.append(group)
    return groups
  }
}
