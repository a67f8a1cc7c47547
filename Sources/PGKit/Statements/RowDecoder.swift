// Rows as Swift structures: columns are found by name.

extension Row {
  /// The row as a `Decodable` structure, whose keys are columns' names.
  ///
  /// A member's type is anything that a column can be asked for as, an optional of it, or a `Decodable`
  /// that is made of one such value, as enumerations with raw values are.
  ///
  /// - Throws: ``PGError`` `--CIO` naming the column that is missing or does not fit, or what the
  ///   structure's own `init(from:)` throws.
  public func decode<Value: Decodable>(as type: Value.Type) throws -> Value {
    try Value(from: RowDecoder(row: self, codingPath: []))
  }
}

private struct RowDecoder: Decoder {
  let row: Row
  let codingPath: [any CodingKey]
  let userInfo: [CodingUserInfoKey: Any] = [:]

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(RowKeys<Key>(row: row, codingPath: codingPath))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    throw PGError.column("a row is decoded by its columns' names, not as a list")
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    guard row.count == 1 else {
      throw PGError.column("a row of \(row.count) columns is not a single value")
    }
    return ColumnDecoder(row: row, index: 0, codingPath: codingPath)
  }
}

/// The columns of a row under the keys of a structure.
private struct RowKeys<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let row: Row
  let codingPath: [any CodingKey]

  var allKeys: [Key] { row.columnNames.compactMap { Key(stringValue: $0) } }

  func contains(_ key: Key) -> Bool { row.index(of: key.stringValue) != nil }

  func decodeNil(forKey key: Key) throws -> Bool { try row.isNull(index(of: key)) }

  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    try ColumnDecoder(row: row, index: index(of: key), codingPath: codingPath + [key]).decode(type)
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<NestedKey> { throw noParts(key) }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    throw noParts(key)
  }

  func superDecoder() throws -> any Decoder { RowDecoder(row: row, codingPath: codingPath) }

  func superDecoder(forKey key: Key) throws -> any Decoder {
    ColumnDecoder(row: row, index: try index(of: key), codingPath: codingPath + [key])
  }

  private func index(of key: Key) throws -> Int {
    guard let index = row.index(of: key.stringValue) else {
      throw PGError.column("there is no column named \"\(key.stringValue)\" in the row")
    }
    return index
  }

  private func noParts(_ key: Key) -> PGError {
    .column("column \"\(key.stringValue)\" is one value and has no parts")
  }
}

/// One column's value.
private struct ColumnDecoder: Decoder, SingleValueDecodingContainer {
  let row: Row
  let index: Int
  let codingPath: [any CodingKey]
  /// What is being decoded from the column already.
  var outer: Any.Type?
  let userInfo: [CodingUserInfoKey: Any] = [:]

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    throw noParts
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw noParts }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }

  func decodeNil() -> Bool { (try? row.isNull(index)) ?? false }

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    // What a column can be asked for as is asked for; its own way of decoding is another's format.
    if let column = type as? any PGColumnValue.Type,
      let value = try column.value(of: row, index) as? Value
    {
      return value
    }
    if let integer = type as? any FixedWidthInteger.Type,
      let value = try integer.value(of: row, index) as? Value
    {
      return value
    }
    // A type that decodes itself by asking for itself would do so for ever.
    if outer == type { throw PGError.column("column \"\(name)\" is not to be had as \(type)") }
    var inner = self
    inner.outer = type
    return try Value(from: inner)
  }

  private var name: String { row.key(at: index) ?? "" }

  private var noParts: PGError {
    .column("column \"\(name)\" is one value and has no parts")
  }
}

extension FixedWidthInteger {
  /// An integer of a width that SQL does not have.
  fileprivate static func value(of row: Row, _ index: Int) throws(PGError) -> Self {
    guard let value = Self(exactly: try row[index, as: Int64.self]) else {
      throw .column("column \"\(row.key(at: index) ?? "")\" is out of the range of \(Self.self)")
    }
    return value
  }
}

extension PGColumnValue {
  fileprivate static func value(of row: Row, _ index: Int) throws(PGError) -> Self {
    try row[index, as: Self.self]
  }
}
