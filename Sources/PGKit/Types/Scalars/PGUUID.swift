/// A `uuid`: 128 bits, ordered as the server orders them.
public struct PGUUID: Hashable, Comparable, Sendable {
  /// The first eight bytes, most significant first.
  public let high: UInt64
  /// The last eight bytes, most significant first.
  public let low: UInt64

  /// Makes a value of its halves.
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Whether the left one's bytes come first.
  public static func < (left: PGUUID, right: PGUUID) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }
}

extension PGUUID: PGEncodable {
  /// Whether a parameter of `type` is a uuid.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    type.parameterFormat(binaryFor: .uuid)
  }

  /// Writes sixteen bytes.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    writer.writeInteger(high)
    writer.writeInteger(low)
  }
}

extension PGUUID: PGDecodable, PGArrayElement {
  /// Accepts uuid.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool { type.base == .uuid }

  /// Reads sixteen bytes.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    high = try reader.readField(of: type)
    low = try reader.readWhole(of: type)
  }
}

extension PGUUID: PGTextConvertible {
  /// Writes 8-4-4-4-12 lower-case digits.
  public func formatText(into writer: inout ByteWriter) {
    for index in 0..<32 {
      if index == 8 || index == 12 || index == 16 || index == 20 { writer.writeByte(ASCII.minus) }
      let half = index < 16 ? high : low
      let digit = UInt8(truncatingIfNeeded: half >> UInt64(60 - index % 16 * 4)) & 15
      writer.writeByte(digit < 10 ? ASCII.zero &+ digit : UInt8(ascii: "a") &+ digit &- 10)
    }
  }

  /// Reads what the server reads: digits of either case, a hyphen after any group of four, braces.
  public static func parseText(_ reader: inout ByteReader) -> PGUUID? {
    let braced = reader.take(UInt8(ascii: "{"))
    var halves: (high: UInt64, low: UInt64) = (0, 0)
    for index in 0..<32 {
      if index > 0, index.isMultiple(of: 4) { _ = reader.take(ASCII.minus) }
      guard let byte = try? reader.readByte(), let digit = Hexadecimal.value(of: byte) else {
        return nil
      }
      halves.high = halves.high << 4 | halves.low >> 60
      halves.low = halves.low << 4 | UInt64(digit)
    }
    if braced, !reader.take(UInt8(ascii: "}")) { return nil }
    return PGUUID(high: halves.high, low: halves.low)
  }
}
