// float4 and float8. A Double may be sent as float4, rounded as the server itself would round it;
// a column is never rounded: numeric is not read as Double unless PGNumeric is converted.

extension Double: PGEncodable, PGDecodable, PGArrayElement {
  /// Whether a parameter of `type` is a number with a fraction.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    switch type.base {
    case .float8, .float4: .binary
    case .numeric: .text
    default: type.takesAnyText ? .text : nil
    }
  }

  /// Writes the IEEE 754 bits, most significant byte first.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    guard type.base == .float4 else { return writer.writeInteger(bitPattern) }
    let narrow = Float(self)
    // Neither infinite nor zero unless it was.
    guard narrow.isFinite || !isFinite, narrow != 0 || self == 0 else {
      throw .outOfRange(Double.self, as: type)
    }
    writer.writeInteger(narrow.bitPattern)
  }

  /// Accepts float4 and float8.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    type.base == .float8 || type.base == .float4
  }

  /// Reads the IEEE 754 bits of float8.
  @inlinable
  public static func decodeBuiltin(_ reader: ByteReader, as type: TypeOID) -> Double? {
    guard type.rawValue == TypeOID.float8.rawValue,
      let bits = reader.wholeInteger(UInt64.self)
    else { return nil }
    return Double(bitPattern: bits)
  }

  /// Reads the IEEE 754 bits.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    switch type.base {
    case .float8: self.init(bitPattern: try reader.readWhole(UInt64.self, of: type))
    case .float4: self.init(Float(bitPattern: try reader.readWhole(UInt32.self, of: type)))
    default: throw .unreadable(type, as: Double.self)
    }
  }

  /// Writes the shortest decimal that reads back as the same number.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    FloatText(self, fixedBelow: 15).format(into: &writer)
  }

  /// Reads a decimal, `NaN`, `Infinity` or `-Infinity`.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    switch type.base {
    case .float8: self = try FloatText.parse(&reader, as: type)
    case .float4: self.init(try FloatText.parse(&reader, as: type) as Float)
    default: throw .unreadable(type, as: Double.self)
    }
  }
}

extension Float: PGEncodable, PGDecodable, PGArrayElement {
  /// Whether a parameter of `type` is a number with a fraction.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    Double(self).encodingFormat(for: type)
  }

  /// Writes the IEEE 754 bits, most significant byte first.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    if type.base == .float4 {
      writer.writeInteger(bitPattern)
    } else {
      writer.writeInteger(Double(self).bitPattern)
    }
  }

  /// Accepts float4 only: a float8 would be rounded.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool { type.base == .float4 }

  /// Reads the IEEE 754 bits of float4.
  @inlinable
  public static func decodeBuiltin(_ reader: ByteReader, as type: TypeOID) -> Float? {
    guard type.rawValue == TypeOID.float4.rawValue,
      let bits = reader.wholeInteger(UInt32.self)
    else { return nil }
    return Float(bitPattern: bits)
  }

  /// Reads the IEEE 754 bits.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard type.base == .float4 else { throw .unreadable(type, as: Float.self) }
    self.init(bitPattern: try reader.readWhole(UInt32.self, of: type))
  }

  /// Writes the shortest decimal that reads back as the same number.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    FloatText(self, fixedBelow: 6).format(into: &writer)
  }

  /// Reads a decimal, `NaN`, `Infinity` or `-Infinity`.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard type.base == .float4 else { throw .unreadable(type, as: Float.self) }
    self = try FloatText.parse(&reader, as: type)
  }
}
