/// Hears what a document is made of, in order.
protocol JSONHearer {
  /// A value that is a word: `null`, `true` or `false`.
  mutating func hear(word: JSONWord)
  /// A number, at these offsets.
  mutating func hear(number: Range<Int>)
  /// What stands between the quotes of a text, at these offsets.
  ///
  /// - Throws: ``JSONFault`` if it wants no such text.
  mutating func hear(text: Range<Int>) throws(JSONFault)
  /// The same for the name of the value that comes next.
  mutating func hear(name: Range<Int>) throws(JSONFault)
  /// An object or an array begins.
  mutating func begin(object isObject: Bool)
  /// What began last ends.
  mutating func end()
}

/// The values of JSON that are words.
enum JSONWord: String {
  case null, `true`, `false`
}

/// Why bytes are no JSON, and where.
public struct JSONFault: Error, Hashable {
  /// What is wrong there.
  public let message: String
  /// In bytes from 0.
  public let offset: Int

  /// Makes a fault.
  public init(message: String, offset: Int) { (self.message, self.offset) = (message, offset) }
}

/// The grammar of RFC 8259: reads a document once, from its first byte to its last, without recursion, and
/// tells what it is made of.
///
/// The bytes of texts are looked at only as far as the grammar goes: whether they are UTF-8, and
/// whether their escapes stand for characters, is for the hearer to find out.
struct JSONGrammar<Hearer: JSONHearer> {
  private let bytes: UnsafeRawBufferPointer
  private var index = 0
  /// What stands around the place: the bracket that will close each.
  private var closings: [UInt8] = []
  /// Whether what was read last is a bracket whose first value is to come.
  private var isOpening = false
  private(set) var hearer: Hearer

  init(_ bytes: UnsafeRawBufferPointer, _ hearer: Hearer) {
    (self.bytes, self.hearer) = (bytes, hearer)
  }

  /// Reads all of it.
  ///
  /// - Throws: ``JSONFault`` if it is not one document, nested at most ``JSONText/deepestNesting`` deep.
  mutating func read() throws(JSONFault) {
    while true {
      skipSpace()
      try readValueOrOpening()
      // What has come to its end may be the last of what stands around it.
      while !isOpening {
        skipSpace()
        guard let closing = closings.last else {
          if byte != nil { throw fault("something stands behind the value") }
          return
        }
        if take(closing) {
          closings.removeLast()
          hearer.end()
        } else {
          guard take(UInt8(ascii: ",")) else {
            throw fault("a comma or \(Unicode.Scalar(closing)) is missing")
          }
          try readName()
          break
        }
      }
      isOpening = false
    }
  }

  private var byte: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func readValueOrOpening() throws(JSONFault) {
    switch byte {
    case UInt8(ascii: "{"): try open(UInt8(ascii: "}"))
    case UInt8(ascii: "["): try open(UInt8(ascii: "]"))
    case UInt8(ascii: "\""): try hearer.hear(text: try readText())
    case UInt8(ascii: "t"): try read("true", .true)
    case UInt8(ascii: "f"): try read("false", .false)
    case UInt8(ascii: "n"): try read("null", .null)
    case nil: throw fault("a value is missing")
    default: try readNumber()
    }
  }

  private mutating func open(_ closing: UInt8) throws(JSONFault) {
    guard closings.count < JSONText.deepestNesting else {
      throw fault("values stand too deep in values")
    }
    hearer.begin(object: closing == UInt8(ascii: "}"))
    index += 1
    skipSpace()
    // An empty one is a value.
    if take(closing) { return hearer.end() }
    closings.append(closing)
    isOpening = true
    try readName()
  }

  /// Reads the name before a value, if the value stands in an object.
  private mutating func readName() throws(JSONFault) {
    guard closings.last == UInt8(ascii: "}") else { return }
    skipSpace()
    guard byte == UInt8(ascii: "\"") else { throw fault("a key in quotes is missing") }
    try hearer.hear(name: try readText())
    skipSpace()
    guard take(UInt8(ascii: ":")) else { throw fault("a colon is missing") }
  }

  /// Reads a text; gives what stands between its quotes.
  private mutating func readText() throws(JSONFault) -> Range<Int> {
    index += 1
    let start = index
    while let byte {
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return start..<index - 1
      case UInt8(ascii: "\\"): try readEscape()
      case 0..<0x20: throw fault("a control character stands in a text")
      default: index += 1
      }
    }
    throw fault("a text has no end")
  }

  private mutating func readEscape() throws(JSONFault) {
    index += 1
    guard let letter = byte else { throw fault("a text has no end") }
    guard letter == UInt8(ascii: "u") else {
      guard JSONText.escapeLetters.contains(letter) else { throw fault("no escape of JSON") }
      index += 1
      return
    }
    index += 1
    for place in index..<index + 4 {
      guard place < bytes.count, JSONText.hexadecimalDigit(bytes[place]) != nil else {
        throw fault("four hexadecimal digits are missing")
      }
    }
    index += 4
  }

  private mutating func readNumber() throws(JSONFault) {
    let start = index
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) {
      guard readDigits() else {
        index = start
        throw fault("no value of JSON")
      }
    } else if let byte, Self.isDigit(byte) {
      index = start
      throw fault("no value of JSON")
    }
    if take(UInt8(ascii: ".")) {
      guard readDigits() else { throw fault("a digit is missing") }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard readDigits() else { throw fault("a digit is missing") }
    }
    hearer.hear(number: start..<index)
  }

  private mutating func readDigits() -> Bool {
    let start = index
    while let byte, Self.isDigit(byte) { index += 1 }
    return index > start
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  private mutating func skipSpace() {
    while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
  }

  private mutating func take(_ wanted: UInt8) -> Bool {
    guard byte == wanted else { return false }
    index += 1
    return true
  }

  private mutating func read(_ text: StaticString, _ word: JSONWord) throws(JSONFault) {
    let count = text.utf8CodeUnitCount
    guard bytes.count - index >= count else { throw fault("no value of JSON") }
    for place in 0..<count where bytes[index + place] != text.utf8Start[place] {
      throw fault("no value of JSON")
    }
    index += count
    hearer.hear(word: word)
  }

  private func fault(_ message: String) -> JSONFault { JSONFault(message: message, offset: index) }
}
