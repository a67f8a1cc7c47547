// Between the dynamic form of a value and Swift's own types.

extension PGValue {
  /// Makes a dynamic value of a Swift value.
  ///
  /// A type that has no case of its own is kept as it is, as ``custom(_:)``.
  public init(wrapping value: some PGEncodable) {
    switch value {
    case let value as PGValue: self = value
    case _ where value.isNull: self = .null
    case let value as String: self = .string(value)
    case let value as Int: self = .int64(Int64(value))
    case let value as Bool: self = .bool(value)
    case let value as Double: self = .double(value)
    case let value as Int16: self = .int16(value)
    case let value as Int32: self = .int32(value)
    case let value as Int64: self = .int64(value)
    case let value as Substring: self = .string(String(value))
    case let value as UInt32: self = .uint32(value)
    case let value as UInt64: self = .uint64(value)
    case let value as Float: self = .float(value)
    case let value as [UInt8]: self = .bytes(value)
    case let value as PGNumeric: self = .numeric(value)
    case let value as PGJSON: self = .json(value)
    case let value as PGUUID: self = .uuid(value)
    case let value as PGDate: self = .date(value)
    case let value as PGTimestampTZ: self = .timestampTZ(value)
    case let value as PGTimestamp: self = .timestamp(value)
    case let value as PGArray<PGValue>: self = .array(value)
    case let value as PGRecord: self = .record(value)
    default: self = .custom(PGCustomValue(value))
    }
  }

  /// Makes a dynamic value of a value, or of an optional of one; `nil` is NULL.
  ///
  /// - Returns: `nil` for a type that can be no parameter.
  init?(element: some PGArrayElement) {
    switch element {
    case let value as any PGEncodable: self.init(wrapping: value)
    case let optional as any OptionalElement:
      guard let value = optional.wrapped else {
        self = .null
        return
      }
      guard let value = value as? any PGEncodable else { return nil }
      self.init(wrapping: value)
    default: return nil
    }
  }

  /// The Swift type of what is inside.
  var swiftType: Any.Type { payload.map { Swift.type(of: $0) } ?? PGValue.self }

  /// The value as a Swift type, or as an optional of one.
  ///
  /// - Parameter type: The type that it came with, or ``TypeOID/unspecified``.
  /// - Throws: ``PGError`` `--CIO` if it is not to be had as that type.
  func decode<Value: PGColumnValue>(as _: Value.Type, from type: PGType) throws(PGError) -> Value {
    if let value = self as? Value { return value }
    guard let payload else {
      return try Value.decodeColumn(nil, type: type, format: .binary)
    }
    if let value = payload as? Value { return value }
    let type = type.base == .unspecified ? PGType(ownType) : type.values
    var writer = ByteWriter()
    let format = payload.encodingFormat(for: type) ?? .text
    switch format {
    case .binary: try payload.encodeBinary(as: type, into: &writer)
    case .text: try payload.encodeText(as: type, into: &writer)
    }
    return try ByteReader.over(writer.bytes) { reader throws(PGError) in
      try Value.decodeColumn(reader, type: type, format: format)
    }
  }

  /// The built-in type that a value of its case has.
  private var ownType: TypeOID {
    switch self {
    case .bool: .bool
    case .int16: .int2
    case .int32: .int4
    case .int64: .int8
    case .uint32: .oid
    case .uint64: .xid8
    case .float: .float4
    case .double: .float8
    case .date: .date
    case .time: .time
    case .timeTZ: .timetz
    case .timestamp: .timestamp
    case .timestampTZ: .timestamptz
    case .interval: .interval
    case .uuid: .uuid
    case .bytes: .bytea
    case .json: .jsonb
    case .numeric: .numeric
    case .string: .text
    case .money: .money
    default: .unspecified
    }
  }
}

extension PGValue: CustomStringConvertible {
  /// The text form, as the server prints it; `NULL` for NULL.
  ///
  /// Of money, whose looks are the server's choice, it is the amount with two decimals.
  public var description: String {
    switch payload {
    case nil: "NULL"
    case let string as String: string
    case let value?: value.shownText
    }
  }
}

/// An optional, whatever is in it.
private protocol OptionalElement {
  var wrapped: Any? { get }
}

extension Optional: OptionalElement {
  fileprivate var wrapped: Any? { self }
}
