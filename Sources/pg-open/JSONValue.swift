internal import PGCommandLine

/// A document of JSON (RFC 8259), with numbers as they were written and keys in their order.
indirect enum JSONValue {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([(key: String, value: JSONValue)])

  /// Why a text is no JSON.
  struct Fault: Error {
    let message: String
    /// In bytes from 0.
    let offset: Int
  }

  /// Reads a whole text.
  init(_ bytes: ArraySlice<UInt8>) throws(Fault) {
    var reader = JSONReader(bytes)
    self = try reader.readDocument()
  }

  /// The value as JSON again.
  var json: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let text): text
    case .string(let text): JSONText.quoted(text)
    case .array(let values): "[" + values.map(\.json).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { "\(JSONText.quoted($0.key)):\($0.value.json)" }.joined(separator: ",")
        + "}"
    }
  }

  /// The value as the text of a parameter; `nil` is NULL.
  ///
  /// A text goes into a parameter of a document as JSON, quotes included: as itself it would be read as
  /// another value, or as none.
  func parameterText(for kind: ParameterKind) -> String? {
    switch self {
    case .null: nil
    case .string(let text): kind == .document ? json : text
    case .array where kind.isArray: arrayText(ofDocuments: kind == .documents)
    default: json
    }
  }

  private func arrayText(ofDocuments: Bool) -> String {
    switch self {
    case .array(let values):
      "{" + values.map { $0.arrayText(ofDocuments: ofDocuments) }.joined(separator: ",") + "}"
    case .null: "NULL"
    case .string(let text): Self.quoted(ofDocuments ? json : text)
    default: Self.quoted(json)
    }
  }

  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}

/// What a parameter is, as far as that decides how a value of JSON is written for it.
enum ParameterKind {
  case document, documents, array, other

  /// - Parameter name: The type's name in SQL.
  init(typeName name: String) {
    let name = name.lowercased()
    let isDocument = ["json", "jsonb"].contains(name.prefix { $0 != "[" })
    if name.hasSuffix("[]") {
      self = isDocument ? .documents : .array
    } else {
      self = isDocument ? .document : .other
    }
  }

  var isArray: Bool { self == .array || self == .documents }
}

/// Reads JSON.
private struct JSONReader {
  private let bytes: ArraySlice<UInt8>
  private var position: Int
  private var depth = 0
  /// How deep values may stand in values.
  private static let depthLimit = 512

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  mutating func readDocument() throws(JSONValue.Fault) -> JSONValue {
    let value = try readValue()
    skipBlanks()
    if position < bytes.endIndex { throw fault("something stands behind the value") }
    return value
  }

  private mutating func readValue() throws(JSONValue.Fault) -> JSONValue {
    skipBlanks()
    guard let byte = next else { throw fault("a value is missing") }
    switch byte {
    case UInt8(ascii: "{"):
      return try nested { (reader) throws(JSONValue.Fault) in .object(try reader.readMembers()) }
    case UInt8(ascii: "["):
      return try nested { (reader) throws(JSONValue.Fault) in .array(try reader.readElements()) }
    case UInt8(ascii: "\""): return .string(try readString())
    case UInt8(ascii: "t"): return try readWord("true", .bool(true))
    case UInt8(ascii: "f"): return try readWord("false", .bool(false))
    case UInt8(ascii: "n"): return try readWord("null", .null)
    default: return .number(try readNumber())
    }
  }

  private mutating func nested(
    _ body: (inout JSONReader) throws(JSONValue.Fault) -> JSONValue
  ) throws(JSONValue.Fault) -> JSONValue {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else { throw fault("values stand too deep in values") }
    position += 1
    return try body(&self)
  }

  private mutating func readMembers() throws(JSONValue.Fault) -> [(key: String, value: JSONValue)] {
    var members: [(key: String, value: JSONValue)] = []
    if take("}") { return members }
    repeat {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw fault("a key in quotes is missing") }
      let key = try readString()
      guard take(":") else { throw fault("a colon is missing") }
      members.append((key, try readValue()))
    } while take(",")
    guard take("}") else { throw fault("a comma or } is missing") }
    return members
  }

  private mutating func readElements() throws(JSONValue.Fault) -> [JSONValue] {
    var values: [JSONValue] = []
    if take("]") { return values }
    repeat { values.append(try readValue()) } while take(",")
    guard take("]") else { throw fault("a comma or ] is missing") }
    return values
  }

  private mutating func readWord(
    _ word: String, _ value: JSONValue
  ) throws(JSONValue.Fault) -> JSONValue {
    guard bytes[position...].starts(with: word.utf8) else { throw fault("no value of JSON") }
    position += word.utf8.count
    return value
  }

  private mutating func readNumber() throws(JSONValue.Fault) -> String {
    let start = position
    if next == UInt8(ascii: "-") { position += 1 }
    let whole = readDigits()
    guard whole == 1 || whole > 1 && bytes[position - whole] != UInt8(ascii: "0") else {
      position = start
      throw fault("no value of JSON")
    }
    if next == UInt8(ascii: ".") {
      position += 1
      guard readDigits() > 0 else { throw fault("a digit is missing") }
    }
    if let byte = next, byte | 0x20 == UInt8(ascii: "e") {
      position += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
      guard readDigits() > 0 else { throw fault("a digit is missing") }
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func readDigits() -> Int {
    let start = position
    while let byte = next, byte &- 0x30 < 10 { position += 1 }
    return position - start
  }

  private mutating func readString() throws(JSONValue.Fault) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw fault("a control character stands in a text") }
      position += 1
      if byte == UInt8(ascii: "\\") { try readEscape(&text) } else { text.append(byte) }
    }
    guard next != nil else { throw fault("a text has no end") }
    position += 1
    guard let string = String(validating: text, as: UTF8.self) else { throw fault("not UTF-8") }
    return string
  }

  private mutating func readEscape(_ text: inout [UInt8]) throws(JSONValue.Fault) {
    guard let byte = next else { throw fault("a text has no end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(8)
    case UInt8(ascii: "f"): text.append(12)
    case UInt8(ascii: "n"): text.append(10)
    case UInt8(ascii: "r"): text.append(13)
    case UInt8(ascii: "t"): text.append(9)
    case UInt8(ascii: "u"): text += String(try readScalar()).utf8
    default: throw fault("no escape of JSON")
    }
  }

  /// Four digits, or two times four for what is beyond the first plane.
  private mutating func readScalar() throws(JSONValue.Fault) -> Unicode.Scalar {
    let first = try readUnit()
    if let scalar = Unicode.Scalar(UInt32(first)) { return scalar }
    guard (0xD800..<0xDC00).contains(first), bytes[position...].starts(with: "\\u".utf8) else {
      throw fault("half of a pair of surrogates")
    }
    position += 2
    let second = try readUnit()
    guard (0xDC00..<0xE000).contains(second),
      let scalar = Unicode.Scalar(
        0x10000 + (UInt32(first) - 0xD800) << 10 + UInt32(second) - 0xDC00)
    else { throw fault("half of a pair of surrogates") }
    return scalar
  }

  private mutating func readUnit() throws(JSONValue.Fault) -> UInt16 {
    let digits = bytes[position...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 6 }),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw fault("four hexadecimal digits are missing") }
    position += 4
    return unit
  }

  private var next: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

  private mutating func take(_ mark: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard next == UInt8(ascii: mark) else { return false }
    position += 1
    return true
  }

  private mutating func skipBlanks() {
    while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  private func fault(_ message: String) -> JSONValue.Fault {
    JSONValue.Fault(message: message, offset: position - bytes.startIndex)
  }
}
