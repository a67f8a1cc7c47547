/// A value of whatever type a column has: the dynamic form, for callers that do not know types.
///
/// What PGKit knows becomes the Swift value of its case; everything else keeps its text, with its
/// type. As a parameter, a value is sent as its case's Swift value would be.
public enum PGValue: Hashable, Sendable {
  /// NULL.
  case null
  /// `bool`.
  case bool(Bool)
  /// `int2`.
  case int16(Int16)
  /// `int4`.
  case int32(Int32)
  /// `int8`.
  case int64(Int64)
  /// `oid`, `xid`, `cid`.
  case uint32(UInt32)
  /// `xid8`.
  case uint64(UInt64)
  /// `float4`.
  case float(Float)
  /// `float8`.
  case double(Double)
  /// `date`.
  case date(PGDate)
  /// `time`.
  case time(PGTime)
  /// `timetz`.
  case timeTZ(PGTimeTZ)
  /// `timestamp`.
  case timestamp(PGTimestamp)
  /// `timestamptz`.
  case timestampTZ(PGTimestampTZ)
  /// `interval`.
  case interval(PGInterval)
  /// `uuid`.
  case uuid(PGUUID)
  /// `text`, `varchar`, `bpchar`, `name`, `"char"`, `xml`.
  case string(String)
  /// `bytea`.
  case bytes([UInt8])
  /// `json`, `jsonb`.
  case json(PGJSON)
  /// `numeric`.
  case numeric(PGNumeric)
  /// Any other type, in its text form.
  case text(TypeOID, String)

  /// Reads a column of `type` in `format`.
  ///
  /// - Throws: ``PGError`` `--CIO` if the bytes are not a value of the type, or come in a binary
  ///   form that PGKit does not know.
  public init(_ reader: inout ByteReader, type: TypeOID, format: PGFormat) throws(PGError) {
    switch type {
    case .int4: self = .int32(try Self.decode(&reader, type, format))
    case .int8: self = .int64(try Self.decode(&reader, type, format))
    case .text, .varchar, .bpchar, .name, .char, .unknown, .xml:
      self = .string(try Self.decode(&reader, type, format))
    case .bool: self = .bool(try Self.decode(&reader, type, format))
    case .float8: self = .double(try Self.decode(&reader, type, format))
    case .numeric: self = .numeric(try Self.decode(&reader, type, format))
    case .timestamptz: self = .timestampTZ(try Self.decode(&reader, type, format))
    case .timestamp: self = .timestamp(try Self.decode(&reader, type, format))
    case .date: self = .date(try Self.decode(&reader, type, format))
    case .int2: self = .int16(try Self.decode(&reader, type, format))
    case .float4: self = .float(try Self.decode(&reader, type, format))
    case .uuid: self = .uuid(try Self.decode(&reader, type, format))
    case .json, .jsonb: self = .json(try Self.decode(&reader, type, format))
    case .bytea: self = .bytes(try Self.decode(&reader, type, format))
    case .time: self = .time(try Self.decode(&reader, type, format))
    case .timetz: self = .timeTZ(try Self.decode(&reader, type, format))
    case .interval: self = .interval(try Self.decode(&reader, type, format))
    case .oid, .xid, .cid: self = .uint32(try Self.decode(&reader, type, format))
    case .xid8: self = .uint64(try Self.decode(&reader, type, format))
    default: self = .text(type, try Self.decode(&reader, type, format))
    }
  }

  @inline(__always)
  private static func decode<Value: PGDecodable>(
    _ reader: inout ByteReader, _ type: TypeOID, _ format: PGFormat
  ) throws(PGError) -> Value {
    switch format {
    case .binary: try Value(binary: &reader, as: type)
    case .text: try Value(text: &reader, as: type)
    }
  }

  /// The Swift value inside; `nil` for NULL.
  public var payload: (any PGEncodable)? {
    switch self {
    case .null: nil
    case .bool(let value): value
    case .int16(let value): value
    case .int32(let value): value
    case .int64(let value): value
    case .uint32(let value): value
    case .uint64(let value): value
    case .float(let value): value
    case .double(let value): value
    case .date(let value): value
    case .time(let value): value
    case .timeTZ(let value): value
    case .timestamp(let value): value
    case .timestampTZ(let value): value
    case .interval(let value): value
    case .uuid(let value): value
    case .string(let value): value
    case .bytes(let value): value
    case .json(let value): value
    case .numeric(let value): value
    case .text(_, let value): value
    }
  }
}

extension PGValue: PGEncodable {
  /// Whether this is ``null``.
  public var isNull: Bool { self == .null }

  /// The format that the payload wants; text of a known type goes back to that type alone.
  public func encodingFormat(for type: TypeOID) -> PGFormat? {
    if case .text(let own, _) = self { return type == own || type.takesAnyText ? .text : nil }
    return payload.map { $0.encodingFormat(for: type) } ?? .text
  }

  /// Writes the payload in the type's binary form.
  public func encodeBinary(as type: TypeOID, into writer: inout ByteWriter) throws(PGError) {
    try writable(as: type).encodeBinary(as: type, into: &writer)
  }

  /// Writes the payload in the type's text form.
  public func encodeText(as type: TypeOID, into writer: inout ByteWriter) throws(PGError) {
    try writable(as: type).encodeText(as: type, into: &writer)
  }

  private func writable(as type: TypeOID) throws(PGError) -> any PGEncodable {
    guard let payload else { throw .unwritable(PGValue.self, as: type, ": NULL has no bytes") }
    return payload
  }
}

extension PGValue: PGDecodable {
  /// Accepts everything that PGKit can read, and any other type as text.
  public static func accepts(_ type: TypeOID, _ format: PGFormat) -> Bool {
    format == .text || type == .xml || BuiltinTypes.resultFormat(for: type) == .binary
  }

  /// Reads the binary form of `type`.
  public init(binary reader: inout ByteReader, as type: TypeOID) throws(PGError) {
    try self.init(&reader, type: type, format: .binary)
  }

  /// Reads the text form of `type`.
  public init(text reader: inout ByteReader, as type: TypeOID) throws(PGError) {
    try self.init(&reader, type: type, format: .text)
  }
}

extension PGValue: CustomStringConvertible {
  /// The text form, as the server prints it; `NULL` for NULL.
  public var description: String {
    switch payload {
    case nil: "NULL"
    case let string as String: string
    case let value?:
      {
        var writer = ByteWriter()
        // Only a String can refuse its text form, and that case is above.
        try? value.encodeText(as: .unspecified, into: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
      }()
    }
  }
}
