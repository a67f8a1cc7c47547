import Testing

@testable import PGKit

/// A Swift type with both halves of a codec, for tests that walk over all of them.
typealias PGCodable = PGEncodable & PGDecodable

/// The codec called as the driver calls it, with all bytes owned.
enum Codec {
  static func encode(
    _ value: some PGEncodable, as type: PGType, _ format: PGFormat = .binary
  ) throws(PGError) -> [UInt8] {
    var writer = ByteWriter()
    switch format {
    case .binary: try value.encodeBinary(as: type, into: &writer)
    case .text: try value.encodeText(as: type, into: &writer)
    }
    return writer.bytes
  }

  static func encode(
    _ value: some PGEncodable, as type: TypeOID, _ format: PGFormat = .binary
  ) throws(PGError) -> [UInt8] {
    try encode(value, as: PGType(type), format)
  }

  static func decode<Value: PGDecodable>(
    _ bytes: [UInt8], as type: TypeOID, _ swift: Value.Type = Value.self
  ) throws(PGError) -> Value {
    try decode(bytes, as: PGType(type), .binary, swift)
  }

  static func decode<Value: PGDecodable>(
    _ bytes: [UInt8], as type: TypeOID, _ format: PGFormat, _ swift: Value.Type = Value.self
  ) throws(PGError) -> Value {
    try decode(bytes, as: PGType(type), format, swift)
  }

  static func decode<Value: PGDecodable>(
    _ bytes: [UInt8], as type: PGType, _ format: PGFormat, _: Value.Type = Value.self
  ) throws(PGError) -> Value {
    try ByteReader.over(bytes) { reader throws(PGError) -> Value in
      switch format {
      case .binary: try Value(binary: &reader, as: type)
      case .text: try Value(text: &reader, as: type)
      }
    }
  }

  static func text(_ value: some PGEncodable, as type: TypeOID) throws -> String {
    String(decoding: try encode(value, as: type, .text), as: UTF8.self)
  }

  static func parse<Value: PGDecodable>(
    _ text: String, as type: TypeOID, _: Value.Type = Value.self
  ) throws(PGError) -> Value {
    try decode(Array(text.utf8), as: PGType(type), .text)
  }

  /// The Swift type that each built-in type's codec belongs to.
  static func swiftType(of name: String) -> (type: TypeOID, swift: any PGCodable.Type)? {
    switch name {
    case "bool": (.bool, Bool.self)
    case "int2": (.int2, Int16.self)
    case "int4": (.int4, Int32.self)
    case "int8": (.int8, Int.self)
    case "oid": (.oid, UInt32.self)
    case "xid": (.xid, UInt32.self)
    case "cid": (.cid, UInt32.self)
    case "xid8": (.xid8, UInt64.self)
    case "float4": (.float4, Float.self)
    case "float8": (.float8, Double.self)
    case "text": (.text, String.self)
    case "varchar": (.varchar, String.self)
    case "bpchar": (.bpchar, String.self)
    case "name": (.name, String.self)
    case "\"char\"": (.char, String.self)
    case "json": (.json, PGJSON.self)
    case "jsonb": (.jsonb, PGJSON.self)
    case "xml": (.xml, PGXML.self)
    case "bytea": (.bytea, [UInt8].self)
    case "uuid": (.uuid, PGUUID.self)
    case "numeric": (.numeric, PGNumeric.self)
    case "date": (.date, PGDate.self)
    case "time": (.time, PGTime.self)
    case "timetz": (.timetz, PGTimeTZ.self)
    case "timestamp": (.timestamp, PGTimestamp.self)
    case "timestamptz": (.timestamptz, PGTimestampTZ.self)
    case "interval": (.interval, PGInterval.self)
    default: nil
    }
  }
}

// Built-in types by their identifiers, as tests write them down.

extension PGEncodable {
  func encodingFormat(for type: TypeOID) -> PGFormat? { encodingFormat(for: PGType(type)) }
}

extension PGDecodable {
  static func accepts(_ type: TypeOID, _ format: PGFormat) -> Bool { accepts(PGType(type), format) }
}

extension PGError {
  static func malformed(_ type: TypeOID, _ reason: String) -> PGError {
    .malformed(PGType(type), reason)
  }
}

/// The hexadecimal form, for messages and expectations.
func hex(_ bytes: [UInt8]) -> String { String(decoding: Hexadecimal.encode(bytes), as: UTF8.self) }

/// The bytes of a hexadecimal literal.
func bytes(_ hex: String) throws -> [UInt8] { try #require(Hexadecimal.decode(hex.utf8)) }
