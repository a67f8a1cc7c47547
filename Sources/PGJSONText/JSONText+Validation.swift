extension JSONText {
  /// The deepest nesting that is taken for JSON.
  public static let deepestNesting = 1000

  /// Whether bytes are one JSON document as RFC 8259 has it, nested at most ``deepestNesting`` deep.
  public static func isDocument(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard isUTF8(bytes) else { return false }
    var checker = DocumentChecker(bytes)
    return checker.check()
  }
}

/// Reads a document once, from its first byte to its last, without recursion.
private struct DocumentChecker {
  private let bytes: UnsafeRawBufferPointer
  private var index = 0
  /// What stands around the place: the bracket that will close each.
  private var closings: [UInt8] = []

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private var byte: UInt8? { index < bytes.count ? bytes[index] : nil }

  mutating func check() -> Bool {
    while true {
      skipSpace()
      guard readValueOrOpening() else { return false }
      // What has come to its end may be the last of what stands around it.
      while !isOpening {
        skipSpace()
        guard let closing = closings.last else { return byte == nil }
        if take(closing) {
          closings.removeLast()
        } else {
          guard take(UInt8(ascii: ",")), readName() else { return false }
          break
        }
      }
      isOpening = false
    }
  }

  /// Whether what was read last is a bracket whose first value is to come.
  private var isOpening = false

  private mutating func readValueOrOpening() -> Bool {
    switch byte {
    case UInt8(ascii: "{"): return open(UInt8(ascii: "}"))
    case UInt8(ascii: "["): return open(UInt8(ascii: "]"))
    case UInt8(ascii: "\""): return readText()
    case UInt8(ascii: "t"): return take("true")
    case UInt8(ascii: "f"): return take("false")
    case UInt8(ascii: "n"): return take("null")
    default: return readNumber()
    }
  }

  private mutating func open(_ closing: UInt8) -> Bool {
    guard closings.count < JSONText.deepestNesting else { return false }
    index += 1
    skipSpace()
    // An empty one is a value.
    if take(closing) { return true }
    closings.append(closing)
    isOpening = true
    return readName()
  }

  /// Reads the name before a value, if the value stands in an object.
  private mutating func readName() -> Bool {
    guard closings.last == UInt8(ascii: "}") else { return true }
    skipSpace()
    guard byte == UInt8(ascii: "\""), readText() else { return false }
    skipSpace()
    return take(UInt8(ascii: ":"))
  }

  private mutating func readText() -> Bool {
    index += 1
    while let byte {
      index += 1
      switch byte {
      case UInt8(ascii: "\""): return true
      case UInt8(ascii: "\\"): guard readEscape() else { return false }
      case 0..<0x20: return false
      default: break
      }
    }
    return false
  }

  private mutating func readEscape() -> Bool {
    guard let letter = byte else { return false }
    index += 1
    guard letter == UInt8(ascii: "u") else { return "\"\\/bfnrt".utf8.contains(letter) }
    for _ in 0..<4 {
      guard let digit = byte, Self.isHexadecimal(digit) else { return false }
      index += 1
    }
    return true
  }

  private mutating func readNumber() -> Bool {
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) {
      guard readDigits() else { return false }
    }
    if take(UInt8(ascii: ".")) {
      guard readDigits() else { return false }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      return readDigits()
    }
    return true
  }

  private mutating func readDigits() -> Bool {
    let start = index
    while let byte, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { index += 1 }
    return index > start
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
    default: false
    }
  }

  private mutating func skipSpace() {
    while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
  }

  private mutating func take(_ wanted: UInt8) -> Bool {
    guard byte == wanted else { return false }
    index += 1
    return true
  }

  private mutating func take(_ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard bytes.count - index >= count else { return false }
    for place in 0..<count where bytes[index + place] != word.utf8Start[place] { return false }
    index += count
    return true
  }
}
