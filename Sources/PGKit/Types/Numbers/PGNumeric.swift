/// A `numeric`: a decimal number of any precision, NaN, or one of the two infinities.
///
/// Held as the wire has it: groups of four decimal digits, the first one worth 10000 to the
/// `weight`, and the number of decimals to show, the ``scale``. Values are equal and ordered as
/// SQL has it: 1.0 equals 1.00, NaN equals NaN and is larger than everything. Source: PostgreSQL
/// manual, "Arbitrary Precision Numbers"; `numeric_send` for the binary form.
public struct PGNumeric: Sendable {
  enum Form: UInt8, Sendable {
    case finite, negative, nan, infinity, minusInfinity
  }

  /// The groups, without zero groups at either end; empty for zero and what is not finite.
  let groups: DecimalGroups
  /// The power of 10000 of the first group.
  let weight: Int16
  /// The number of decimals that the value is shown with.
  public let scale: UInt16
  let form: Form

  /// The most decimals that the server keeps.
  static let scaleLimit = 16383

  private init(form: Form) {
    self.form = form
    groups = []
    weight = 0
    scale = 0
  }

  /// Makes a finite value in its one form: no zero groups outside, no digits beyond the scale, no
  /// minus before zero.
  init(isNegative: Bool, groups: DecimalGroups, weight: Int16, scale: UInt16) {
    var shown = groups
    Self.clip(&shown, weight: Int(weight), scale: Int(scale))
    var leading = 0
    while leading < shown.count, shown[leading] == 0 { leading += 1 }
    shown.keep(leading..<shown.count)
    self.groups = shown
    // Zeros are stripped up to the scale at most, so the weight stays far above its type's least.
    self.weight = shown.isEmpty ? 0 : Int16(clamping: Int(weight) - leading)
    self.scale = scale
    form = isNegative && !shown.isEmpty ? .negative : .finite
  }

  /// Makes a finite value of what is in its one form already.
  private init(canonical groups: DecimalGroups, isNegative: Bool, weight: Int16, scale: UInt16) {
    (self.groups, self.weight, self.scale) = (groups, weight, scale)
    form = isNegative ? .negative : .finite
  }

  /// Takes away what lies beyond the scale, and then zero groups at the end.
  private static func clip(_ groups: inout DecimalGroups, weight: Int, scale: Int) {
    let limit = max(0, weight + 1 + (scale + 3) / 4)
    if groups.count > limit { groups.keep(0..<limit) }
    if scale % 4 != 0, groups.count == limit, limit > 0 {
      let last = groups[limit - 1]
      let unit = unit(ofScale: UInt16(clamping: scale))
      if last % unit > 0 { groups.replaceLast(with: last - last % unit) }
    }
    var end = groups.count
    while end > 0, groups[end - 1] == 0 { end -= 1 }
    groups.keep(0..<end)
  }

  /// What the digits of a group are multiples of that are all within a scale that ends inside of it.
  private static func unit(ofScale scale: UInt16) -> UInt16 {
    scale % 4 == 1 ? 1000 : scale % 4 == 2 ? 100 : 10
  }

  /// Not a number.
  public static let nan = PGNumeric(form: .nan)
  /// Larger than every finite number (PostgreSQL 14 and later).
  public static let infinity = PGNumeric(form: .infinity)
  /// Smaller than every finite number (PostgreSQL 14 and later).
  public static let minusInfinity = PGNumeric(form: .minusInfinity)
  /// Zero.
  public static let zero = PGNumeric(form: .finite)

  /// Whether this is not a number.
  public var isNaN: Bool { form == .nan }
  /// Whether this is neither NaN nor an infinity.
  public var isFinite: Bool { form == .finite || form == .negative }
  /// Whether this is below zero.
  public var isNegative: Bool { form == .negative || form == .minusInfinity }
}

extension PGNumeric: PGEncodable {
  /// Whether a parameter of `type` is a numeric.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    type.parameterFormat(binaryFor: .numeric)
  }

  /// Writes the counts, the sign and the groups.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    writer.writeInteger(UInt16(truncatingIfNeeded: groups.count))
    writer.writeInteger(weight)
    writer.writeInteger(wireSign)
    // The server's own form of an infinity shows this scale.
    writer.writeInteger(form == .infinity || form == .minusInfinity ? 32 : scale)
    for group in groups { writer.writeInteger(group) }
  }

  private var wireSign: UInt16 {
    switch form {
    case .finite: 0x0000
    case .negative: 0x4000
    case .nan: 0xC000
    case .infinity: 0xD000
    case .minusInfinity: 0xF000
    }
  }
}

