internal import PGCommandLine
internal import PGKit

/// Values separated by tabs; one line is always one row.
///
/// Tab, newline, carriage return and backslash are escaped as in COPY's text format, of which this is
/// a subset, so what is printed can be copied in again. NULL is `\N` unless told otherwise.
enum TSVForm: SeparatedForm {
  static var separator: UInt8 { UInt8(ascii: "\t") }

  /// Whether there is something to escape; what else is below U+000E is rare enough to be looked at again.
  @inline(__always)
  static func isMarked(_ words: RoomWriter.Words) -> Bool {
    (words.markingBelow(0x0E) | words.marking(UInt8(ascii: "\\"))).hasMark
  }

  static func mustChange(
    _ value: UnsafeRawBufferPointer, hasMark: Bool, isAlone: Bool, _ null: UnsafeRawBufferPointer
  ) -> Bool { hasMark && value.contains(where: isDoubled) }

  @inline(never)
  static func put(changed value: UnsafeRawBufferPointer, _ writer: inout RoomWriter) {
    for byte in value {
      let letter = letter(for: byte)
      if letter != nil { writer.put(UInt8(ascii: "\\")) }
      writer.put(letter ?? byte)
    }
  }

  static func isDoubled(_ byte: UInt8) -> Bool { letter(for: byte) != nil }

  private static func letter(for byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "\t"): UInt8(ascii: "t")
    case UInt8(ascii: "\n"): UInt8(ascii: "n")
    case UInt8(ascii: "\r"): UInt8(ascii: "r")
    case UInt8(ascii: "\\"): UInt8(ascii: "\\")
    default: nil
    }
  }
}
