/// An `inet` or `cidr`: an address of IPv4 or IPv6 with the length of its network's prefix.
///
/// Source: PostgreSQL manual, "Network Address Types".
public struct PGInet: Hashable, Sendable {
  /// The kinds of addresses.
  public enum Family: UInt8, Sendable {
    /// Four bytes.
    case v4 = 2
    /// Sixteen bytes.
    case v6 = 3

    /// The number of an address's bits.
    public var width: Int { self == .v4 ? 32 : 128 }
  }

  /// The kind of address.
  public let family: Family
  /// The number of bits that name the network: the address's width for a single host.
  public var prefix: Int { Int(length) }
  private let length: UInt8
  private let high: UInt64
  /// Of an address of IPv4 all of it, in the lower half.
  private let low: UInt64
  /// Whether it came as a network, `cidr`, which always shows its prefix.
  public let isNetwork: Bool

  /// Makes an address of its four or sixteen bytes.
  ///
  /// - Parameters:
  ///   - bytes: The address, its first byte first.
  ///   - prefix: The number of bits that name the network; all of them if it is missing.
  ///   - isNetwork: Whether it is a `cidr`.
  /// - Throws: ``PGError`` `--PIO` for another number of bytes, or a prefix beyond them.
  public init(_ bytes: [UInt8], prefix: Int? = nil, isNetwork: Bool = false) throws(PGError) {
    guard bytes.count == 4 || bytes.count == 16 else {
      throw .parameter("an IP address has four or sixteen bytes, not \(bytes.count)")
    }
    let family: Family = bytes.count == 4 ? .v4 : .v6
    guard 0...family.width ~= prefix ?? 0 else {
      throw .parameter("the prefix of \(family.width) bits cannot have \(prefix ?? 0)")
    }
    self.init(family, bytes, prefix ?? family.width, isNetwork)
  }

  private init(_ family: Family, _ bytes: [UInt8], _ prefix: Int, _ isNetwork: Bool) {
    (self.family, self.isNetwork) = (family, isNetwork)
    length = UInt8(clamping: prefix)
    high = bytes.dropLast(8).reduce(0) { $0 << 8 | UInt64($1) }
    low = bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The address's bytes.
  public var bytes: [UInt8] {
    let all = [high, low].flatMap { half in
      stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: half >> UInt64($0)) }
    }
    return family == .v4 ? Array(all.suffix(4)) : all
  }

  /// Whether the address has bits beyond the prefix: then it is a host in a network, and no `cidr`.
  var hasHostBits: Bool {
    let bytes = bytes
    return (prefix..<family.width).contains { bytes[$0 / 8] & (0x80 >> ($0 % 8)) != 0 }
  }
}

extension PGInet: PGEncodable, PGDecodable, PGArrayElement {
  /// Binary for inet, and for cidr if nothing is set beyond the prefix.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    switch type.base {
    case .inet: .binary
    case .cidr: .binary
    default: type.takesAnyText ? .text : nil
    }
  }

  /// Writes the family, the prefix, whether it is a network, and the bytes.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    if type.base == .cidr, hasHostBits {
      throw .unwritable(Self.self, as: type, ": it has bits beyond its prefix, so it is a host")
    }
    writer.writeByte(family.rawValue)
    writer.writeByte(UInt8(truncatingIfNeeded: prefix))
    writer.writeByte(type.base == .cidr ? 1 : 0)
    writer.writeByte(UInt8(truncatingIfNeeded: family.width / 8))
    writer.writeBytes(bytes)
  }

  /// Accepts inet and cidr.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    type.base == .inet || type.base == .cidr
  }

  /// Reads the family, the prefix, whether it is a network, and the bytes.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard let family = Family(rawValue: try reader.readField(of: type)) else {
      throw .malformed(type, "an unknown family of addresses")
    }
    let prefix = Int(try reader.readField(UInt8.self, of: type))
    let network: UInt8 = try reader.readField(of: type)
    let count = Int(try reader.readField(UInt8.self, of: type))
    guard prefix <= family.width, network <= 1, count * 8 == family.width,
      reader.remaining == count
    else { throw .malformed(type, "a prefix, or a length, that cannot be") }
    self.init(family, reader.readRemaining(), prefix, type.base == .cidr)
  }

  /// Reads `192.168.0.1/24`, or without a prefix; `::1` for IPv6.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard let value = Self.parseText(&reader), reader.isAtEnd else {
      throw .malformed(type, "this text is not an address")
    }
    self.init(value.family, value.bytes, value.prefix, type.base == .cidr)
  }

  /// Writes the address; the prefix too, unless it is all of an inet.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    format(withPrefix: type.base == .cidr || isNetwork, into: &writer)
  }
}

extension PGInet: PGTextConvertible {
  /// Writes the address; the prefix too, if it is a network, or less than the address.
  public func formatText(into writer: inout ByteWriter) {
    format(withPrefix: isNetwork, into: &writer)
  }

