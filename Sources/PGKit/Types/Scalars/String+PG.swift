// Text goes out in the binary format where that is the same bytes, so that a statement's
// parameters can share one format; everything else takes a String in its text form.

extension String: PGEncodable, PGDecodable {
  /// Always possible, as far as the type goes: whether the text is one of the type's is seen when it is
  /// written.
  public func encodingFormat(for type: TypeOID) -> PGFormat? {
    switch type {
    case .text, .varchar, .bpchar, .name, .json, .jsonb: .binary
    default: .text
    }
  }

  /// Writes the text, after jsonb's version byte if it is jsonb; for "char", its one byte.
  public func encodeBinary(as type: TypeOID, into writer: inout ByteWriter) throws(PGError) {
    switch type {
    case .char: writer.writeByte(try singleByte())
    case .jsonb:
      writer.writeByte(PGJSON.binaryVersion)
      try encodeText(as: type, into: &writer)
    default: try encodeText(as: type, into: &writer)
    }
  }

  /// Accepts every type in text form, and in binary form the types that are text.
  public static func accepts(_ type: TypeOID, _ format: PGFormat) -> Bool {
    if format == .text { return true }
    return switch type {
    case .text, .varchar, .bpchar, .name, .unknown, .char, .json, .jsonb, .xml: true
    default: false
    }
  }

  /// Reads the text, which must be UTF-8.
  public init(binary reader: inout ByteReader, as type: TypeOID) throws(PGError) {
    switch type {
    case .text, .varchar, .bpchar, .name, .unknown, .json, .xml: break
    case .char:
      self = Self.formatByte(try reader.readWhole(of: type))
      return
    case .jsonb: try PGJSON.readVersion(&reader)
    default: throw .unreadable(type, as: String.self)
    }
    self = try reader.readWholeText(of: type)
  }

  /// Writes the text.
  ///
  /// - Throws: ``PGError`` `--PIO` if it has a zero character, which no SQL text can hold; or if the type
  ///   has a Swift type of its own, and this is not the text of one of its values.
  public func encodeText(as type: TypeOID, into writer: inout ByteWriter) throws(PGError) {
    guard !hasZero else {
      throw .unwritable(String.self, as: type, ": it has a zero character")
    }
    try requireForm(of: type)
    writer.writeText(self)
  }

  /// What only the server could make a value of, as `yesterday`, is not sent as one: a statement that
  /// means that says `$1::text::date`.
  private func requireForm(of type: TypeOID) throws(PGError) {
    guard let own = type.swiftType as? any PGDecodable.Type, own != String.self, own != PGJSON.self
    else { return }
    let isValue = ByteReader.over(Array(utf8)) { reader in
      (try? own.init(text: &reader, as: type)) != nil
    }
    guard isValue else {
      throw .unwritable(
        String.self, as: type,
        ": it is not the text form of a \(own); the statement may cast, as in "
          + "$1::text::\(type.name)")
    }
  }

  /// Reads the text form of any type.
  public init(text reader: inout ByteReader, as type: TypeOID) throws(PGError) {
    self = try reader.readWholeText(of: type)
  }

  /// Whether there is a zero character.
  ///
  /// All bytes are looked at, so that they are looked at many at a time.
  private var hasZero: Bool {
    let found = utf8.withContiguousStorageIfAvailable { bytes in
      bytes.reduce(into: false) { found, byte in found = found || byte == 0 }
    }
    return found ?? utf8.contains(0)
  }

  /// The byte of a "char" in the text form that PostgreSQL 16 prints: nothing for 0, the character
  /// below 128, `\ooo` above.
  private static func formatByte(_ byte: UInt8) -> String {
    if byte == 0 { return "" }
    if byte < 0x80 { return String(Unicode.Scalar(byte)) }
    let octal = [UInt8(ascii: "\\"), 48 + byte >> 6, 48 + byte >> 3 & 7, 48 + byte & 7]
    return String(decoding: octal, as: UTF8.self)
  }

  /// The byte that ``formatByte(_:)`` would show as this text.
  private func singleByte() throws(PGError) -> UInt8 {
    let bytes = Array(utf8)
    if bytes.isEmpty { return 0 }
    if bytes.count == 1 { return bytes[0] }
    guard bytes.count == 4, bytes[0] == ASCII.backslash, let byte = UInt8(dropFirst(), radix: 8)
    else { throw .unwritable(String.self, as: .char, ": it is more than one byte") }
    return byte
  }
}
