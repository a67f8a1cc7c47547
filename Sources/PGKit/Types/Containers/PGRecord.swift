/// A composite value: the values of its attributes in order, with their names where they are known.
///
/// As a parameter it fills the attributes of the parameter's type: by position, and by their names if it was
/// made of a structure (``init(encoding:)``). What came from the
/// server has the names of its type's attributes; an anonymous `record` has none.
///
/// ```swift
/// try ps.first(PGRecord(100, "text", nil))
/// try row["part", as: PGRecord.self]["t"]
/// ```
///
/// In py-postgresql: `postgresql.types.Row`, of a composite. Source: PostgreSQL manual, "Composite
/// Types".
public struct PGRecord: Sendable {
  /// What changes a value; what it gives becomes the new one.
  public typealias Function = (PGValue) throws -> PGValue

  /// The attributes' names, in order; as many as there are values, or none.
  public let columnNames: [String]
  /// The values, in order.
  public let values: [PGValue]
  /// The types of the values, where they came from the server.
  let types: [PGType]
  /// Whether, as a parameter, it fills attributes by their names: so do structures and dictionaries.
  let fillsByName: Bool

  init(columnNames: [String], values: [PGValue], types: [PGType] = []) {
    (self.columnNames, self.values, self.types) = (columnNames, values, types)
    fillsByName = false
  }

  /// Makes a record whose values are given by the names of the attributes.
  init(named names: [String], _ values: [PGValue]) {
    (columnNames, self.values, types) = (names, values, [])
    fillsByName = true
  }

  /// The same attributes with other values.
  private func with(_ values: [PGValue]) -> PGRecord {
    fillsByName
      ? PGRecord(named: columnNames, values)
      : PGRecord(columnNames: columnNames, values: values)
  }

  /// Makes a record of values without names.
  public init(_ values: PGValue...) { self.init(values: values) }

  /// Makes a record of values without names.
  public init(values: [PGValue]) { self.init(columnNames: [], values: values) }

  /// Makes a record of values of any types; `nil` is NULL.
  public init(fields: [(any PGEncodable)?]) {
    self.init(values: fields.map { $0.map { PGValue(wrapping: $0) } ?? .null })
  }

  /// Makes a record of a tuple: `PGRecord(tuple: (100, "text", nil as Date?))`.
  public init<each Value: PGArrayElement>(tuple: (repeat each Value)) {
    var values: [PGValue] = []
    for value in repeat each tuple { values.append(PGValue(element: value) ?? .null) }
    self.init(values: values)
  }

  /// A value by its attribute's name.
  ///
  /// - Throws: ``PGError`` `--CIO` if there is none.
  public subscript(_ name: String) -> PGValue {
    get throws(PGError) { values[try required(name)] }
  }

  /// The position of the first attribute named `name`.
  public func index(of name: String) -> Int? {
    columnNames.firstIndex { $0.utf8.elementsEqual(name.utf8) }
  }

  /// The name of a value's attribute; `nil` if there is no such value, or it has no name.
  ///
  /// In py-postgresql: `key_from_index`.
  public func key(at index: Int) -> String? {
    columnNames.indices.contains(index) ? columnNames[index] : nil
  }

  /// The names with their values, in order; a name is empty where it is not known.
  public func items() -> [(name: String, value: PGValue)] {
    values.enumerated().map { (name: key(at: $0) ?? "", value: $1) }
  }

  /// A value, or `fallback` if there is no such value.
  public func get(_ index: Int, default fallback: PGValue = .null) -> PGValue {
    values.indices.contains(index) ? values[index] : fallback
  }

  /// The value of the first attribute named `name`, or `fallback` if there is none.
  public func get(_ name: String, default fallback: PGValue = .null) -> PGValue {
    index(of: name).map { values[$0] } ?? fallback
  }

  /// The type that a value came with.
  func type(at index: Int) -> PGType {
    types.indices.contains(index) ? types[index] : PGType(.unspecified)
  }

  /// A record of the same attributes, with values changed by position; `nil` leaves one as it is.
  ///
  /// - Throws: ``PGError`` `--CIO` if there are more functions than values, and what they throw.
  public func transform(_ functions: [Function?]) throws -> PGRecord {
    guard functions.count <= count else {
      throw PGError.column("there is no column \(count) to transform in a row of \(count)")
    }
    var values = values
    for (index, function) in functions.enumerated() {
      if let function { values[index] = try function(values[index]) }
    }
    return with(values)
  }

