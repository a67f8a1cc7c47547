extension JSONText {
  /// The deepest nesting that is taken for JSON.
  public static let deepestNesting = 1000

  /// Whether bytes are one JSON document as RFC 8259 has it, nested at most ``deepestNesting`` deep.
  public static func isDocument(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard isUTF8(bytes) else { return false }
    var grammar = JSONGrammar(bytes, Unheard())
    do throws(JSONFault) { try grammar.read() } catch { return false }
    return true
  }

  /// The letters that stand behind a backslash, beside `u`.
  static let escapeLetters = Array("\"\\/bfnrt".utf8)

  /// What a hexadecimal digit stands for.
  static func hexadecimalDigit(_ byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  /// What a text stands for, of which the grammar has found that its escapes are well formed.
  ///
  /// - Parameter range: Where it lies, without its quotes.
  /// - Throws: ``JSONFault`` if it is not UTF-8, or an escape is half of a character.
  static func text(
    _ range: Range<Int>, of bytes: UnsafeRawBufferPointer
  ) throws(JSONFault) -> String {
    var units: [UInt8] = []
    units.reserveCapacity(range.count)
    var index = range.lowerBound
    while index < range.upperBound {
      let byte = bytes[index]
      index += 1
      guard byte == UInt8(ascii: "\\"), index < range.upperBound else {
        units.append(byte)
        continue
      }
      let letter = bytes[index]
      index += 1
      switch letter {
      case UInt8(ascii: "b"): units.append(8)
      case UInt8(ascii: "f"): units.append(12)
      case UInt8(ascii: "n"): units.append(10)
      case UInt8(ascii: "r"): units.append(13)
      case UInt8(ascii: "t"): units.append(9)
      case UInt8(ascii: "u"): units += String(try scalar(&index, range, bytes)).utf8
      default: units.append(letter)
      }
    }
    guard let text = String(validating: units, as: UTF8.self) else {
      throw JSONFault(message: "not UTF-8", offset: range.lowerBound)
    }
    return text
  }

  /// Four digits, or two times four for what is beyond the first plane.
  private static func scalar(
    _ index: inout Int, _ range: Range<Int>, _ bytes: UnsafeRawBufferPointer
  ) throws(JSONFault) -> Unicode.Scalar {
    let half = JSONFault(message: "half of a pair of surrogates", offset: index)
    guard let first = unit(&index, range, bytes) else { throw half }
    if let scalar = Unicode.Scalar(UInt32(first)) { return scalar }
    guard (0xD800..<0xDC00).contains(first), index + 2 <= range.upperBound,
      bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u")
    else { throw half }
    index += 2
    guard let second = unit(&index, range, bytes), (0xDC00..<0xE000).contains(second),
      let scalar = Unicode.Scalar(
        0x10000 + (UInt32(first) - 0xD800) << 10 + UInt32(second) - 0xDC00)
    else { throw half }
    return scalar
  }

  private static func unit(
    _ index: inout Int, _ range: Range<Int>, _ bytes: UnsafeRawBufferPointer
  ) -> UInt16? {
    guard index + 4 <= range.upperBound else { return nil }
    var unit: UInt16 = 0
    for place in index..<index + 4 {
      guard let digit = hexadecimalDigit(bytes[place]) else { return nil }
      unit = unit << 4 | digit
    }
    index += 4
    return unit
  }
}

/// Whoever only wants to know whether it is a document.
private struct Unheard: JSONHearer {
  func hear(word: JSONWord) {}
  func hear(number: Range<Int>) {}
  func hear(text: Range<Int>) {}
  func hear(name: Range<Int>) {}
  func begin(object isObject: Bool) {}
  func end() {}
}