extension PGNumeric: PGDecodable, PGArrayElement {
  /// Accepts numeric, and the integers, all of which it holds.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    type.base == .numeric || Int64.accepts(type, format)
  }

  /// Reads the counts, the sign and the groups, each of which must be below 10000.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard type.base == .numeric else {
      self.init(try Int64(binary: &reader, as: type))
      return
    }
    let count = Int(try reader.readField(UInt16.self, of: type))
    let weight: Int16 = try reader.readField(of: type)
    let sign: UInt16 = try reader.readField(of: type)
    let scale: UInt16 = try reader.readField(of: type)
    guard reader.remaining == count * 2 else { throw .malformed(type, "a wrong count of digits") }
    guard scale <= Self.scaleLimit else { throw .malformed(type, "a scale beyond the limit") }
    switch sign {
    case 0x0000, 0x4000:
      let groups = try Self.readGroups(&reader, of: type)
      self.init(isNegative: sign != 0, groups: groups, weight: weight, scale: scale)
    case 0xC000 where count == 0: self = .nan
    case 0xD000 where count == 0: self = .infinity
    case 0xF000 where count == 0: self = .minusInfinity
    default: throw .malformed(type, "an unknown sign")
    }
  }

  /// Reads a finite number of a few groups that is in its one form, as a server's numbers are.
  public static func decodeBuiltin(_ reader: ByteReader, as type: TypeOID) -> PGNumeric? {
    guard type == .numeric else { return nil }
    var reader = reader
    return try? PGNumeric(short: &reader)
  }

  private init?(short reader: inout ByteReader) throws(OutOfBytes) {
    // Four numbers of sixteen bits: how many groups, the weight, the sign, the scale.
    let head: UInt64 = try reader.readInteger()
    let count = Int(head >> 48)
    let sign = UInt16(truncatingIfNeeded: head >> 16)
    let scale = UInt16(truncatingIfNeeded: head)
    let weight = Int16(truncatingIfNeeded: head >> 32)
    guard reader.remaining == count * 2, count > 0, count <= DecimalGroups.room,
      sign == 0 || sign == 0x4000, scale <= Self.scaleLimit,
      // Nothing but the last group can then reach beyond the scale.
      Int(weight) - count + 1 >= -(Int(scale) + 3) / 4
    else { return nil }
    // The first group in the lowest sixteen bits, as ``DecimalGroups`` has them.
    var (low, high) = (0 as UInt64, 0 as UInt64)
    var (last, largest) = (0 as UInt16, 0 as UInt16)
    for place in 0..<min(count, 4) {
      last = try reader.readInteger()
      largest = max(largest, last)
      low |= UInt64(last) &<< UInt64(truncatingIfNeeded: place &* 16)
    }
    for place in 4..<max(count, 4) {
      last = try reader.readInteger()
      largest = max(largest, last)
      high |= UInt64(last) &<< UInt64(truncatingIfNeeded: (place &- 4) &* 16)
    }
    guard largest < 10000, low & 0xFFFF != 0, last != 0 else { return nil }
    if Int(weight) - count + 1 == -(Int(scale) + 3) / 4, scale % 4 != 0,
      last % Self.unit(ofScale: scale) != 0
    {
      return nil
    }
    self.init(
      canonical: DecimalGroups(low, high, count: UInt8(truncatingIfNeeded: count)),
      isNegative: sign != 0, weight: weight, scale: scale)
  }

  private static func readGroups(
    _ reader: inout ByteReader, of type: PGType
  ) throws(PGError) -> DecimalGroups {
    var groups = DecimalGroups()
    while !reader.isAtEnd {
      let group: UInt16 = try reader.readField(of: type)
      guard group < 10000 else { throw .malformed(type, "a digit above 9999") }
      groups.append(group)
    }
    return groups
  }
}

extension PGNumeric: Hashable, Comparable {
  /// Whether the values are the same number, at whatever scale.
  public static func == (left: PGNumeric, right: PGNumeric) -> Bool {
    left.form == right.form && left.weight == right.weight && left.groups == right.groups
  }

  /// Feeds what equality looks at.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(form)
    hasher.combine(weight)
    hasher.combine(groups)
  }

  /// Whether the left one is smaller; NaN is the largest.
  public static func < (left: PGNumeric, right: PGNumeric) -> Bool {
    if left.rank != right.rank { return left.rank < right.rank }
    guard left.isFinite else { return false }
    return left.isNegative
      ? right.hasSmallerMagnitude(than: left) : left.hasSmallerMagnitude(than: right)
  }

  private var rank: Int {
    switch form {
    case .minusInfinity: 0
    case .negative: 1
    case .finite: groups.isEmpty ? 2 : 3
    case .infinity: 4
    case .nan: 5
    }
  }

  private func hasSmallerMagnitude(than other: PGNumeric) -> Bool {
    if weight != other.weight { return weight < other.weight }
    return groups.lexicographicallyPrecedes(other.groups)
  }
}
