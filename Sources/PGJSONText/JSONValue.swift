/// A document of JSON (RFC 8259), with numbers as they were written and keys in their order.
public indirect enum JSONValue: Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number as it was written.
  case number(String)
  /// A text.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object; a key may come more than once.
  case object([(key: String, value: JSONValue)])

  /// Reads a whole document.
  ///
  /// - Throws: ``JSONFault`` if the bytes are not one, nested at most ``JSONText/deepestNesting`` deep, in
  ///   UTF-8, with escapes that stand for characters.
  public init(_ bytes: ArraySlice<UInt8>) throws(JSONFault) {
    let outcome: Result<JSONValue, JSONFault> = bytes.withUnsafeBytes { bytes in
      var grammar = JSONGrammar(bytes, JSONBuilder(bytes))
      do throws(JSONFault) { try grammar.read() } catch { return .failure(error) }
      return .success(grammar.hearer.value)
    }
    self = try outcome.get()
  }

  /// The value as JSON again.
  public var json: String {
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
}

/// Makes values of what the grammar tells.
private struct JSONBuilder: JSONHearer {
  private enum Part {
    case array([JSONValue])
    case object([(key: String, value: JSONValue)])
  }

  private let bytes: UnsafeRawBufferPointer
  /// What has begun and not ended, outermost first, with the name that it has in what is around it.
  private var parts: [(name: String, part: Part)] = []
  private var name = ""
  private(set) var value = JSONValue.null

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func hear(word: JSONWord) {
    switch word {
    case .null: add(.null)
    case .true: add(.bool(true))
    case .false: add(.bool(false))
    }
  }

  mutating func hear(number: Range<Int>) {
    add(.number(String(decoding: bytes[number], as: UTF8.self)))
  }

  mutating func hear(text: Range<Int>) throws(JSONFault) {
    add(.string(try JSONText.text(text, of: bytes)))
  }

  mutating func hear(name: Range<Int>) throws(JSONFault) {
    self.name = try JSONText.text(name, of: bytes)
  }

  mutating func begin(object isObject: Bool) {
    parts.append((name, isObject ? .object([]) : .array([])))
  }

  mutating func end() {
    guard let last = parts.popLast() else { return }
    name = last.name
    switch last.part {
    case .array(let values): add(.array(values))
    case .object(let members): add(.object(members))
    }
  }

  private mutating func add(_ value: JSONValue) {
    guard var last = parts.popLast() else {
      self.value = value
      return
    }
    switch last.part {
    case .array(var values):
      last.part = .array([])
      values.append(value)
      last.part = .array(values)
    case .object(var members):
      last.part = .object([])
      members.append((name, value))
      last.part = .object(members)
    }
    parts.append(last)
  }
}
