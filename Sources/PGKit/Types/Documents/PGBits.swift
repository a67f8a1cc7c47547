/// A `bit` or `varbit`: a string of bits.
///
/// In py-postgresql: `postgresql.types.varbit` and `bit`. Source: PostgreSQL manual, "Bit String
/// Types".
public struct PGBits: Hashable, Sendable {
  /// The bits, the first one in the highest place of the first byte; what is left of the last byte is 0.
  public let bytes: [UInt8]
  /// The number of bits.
  public let count: Int

  /// Makes a string of the first bits of some bytes.
  ///
  /// - Throws: ``PGError`` `--PIO` if there are fewer bits than that.
  public init(_ bytes: [UInt8], count: Int? = nil) throws(PGError) {
    let count = count ?? bytes.count * 8
    guard 0...bytes.count * 8 ~= count else {
      throw .parameter("\(bytes.count) bytes have no \(count) bits")
    }
    self.init(trimmed: bytes, count)
  }

  /// Makes a string of bits: `[true, false]` is `10`.
  public init(_ bits: some Sequence<Bool>) {
    var bytes: [UInt8] = []
    var count = 0
    for bit in bits {
      if count % 8 == 0 { bytes.append(0) }
      if bit { bytes[count / 8] |= 0x80 >> (count % 8) }
      count += 1
    }
    self.init(trimmed: bytes, count)
  }

  private init(trimmed bytes: [UInt8], _ count: Int) {
    var kept = Array(bytes.prefix((count + 7) / 8))
    if count % 8 > 0 { kept[kept.count - 1] &= 0xFF << (8 - count % 8) }
    (self.bytes, self.count) = (kept, count)
  }

  /// One string of bits behind another.
  public static func + (left: PGBits, right: PGBits) -> PGBits { PGBits(Array(left) + right) }

  /// The same bits a number of times.
  ///
  /// - Throws: ``PGError`` `--PIO` if the number is negative, or the result beyond what a value can hold.
  public func repeated(_ times: Int) throws(PGError) -> PGBits {
    let (total, overflow) = count.multipliedReportingOverflow(by: times)
    guard times >= 0, !overflow, total <= Int(Int32.max) else {
      throw .parameter("\(count) bits cannot be repeated \(times) times")
    }
    return PGBits(repeatElement(self, count: times).joined())
  }
}

extension PGBits: RandomAccessCollection {
  /// Always 0.
  public var startIndex: Int { 0 }
  /// The number of bits.
  public var endIndex: Int { count }

  /// A bit.
  public subscript(position: Int) -> Bool {
    precondition(indices.contains(position), "no bit \(position) in a string of \(count)")
    return bytes[position / 8] & (0x80 >> (position % 8)) != 0
  }
}

extension PGBits: PGEncodable, PGDecodable, PGArrayElement {
  /// Binary for both types; text where the server decides what it means.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    Self.accepts(type, .binary) ? .binary : type.takesAnyText ? .text : nil
  }

  /// Accepts bit and varbit.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    type.base == .bit || type.base == .varbit
  }

  /// Writes the number of bits, and the bytes.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    guard let number = Int32(exactly: count) else { throw .outOfRange(Self.self, as: type) }
    writer.writeInteger(number)
    writer.writeBytes(bytes)
  }

  /// Reads the number of bits, and the bytes.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    let count = Int(try reader.readField(Int32.self, of: type))
    guard count >= 0, reader.remaining == (count + 7) / 8 else {
      throw .malformed(type, "a wrong count of bits")
    }
    self.init(trimmed: reader.readRemaining(), count)
  }
}

extension PGBits: PGTextConvertible {
  /// Writes `0101`.
  public func formatText(into writer: inout ByteWriter) {
    for bit in self { writer.writeByte(bit ? UInt8(ascii: "1") : ASCII.zero) }
  }

  /// Reads `0101`.
  public static func parseText(_ reader: inout ByteReader) -> PGBits? {
    let text = reader.readRemaining()
    guard text.allSatisfy({ $0 == ASCII.zero || $0 == UInt8(ascii: "1") }) else { return nil }
    return PGBits(text.map { $0 == UInt8(ascii: "1") })
  }
}
