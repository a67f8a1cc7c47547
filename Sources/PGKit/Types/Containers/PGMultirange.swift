/// Ranges of one type, in order and apart from each other.
///
/// The server puts them in order and joins those that touch; a value made here is sent as it is.
///
/// Source: PostgreSQL manual, "Range Types"; there since PostgreSQL 14.
public struct PGMultirange<Bound: PGEncodable & PGDecodable>: Sendable {
  /// The ranges.
  public let ranges: [PGRange<Bound>]

  /// Makes a multirange of ranges.
  public init(_ ranges: [PGRange<Bound>]) { self.ranges = ranges }
}

extension PGMultirange: Equatable where Bound: Equatable {}
extension PGMultirange: Hashable where Bound: Hashable {}

extension PGMultirange: ExpressibleByArrayLiteral {
  /// Makes a multirange of ranges.
  public init(arrayLiteral ranges: PGRange<Bound>...) { self.init(ranges) }
}

extension PGMultirange: PGEncodable {
  /// The format in which the ranges become a parameter of `type`.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    if type.takesAnyText { return .text }
    guard let range = type.range?.written else { return nil }
    var format = BuiltinTypes.resultFormat(for: type)
    for value in ranges {
      guard let wanted = value.encodingFormat(for: range) else { return nil }
      if wanted == .text { format = .text }
    }
    return format
  }

  /// Writes the number of ranges, and each with its length.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    guard let range = type.range?.written else { throw .unwritable(Self.self, as: type) }
    writer.writeInteger(Int32(truncatingIfNeeded: ranges.count))
    for value in ranges {
      try writer.writeLengthPrefixed { (writer: inout ByteWriter) throws(PGError) in
        try value.encodeBinary(as: range, into: &writer)
      }
    }
  }

  /// Writes `{[1,2),[5,)}`.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    let range = type.range?.written ?? type.passing(to: PGType(.unspecified))
    writer.writeByte(UInt8(ascii: "{"))
    for (index, value) in ranges.enumerated() {
      if index > 0 { writer.writeByte(ASCII.comma) }
      try value.encodeText(as: range, into: &writer)
    }
    writer.writeByte(UInt8(ascii: "}"))
  }
}

extension PGMultirange: PGDecodable, PGColumnValue, PGArrayElement {
  /// Whether a column of `type` in `format` is a multirange of such values.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    type.range.map { PGRange<Bound>.accepts($0.values, format) } ?? false
  }

  /// Reads the number of ranges, and each with its length.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard let range = type.range?.values else { throw .unreadable(type, as: Self.self) }
    let count: Int
    // Each has at least its length and its flags.
    do { count = try reader.readCount32(ofSize: 5) } catch {
      throw .malformed(type, "more ranges than bytes")
    }
    var ranges: [PGRange<Bound>] = []
    for _ in 0..<count {
      ranges.append(try reader.takeField(PGRange<Bound>.self, range, .binary))
    }
    try reader.expectEnd(of: type)
    self.ranges = ranges
  }

  /// Reads `{[1,2),[5,)}`.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard let range = type.range?.values else { throw .unreadable(type, as: Self.self) }
    guard reader.take(UInt8(ascii: "{")) else { throw Self.malformed(type) }
    var ranges: [PGRange<Bound>] = []
    if !reader.take(UInt8(ascii: "}")) {
      repeat {
        ranges.append(try PGRange(part: &reader, as: range))
      } while reader.take(ASCII.comma)
      guard reader.take(UInt8(ascii: "}")) else { throw Self.malformed(type) }
    }
    guard reader.isAtEnd else { throw Self.malformed(type) }
    self.ranges = ranges
  }

  private static func malformed(_ type: PGType) -> PGError {
    .malformed(type, "it is not the text form of a multirange")
  }
}

extension PGMultirange: CustomStringConvertible {
  /// The text form, as the server prints it.
  public var description: String { shownText }
}