  private func format(withPrefix: Bool, into writer: inout ByteWriter) {
    switch family {
    case .v4: Self.formatV4(bytes, into: &writer)
    case .v6: Self.formatV6(bytes, into: &writer)
    }
    guard withPrefix || prefix < family.width else { return }
    writer.writeByte(UInt8(ascii: "/"))
    writer.writeDecimal(prefix)
  }

  private static func formatV4(_ bytes: some Sequence<UInt8>, into writer: inout ByteWriter) {
    for (index, byte) in bytes.enumerated() {
      if index > 0 { writer.writeByte(ASCII.dot) }
      writer.writeDecimal(byte)
    }
  }

  /// Writes groups of four digits, the first of the longest runs of zeros as `::`.
  private static func formatV6(_ bytes: [UInt8], into writer: inout ByteWriter) {
    let groups = stride(from: 0, to: 16, by: 2).map { Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]) }
    let gap = longestZeros(groups)
    var index = 0
    while index < 8 {
      if gap.lowerBound == index, !gap.isEmpty {
        writer.writeText(index == 0 ? "::" : ":")
        index = gap.upperBound
        continue
      }
      // An address of IPv4 in one of IPv6 shows as one.
      let isMapped = gap == 0..<6 || (gap == 0..<5 && groups[5] == 0xFFFF)
      if index == 6, isMapped {
        formatV4(bytes.suffix(4), into: &writer)
        return
      }
      writer.writeText(String(groups[index], radix: 16))
      index += 1
      if index < 8 { writer.writeByte(UInt8(ascii: ":")) }
    }
  }

  private static func longestZeros(_ groups: [Int]) -> Range<Int> {
    var best = 0..<0
    var start = 0
    while start < groups.count {
      let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
      if end - start > best.count { best = start..<end }
      start = max(end, start + 1)
    }
    return best.count > 1 ? best : 0..<0
  }

  /// Reads an address, with or without a prefix.
  public static func parseText(_ reader: inout ByteReader) -> PGInet? {
    let isV6 = reader.unread.contains(UInt8(ascii: ":"))
    guard let bytes = isV6 ? parseV6(&reader) : parseV4(&reader) else { return nil }
    let width = bytes.count * 8
    guard reader.take(UInt8(ascii: "/")) else { return try? PGInet(bytes) }
    guard let prefix = reader.takeNumber(digits: 3)?.value, prefix <= width else { return nil }
    return try? PGInet(bytes, prefix: prefix)
  }

  private static func parseV4(_ reader: inout ByteReader) -> [UInt8]? {
    var bytes: [UInt8] = []
    repeat {
      guard let number = reader.takeNumber(digits: 3), let byte = UInt8(exactly: number.value)
      else { return nil }
      bytes.append(byte)
    } while bytes.count < 4 && reader.take(ASCII.dot)
    return bytes.count == 4 ? bytes : nil
  }

  private static func parseV6(_ reader: inout ByteReader) -> [UInt8]? {
    var bytes: [UInt8] = []
    // Where `::` stands for zeros.
    var gap: Int?
    if reader.take(UInt8(ascii: ":")) {
      guard reader.take(UInt8(ascii: ":")) else { return nil }
      gap = 0
    }
    while bytes.count < 16 {
      if let tail = mapped(&reader) {
        bytes += tail
        break
      }
      guard let group = hexadecimal(&reader) else { break }
      bytes += [group >> 8, group].map { UInt8(truncatingIfNeeded: $0) }
      guard reader.take(UInt8(ascii: ":")) else { break }
      // A colon that nothing follows is none of the gap's.
      guard reader.next != nil, reader.next != UInt8(ascii: "/") else { return nil }
      if reader.take(UInt8(ascii: ":")) {
        guard gap == nil else { return nil }
        gap = bytes.count
      }
    }
    guard let gap else { return bytes.count == 16 ? bytes : nil }
    guard bytes.count < 16 else { return nil }
    bytes.insert(contentsOf: repeatElement(0, count: 16 - bytes.count), at: gap)
    return bytes
  }

  /// The address of IPv4 that comes next, if there is one.
  private static func mapped(_ reader: inout ByteReader) -> [UInt8]? {
    let group = reader.unread.prefix { ASCII.isDigit($0) }
    guard !group.isEmpty, reader.unread.dropFirst(group.count).first == ASCII.dot else {
      return nil
    }
    return parseV4(&reader)
  }

  private static func hexadecimal(_ reader: inout ByteReader) -> Int? {
    var value = 0
    var count = 0
    while count < 4, let byte = reader.next, let digit = Hexadecimal.value(of: byte) {
      _ = reader.take(byte)
      value = value << 4 | Int(digit)
      count += 1
    }
    return count > 0 ? value : nil
  }
}
