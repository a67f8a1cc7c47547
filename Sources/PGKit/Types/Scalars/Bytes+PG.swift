// bytea. Source: PostgreSQL manual, "Binary Data Types"; both of its text forms are read.

extension UInt8: PGArrayElement {
  /// Whether a parameter of `type` is bytes.
  public static func arrayEncodingFormat(for type: TypeOID) -> PGFormat? {
    type.parameterFormat(binaryFor: .bytea)
  }

  /// Writes the bytes as they are.
  public static func encodeArrayBinary(
    _ elements: [UInt8], as type: TypeOID, into writer: inout ByteWriter
  ) throws(PGError) {
    writer.writeBytes(elements)
  }

  /// Accepts bytea.
  public static func acceptsArray(_ type: TypeOID, _ format: PGFormat) -> Bool { type == .bytea }

  /// Reads the bytes as they are.
  public static func decodeArray(
    binary reader: inout ByteReader, as type: TypeOID
  ) throws(PGError) -> [UInt8] {
    reader.readRemaining()
  }

  /// Writes the hex form, `\x0123…`.
  public static func encodeArrayText(
    _ elements: [UInt8], as type: TypeOID, into writer: inout ByteWriter
  ) throws(PGError) {
    writer.writeText("\\x")
    writer.writeBytes(Hexadecimal.encode(elements))
  }

  /// Reads the hex form, or the escape form that `bytea_output` can choose.
  public static func decodeArray(
    text reader: inout ByteReader, as type: TypeOID
  ) throws(PGError) -> [UInt8] {
    let text = reader.readRemaining()
    let isHex = text.starts(with: [ASCII.backslash, UInt8(ascii: "x")])
    let bytes = isHex ? Hexadecimal.decode(text.dropFirst(2)) : unescape(text)
    guard let bytes else { throw .malformed(type, "neither the hex nor the escape form") }
    return bytes
  }

  /// The bytes of the escape form: `\\` is a backslash, `\ooo` the byte of an octal number.
  private static func unescape(_ text: [UInt8]) -> [UInt8]? {
    ByteReader.over(text) { reader in
      var bytes: [UInt8] = []
      bytes.reserveCapacity(text.count)
      while let byte = try? reader.readByte() {
        guard byte == ASCII.backslash, !reader.take(ASCII.backslash) else {
          bytes.append(byte)
          continue
        }
        guard let octal = takeOctal(&reader) else { return nil }
        bytes.append(octal)
      }
      return bytes
    }
  }

  private static func takeOctal(_ reader: inout ByteReader) -> UInt8? {
    var value = 0
    for _ in 0..<3 {
      guard let digit = reader.takeDigit(), digit < 8 else { return nil }
      value = value * 8 + Int(digit)
    }
    return UInt8(exactly: value)
  }
}
