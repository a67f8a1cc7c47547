// How containers quote the texts of what is in them, in their own text form.

/// Whose rules of quoting are meant.
///
/// Source: `array_out`, `record_out` and `range_out` of the server.
enum QuotingStyle {
  /// An array's, with the byte between its elements; a backslash precedes what is quoted.
  case array(delimiter: UInt8)
  /// A composite's and a range's, which double what is quoted.
  case composite, range

  fileprivate func isSpecial(_ byte: UInt8) -> Bool {
    if byte == ASCII.doubleQuote || byte == ASCII.backslash || ASCII.isSpace(byte) { return true }
    switch self {
    case .array(let delimiter):
      return byte == delimiter || byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}")
    case .composite:
      return byte == ASCII.comma || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")")
    case .range:
      return byte == ASCII.comma || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")")
        || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]")
    }
  }

  fileprivate func mustQuote(_ text: [UInt8]) -> Bool {
    if text.isEmpty || text.contains(where: isSpecial) { return true }
    guard case .array = self, text.count == 4 else { return false }
    return text.map { $0 | 0x20 } == Array("null".utf8)
  }

  fileprivate func escape(for byte: UInt8) -> UInt8 {
    if case .array = self { return ASCII.backslash }
    return byte
  }
}

extension ByteWriter {
  /// Writes the text of a part, between double quotes if it needs them.
  mutating func writePart(_ text: [UInt8], _ style: QuotingStyle) {
    guard style.mustQuote(text) else { return writeBytes(text) }
    writeByte(ASCII.doubleQuote)
    for byte in text {
      if byte == ASCII.doubleQuote || byte == ASCII.backslash {
        writeByte(style.escape(for: byte))
      }
      writeByte(byte)
    }
    writeByte(ASCII.doubleQuote)
  }
}

extension ByteReader {
  /// Reads text up to a double quote, which is consumed; a backslash, or a quote before a quote, makes
  /// the next byte one of the text.
  mutating func takeQuoted() -> [UInt8]? {
    var text: [UInt8] = []
    while let byte = try? readByte() {
      switch byte {
      case ASCII.backslash:
        guard let escaped = try? readByte() else { return nil }
        text.append(escaped)
      case ASCII.doubleQuote:
        guard take(ASCII.doubleQuote) else { return text }
        text.append(ASCII.doubleQuote)
      default: text.append(byte)
      }
    }
    return nil
  }

  /// Reads the text of a part of a composite or a range, up to a byte that ends it.
  ///
  /// - Returns: `nil` if nothing is there, which stands for NULL or for no end.
  /// - Throws: ``OutOfBytes`` if a quote is not closed.
  mutating func takePart(endingAt isEnd: (UInt8) -> Bool) throws(OutOfBytes) -> [UInt8]? {
    var text: [UInt8] = []
    var isThere = false
    while let byte = next, !isEnd(byte) {
      isThere = true
      try skip(1)
      switch byte {
      case ASCII.doubleQuote:
        guard let quoted = takeQuoted() else { throw OutOfBytes() }
        text += quoted
      case ASCII.backslash: text.append(try readByte())
      default: text.append(byte)
      }
    }
    return isThere ? text : nil
  }
}
