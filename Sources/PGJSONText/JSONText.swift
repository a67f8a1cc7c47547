/// Texts as JSON (RFC 8259): the only place where it is known what JSON escapes.
///
/// Beyond what must be, U+007F, U+2028 and U+2029 are escaped, so that one object stays one line for
/// every reader and no control character reaches a terminal.
public enum JSONText {
  /// The bytes are not UTF-8.
  public struct NotUTF8: Error {}

  /// A text in quotes.
  public static func quoted(_ text: String) -> String {
    var buffer: [UInt8] = []
    append(text, to: &buffer)
    return String(decoding: buffer, as: UTF8.self)
  }

  /// Appends text in quotes.
  public static func append(_ text: String, to buffer: inout [UInt8]) {
    var text = text
    text.withUTF8 { appendQuoted(UnsafeRawBufferPointer($0), to: &buffer) }
  }

  /// Appends text in quotes; the bytes must be UTF-8.
  public static func append(
    _ bytes: UnsafeRawBufferPointer, to buffer: inout [UInt8]
  ) throws(NotUTF8) {
    guard !isPlain(bytes) else { return appendPlain(bytes, to: &buffer) }
    guard isUTF8(bytes) else { throw NotUTF8() }
    appendQuoted(bytes, to: &buffer)
  }

  /// Appends a JSON document of the server on one line: newlines between its tokens become spaces.
  ///
  /// Within its texts there are none; what else is escaped stands in texts only.
  public static func appendDocument(
    _ bytes: UnsafeRawBufferPointer, to buffer: inout [UInt8]
  ) throws(NotUTF8) {
    guard isUTF8(bytes) else { throw NotUTF8() }
    var index = 0
    while index < bytes.count {
      if let escape = escapedSeparator(bytes, at: index) {
        buffer.append(contentsOf: escape.utf8)
        index += 3
      } else {
        switch bytes[index] {
        case 0..<0x20: buffer.append(UInt8(ascii: " "))
        case 0x7F: append(0x7F, to: &buffer)
        case let byte: buffer.append(byte)
        }
        index += 1
      }
    }
  }

  /// Whether a number's text is one in JSON too: `NaN` and `Infinity` are not.
  public static func isNumber(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let digit = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst().first : bytes.first
    guard let digit else { return false }
    return digit >= UInt8(ascii: "0") && digit <= UInt8(ascii: "9")
  }

  /// Whether the bytes are text in UTF-8.
  public static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
  }

  /// Whether all is ASCII without anything that must be escaped, as most texts are.
  ///
  /// Many bytes are looked at at once; the last ones of a text together with some that were looked at before.
  private static func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress, bytes.count >= 8 else {
      return bytes.allSatisfy { oddity($0) == 0 }
    }
    guard bytes.count >= 16 else {
      return oddity(base, 8) | oddity(base + (bytes.count - 8), 8) == 0
    }
    let last = base + (bytes.count - 16)
    var place = base
    while place < last {
      if oddity(place, 16) != 0 { return false }
      place += 16
    }
    return oddity(last, 16) == 0
  }

  /// Whether any of so many bytes must be escaped or is beyond ASCII: 0 if not.
  ///
  /// No branch depends on a byte, so that a few instructions look at all of them.
  @inline(__always)
  private static func oddity(_ bytes: UnsafeRawPointer, _ count: Int) -> UInt8 {
    var odd: UInt8 = 0
    for index in 0..<count { odd |= oddity(bytes.load(fromByteOffset: index, as: UInt8.self)) }
    return odd
  }

  /// 0 from a space to a tilde, but not for a quote and a backslash.
  @inline(__always)
  private static func oddity(_ byte: UInt8) -> UInt8 {
    (byte &- 0x20 >= 0x5F ? 1 : 0) | (byte == UInt8(ascii: "\"") ? 1 : 0)
      | (byte == UInt8(ascii: "\\") ? 1 : 0)
  }

  private static func appendPlain(_ bytes: UnsafeRawBufferPointer, to buffer: inout [UInt8]) {
    buffer.append(UInt8(ascii: "\""))
    buffer.append(contentsOf: bytes)
    buffer.append(UInt8(ascii: "\""))
  }

  private static func appendQuoted(_ bytes: UnsafeRawBufferPointer, to buffer: inout [UInt8]) {
    buffer.append(UInt8(ascii: "\""))
    if mustEscape(bytes) {
      appendEscaped(bytes, to: &buffer)
    } else {
      buffer.append(contentsOf: bytes)
    }
    buffer.append(UInt8(ascii: "\""))
  }

  /// The separators U+2028 and U+2029 end lines in some readers; they begin with E2 80.
  private static func mustEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0xE2
      || byte == 0x7F
  }

  /// Whether a byte must be escaped, eight at once: nearly all texts have none.
  ///
  /// A byte of a word is zero if subtracting one borrows from its highest bit, which it did not have.
  private static func mustEscape(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highest: UInt64 = 0x8080_8080_8080_8080
    var index = 0
    while index + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      var found = (word &- ones &* 0x20) & ~word
      let differences = (
        word ^ (ones &* 0x22), word ^ (ones &* 0x5C), word ^ (ones &* 0x7F), word ^ (ones &* 0xE2)
      )
      found |= (differences.0 &- ones) & ~differences.0
      found |= (differences.1 &- ones) & ~differences.1
      found |= (differences.2 &- ones) & ~differences.2
      found |= (differences.3 &- ones) & ~differences.3
      if found & highest != 0 { return true }
      index += 8
    }
    return bytes[index...].contains(where: mustEscape)
  }

  private static func appendEscaped(_ bytes: UnsafeRawBufferPointer, to buffer: inout [UInt8]) {
    var index = 0
    while index < bytes.count {
      if let escape = escapedSeparator(bytes, at: index) {
        buffer.append(contentsOf: escape.utf8)
        index += 3
      } else {
        append(bytes[index], to: &buffer)
        index += 1
      }
    }
  }

  /// What stands for the separator U+2028 or U+2029 that begins here; each has three bytes.
  private static func escapedSeparator(
    _ bytes: UnsafeRawBufferPointer, at index: Int
  ) -> String? {
    guard bytes[index] == 0xE2, index + 2 < bytes.count, bytes[index + 1] == 0x80 else {
      return nil
    }
    switch bytes[index + 2] {
    case 0xA8: return "\\u2028"
    case 0xA9: return "\\u2029"
    default: return nil
    }
  }

  private static func append(_ byte: UInt8, to buffer: inout [UInt8]) {
    switch byte {
    case UInt8(ascii: "\""): buffer.append(contentsOf: "\\\"".utf8)
    case UInt8(ascii: "\\"): buffer.append(contentsOf: "\\\\".utf8)
    case UInt8(ascii: "\n"): buffer.append(contentsOf: "\\n".utf8)
    case UInt8(ascii: "\r"): buffer.append(contentsOf: "\\r".utf8)
    case UInt8(ascii: "\t"): buffer.append(contentsOf: "\\t".utf8)
    case 0..<0x20, 0x7F:
      let digits = String(byte, radix: 16)
      buffer.append(contentsOf: (digits.count == 1 ? "\\u000\(digits)" : "\\u00\(digits)").utf8)
    default: buffer.append(byte)
    }
  }
}
