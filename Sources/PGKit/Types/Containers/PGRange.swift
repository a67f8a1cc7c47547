/// A range between two values, either of which may be missing: then it has no end on that side.
///
/// In py-postgresql: the text of a range. Source: PostgreSQL manual, "Range Types".
public struct PGRange<Bound: PGEncodable & PGDecodable>: Sendable {
  /// The lower end; `nil` if there is none.
  public let lower: Bound?
  /// The upper end; `nil` if there is none.
  public let upper: Bound?
  /// Whether the lower end is in the range.
  public let includesLower: Bool
  /// Whether the upper end is in the range.
  public let includesUpper: Bool
  /// Whether nothing is in it.
  public let isEmpty: Bool

  /// Makes a range; what is said of an end that is missing does not count.
  public init(
    _ lower: Bound?, _ upper: Bound?, includesLower: Bool = true, includesUpper: Bool = false
  ) {
    // A dynamic NULL, as `nil` may be read where a PGValue can be, is no end either.
    let lower = lower?.isNull == true ? nil : lower
    let upper = upper?.isNull == true ? nil : upper
    (self.lower, self.upper) = (lower, upper)
    self.includesLower = lower != nil && includesLower
    self.includesUpper = upper != nil && includesUpper
    isEmpty = false
  }

  private init() {
    (lower, upper, includesLower, includesUpper, isEmpty) = (nil, nil, false, false, true)
  }

  /// The range in which nothing is.
  public static var empty: PGRange { PGRange() }
}

extension PGRange where Bound: Comparable {
  /// The range `[lower, upper)`.
  public init(_ range: Range<Bound>) { self.init(range.lowerBound, range.upperBound) }

  /// The range `[lower, upper]`.
  public init(_ range: ClosedRange<Bound>) {
    self.init(range.lowerBound, range.upperBound, includesUpper: true)
  }

  /// The range `[lower,)`.
  public init(_ range: PartialRangeFrom<Bound>) { self.init(range.lowerBound, nil) }

  /// The range `(,upper)`.
  public init(_ range: PartialRangeUpTo<Bound>) { self.init(nil, range.upperBound) }

  /// The range `(,upper]`.
  public init(_ range: PartialRangeThrough<Bound>) {
    self.init(nil, range.upperBound, includesUpper: true)
  }

  /// Whether a value is in the range, by Swift's order.
  public func contains(_ value: Bound) -> Bool {
    if isEmpty { return false }
    if let lower, value < lower || (value == lower && !includesLower) { return false }
    if let upper, value > upper || (value == upper && !includesUpper) { return false }
    return true
  }
}

extension PGRange: Equatable where Bound: Equatable {}
extension PGRange: Hashable where Bound: Hashable {}

/// What a range's first byte says in the binary form (`rangetypes.h`).
private struct RangeFlags: OptionSet {
  let rawValue: UInt8

  static let empty = RangeFlags(rawValue: 0x01)
  static let includesLower = RangeFlags(rawValue: 0x02)
  static let includesUpper = RangeFlags(rawValue: 0x04)
  static let hasNoLower = RangeFlags(rawValue: 0x08)
  static let hasNoUpper = RangeFlags(rawValue: 0x10)
  static let all: RangeFlags = [
    .empty, .includesLower, .includesUpper, .hasNoLower, .hasNoUpper,
  ]
}

