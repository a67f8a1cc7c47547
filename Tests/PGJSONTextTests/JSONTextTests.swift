import Foundation
import PGJSONText
import Testing

@Suite struct JSONTextTests {
  private func appended(_ bytes: [UInt8], asDocument: Bool = false) throws -> String {
    var buffer = [UInt8]()
    let source = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { source.deallocate() }
    source.copyBytes(from: bytes)
    let borrowed = UnsafeRawBufferPointer(source)
    if asDocument {
      try JSONText.appendDocument(borrowed, to: &buffer)
    } else {
      try JSONText.append(borrowed, to: &buffer)
    }
    return String(decoding: buffer, as: UTF8.self)
  }

  private func parsed(_ json: String) throws -> String? {
    try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed) as? String
  }

  @Test(
    "writes texts as they are documented",
    arguments: [
      ("", "\"\""), ("plain", "\"plain\""), ("\"\\/", "\"\\\"\\\\/\""), ("\n\r\t", "\"\\n\\r\\t\""),
      ("\0\u{1}\u{1f}\u{7f}", "\"\\u0000\\u0001\\u001f\\u007f\""),
      ("\u{2028}\u{2029}", "\"\\u2028\\u2029\""), ("\u{2027}\u{202a}€", "\"\u{2027}\u{202a}€\""),
      ("é😀\u{fffd}", "\"é😀\u{fffd}\""),
    ])
  func quotes(text: String, want: String) throws {
    #expect(JSONText.quoted(text) == want)
    #expect(try appended(Array(text.utf8)) == want)
  }

  @Test("sees what must be escaped at every place of a word, and nothing else")
  func everyPlace() throws {
    for byte in UInt8(0)...0x7F {
      for place in 0..<17 {
        var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 17)
        bytes[place] = byte
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(try appended(bytes) == JSONText.quoted(text))
        #expect(try parsed(try appended(bytes)) == text)
      }
    }
  }

  @Test("writes every character so that it is read back, on one line of plain characters")
  func everyCharacter() throws {
    for first in stride(from: UInt32(0), to: 0x11_0000, by: 0x400) {
      let text = String(
        String.UnicodeScalarView((first..<first + 0x400).compactMap(Unicode.Scalar.init)))
      let json = JSONText.quoted(text)
      #expect(json.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f })
      #expect(try parsed(json) == text || text.isEmpty)
    }
  }

  @Test(
    "refuses bytes that are not UTF-8",
    arguments: [
      [0xff], [0xe2], [0xe2, 0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80],
      [0x61, 0x80],
    ])
  func notUTF8(bytes: [UInt8]) {
    #expect(throws: JSONText.NotUTF8.self) { try appended(bytes) }
    #expect(throws: JSONText.NotUTF8.self) { try appended(bytes, asDocument: true) }
  }

  @Test("escapes in a document what would end lines elsewhere or command a terminal")
  func separators() throws {
    let document = "{\"a\u{2028}\": \"\u{2029}é\u{7F}\u{20AC}\"}"
    var buffer = [UInt8]()
    try Array(document.utf8).withUnsafeBytes { try JSONText.appendDocument($0, to: &buffer) }
    #expect(
      String(decoding: buffer, as: UTF8.self)
        == "{\"a\\u2028\": \"\\u2029é\\u007f\u{20AC}\"}")
  }

  @Test("writes a document of several lines on one")
  func document() throws {
    let document = "{\n\t\"a\": [1,\r\n 2]\n}"
    #expect(try appended(Array(document.utf8), asDocument: true) == "{  \"a\": [1,   2] }")
  }

  @Test("knows which numbers JSON has")
  func numbers() {
    func isNumber(_ text: String) -> Bool { Array(text.utf8).withUnsafeBytes(JSONText.isNumber) }
    #expect(["0", "-1", "1.5e+20", "-0.1"].allSatisfy(isNumber))
    #expect(!["", "-", "NaN", "Infinity", "-Infinity"].contains(where: isNumber))
  }

  @Test("what must be escaped is found wherever it stands")
  func escapesAtEveryPlace() {
    for byte in UInt8.min...127 {
      for place in 0..<20 {
        let before = String(repeating: "a", count: place)
        let after = String(repeating: "~", count: 19 - place)
        let character = String(Unicode.Scalar(byte))
        let alone = JSONText.quoted(character).dropFirst().dropLast()
        #expect(JSONText.quoted(before + character + after) == "\"\(before)\(alone)\(after)\"")
      }
    }
    for place in 0..<20 {
      let before = String(repeating: "é", count: place)
      #expect(JSONText.quoted(before + "\u{2028}") == "\"\(before)\\u2028\"")
      #expect(JSONText.quoted(before + "\u{2027}") == "\"\(before)\u{2027}\"")
    }
  }

  @Test("a document is what RFC 8259 says")
  func documents() {
    func isDocument(_ text: String) -> Bool {
      var text = text
      return text.withUTF8 { JSONText.isDocument(UnsafeRawBufferPointer($0)) }
    }
    let depth = JSONText.deepestNesting
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    let documents = [
      "0", "-0.5e+10", "1E-2", "null", "true", "false", "\"\"", "\"\\u00aF\\n\\/\"", "[]", "{}",
      " [ ] ",
      "[[],{}]", "{\"a\":{\"a\":[1,2,{}]},\"\":0}", "\t[1 ,\r\n2]\n", "\"\u{7f}é😀\"", nested(depth),
    ]
    for text in documents { #expect(isDocument(text), "\(text.prefix(40))") }
    let others = [
      "", " ", "-", "01", "1.", ".5", "+1", "1e", "nul", "nulll", "True", "NaN", "'a'", "\"",
      "\"\\\"",
      "\"\\u12g4\"", "\"\\x\"", "\"\n\"", "[", "]", "[1", "[1,]", "[,1]", "[1 2]", "[1}", "{\"a\"}",
      "{\"a\":}",
      "{a:1}", "{1:1}", "{\"a\":1,}", "{\"a\" 1}", "{]", "1 1", "[] []", nested(depth + 1),
      "\u{feff}1",
    ]
    for text in others { #expect(!isDocument(text), "\(text.prefix(40))") }
  }
}
