public import Foundation
public import PGKit

extension UUID: PGEncodable, PGDecodable, PGArrayElement {
  /// Whether a parameter of `type` is a uuid.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    PGUUID(self).encodingFormat(for: type)
  }

  /// Writes sixteen bytes.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try PGUUID(self).encodeBinary(as: type, into: &writer)
  }

  /// Writes 8-4-4-4-12 lower-case digits.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try PGUUID(self).encodeText(as: type, into: &writer)
  }

  /// Accepts uuid.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    PGUUID.accepts(type, format)
  }

  /// Reads sixteen bytes.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    self.init(try PGUUID(binary: &reader, as: type))
  }

  /// Reads digits with or without hyphens and braces.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    self.init(try PGUUID(text: &reader, as: type))
  }

  /// Makes a UUID of a uuid.
  public init(_ value: PGUUID) {
    var bytes: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    withUnsafeMutableBytes(of: &bytes) { buffer in
      buffer.storeBytes(of: value.high.bigEndian, toByteOffset: 0, as: UInt64.self)
      buffer.storeBytes(of: value.low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
    self.init(uuid: bytes)
  }
}

extension PGUUID {
  /// Makes a uuid of a UUID.
  public init(_ value: UUID) {
    let (high, low) = withUnsafeBytes(of: value.uuid) { bytes in
      (
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
    self.init(high: high, low: low)
  }
}
