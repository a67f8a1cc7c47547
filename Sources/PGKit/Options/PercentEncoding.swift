/// Percent encoding as the two dialects of IRIs understand it.
enum PercentEncoding {
  /// What is wrong with an encoded text, and at which byte of the whole.
  struct Fault: Error {
    let message: String
    let offset: Int
  }

  /// Decodes as libpq does: every `%` begins an escape, blanks around are dropped, blanks inside
  /// are refused, as is what does not make UTF-8.
  static func decodeStrictly(_ text: ArraySlice<UInt8>) throws(Fault) -> String {
    let text = trimmed(text)
    if let blank = text.firstIndex(of: UInt8(ascii: " ")) {
      throw Fault(message: "a space must be written %20", offset: blank)
    }
    var output: [UInt8] = []
    var index = text.startIndex
    while index < text.endIndex {
      if text[index] == percent {
        guard let byte = escape(in: text, at: index) else {
          throw Fault(message: "\"%\" must be followed by two hexadecimal digits", offset: index)
        }
        output.append(byte)
        index += 3
      } else {
        output.append(text[index])
        index += 1
      }
    }
    if output.contains(0) { throw Fault(message: "it holds a NUL", offset: text.startIndex) }
    guard let decoded = String(validating: output, as: UTF8.self) else {
      throw Fault(message: "it is not UTF-8", offset: text.startIndex)
    }
    return decoded
  }

  /// Decodes as py-postgresql does: a `%` that begins no escape stands for itself.
  ///
  /// The bytes are read as UTF-8; where they are none, each is a character of Latin-1, as
  /// py-postgresql reads them all.
  static func decodeLeniently(_ text: ArraySlice<UInt8>) throws(Fault) -> String {
    var output: [UInt8] = []
    var index = text.startIndex
    while index < text.endIndex {
      let byte = escape(in: text, at: index)
      output.append(byte ?? text[index])
      index += byte == nil ? 1 : 3
    }
    if output.contains(0) { throw Fault(message: "it holds a NUL", offset: text.startIndex) }
    if let decoded = String(validating: output, as: UTF8.self) { return decoded }
    return String(String.UnicodeScalarView(output.map { Unicode.Scalar($0) }))
  }

  /// Encodes every byte that `isReserved` names.
  static func encode(_ text: String, _ isReserved: (UInt8) -> Bool) -> String {
    var output: [UInt8] = []
    for byte in text.utf8 {
      if isReserved(byte) {
        output += [percent, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      } else {
        output.append(byte)
      }
    }
    return String(decoding: output, as: UTF8.self)
  }

  private static let percent = UInt8(ascii: "%")
  private static let digits = Array("0123456789ABCDEF".utf8)

  private static func escape(in text: ArraySlice<UInt8>, at index: Int) -> UInt8? {
    guard text[index] == percent, text.endIndex - index > 2 else { return nil }
    guard let high = digit(text[index + 1]), let low = digit(text[index + 2]) else { return nil }
    return high << 4 | low
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
  }

  /// Without the blanks at both ends.
  static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let start = text.drop { $0 == UInt8(ascii: " ") }
    guard let last = start.lastIndex(where: { $0 != UInt8(ascii: " ") }) else { return start }
    return start[...last]
  }
}
