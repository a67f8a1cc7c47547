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
  /// `text`, `varchar`, `bpchar`, `name`, `"char"`, `citext`, `ltree`, `jsonpath`, an enumeration.
  case string(String)
  /// `bytea`.
  case bytes([UInt8])
  /// `json`, `jsonb`.
  case json(PGJSON)
  /// `numeric`.
  case numeric(PGNumeric)
  /// `money`.
  case money(PGMoney)
  /// `xml`.
  case xml(PGXML)
  /// `inet`, `cidr`.
  case inet(PGInet)
  /// `macaddr`, `macaddr8`.
  case macAddress(PGMACAddress)
  /// `bit`, `varbit`.
  case bits(PGBits)
  /// `point`.
  case point(PGPoint)
  /// `line`.
  case line(PGLine)
  /// `lseg`.
  indirect case segment(PGSegment)
  /// `box`.
  indirect case box(PGBox)
  /// `path`.
  case path(PGPath)
  /// `polygon`.
  case polygon(PGPolygon)
  /// `circle`.
  case circle(PGCircle)
  /// `tsvector`.
  case textSearchVector(PGTextSearchVector)
  /// `tsquery`.
  case textSearchQuery(PGTextSearchQuery)
  /// `pg_lsn`.
  case lsn(PGLSN)
  /// `tid`.
  case tid(PGTID)
  /// `pg_snapshot`, `txid_snapshot`.
  case snapshot(PGSnapshot)
  /// `hstore`.
  case hstore([String: String?])
  /// `vector`.
  case vector([Float])
  /// An array.
  case array(PGArray<PGValue>)
  /// A range.
  indirect case range(PGRange<PGValue>)
  /// A multirange.
  case multirange(PGMultirange<PGValue>)
  /// A composite, or an anonymous `record`.
  indirect case record(PGRecord)
  /// A value of a type for which a program brought a codec, or one of a program's own type.
  indirect case custom(PGCustomValue)
  /// Any other type, in its text form.
  case text(TypeOID, String)

  /// Reads a column of `type` in `format`.
  ///
  /// - Throws: ``PGError`` `--CIO` if the bytes are not a value of the type, or come in a binary
  ///   form that PGKit does not know.
  public init(_ reader: inout ByteReader, type: PGType, format: PGFormat) throws(PGError) {
    if case .custom(let codec)? = type.definition?.kind {
      self = .custom(try codec.decode(&reader, type, format))
      return
    }
    switch type.base {
    case .int4: self = .int32(try Self.decode(&reader, type, format))
    case .int8: self = .int64(try Self.decode(&reader, type, format))
    case .text, .varchar, .bpchar, .name, .char, .unknown, .jsonpath, .refcursor, .cstring:
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
    default: try self.init(rare: &reader, type, format)
    }
  }

  private init(rare reader: inout ByteReader, _ type: PGType, _ format: PGFormat) throws(PGError) {
    switch type.base {
    // As text it is what the server's lc_monetary makes of it, and stays that.
    case .money where format == .binary: self = .money(try Self.decode(&reader, type, format))
    case .xml: self = .xml(try Self.decode(&reader, type, format))
    case .inet, .cidr: self = .inet(try Self.decode(&reader, type, format))
    case .macaddr, .macaddr8: self = .macAddress(try Self.decode(&reader, type, format))
    case .bit, .varbit: self = .bits(try Self.decode(&reader, type, format))
    case .point: self = .point(try Self.decode(&reader, type, format))
    case .line: self = .line(try Self.decode(&reader, type, format))
    case .lseg: self = .segment(try Self.decode(&reader, type, format))
    case .box: self = .box(try Self.decode(&reader, type, format))
    case .path: self = .path(try Self.decode(&reader, type, format))
    case .polygon: self = .polygon(try Self.decode(&reader, type, format))
    case .circle: self = .circle(try Self.decode(&reader, type, format))
    case .tsvector: self = .textSearchVector(try Self.decode(&reader, type, format))
    case .tsquery: self = .textSearchQuery(try Self.decode(&reader, type, format))
    case .pgLsn: self = .lsn(try Self.decode(&reader, type, format))
    case .tid: self = .tid(try Self.decode(&reader, type, format))
    case .pgSnapshot, .txidSnapshot: self = .snapshot(try Self.decode(&reader, type, format))
    case .hstore: self = .hstore(try Self.decode(&reader, type, format))
    case .vector: self = .vector(try PGVector.decode(&reader, type, format))
    case .record where format == .binary: self = .record(try Self.decode(&reader, type, format))
    default: try self.init(container: &reader, type, format)
    }
  }

  private init(
    container reader: inout ByteReader, _ type: PGType, _ format: PGFormat
  ) throws(PGError) {
    if type.element != nil {
      self = .array(try Self.decode(&reader, type, format))
    } else if type.attributes != nil {
      self = .record(try Self.decode(&reader, type, format))
    } else if type.bound != nil {
      self = .range(try Self.decode(&reader, type, format))
    } else if type.range != nil {
      self = .multirange(try Self.decode(&reader, type, format))
    } else {
      self = .text(type.oid, try Self.decode(&reader, type, format))
    }
  }

  @inline(__always)
  private static func decode<Value: PGDecodable>(
    _ reader: inout ByteReader, _ type: PGType, _ format: PGFormat
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
    case .money(let value): value
    case .xml(let value): value
    case .inet(let value): value
    case .macAddress(let value): value
    case .bits(let value): value
    case .point(let value): value
    case .line(let value): value
    case .segment(let value): value
    case .box(let value): value
    case .path(let value): value
    case .polygon(let value): value
    case .circle(let value): value
    case .textSearchVector(let value): value
    case .textSearchQuery(let value): value
    case .lsn(let value): value
    case .tid(let value): value
    case .snapshot(let value): value
    case .hstore(let value): value
    case .vector(let value): PGVector(value)
    case .array(let value): value
    case .range(let value): value
    case .multirange(let value): value
    case .record(let value): value
    case .custom(let value): value.value
    case .text(_, let value): value
    }
  }
}

