// bytea. Source: PostgreSQL manual, "Binary Data Types"; both of its text forms are read.

extension UInt8: PGArrayElement {
  /// None: bytes are one value.
  public static var arrayDimensions: Int { 0 }

  /// Bytes are no elements of an array.
  public func visitElements(at level: Int, _ visitor: inout ArrayVisitor) throws(PGError) {
    throw .unwritable(UInt8.self, as: PGType(.char))
  }

  /// Bytes are no elements of an array.
  public static func takeElement(
    at level: Int, _ source: inout ArraySource
  ) throws(PGError) -> UInt8 {
    throw .unreadable(PGType(.char), as: UInt8.self)
  }

  /// Bytes are no elements of an array.
  public static func acceptsElement(_ element: PGType, _ format: PGFormat) -> Bool { false }

  /// Binary for bytea; text where the server decides what it means.
  public static func valueFormat(for type: PGType) -> PGFormat? {
    type.parameterFormat(binaryFor: .bytea)
  }

  /// Writes the bytes as they are, or the hex form, `\x0123…`.
  public static func encodeValue(
    _ elements: [UInt8], _ format: PGFormat, as type: PGType, into writer: inout ByteWriter
  ) throws(PGError) {
    if format == .binary { return writer.writeBytes(elements) }
    writer.writeText("\\x")
    writer.writeBytes(Hexadecimal.encode(elements))
  }

  /// Reads the bytes as they are, the hex form, or the escape form that `bytea_output` can choose.
  public static func decodeValue(
    _ reader: inout ByteReader, _ format: PGFormat, as type: PGType
  ) throws(PGError) -> [UInt8] {
    if format == .binary { return reader.readRemaining() }
    return try decodeText(&reader, as: type)
  }

  private static func decodeText(
    _ reader: inout ByteReader, as type: PGType
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