extension PGRange: PGEncodable {
  /// The format in which the range becomes a parameter of `type`.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    if type.takesAnyText { return .text }
    guard let bound = type.bound?.written else { return nil }
    var format = BuiltinTypes.resultFormat(for: type)
    for case let value? in [lower, upper] {
      guard let wanted = value.encodingFormat(for: bound) else { return nil }
      if wanted == .text { format = .text }
    }
    return format
  }

  /// Writes the flags, and each end with its length.
  ///
  /// - Throws: ``PGError`` `--PIO` if the lower end comes behind the upper one.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    guard let bound = type.bound?.written else { throw .unwritable(Self.self, as: type) }
    var flags: RangeFlags = []
    if isEmpty { flags.insert(.empty) }
    if includesLower { flags.insert(.includesLower) }
    if includesUpper { flags.insert(.includesUpper) }
    if lower == nil, !isEmpty { flags.insert(.hasNoLower) }
    if upper == nil, !isEmpty { flags.insert(.hasNoUpper) }
    writer.writeByte(flags.rawValue)
    let start = writer.count + 4
    if let lower { try Self.write(lower, "lower", as: bound, into: &writer) }
    let middle = writer.count
    guard let upper else { return }
    try Self.write(upper, "upper", as: bound, into: &writer)
    if lower == nil { return }
    try requireOrder(
      writer.bytes[start..<middle], writer.bytes[(middle + 4)...], .binary, as: type, bound)
  }

  /// Writes `[1,2)`, or `empty`.
  ///
  /// - Throws: ``PGError`` `--PIO` if the lower end comes behind the upper one.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    if isEmpty { return writer.writeText("empty") }
    let bound = type.bound?.written ?? type.passing(to: PGType(.unspecified))
    let lowest = try lower.map { value throws(PGError) in
      try Self.text(of: value, "lower", as: bound)
    }
    let highest = try upper.map { value throws(PGError) in
      try Self.text(of: value, "upper", as: bound)
    }
    if let lowest, let highest {
      try requireOrder(lowest[...], highest[...], .text, as: type, bound)
    }
    writer.writeByte(UInt8(ascii: includesLower ? "[" : "("))
    if let lowest { writer.writePart(lowest, .range) }
    writer.writeByte(ASCII.comma)
    if let highest { writer.writePart(highest, .range) }
    writer.writeByte(UInt8(ascii: includesUpper ? "]" : ")"))
  }

  private static func write(
    _ value: Bound, _ end: String, as bound: PGType, into writer: inout ByteWriter
  ) throws(PGError) {
    do throws(PGError) {
      try writer.writeLengthPrefixed { (writer: inout ByteWriter) throws(PGError) in
        try value.encodeBinary(as: bound, into: &writer)
      }
    } catch { throw located(error, end, bound) }
  }

  private static func text(
    of value: Bound, _ end: String, as bound: PGType
  ) throws(PGError) -> [UInt8] {
    var text = ByteWriter()
    do throws(PGError) { try value.encodeText(as: bound, into: &text) } catch {
      throw located(error, end, bound)
    }
    return text.bytes
  }

  /// Says of an error at which end it happened.
  private static func located(_ error: PGError, _ end: String, _ bound: PGType) -> PGError {
    error.inside(.init("BOUND", "\(end) of type \(bound.name)"))
  }

  /// Insists that the ends of one of the server's own ranges are in its order; in what order the values
  /// of any other are, the server alone knows.
  private func requireOrder(
    _ lower: ArraySlice<UInt8>, _ upper: ArraySlice<UInt8>, _ format: PGFormat, as type: PGType,
    _ bound: PGType
  ) throws(PGError) {
    if type.isShown || type.values.definition != nil { return }
    func isBehind<Value: PGDecodable & Comparable>(_: Value.Type) -> Bool {
      let ends = [lower, upper].compactMap { bytes in
        ByteReader.over(bytes) { reader in
          try? Value.decodeColumn(reader, type: bound, format: format)
        }
      }
      return ends.count == 2 && ends[0] > ends[1]
    }
    let isRefused =
      switch bound.base {
      case .int4, .int8: isBehind(Int64.self)
      case .numeric: isBehind(PGNumeric.self)
      case .date: isBehind(PGDate.self)
      case .timestamp: isBehind(PGTimestamp.self)
      case .timestamptz: isBehind(PGTimestampTZ.self)
      default: false
      }
    if isRefused {
      throw .unwritable(Self.self, as: type, ": its lower end comes behind its upper one")
    }
  }
}

extension PGRange: PGDecodable, PGColumnValue, PGArrayElement {
  /// Whether a column of `type` in `format` is a range of such values.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    type.bound.map { Bound.accepts($0.values, format) } ?? false
  }

  /// Reads the flags, and each end with its length.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard let bound = type.bound?.values else { throw .unreadable(type, as: Self.self) }
    let flags = RangeFlags(rawValue: try reader.readField(of: type))
    guard flags.isSubset(of: .all) else { throw .malformed(type, "unknown flags") }
    guard !flags.contains(.empty) else {
      try reader.expectEnd(of: type)
      self = .empty
      return
    }
    let lower =
      flags.contains(.hasNoLower) ? nil : try reader.takeField(Bound.self, bound, .binary)
    let upper =
      flags.contains(.hasNoUpper) ? nil : try reader.takeField(Bound.self, bound, .binary)
    try reader.expectEnd(of: type)
    self.init(
      lower, upper, includesLower: flags.contains(.includesLower),
      includesUpper: flags.contains(.includesUpper))
  }

  /// Reads `[1,2)`, with or without quotes around the ends, or `empty`.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    try self.init(part: &reader, as: type)
    guard reader.isAtEnd else { throw Self.malformed(type) }
  }

  /// Reads the text of one range, behind which there may be more.
  init(part reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard let bound = type.bound?.values else { throw .unreadable(type, as: Self.self) }
    if reader.take(word: "empty") {
      self = .empty
      return
    }
    let includesLower = reader.take(UInt8(ascii: "["))
    guard includesLower || reader.take(UInt8(ascii: "(")) else { throw Self.malformed(type) }
    let lower = try Self.takeEnd(&reader, bound, of: type)
    guard reader.take(ASCII.comma) else { throw Self.malformed(type) }
    let upper = try Self.takeEnd(&reader, bound, of: type)
    let includesUpper = reader.take(UInt8(ascii: "]"))
    guard includesUpper || reader.take(UInt8(ascii: ")")) else { throw Self.malformed(type) }
    self.init(lower, upper, includesLower: includesLower, includesUpper: includesUpper)
  }

  /// Reads one end; `nil` if there is none.
  private static func takeEnd(
    _ reader: inout ByteReader, _ bound: PGType, of type: PGType
  ) throws(PGError) -> Bound? {
    let text: [UInt8]?
    do { text = try reader.takePart { $0 == ASCII.comma || isClosing($0) } } catch {
      throw malformed(type)
    }
    guard let text else { return nil }
    return try ByteReader.over(text) { reader throws(PGError) in
      try Bound.decodeColumn(reader, type: bound, format: .text)
    }
  }

  private static func isClosing(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ")") || byte == UInt8(ascii: "]")
  }

  static func malformed(_ type: PGType) -> PGError {
    .malformed(type, "it is not the text form of a range")
  }
}

extension PGRange: CustomStringConvertible {
  /// The text form, as the server prints it.
  public var description: String { shownText }
}
