// Between numeric and Swift's own numbers. Integers convert exactly or not at all.

extension PGNumeric {
  /// Makes the numeric of an integer's value, at scale 0.
  public init(_ value: some FixedWidthInteger) {
    var groups: [UInt16] = []
    var wide = value.magnitude
    while UInt64(exactly: wide) == nil {
      groups.append(UInt16(truncatingIfNeeded: wide % 10000))
      wide /= 10000
    }
    var rest = UInt64(truncatingIfNeeded: wide)
    while rest > 0 {
      groups.append(UInt16(truncatingIfNeeded: rest % 10000))
      rest /= 10000
    }
    self.init(
      isNegative: value < 0, groups: DecimalGroups(groups.reversed()),
      weight: Int16(clamping: max(0, groups.count - 1)), scale: 0)
  }

  /// Makes the numeric of the shortest decimal that reads back as the same Double: 0.1 becomes 0.1.
  public init(_ value: Double) {
    // Every Double's shortest form lies within numeric's range.
    self = PGNumeric(value.isFinite ? "\(value)" : Self.word(of: value)) ?? .nan
  }

  private static func word(of value: Double) -> String {
    value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
  }

  /// Whether it is a whole number.
  ///
  /// Groups end where the number ends, so there are decimals if they reach beyond power 0.
  fileprivate var isIntegral: Bool { isFinite && groups.count <= Int(weight) + 1 }

  /// The magnitude of an integral value below 2⁶⁴.
  fileprivate var integerMagnitude: UInt64? {
    guard isIntegral, weight < 5 else { return nil }
    var magnitude: UInt64 = 0
    for index in 0...Int(weight) {
      let group = groups.indices.contains(index) ? UInt64(groups[index]) : 0
      let (shifted, tooLarge) = magnitude.multipliedReportingOverflow(by: 10000)
      let (sum, outside) = shifted.addingReportingOverflow(group)
      if tooLarge || outside { return nil }
      magnitude = sum
    }
    return magnitude
  }

  /// The digits that decide a Double: more than its 767 significant ones never matter beyond being
  /// there at all.
  fileprivate var scientificText: String {
    var writer = ByteWriter()
    if isNegative { writer.writeByte(ASCII.minus) }
    for group in groups.prefix(Self.decisiveGroups) {
      writer.writeDecimal(UInt64(group), width: 4)
    }
    let kept = min(groups.count, Self.decisiveGroups)
    let exponent = (Int(weight) - kept + 1) * 4
    if groups.count > kept { writer.writeText(".1") }
    writer.writeText("e\(exponent)")
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private static let decisiveGroups = 200
}

extension FixedWidthInteger {
  /// Makes an integer of a numeric's value; `nil` if it has decimals or does not fit.
  public init?(exactly numeric: PGNumeric) {
    if Self.bitWidth > 64 {
      self.init(wide: numeric)
      return
    }
    guard let magnitude = numeric.integerMagnitude else { return nil }
    guard numeric.isNegative else {
      self.init(exactly: magnitude)
      return
    }
    guard magnitude <= 1 << 63 else { return nil }
    self.init(exactly: Int64(truncatingIfNeeded: 0 &- magnitude))
  }

  /// Makes an integer of more than 64 bits.
  private init?(wide numeric: PGNumeric) {
    guard numeric.isIntegral else { return nil }
    self = 0
    for index in 0...Int(numeric.weight) {
      let group = numeric.groups.indices.contains(index) ? numeric.groups[index] : 0
      let (shifted, tooLarge) = multipliedReportingOverflow(by: 10000)
      let step = Self(truncatingIfNeeded: group)
      let (sum, outside) =
        numeric.isNegative
        ? shifted.subtractingReportingOverflow(step) : shifted.addingReportingOverflow(step)
      if tooLarge || outside { return nil }
      self = sum
    }
  }
}

extension Double {
  /// Makes the Double nearest to a numeric; beyond its range, an infinity or zero.
  public init(_ numeric: PGNumeric) {
    switch numeric.form {
    case .nan: self = .nan
    case .infinity: self = .infinity
    case .minusInfinity: self = -.infinity
    case .finite, .negative: self = Double(numeric.scientificText) ?? 0
    }
  }
}

extension Float {
  /// Makes the Float nearest to a numeric; beyond its range, an infinity or zero.
  public init(_ numeric: PGNumeric) {
    switch numeric.form {
    case .nan: self = .nan
    case .infinity: self = .infinity
    case .minusInfinity: self = -.infinity
    case .finite, .negative: self = Float(numeric.scientificText) ?? 0
    }
  }
}

extension PGNumeric: ExpressibleByIntegerLiteral {
  /// Makes a whole number.
  public init(integerLiteral value: Int) { self.init(value) }
}
