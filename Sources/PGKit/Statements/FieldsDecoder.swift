// Rows and composites as Swift structures: columns are found by name.

extension Row {
  /// The row as a `Decodable` structure, whose keys are columns' names.
  ///
  /// A member's type is anything that a column can be asked for as, an optional of it, a `Decodable`
  /// that is made of one such value, as enumerations with raw values are, or, of a composite or an array
  /// of composites, another such structure or an array of them.
  ///
  /// - Throws: ``PGError`` `--CIO` naming the column that is missing or does not fit, or what the
  ///   structure's own `init(from:)` throws.
  public func decode<Value: Decodable>(as type: Value.Type) throws -> Value {
    try Value(from: FieldsDecoder(fields: self, codingPath: []))
  }
}

struct FieldsDecoder<Fields: FieldAccess>: Decoder {
  let fields: Fields
  let codingPath: [any CodingKey]
  let userInfo: [CodingUserInfoKey: Any] = [:]

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(FieldKeys<Fields, Key>(fields: fields, codingPath: codingPath))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    throw PGError.column("a row is decoded by its columns' names, not as a list")
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    guard fields.count == 1 else {
      throw PGError.column("a row of \(fields.count) columns is not a single value")
    }
    return FieldDecoder(fields: fields, index: 0, codingPath: codingPath)
  }
}

/// The columns of a row under the keys of a structure.
private struct FieldKeys<Fields: FieldAccess, Key: CodingKey>: KeyedDecodingContainerProtocol {
  let fields: Fields
  let codingPath: [any CodingKey]

  var allKeys: [Key] { fields.columnNames.compactMap { Key(stringValue: $0) } }

  func contains(_ key: Key) -> Bool { fields.index(of: key.stringValue) != nil }

  func decodeNil(forKey key: Key) throws -> Bool { try fields.isNull(index(of: key)) }

  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    try decoder(of: key).decode(type)
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<NestedKey> { try decoder(of: key).container(keyedBy: type) }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try decoder(of: key).unkeyedContainer()
  }

  func superDecoder() throws -> any Decoder {
    FieldsDecoder(fields: fields, codingPath: codingPath)
  }

  func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(of: key) }

  private func decoder(of key: Key) throws -> FieldDecoder<Fields> {
    FieldDecoder(fields: fields, index: try index(of: key), codingPath: codingPath + [key])
  }

  private func index(of key: Key) throws -> Int {
    guard let index = fields.index(of: key.stringValue) else {
      throw PGError.column("there is no column named \"\(key.stringValue)\" in the row")
    }
    return index
  }
}

/// One column's value.
private struct FieldDecoder<Fields: FieldAccess>: Decoder, SingleValueDecodingContainer {
  let fields: Fields
  let index: Int
  let codingPath: [any CodingKey]
  /// What is being decoded from the column already.
  var outer: Any.Type?
  let userInfo: [CodingUserInfoKey: Any] = [:]

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    if let value = try? fields.value(index, as: PGValue.self), case .json = value {
      throw PGError(
        code: .columnError, message: "column \"\(name)\" is a JSON document, not a composite",
        fault: .caller, hint: "ask for a PGJSONDocument of the type, of PGKitFoundation")
    }
    let record = try fields.value(index, as: PGRecord.self)
    return KeyedDecodingContainer(FieldKeys(fields: record, codingPath: codingPath))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    let array = try fields.value(index, as: PGArray<PGValue>.self)
    // Of several dimensions, the elements are arrays.
    let values =
      array.dimensions.count > 1
      ? try (0..<array.dimensions[0].count).map { PGValue.array(try array.row($0)) }
      : array.elements.map { $0 ?? .null }
    return FieldList(values: PGRecord(values: values), codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }

  func decodeNil() -> Bool { (try? fields.isNull(index)) ?? false }

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    // What a column can be asked for as is asked for; its own way of decoding is another's format.
    if let column = type as? any PGColumnValue.Type, !(type is any NarrowInteger.Type),
      let value = try column.value(of: fields, index) as? Value
    {
      return value
    }
    if let integer = type as? any FixedWidthInteger.Type,
      let value = try integer.value(of: fields, index) as? Value
    {
      return value
    }
    // A type that decodes itself by asking for itself would do so for ever.
    if outer == type { throw PGError.column("column \"\(name)\" is not to be had as \(type)") }
    var inner = self
    inner.outer = type
    return try Value(from: inner)
  }

  private var name: String {
    fields.columnNames.indices.contains(index) ? fields.columnNames[index] : ""
  }
}

/// The elements of an array.
private struct FieldList: UnkeyedDecodingContainer {
  let values: PGRecord
  let codingPath: [any CodingKey]
  private(set) var currentIndex = 0

  init(values: PGRecord, codingPath: [any CodingKey]) {
    (self.values, self.codingPath) = (values, codingPath)
  }

  var count: Int? { values.count }
  var isAtEnd: Bool { currentIndex == values.count }

  mutating func decodeNil() throws -> Bool {
    guard try values.isNull(currentIndex) else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try next().decode(type)
  }

  mutating func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type
  ) throws -> KeyedDecodingContainer<NestedKey> { try next().container(keyedBy: type) }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try next().unkeyedContainer()
  }

  mutating func superDecoder() throws -> any Decoder { next() }

  private mutating func next() -> FieldDecoder<PGRecord> {
    defer { currentIndex += 1 }
    return FieldDecoder(fields: values, index: currentIndex, codingPath: codingPath)
  }
}

/// An integer of a width that SQL does not have: as a member it may be of a wider type.
private protocol NarrowInteger {}

extension Int8: NarrowInteger {}
extension UInt8: NarrowInteger {}
extension UInt16: NarrowInteger {}
extension UInt: NarrowInteger {}

extension FixedWidthInteger {
  fileprivate static func value(
    of fields: some FieldAccess, _ index: Int
  ) throws(PGError) -> Self {
    guard let value = try exactly(fields, index) else {
      let name = fields.columnNames.indices.contains(index) ? fields.columnNames[index] : ""
      throw .column("column \"\(name)\" is out of the range of \(Self.self)")
    }
    return value
  }

  private static func exactly(
    _ fields: some FieldAccess, _ index: Int
  ) throws(PGError) -> Self? {
    do throws(PGError) { return Self(exactly: try fields.value(index, as: Int64.self)) } catch {
      // A type that goes beyond int8 has the values of xid8, too.
      guard Self(exactly: UInt64.max) != nil,
        let value = try? fields.value(index, as: UInt64.self)
      else { throw error }
      return Self(exactly: value)
    }
  }
}

extension PGColumnValue {
  fileprivate static func value(
    of fields: some FieldAccess, _ index: Int
  ) throws(PGError) -> Self {
    try fields.value(index, as: Self.self)
  }
}
