// Text goes out in the binary format where that is the same bytes, so that a statement's
// parameters can share one format; everything else takes a String in its text form.

extension String: PGEncodable, PGDecodable, PGArrayElement {
  /// Always possible, as far as the type goes: whether the text is one of the type's is seen when it is
  /// written.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    switch type.base {
    case .text, .varchar, .bpchar, .name, .char, .json, .jsonb, .jsonpath: .binary
    default: .text
    }
  }

  /// Writes the text, after jsonb's version byte if it is jsonb; for "char", its one byte.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    switch type.base {
    case .char: writer.writeByte(try singleByte(as: type))
    case .jsonb, .jsonpath:
      writer.writeByte(PGJSON.binaryVersion)
      try encodeText(as: type, into: &writer)
    default: try encodeText(as: type, into: &writer)
    }
  }

  /// Accepts every type in text form, and in binary form the types that are text, and those that Swift
  /// has no type of its own for: they are had in their text form.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    if format == .text { return true }
    return switch type.base {
    case .text, .varchar, .bpchar, .name, .unknown, .char, .json, .jsonb, .xml: true
    case .bool, .int2, .int4, .int8, .oid, .xid, .xid8, .cid, .float4, .float8, .bytea, .numeric,
      .uuid, .date, .time, .timetz, .timestamp, .timestamptz, .interval:
      false
    default: BuiltinTypes.resultFormat(for: type) == .binary
    }
  }

  /// Reads the text, which must be UTF-8.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    switch type.base {
    case .text, .varchar, .bpchar, .name, .unknown, .json, .xml, .refcursor, .cstring: break
    case .char:
      self = Self.formatByte(try reader.readWhole(of: type))
      return
    case .jsonb, .jsonpath: try PGJSON.readVersion(&reader, of: type)
    default:
      guard Self.accepts(type, .binary) else { throw .unreadable(type, as: String.self) }
      let value = try PGValue(&reader, type: type, format: .binary)
      var writer = ByteWriter()
      try value.encodeText(as: type.shown, into: &writer)
      self = String(decoding: writer.bytes, as: UTF8.self)
      return
    }
    self = try reader.readWholeText(of: type)
  }

  /// Reads text, which must be UTF-8.
  public static func decodeBuiltin(_ reader: ByteReader, as type: TypeOID) -> String? {
    guard type == .text || type == .varchar else { return nil }
    var reader = reader
    return reader.readText()
  }

  /// Writes the text.
  ///
  /// - Throws: ``PGError`` `--PIO` if it has a zero character, which no SQL text can hold; or if the type
  ///   has a Swift type of its own, and this is not the text of one of its values.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try requireForm(of: type)
    try write(as: type, of: String.self, into: &writer)
  }

  /// Writes the text.
  ///
  /// - Parameter given: What errors call the value: the Swift type that holds the text.
  func write(
    as type: PGType, of given: Any.Type, into writer: inout ByteWriter
  ) throws(PGError) {
    guard !hasZero else { throw .unwritable(given, as: type, ": it has a zero character") }
    writer.writeText(self)
  }

  /// What only the server could make a value of, as `yesterday`, is not sent as one: a statement that
  /// means that says `$1::text::date`.
  private func requireForm(of type: PGType) throws(PGError) {
    if type.base == .char {
      let byte = try singleByte(as: type)
      guard byte < 0x80 || type.readsOctalBytes || type.isShown else {
        throw .outOfRange(String.self, as: type)
      }
      return
    }
    guard Self.isChecked(type.base), let own = type.base.swiftType as? any PGDecodable.Type else {
      return
    }
    let isValue = ByteReader.over(Array(utf8)) { reader in
      (try? own.init(text: &reader, as: type)) != nil
    }
    guard isValue else {
      throw .unwritable(
        String.self, as: type,
        ": it is not the text form of such a value; the statement may cast, as in "
          + "$1::text::\(type.name)")
    }
  }

  /// Whether PGKit reads all the text forms that programs write.
  private static func isChecked(_ type: TypeOID) -> Bool {
    switch type {
    case .bool, .int2, .int4, .int8, .oid, .xid, .xid8, .cid, .float4, .float8, .bytea, .numeric,
      .uuid, .date, .time, .timetz, .timestamp, .timestamptz, .interval:
      true
    default: false
    }
  }

  /// Reads the text form of any type.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    self = try reader.readWholeText(of: type)
  }

  /// Whether there is a zero character.
  ///
  /// All bytes are looked at, without a branch for each, so that they are looked at many at a time.
  var hasZero: Bool {
    let found = utf8.withContiguousStorageIfAvailable { bytes in
      var zeros: UInt8 = 0
      for byte in bytes { zeros |= byte == 0 ? 1 : 0 }
      return zeros != 0
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
  private func singleByte(as type: PGType) throws(PGError) -> UInt8 {
    let bytes = Array(utf8)
    if bytes.isEmpty { return 0 }
    if bytes.count == 1, bytes[0] != 0 { return bytes[0] }
    let octal = bytes.dropFirst()
    guard bytes.count == 4, bytes[0] == ASCII.backslash, octal.allSatisfy({ 48...55 ~= $0 }),
      let byte = UInt8(dropFirst(), radix: 8)
    else { throw .unwritable(String.self, as: type, ": it is not one byte") }
    return byte
  }
}