  /// A record of the same attributes, with values changed by name.
  ///
  /// - Throws: ``PGError`` `--CIO` if there is no attribute of a name, and what the functions throw.
  public func transform(_ functions: [String: Function]) throws -> PGRecord {
    var values = values
    for (name, function) in functions {
      let index = try required(name)
      values[index] = try function(values[index])
    }
    return with(values)
  }

  private func required(_ name: String) throws(PGError) -> Int {
    guard let index = index(of: name) else {
      throw .column("there is no column named \"\(name)\" in the row")
    }
    return index
  }
}

extension PGRecord: Hashable {
  /// Records are equal when they have equal values under equal names.
  public static func == (left: PGRecord, right: PGRecord) -> Bool {
    left.columnNames == right.columnNames && left.values == right.values
  }

  /// Feeds the values.
  public func hash(into hasher: inout Hasher) { hasher.combine(values) }
}

extension PGRecord: RandomAccessCollection {
  /// Always 0.
  public var startIndex: Int { 0 }
  /// The number of values.
  public var endIndex: Int { values.count }

  /// A value.
  public subscript(position: Int) -> PGValue { values[position] }
}

extension PGRecord: PGEncodable {
  /// The format in which the values become a parameter of `type`.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    if type.takesAnyText || type.base == .record { return .text }
    guard let attributes = type.attributes else { return nil }
    // What is wrong with the names or the number is said when it is written.
    guard let values = try? values(for: attributes, of: type, PGRecord.self) else { return .text }
    var format = BuiltinTypes.resultFormat(for: type)
    for (value, attribute) in zip(values, attributes) where !value.isNull {
      // What does not fit is told with its attribute, when it is written.
      if value.encodingFormat(for: attribute.type.written) != .binary { format = .text }
    }
    return format
  }

  /// Writes the number of attributes, and each with its type and its length.
  ///
  /// - Throws: ``PGError`` `--PIO` if there are more or fewer values than the type has attributes.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try encodeBinary(as: type, of: PGRecord.self, into: &writer)
  }

  /// Writes the values of what errors call `given`: the Swift type that the record was made of.
  func encodeBinary(
    as type: PGType, of given: Any.Type, into writer: inout ByteWriter
  ) throws(PGError) {
    guard let attributes = type.attributes else { throw .unwritable(given, as: type) }
    let values = try values(for: attributes, of: type, given)
    writer.writeInteger(Int32(truncatingIfNeeded: attributes.count))
    for (value, attribute) in zip(values, attributes) {
      writer.writeInteger(attribute.type.oid.rawValue)
      if value.isNull {
        writer.writeInteger(-1 as Int32)
        continue
      }
      try Self.located(attribute) { () throws(PGError) in
        try writer.writeLengthPrefixed { (writer: inout ByteWriter) throws(PGError) in
          try value.encodeBinary(as: attribute.type.written, into: &writer)
        }
      }
    }
  }

  /// Writes `(1,"a b",)`.
  ///
  /// - Throws: ``PGError`` `--PIO` if there are more or fewer values than the type has attributes.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try encodeText(as: type, of: PGRecord.self, into: &writer)
  }

  /// Writes the values of what errors call `given`: the Swift type that the record was made of.
  func encodeText(
    as type: PGType, of given: Any.Type, into writer: inout ByteWriter
  ) throws(PGError) {
    let attributes = type.attributes
    let values =
      try attributes.map { list throws(PGError) in
        try self.values(for: list, of: type, given)
      } ?? values
    writer.writeByte(UInt8(ascii: "("))
    for (index, value) in values.enumerated() {
      if index > 0 { writer.writeByte(ASCII.comma) }
      if value.isNull { continue }
      var text = ByteWriter()
      let attribute = attributes?[index]
      try Self.located(attribute) { () throws(PGError) in
        let part = type.passing(to: attribute?.type.written ?? PGType(.unspecified))
        guard type.isShown || value.encodingFormat(for: part) != nil else {
          throw .unwritable(value.swiftType, as: part)
        }
        try value.encodeText(as: part, into: &text)
      }
      writer.writePart(text.bytes, .composite)
    }
    writer.writeByte(UInt8(ascii: ")"))
  }

  /// The values in the order of a type's attributes: by name if they were given by names, else as they
  /// are.
  private func values(
    for attributes: [PGAttribute], of type: PGType, _ given: Any.Type
  ) throws(PGError) -> [PGValue] {
    guard fillsByName else {
      guard attributes.count == values.count else {
        throw .unwritable(
          given, as: type,
          ": it has \(values.count) value\(values.count == 1 ? "" : "s"), and the type "
            + "\(attributes.count) attribute\(attributes.count == 1 ? "" : "s")")
      }
      return values
    }
    let stranger = columnNames.first { name in
      !attributes.contains { $0.name.utf8.elementsEqual(name.utf8) }
    }
    if let stranger {
      throw .unwritable(given, as: type, ": that has no attribute \"\(stranger)\"")
    }
    return attributes.map { get($0.name) }
  }

  /// Says of an error at which attribute it happened.
  private static func located(
    _ attribute: PGAttribute?, _ body: () throws(PGError) -> Void
  ) throws(PGError) {
    do throws(PGError) { try body() } catch {
      guard let attribute else { throw error }
      throw error.inside(.init("ATTRIBUTE", "\"\(attribute.name)\" of type \(attribute.type.name)"))
    }
  }
}

