internal import PGCommandLine
internal import PGKit

/// Comma-separated values (RFC 4180); lines end with a newline alone, as COPY writes them.
///
/// NULL is the null text, bare; a value that looks the same is quoted, so an empty text is `""`.
enum CSVForm: SeparatedForm {
  static var separator: UInt8 { UInt8(ascii: ",") }

  /// Whether there is a comma, a quotation mark, a newline or a carriage return.
  ///
  /// What is below U+000E is rare enough to be looked at again.
  @inline(__always)
  static func isMarked(_ words: RoomWriter.Words) -> Bool {
    (words.markingBelow(0x0E) | words.marking(separator) | words.marking(UInt8(ascii: "\"")))
      .hasMark
  }

  @inline(never)
  static func mustChange(
    _ value: UnsafeRawBufferPointer, hasMark: Bool, isAlone: Bool, _ null: UnsafeRawBufferPointer
  ) -> Bool {
    if hasMark, value.contains(where: isSpecial) { return true }
    if value.count == null.count, value.elementsEqual(null) { return true }
    return isAlone && isEndOfData(value)
  }

  private static func isSpecial(_ byte: UInt8) -> Bool {
    byte == separator || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n")
      || byte == UInt8(ascii: "\r")
  }

  /// A lone `\.` would end the data where this is read by COPY.
  private static func isEndOfData(_ value: UnsafeRawBufferPointer) -> Bool {
    value.count == 2 && value[0] == UInt8(ascii: "\\") && value[1] == UInt8(ascii: ".")
  }

  @inline(never)
  static func put(changed value: UnsafeRawBufferPointer, _ writer: inout RoomWriter) {
    writer.put(UInt8(ascii: "\""))
    for byte in value {
      if isDoubled(byte) { writer.put(byte) }
      writer.put(byte)
    }
    writer.put(UInt8(ascii: "\""))
  }

  static func isDoubled(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") }
}
