/// Base64 with padding (RFC 4648 section 4), as SCRAM's messages use it.
package enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The encoded text of `bytes`.
  package static func encode(_ bytes: [UInt8]) -> String {
    var output: [UInt8] = []
    output.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits: UInt32 = 0
      for index in 0..<3 {
        bits = bits << 8 | (index < group.count ? UInt32(group[start + index]) : 0)
      }
      for index in 0..<4 {
        let known = index <= group.count
        output.append(known ? alphabet[Int(bits >> (18 - 6 * index)) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: output, as: UTF8.self)
  }

  /// The bytes of encoded text; `nil` unless it is canonical: whole groups, padding only at the
  /// end, unused bits zero.
  static func decode(_ text: some StringProtocol) -> [UInt8]? {
    let symbols = Array(text.utf8)
    guard symbols.count.isMultiple(of: 4) else { return nil }
    let padding = symbols.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
    var output: [UInt8] = []
    output.reserveCapacity(symbols.count / 4 * 3)
    var bits: UInt32 = 0
    var width = 0
    for symbol in symbols.dropLast(padding) {
      guard let value = value(of: symbol) else { return nil }
      bits = bits << 6 | value
      width += 6
      if width >= 8 {
        width -= 8
        output.append(UInt8(truncatingIfNeeded: bits >> UInt32(width)))
        bits &= 1 << UInt32(width) - 1
      }
    }
    return bits == 0 ? output : nil
  }

  private static func value(of symbol: UInt8) -> UInt32? {
    switch symbol {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(symbol) - 65
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(symbol) - 71
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(symbol) + 4
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