extension PGRecord: PGDecodable, PGColumnValue, PGArrayElement {
  /// The deepest nesting of anonymous records that is read.
  static let depthLimit: UInt16 = 64

  /// Whether a column of `type` in `format` is a composite whose attributes can be read.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    if type.base == .record { return format == .binary }
    return type.attributes != nil
  }

  /// Reads the number of attributes, and each with its type and its length.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard type.recordDepth < Self.depthLimit else {
      throw .malformed(type, "more than \(Self.depthLimit) records within each other")
    }
    let count: Int
    // Each has at least its type and its length.
    do { count = try reader.readCount32(ofSize: 8) } catch {
      throw .malformed(type, "more attributes than bytes")
    }
    let known = type.attributes
    // The type was altered since this connection learned of it.
    guard known?.count ?? count == count else { throw Self.outOfDate(type) }
    var values: [PGValue] = []
    var types: [PGType] = []
    for index in 0..<count {
      let oid = TypeOID(rawValue: try reader.readField(of: type))
      let attribute = known?[index].type ?? type.member(oid)
      guard attribute.oid == oid else { throw Self.outOfDate(type) }
      types.append(attribute)
      values.append(try Self.value(&reader, attribute, known == nil) ?? .null)
    }
    try reader.expectEnd(of: type)
    self.init(columnNames: known?.map(\.name) ?? [], values: values, types: types)
  }

  private static func value(
    _ reader: inout ByteReader, _ type: PGType, _ isAnonymous: Bool
  ) throws(PGError) -> PGValue? {
    // As text they are names, which a record in binary has not.
    if type.values.base.isNamedObject {
      return try reader.takeField(UInt32?.self, PGType(.oid), .binary).map { .uint32($0) }
    }
    if type.attributes != nil {
      return try reader.takeField(PGRecord?.self, type.values, .binary).map { .record($0) }
    }
    guard isAnonymous, !PGValue.accepts(type.values, .binary) else {
      return try reader.takeField(PGValue?.self, type.values, .binary)
    }
    throw PGError(
      code: .columnError,
      message: "a record has a value of SQL type \(type.name), whose binary form is not known",
      fault: .peer, hint: "Cast that value to text, or the record to a composite type.")
  }

  /// Reads `(1,"a b",)`.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard let attributes = type.attributes else { throw .unreadable(type, as: PGRecord.self) }
    guard reader.take(UInt8(ascii: "(")) else { throw Self.malformed(type) }
    var values: [PGValue] = []
    for (index, attribute) in attributes.enumerated() {
      if index > 0, !reader.take(ASCII.comma) { throw Self.outOfDate(type) }
      let text: [UInt8]?
      do {
        text = try reader.takePart { $0 == ASCII.comma || $0 == UInt8(ascii: ")") }
      } catch { throw Self.malformed(type) }
      guard let text else {
        values.append(.null)
        continue
      }
      values.append(
        try ByteReader.over(text) { reader throws(PGError) in
          try PGValue(&reader, type: attribute.type.values, format: .text)
        })
    }
    guard reader.take(UInt8(ascii: ")")), reader.isAtEnd else { throw Self.malformed(type) }
    self.init(
      columnNames: attributes.map(\.name), values: values, types: attributes.map(\.type))
  }

  private static func malformed(_ type: PGType) -> PGError {
    .malformed(type, "it is not the text form of a composite")
  }

  private static func outOfDate(_ type: PGType) -> PGError {
    .malformed(
      type, "its attributes are others than this connection learned of",
      hint: "The type was altered in the meantime: db.types.forget() has it looked up anew.")
  }
}

extension PGRecord: CustomStringConvertible {
  /// The text form, as the server prints it.
  public var description: String { shownText }
}
