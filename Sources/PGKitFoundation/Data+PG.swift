public import Foundation
public import PGKit

extension Data: PGEncodable, PGDecodable, PGArrayElement {
  /// Whether a parameter of `type` is bytes.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    [UInt8]().encodingFormat(for: type)
  }

  /// Writes the bytes as they are.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    withUnsafeBytes { writer.writeBytes($0) }
  }

  /// Writes the hex form, `\x0123…`.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try [UInt8](self).encodeText(as: type, into: &writer)
  }

  /// Accepts bytea.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    [UInt8].accepts(type, format)
  }

  /// Reads the bytes as they are.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    self.init(try [UInt8](binary: &reader, as: type))
  }

  /// Reads the hex form or the escape form.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    self.init(try [UInt8](text: &reader, as: type))
  }
}
