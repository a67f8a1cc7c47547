// Swift structures as composite parameters: members become attributes of the same names.

extension PGRecord {
  /// Makes a record of a structure that is `Encodable`; as a parameter it fills the attributes of the
  /// same names, and those that it has not are NULL.
  ///
  /// Members may be values of any type that can be a parameter, other such structures, and arrays and
  /// optionals of them.
  ///
  /// - Throws: What the structure's own `encode(to:)` throws.
  public init(encoding value: some Encodable) throws {
    let part = EncodedPart()
    try value.encode(to: RecordEncoder(part: part, codingPath: []))
    guard case .record(let record) = part.value else {
      throw PGError.parameter(
        "\(Swift.type(of: value)) encodes itself as one value, not as members")
    }
    self = record
  }
}

/// What has been encoded of a value so far.
private final class EncodedPart {
  private enum Form { case nothing, value(PGValue), members, elements }

  private var form = Form.nothing
  private var names: [String] = []
  private var parts: [EncodedPart] = []

  func becomeMembers() { if case .nothing = form { form = .members } }
  func becomeElements() { if case .nothing = form { form = .elements } }
  func become(_ value: PGValue) { form = .value(value) }

  func member(_ name: String) -> EncodedPart {
    names.append(name)
    return element()
  }

  func element() -> EncodedPart {
    let part = EncodedPart()
    parts.append(part)
    return part
  }

  var count: Int { parts.count }

  var value: PGValue {
    switch form {
    case .nothing: .null
    case .value(let value): value
    case .members: .record(PGRecord(named: names, parts.map(\.value)))
    case .elements: .array(PGArray(parts.map { $0.value }))
    }
  }
}

private struct RecordEncoder: Encoder {
  let part: EncodedPart
  let codingPath: [any CodingKey]
  let userInfo: [CodingUserInfoKey: Any] = [:]

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    part.becomeMembers()
    return KeyedEncodingContainer(MemberEncoder<Key>(part: part, codingPath: codingPath))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    part.becomeElements()
    return ElementEncoder(part: part, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    ValueEncoder(part: part, codingPath: codingPath)
  }
}

extension EncodedPart {
  fileprivate func encode(_ value: some Encodable, _ path: [any CodingKey]) throws {
    // What can be a parameter is one; its own way of encoding is another's format.
    if let value = value as? any PGEncodable {
      become(PGValue(wrapping: value))
    } else if let integer = value as? any FixedWidthInteger {
      become(Int64(exactly: integer).map { .int64($0) } ?? .numeric(PGNumeric(integer)))
    } else {
      try value.encode(to: RecordEncoder(part: self, codingPath: path))
    }
  }
}

private struct MemberEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let part: EncodedPart
  let codingPath: [any CodingKey]

  func encodeNil(forKey key: Key) { part.member(key.stringValue).become(.null) }

  func encode(_ value: some Encodable, forKey key: Key) throws {
    try part.member(key.stringValue).encode(value, codingPath + [key])
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type, forKey key: Key
  ) -> KeyedEncodingContainer<NestedKey> { encoder(key).container(keyedBy: type) }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    encoder(key).unkeyedContainer()
  }

  func superEncoder() -> any Encoder { RecordEncoder(part: part, codingPath: codingPath) }

  func superEncoder(forKey key: Key) -> any Encoder { encoder(key) }

  private func encoder(_ key: Key) -> RecordEncoder {
    RecordEncoder(part: part.member(key.stringValue), codingPath: codingPath + [key])
  }
}

private struct ElementEncoder: UnkeyedEncodingContainer {
  let part: EncodedPart
  let codingPath: [any CodingKey]

  var count: Int { part.count }

  func encodeNil() { part.element().become(.null) }

  func encode(_ value: some Encodable) throws { try part.element().encode(value, codingPath) }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type
  ) -> KeyedEncodingContainer<NestedKey> { superEncoder().container(keyedBy: type) }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    superEncoder().unkeyedContainer()
  }

  func superEncoder() -> any Encoder {
    RecordEncoder(part: part.element(), codingPath: codingPath)
  }
}

private struct ValueEncoder: SingleValueEncodingContainer {
  let part: EncodedPart
  let codingPath: [any CodingKey]

  func encodeNil() { part.become(.null) }

  func encode(_ value: some Encodable) throws { try part.encode(value, codingPath) }
}
