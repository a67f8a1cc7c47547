// One codec for all of Swift's integers. As a parameter an integer becomes any of SQL's numbers
// that holds its value exactly; a column is read only into a type that holds all of its values.

extension PGEncodable where Self: FixedWidthInteger {
  /// Whether a parameter of `type` is a number.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    switch type.base {
    case .int4, .int8, .int2, .oid, .xid, .cid, .xid8, .float8, .float4, .numeric: .binary
    default: type.takesAnyText ? .text : nil
    }
  }

  /// Writes the integer in the width of `type`, or as the float or numeric of exactly its value.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    switch type.base {
    case .int4: writer.writeInteger(try narrowed(Int32.self, as: type))
    case .int8: writer.writeInteger(try narrowed(Int64.self, as: type))
    case .int2: writer.writeInteger(try narrowed(Int16.self, as: type))
    case .oid, .xid, .cid: writer.writeInteger(try narrowed(UInt32.self, as: type))
    case .xid8: writer.writeInteger(try narrowed(UInt64.self, as: type))
    case .float8:
      guard let value = Double(exactly: self) else { throw .outOfRange(Self.self, as: type) }
      try value.encodeBinary(as: type, into: &writer)
    case .float4:
      guard let value = Float(exactly: self) else { throw .outOfRange(Self.self, as: type) }
      try value.encodeBinary(as: type, into: &writer)
    case .numeric: try PGNumeric(self).encodeBinary(as: type, into: &writer)
    default: throw .unwritable(Self.self, as: type)
    }
  }

  /// Writes the integer in decimal.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    if Self.bitWidth <= 64 { writer.writeDecimal(self) } else { writer.writeText("\(self)") }
  }

  @inline(__always)
  private func narrowed<Width: FixedWidthInteger>(
    _: Width.Type, as type: PGType
  ) throws(PGError) -> Width {
    guard let value = Width(exactly: self) else { throw .outOfRange(Self.self, as: type) }
    return value
  }
}

extension PGDecodable where Self: FixedWidthInteger {
  /// Accepts the SQL integers all of whose values fit.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    switch type.base {
    case .int4: holds(Int32.self)
    case .int8: holds(Int64.self)
    case .int2: holds(Int16.self)
    case .oid, .xid, .cid: holds(UInt32.self)
    case .xid8: holds(UInt64.self)
    default: false
    }
  }

  /// Reads the integer in the width of `type`.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    switch type.base {
    case .int4: self = try Self.widen(try reader.readWhole(Int32.self, of: type), type)
    case .int8: self = try Self.widen(try reader.readWhole(Int64.self, of: type), type)
    case .int2: self = try Self.widen(try reader.readWhole(Int16.self, of: type), type)
    case .oid, .xid, .cid:
      self = try Self.widen(try reader.readWhole(UInt32.self, of: type), type)
    case .xid8: self = try Self.widen(try reader.readWhole(UInt64.self, of: type), type)
    default: throw .unreadable(type, as: Self.self)
    }
  }

  /// Reads the integer in decimal.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard Self.accepts(type, .text) else { throw .unreadable(type, as: Self.self) }
    guard let value = reader.takeInteger(Self.self), reader.isAtEnd else {
      throw .malformed(type, "not an integer that \(Self.self) holds")
    }
    self = value
  }

  /// Reads the integer, where all of the type's values fit.
  @inlinable
  public static func decodeBuiltin(_ reader: ByteReader, as type: TypeOID) -> Self? {
    switch type.rawValue {
    case TypeOID.int4.rawValue where isSigned && bitWidth >= 32:
      guard let value = reader.wholeInteger(Int32.self) else { return nil }
      return Self(truncatingIfNeeded: value)
    case TypeOID.int8.rawValue where isSigned && bitWidth >= 64:
      guard let value = reader.wholeInteger(Int64.self) else { return nil }
      return Self(truncatingIfNeeded: value)
    case TypeOID.int2.rawValue where isSigned && bitWidth >= 16:
      guard let value = reader.wholeInteger(Int16.self) else { return nil }
      return Self(truncatingIfNeeded: value)
    default: return nil
    }
  }

  private static func holds<Width: FixedWidthInteger>(_: Width.Type) -> Bool {
    Self(exactly: Width.min) != nil && Self(exactly: Width.max) != nil
  }

  @inline(__always)
  private static func widen(
    _ value: some FixedWidthInteger, _ type: PGType
  ) throws(PGError) -> Self {
    guard let wide = Self(exactly: value) else {
      throw .unreadable(type, as: Self.self, ": the value is out of range")
    }
    return wide
  }
}

extension Int: PGEncodable, PGDecodable, PGArrayElement {}
extension Int8: PGEncodable, PGDecodable, PGArrayElement {}
extension Int16: PGEncodable, PGDecodable, PGArrayElement {}
extension Int32: PGEncodable, PGDecodable, PGArrayElement {}
extension Int64: PGEncodable, PGDecodable, PGArrayElement {}
extension UInt: PGEncodable, PGDecodable, PGArrayElement {}
extension UInt16: PGEncodable, PGDecodable, PGArrayElement {}
extension UInt32: PGEncodable, PGDecodable, PGArrayElement {}
extension UInt64: PGEncodable, PGDecodable, PGArrayElement {}
