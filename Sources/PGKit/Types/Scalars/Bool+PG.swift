extension Bool: PGEncodable, PGDecodable, PGArrayElement {
  /// Whether a parameter of `type` can be true or false.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    type.parameterFormat(binaryFor: .bool)
  }

  /// Writes one byte.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    writer.writeByte(self ? 1 : 0)
  }

  /// Accepts bool.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool { type.base == .bool }

  /// Reads one byte, 0 or 1.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    let byte: UInt8 = try reader.readWhole(of: type)
    guard byte <= 1 else { throw .malformed(type, "a byte that is neither 0 nor 1") }
    self = byte == 1
  }

  /// Reads one byte, 0 or 1.
  @inlinable
  public static func decodeBuiltin(_ reader: ByteReader, as type: TypeOID) -> Bool? {
    guard type.rawValue == TypeOID.bool.rawValue, let byte = reader.wholeInteger(UInt8.self),
      byte <= 1
    else { return nil }
    return byte == 1
  }

  /// Writes `t` or `f`.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    writer.writeByte(self ? UInt8(ascii: "t") : UInt8(ascii: "f"))
  }

  /// Reads `t` or `f`, or the whole words.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    let isTrue = reader.take(word: "true") || reader.take(word: "t")
    let isKnown = isTrue || reader.take(word: "false") || reader.take(word: "f")
    guard isKnown, reader.isAtEnd else { throw .malformed(type, "neither t nor f") }
    self = isTrue
  }
}
