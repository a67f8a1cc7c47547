/// Values in a row, each with its name: a row of a result, or a composite value.
protocol FieldAccess {
  var count: Int { get }
  var columnNames: [String] { get }
  func index(of name: String) -> Int?
  func isNull(_ index: Int) throws(PGError) -> Bool
  func value<Value: PGColumnValue>(_ index: Int, as type: Value.Type) throws(PGError) -> Value
}

extension Row: FieldAccess {}

extension PGRecord: FieldAccess {
  func isNull(_ index: Int) throws(PGError) -> Bool { try field(index).isNull }

  func value<Value: PGColumnValue>(_ index: Int, as type: Value.Type) throws(PGError) -> Value {
    do throws(PGError) {
      return try field(index).decode(as: type, from: self.type(at: index))
    } catch {
      let name = columnNames.indices.contains(index) ? columnNames[index] : "\(index)"
      throw error.inside(.init("ATTRIBUTE", "\"\(name)\" of type \(self.type(at: index).name)"))
    }
  }

  private func field(_ index: Int) throws(PGError) -> PGValue {
    guard indices.contains(index) else {
      throw .column("there is no column \(index) in a record of \(count)")
    }
    return values[index]
  }

  /// A value as a Swift type, or as an optional of one: `record[0, as: Int?.self]`.
  ///
  /// - Throws: ``PGError`` `--CIO` if there is no such value, it is NULL and the type no optional, or it
  ///   is not to be had as that type.
  public subscript<Value: PGColumnValue>(_ index: Int, as type: Value.Type) -> Value {
    get throws(PGError) { try value(index, as: type) }
  }

  /// The value of the first attribute named `name` as a Swift type, or as an optional of one.
  public subscript<Value: PGColumnValue>(_ name: String, as type: Value.Type) -> Value {
    get throws(PGError) {
      guard let index = index(of: name) else {
        throw .column("there is no column named \"\(name)\" in the record")
      }
      return try value(index, as: type)
    }
  }

  /// The first values as a tuple: `try record.decode((Int, String?).self)`.
  ///
  /// - Throws: ``PGError`` `--CIO` naming the attribute that is missing or does not fit.
  public func decode<each Value: PGColumnValue>(
    _ type: (repeat each Value).Type
  ) throws(PGError) -> (repeat each Value) {
    var index = 0
    func next<One: PGColumnValue>(_ type: One.Type) throws(PGError) -> One {
      defer { index += 1 }
      return try value(index, as: One.self)
    }
    return (repeat try next((each Value).self))
  }

  /// The values as a `Decodable` structure, whose keys are attributes' names.
  ///
  /// - Throws: ``PGError`` `--CIO` naming the attribute that is missing or does not fit, or what the
  ///   structure's own `init(from:)` throws.
  public func decode<Value: Decodable>(as type: Value.Type) throws -> Value {
    try Value(from: FieldsDecoder(fields: self, codingPath: []))
  }
}

// A row fills the attributes of a composite parameter.

extension Row: PGEncodable {
  /// The format in which the row's values become a parameter of `type`.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    // What is wrong with a value is said when it is written.
    guard let record = try? record() else { return .text }
    return record.encodingFormat(for: type)
  }

  /// Writes the values as the attributes of a composite.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try record().encodeBinary(as: type, of: Row.self, into: &writer)
  }

  /// Writes the values as the attributes of a composite, in text.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try record().encodeText(as: type, of: Row.self, into: &writer)
  }
}
