// A dictionary is an hstore, or a composite whose attributes are given by their names.
//
// hstore. Source: PostgreSQL manual, "hstore"; `hstore_send` and `hstore_recv` of the extension.

extension Dictionary: PGEncodable where Key == String, Value: PGArrayElement {
  /// The format in which the dictionary becomes a parameter of `type`.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    if type.base == .hstore || type.takesAnyText { return type.base == .hstore ? .binary : .text }
    guard type.attributes != nil else { return nil }
    return (try? record(of: type))?.encodingFormat(for: type)
  }

  /// Writes the pairs of an hstore, or the attributes of a composite; one that is absent is NULL.
  ///
  /// - Throws: ``PGError`` `--PIO` for a name that the composite does not have.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    if type.base == .hstore { return try encodeHstore(into: &writer, type) }
    try record(of: type).encodeBinary(as: type, of: Self.self, into: &writer)
  }

  /// Writes the pairs of an hstore, `"a"=>"1", "b"=>NULL`.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    if type.attributes != nil {
      return try record(of: type).encodeText(as: type, of: Self.self, into: &writer)
    }
    var isFirst = true
    for (key, value) in sorted(by: { Self.precedes($0.key, $1.key) }) {
      if !isFirst { writer.writeText(", ") }
      isFirst = false
      try Self.check(key, type)
      writer.writeHstoreText(key)
      writer.writeText("=>")
      if let text = try Self.text(of: value, type) {
        writer.writeHstoreText(text)
      } else {
        writer.writeText("NULL")
      }
    }
  }

  /// The server's order: the shorter key first, keys of one length by their bytes.
  private static func precedes(_ left: String, _ right: String) -> Bool {
    let (left, right) = (left.utf8, right.utf8)
    return left.count == right.count
      ? left.lexicographicallyPrecedes(right) : left.count < right.count
  }

  /// The values under their names.
  private func record(of type: PGType) throws(PGError) -> PGRecord {
    var names: [String] = []
    var values: [PGValue] = []
    for (name, value) in self {
      names.append(name)
      values.append(try Self.dynamic(value, type))
    }
    return PGRecord(named: names, values)
  }

  private func encodeHstore(into writer: inout ByteWriter, _ type: PGType) throws(PGError) {
    writer.writeInteger(Int32(truncatingIfNeeded: count))
    for (key, value) in self {
      try Self.check(key, type)
      writer.writeLengthPrefixed { $0.writeText(key) }
      guard let text = try Self.text(of: value, type) else {
        writer.writeInteger(-1 as Int32)
        continue
      }
      writer.writeLengthPrefixed { $0.writeText(text) }
    }
  }

  /// A value of an hstore: a text, or NULL.
  private static func text(of value: Value, _ type: PGType) throws(PGError) -> String? {
    switch try dynamic(value, type) {
    case .null: return nil
    case .string(let text):
      try check(text, type)
      return text
    default: throw .unwritable(Self.self, as: type, ": its values are texts or NULL")
    }
  }

  /// Insists that a key or a value is a text that the server can hold.
  private static func check(_ text: String, _ type: PGType) throws(PGError) {
    guard !text.hasZero else {
      throw .unwritable(Self.self, as: type, ": a key or a value has a zero character")
    }
  }

  private static func dynamic(_ value: Value, _ type: PGType) throws(PGError) -> PGValue {
    guard let value = PGValue(element: value) else {
      throw .unwritable(Self.self, as: type, ": \(Value.self) is no value of its own")
    }
    return value
  }
}

extension Dictionary: PGColumnValue, PGDecodable where Key == String, Value: PGArrayElement {
  /// Whether a column of `type` is an hstore whose values are wanted as texts, or a composite whose
  /// values are wanted as they are.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    if type.base == .hstore { return Value.self is any HstoreValue.Type }
    return Value.self is PGValue.Type && PGRecord.accepts(type, format)
  }

  /// Reads the pairs of an hstore, or the attributes of a composite.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard type.base == .hstore else {
      try self.init(PGRecord(binary: &reader, as: type), type)
      return
    }
    let count: Int
    // Each pair has at least two lengths.
    do { count = try reader.readCount32(ofSize: 8) } catch {
      throw .malformed(type, "more pairs than bytes")
    }
    self = [:]
    for _ in 0..<count {
      let key = try reader.takeField(String.self, PGType(.text), .binary)
      let value = try reader.takeField(String?.self, PGType(.text), .binary)
      try add(key, try Self.value(value, type), type)
    }
    try reader.expectEnd(of: type)
  }

  /// Reads `"a"=>"1", "b"=>NULL`.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard type.base == .hstore else {
      try self.init(PGRecord(text: &reader, as: type), type)
      return
    }
    self = [:]
    while !reader.isAtEnd {
      guard isEmpty || reader.take(ASCII.comma) && reader.take(ASCII.space),
        let key = reader.takeHstoreText(),
        reader.take(UInt8(ascii: "=")), reader.take(UInt8(ascii: ">"))
      else { throw Self.malformed(type) }
      if reader.take(word: "null") {
        try add(key, try Self.value(nil, type), type)
      } else if let value = reader.takeHstoreText() {
        try add(key, try Self.value(value, type), type)
      } else {
        throw Self.malformed(type)
      }
    }
  }

  /// Adds a pair; the server compares keys by their bytes, Swift by what they mean.
  private mutating func add(
    _ key: String, _ value: Value, _ type: PGType
  ) throws(PGError) {
    guard self[key] == nil else {
      throw .unreadable(
        type, as: Self.self, ": two of its keys are the same text in Swift; ask for a String")
    }
    self[key] = value
  }

  private init(_ record: PGRecord, _ type: PGType) throws(PGError) {
    self = [:]
    guard record.columnNames.count == record.count else {
      throw .unreadable(type, as: Self.self, ": its attributes have no names")
    }
    for (name, value) in zip(record.columnNames, record.values) {
      guard let value = value as? Value else { throw .unreadable(type, as: Self.self) }
      try add(name, value, type)
    }
  }

  private static func value(_ text: String?, _ type: PGType) throws(PGError) -> Value {
    guard let kind = Value.self as? any HstoreValue.Type,
      let value = kind.init(hstoreText: text) as? Value
    else {
      throw .unreadable(type, as: Self.self, text == nil ? ": it has a NULL" : "")
    }
    return value
  }

  private static func malformed(_ type: PGType) -> PGError {
    .malformed(type, "it is not the text form of an hstore")
  }
}

extension Dictionary: PGArrayElement where Key == String, Value: PGArrayElement {}

/// What a value of an hstore can be had as.
private protocol HstoreValue {
  init?(hstoreText text: String?)
}

extension String: HstoreValue {
  fileprivate init?(hstoreText text: String?) {
    guard let text else { return nil }
    self = text
  }
}

extension Optional: HstoreValue where Wrapped == String {
  fileprivate init?(hstoreText text: String?) { self = text }
}

extension PGValue: HstoreValue {
  fileprivate init?(hstoreText text: String?) { self = text.map { .string($0) } ?? .null }
}

extension ByteWriter {
  fileprivate mutating func writeHstoreText(_ text: String) {
    writeByte(ASCII.doubleQuote)
    for byte in text.utf8 {
      if byte == ASCII.doubleQuote || byte == ASCII.backslash { writeByte(ASCII.backslash) }
      writeByte(byte)
    }
    writeByte(ASCII.doubleQuote)
  }
}

extension ByteReader {
  fileprivate mutating func takeHstoreText() -> String? {
    guard take(ASCII.doubleQuote), let text = takeQuoted() else { return nil }
    return String(validating: text, as: UTF8.self)
  }
}
