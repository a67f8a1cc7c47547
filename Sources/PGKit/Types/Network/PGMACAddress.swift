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

  /// Reads six bytes in the forms of `macaddr`: `08:00:2b:01:02:03`, `8-0-2b-1-2-3`, `08002b:010203`,
  /// `08002b-010203`, `0800.2b01.0203`, `0800-2b01-0203`, `08002b010203`; or eight bytes of two digits
  /// with the same colon, hyphen or dot, or nothing, between them.
  ///
  /// Source: `macaddr_in` and `macaddr8_in` of the server, without the digits that these guess at.
  public static func parseText(_ reader: inout ByteReader) -> PGMACAddress? {
    guard let (groups, separator) = takeGroups(&reader) else { return nil }
    let isColonOrHyphen = separator != ASCII.dot
    if groups.count == 6, isColonOrHyphen {
      let bytes = groups.compactMap { UInt8(String(decoding: $0, as: UTF8.self), radix: 16) }
      return bytes.count == 6 ? try? PGMACAddress(bytes) : nil
    }
    let shape = groups.map(\.count)
    let isWhole =
      switch shape.reduce(0, +) {
      case 16: shape.allSatisfy { $0.isMultiple(of: 2) }
      case 12:
        shape == [12] || shape == [6, 6] && isColonOrHyphen
          || shape == [4, 4, 4] && separator != UInt8(ascii: ":")
      default: false
      }
    guard isWhole, let bytes = Hexadecimal.decode(Array(groups.joined())) else { return nil }
    return try? PGMACAddress(bytes)
  }

  /// Reads digits with one kind of separator between them, at least one on either side of it.
  private static func takeGroups(
    _ reader: inout ByteReader
  ) -> (groups: [[UInt8]], separator: UInt8?)? {
    var groups: [[UInt8]] = [[]]
    var separator: UInt8?
    while let byte = reader.next, groups.count <= 8 {
      _ = reader.take(byte)
      if byte == UInt8(ascii: ":") || byte == ASCII.minus || byte == ASCII.dot {
        guard separator ?? byte == byte else { return nil }
        separator = byte
        groups.append([])
      } else {
        guard ASCII.isDigit(byte) || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte | 0x20 else {
          return nil
        }
        groups[groups.count - 1].append(byte)
      }
    }
    return groups.contains([]) ? nil : (groups, separator)
  }
}
