/// A `macaddr` of six bytes, or a `macaddr8` of eight.
///
/// Source: PostgreSQL manual, "macaddr" and "macaddr8".
public struct PGMACAddress: Hashable, Sendable {
  /// The bytes, the first one in the highest place used.
  private let bits: UInt64
  /// The number of bytes: 6 or 8.
  public let count: Int

  /// Makes an address.
  ///
  /// - Throws: ``PGError`` `--PIO` if there are not six or eight bytes.
  public init(_ bytes: [UInt8]) throws(PGError) {
    guard bytes.count == 6 || bytes.count == 8 else {
      throw .parameter("a MAC address has six or eight bytes, not \(bytes.count)")
    }
    self.init(bytes.reduce(0) { $0 << 8 | UInt64($1) }, bytes.count)
  }

  private init(_ bits: UInt64, _ count: Int) { (self.bits, self.count) = (bits, count) }

  /// The bytes, in the order in which they are written.
  public var bytes: [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: bits >> UInt64((count - 1 - $0) * 8)) }
  }

  /// The address in eight bytes: FF and FE are put into the middle of one of six.
  private var extended: UInt64 {
    count == 8 ? bits : (bits >> 24) << 40 | 0xFFFE << 24 | bits & 0xFF_FFFF
  }
}

extension PGMACAddress: PGEncodable, PGDecodable, PGArrayElement {
  /// Binary for macaddr, if it has six bytes, and for macaddr8.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    switch type.base {
    case .macaddr, .macaddr8: .binary
    default: type.takesAnyText ? .text : nil
    }
  }

  /// Writes the bytes; one of six becomes one of eight for macaddr8, as the server extends it.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    if type.base == .macaddr8 { return writer.writeInteger(extended) }
    guard count == 6 else { throw .unwritable(Self.self, as: type, ": it has eight bytes") }
    writer.writeBytes(bytes)
  }

  /// Accepts macaddr and macaddr8.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    type.base == .macaddr || type.base == .macaddr8
  }

  /// Reads the bytes.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    if type.base == .macaddr8 {
      self.init(try reader.readWhole(UInt64.self, of: type), 8)
      return
    }
    let high = UInt64(try reader.readField(UInt16.self, of: type))
    self.init(high << 32 | UInt64(try reader.readWhole(UInt32.self, of: type)), 6)
  }
}

extension PGMACAddress: PGTextConvertible {
  /// Writes `08:00:2b:01:02:03`.
  public func formatText(into writer: inout ByteWriter) {
    for (index, byte) in bytes.enumerated() {
      if index > 0 { writer.writeByte(UInt8(ascii: ":")) }
      writer.writeBytes(Hexadecimal.encode([byte]))
    }
  }

  /// Reads six or eight bytes in hexadecimal, with or without colons, hyphens or dots between them.
  public static func parseText(_ reader: inout ByteReader) -> PGMACAddress? {
    var digits: [UInt8] = []
    while let byte = reader.next, digits.count <= 16 {
      let isSeparator =
        byte == UInt8(ascii: ":") || byte == ASCII.minus || byte == ASCII.dot
      guard isSeparator || ASCII.isDigit(byte) || ASCII.isLetter(byte) else { return nil }
      _ = reader.take(byte)
      if !isSeparator { digits.append(byte) }
    }
    guard let bytes = Hexadecimal.decode(digits) else { return nil }
    return try? PGMACAddress(bytes)
  }
}
