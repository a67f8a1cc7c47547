@testable import PGKit

/// Makes the bytes of a server's messages from their text in the trace format.
///
/// `DataRow 2 1 'a' -1`, `ReadyForQuery I`, `AuthenticationOk`. In texts and bytes, `\xNN` stands for
/// a byte. Counts and lengths are written as they stand, so that a test can lie about them.
struct BackendEncoder {
  /// The text is not that of a message.
  struct Malformed: Error, CustomStringConvertible {
    let description: String
  }

  private var words: ArraySlice<Word>
  private var writer = ByteWriter()
  private let text: String

  /// The message that `text` describes.
  static func encode(_ text: String) throws -> [UInt8] {
    var words = try Word.split(text)[...]
    guard case .bare(let name)? = words.popFirst() else { throw Malformed(description: text) }
    for (tag, layout) in MessageLayout.backend where layout.name == name {
      return try encode(tag, nil, layout, words, text)
    }
    for (code, layout) in MessageLayout.authentication where layout.name == name {
      return try encode(.authentication, code, layout, words, text)
    }
    throw Malformed(description: "no message is called \(name)")
  }

  /// A message of any tag and body.
  static func message(_ tag: UInt8, _ body: [UInt8]) -> [UInt8] {
    [tag] + header(body.count + 4) + body
  }

  /// A length as it stands in a message.
  static func header(_ length: Int) -> [UInt8] {
    withUnsafeBytes(of: UInt32(truncatingIfNeeded: length).bigEndian) { Array($0) }
  }

  private static func encode(
    _ tag: BackendTag, _ code: Int32?, _ layout: MessageLayout, _ words: ArraySlice<Word>,
    _ text: String
  ) throws -> [UInt8] {
    var encoder = BackendEncoder(words: words, text: text)
    if let code { encoder.writer.writeInteger(code) }
    for field in layout.fields { try encoder.write(field) }
    guard encoder.words.isEmpty else { throw Malformed(description: "too much in: \(text)") }
    return message(tag.rawValue, encoder.writer.bytes)
  }

  private init(words: ArraySlice<Word>, text: String) {
    self.words = words
    self.text = text
  }

  private mutating func write(_ field: MessageLayout.Field) throws {
    switch field {
    case .byte: try writeLetter()
    case .int16: writer.writeInteger(Int16(truncatingIfNeeded: try number()))
    case .int32: writer.writeInteger(Int32(truncatingIfNeeded: try number()))
    case .text: writer.writeBytes(try quoted() + [0])
    case .rest: writer.writeBytes(try quoted())
    case .value:
      let length = try number()
      writer.writeInteger(Int32(truncatingIfNeeded: length))
      if length != -1 { writer.writeBytes(try quoted()) }
    case .letteredTexts:
      while !words.isEmpty {
        try writeLetter()
        if writer.bytes.last != 0 { try write(.text) }
      }
    case .texts:
      while !words.isEmpty { try write(.text) }
      writer.writeByte(0)
    case .list(let fields):
      writer.writeInteger(Int16(truncatingIfNeeded: try number()))
      try writeList(fields)
    case .longList(let fields):
      writer.writeInteger(Int32(truncatingIfNeeded: try number()))
      try writeList(fields)
    case .secret(let field): try write(field)
    }
  }

  /// As many as there are words for: no message has anything after a list.
  private mutating func writeList(_ fields: [MessageLayout.Field]) throws {
    while !words.isEmpty {
      for field in fields { try write(field) }
    }
  }

  private mutating func writeLetter() throws {
    guard case .bare(let word)? = words.popFirst() else { throw Malformed(description: text) }
    let bytes = Word.unescape(word)
    guard bytes.count == 1 else { throw Malformed(description: "no single byte: \(word)") }
    writer.writeBytes(bytes)
  }

  private mutating func number() throws -> Int {
    guard case .bare(let word)? = words.popFirst(), let number = Int(word) else {
      throw Malformed(description: "a number is missing in: \(text)")
    }
    return number
  }

  private mutating func quoted() throws -> [UInt8] {
    guard case .quoted(let bytes)? = words.popFirst() else {
      throw Malformed(description: "a text is missing in: \(text)")
    }
    return bytes
  }
}

/// A word of a message in the trace format.
enum Word: Equatable {
  case bare(String)
  case quoted([UInt8])

  /// The words of a line, separated by spaces or tabs.
  static func split(_ line: String) throws -> [Word] {
    var words: [Word] = []
    var rest = Substring(line)
    while let first = rest.first {
      if first == " " || first == "\t" {
        rest.removeFirst()
      } else if first == "\"" || first == "'" {
        rest.removeFirst()
        guard let end = rest.firstIndex(of: first) else {
          throw BackendEncoder.Malformed(description: "a quote is open in: \(line)")
        }
        words.append(.quoted(unescape(String(rest[..<end]))))
        rest = rest[rest.index(after: end)...]
      } else {
        let word = rest.prefix { $0 != " " && $0 != "\t" }
        words.append(.bare(String(word)))
        rest = rest.dropFirst(word.count)
      }
    }
    return words
  }

  /// The bytes of a text in which `\xNN` stands for a byte.
  static func unescape(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == ASCII.backslash, rest.first == UInt8(ascii: "x"),
        let value = Hexadecimal.decode(rest.dropFirst().prefix(2))
      {
        bytes += value
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return bytes
  }

  /// The text of a word.
  var text: String {
    switch self {
    case .bare(let text): text
    case .quoted(let bytes): String(decoding: bytes, as: UTF8.self)
    }
  }
}