extension PGValue: PGEncodable {
  /// Whether this is ``null``.
  public var isNull: Bool {
    if case .null = self { true } else { false }
  }

  /// The format that the payload wants; text of a known type goes back to that type alone.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    if case .text(let own, _) = self {
      let isOwn = type.oid == own || type.values.oid == own
      return isOwn || type.takesAnyText ? .text : nil
    }
    return payload(for: type).map { $0.encodingFormat(for: type) } ?? .text
  }

  /// Writes the payload in the type's binary form.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try writable(as: type).encodeBinary(as: type, into: &writer)
  }

  /// Writes the payload in the type's text form.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try writable(as: type).encodeText(as: type, into: &writer)
  }

  private func writable(as type: PGType) throws(PGError) -> any PGEncodable {
    guard let payload = payload(for: type) else {
      throw .unwritable(PGValue.self, as: type, ": NULL has no bytes")
    }
    return payload
  }

  /// What is written as a parameter of `type`: arrays within an array are its rows.
  private func payload(for type: PGType) -> (any PGEncodable)? {
    guard case .array(let array) = self, array.dimensions.count == 1,
      type.element?.values.element == nil,
      array.elements.contains(where: { if case .array? = $0 { true } else { false } })
    else { return payload }
    return array.elements.map { $0 ?? .null }
  }
}

extension PGValue: PGDecodable, PGArrayElement {
  /// Hands itself over; an array where no value is one, as a dimension.
  public func visitElements(at level: Int, _ visitor: inout ArrayVisitor) throws(PGError) {
    guard case .array(let array) = self, !visitor.takesArrays else {
      // Without its type, nil would be a value here: ``null``.
      let none: (any PGEncodable)? = nil
      return try visitor.visit(isNull ? none : self, at: level)
    }
    try array.visitRows(at: level, &visitor)
  }

  /// Accepts everything that PGKit can read, and any other type as text.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    format == .text || type.base == .xml || BuiltinTypes.resultFormat(for: type) == .binary
  }

  /// Reads the binary form of `type`.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    try self.init(&reader, type: type, format: .binary)
  }

  /// Reads the text form of `type`.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    try self.init(&reader, type: type, format: .text)
  }
}
