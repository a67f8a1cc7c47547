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

  private func value(_ text: String) throws(JSONFault) -> JSONValue {
    try JSONValue(Array(text.utf8)[...])
  }

  @Test(
    "a document's values are read as they were written, and written again",
    arguments: [
      ("null", "null"), (" true ", "true"), ("-0.50e+10", "-0.50e+10"), ("\"\"", "\"\""),
      ("[ ]", "[]"), ("{ }", "{}"), ("[1,[2,[]],{\"b\":[],\"a\":{}}]", ""),
      ("{\"b\":1,\"a\":2,\"b\":[false,null]}", ""), ("[\n1\t,\r\n2 ]", "[1,2]"),
      (
        "\"\\u00e9\\uD83D\\ude00\\n\\/\\b\\f\\r\\t\\\"\\\\\"",
        "\"é😀\\n/\\u0008\\u000c\\r\\t\\\"\\\\\""
      ),
    ])
  func values(text: String, want: String) throws {
    #expect(try value(text).json == (want.isEmpty ? text : want))
  }

  @Test(
    "what is no document is refused with its place",
    arguments: [
      ("", 0, "a value is missing"), ("[1 2]", 3, "a comma or ] is missing"),
      ("{\"a\":1 \"b\":2}", 7, "a comma or } is missing"),
      ("{a:1}", 1, "a key in quotes is missing"),
      ("{\"a\" 1}", 5, "a colon is missing"), ("1 1", 2, "something stands behind the value"),
      ("01", 0, "no value of JSON"), ("nul", 0, "no value of JSON"),
      ("1.", 2, "a digit is missing"),
      ("\"a", 2, "a text has no end"), ("\"a\\", 3, "a text has no end"),
      ("\"\n\"", 1, "a control character stands in a text"), ("\"\\x\"", 2, "no escape of JSON"),
      ("\"\\u12g4\"", 3, "four hexadecimal digits are missing"),
      ("\"\\ud800\"", 3, "half of a pair of surrogates"),
      ("\"\\ude00\"", 3, "half of a pair of surrogates"),
      ("\"\\ud800\\u0041\"", 3, "half of a pair of surrogates"),
    ])
  func faults(text: String, offset: Int, message: String) {
    #expect(throws: JSONFault(message: message, offset: offset)) { () throws in _ = try value(text)
    }
  }

  @Test("values are read as deep as documents go, and no deeper")
  func deepValues() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    let deepest = nested(JSONText.deepestNesting)
    #expect(try value(deepest).json == deepest)
    #expect(
      throws: JSONFault(
        message: "values stand too deep in values", offset: JSONText.deepestNesting)
    ) { () throws in _ = try value("[" + deepest + "]") }
  }

  /// Half of a pair of surrogates is well formed for the grammar, and no character.
  @Test("one grammar: what is taken for a document is read as a value, whatever the bytes are")
  func sameGrammar() {
    let pieces = [
      "{", "}", "[", "]", ",", ":", "\"", "\\", "u", "00e9", "a", "1", "0", "-", ".", "e", "+", " ",
      "null", "true", "false", "\"k\":", "\"v\"", "\n", "é", "\u{1}",
    ]
    var state: UInt64 = 88_172_645_463_325_252
    var documents = 0
    var odd: [String] = []
    for _ in 0..<200_000 {
      var text = ""
      for _ in 0..<1 + state % 7 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        text += pieces[Int(state % UInt64(pieces.count))]
      }
      state ^= state << 13
      let bytes = Array(text.utf8)
      let isDocument = bytes.withUnsafeBytes(JSONText.isDocument)
      let isValue = (try? JSONValue(bytes[...])) != nil
      if isDocument != isValue { odd.append(text) }
      if isDocument { documents += 1 }
    }
    #expect(odd.isEmpty)
    #expect(documents > 1000)
  }
}
