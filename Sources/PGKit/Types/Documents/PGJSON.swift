/// A `json` or `jsonb` document: its text, held as it came.
///
/// PGKit does not look into it. Two values are equal when their texts are.
public struct PGJSON: Hashable, Sendable {
  /// The document's text.
  public let text: String

  /// Makes a value of a document's text; whether it is JSON, the server says.
  public init(text: String) { self.text = text }

  /// The first byte of jsonb's binary form, and jsonpath's; no other version has ever been.
  static let binaryVersion: UInt8 = 1

  /// Reads the version byte of the binary form.
  static func readVersion(_ reader: inout ByteReader, of type: PGType) throws(PGError) {
    let version: UInt8 = try reader.readField(of: type)
    guard version == binaryVersion else {
      throw .malformed(type, "version \(version), but only version 1 is known")
    }
  }
}

extension PGJSON: PGEncodable {
  /// Whether a parameter of `type` is a document.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    if type.base == .json || type.base == .jsonb { return .binary }
    return type.takesAnyText ? .text : nil
  }

  /// Writes the text, after jsonb's version byte if it is jsonb.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    if type.base == .jsonb { writer.writeByte(Self.binaryVersion) }
    try text.write(as: type, of: PGJSON.self, into: &writer)
  }

  /// Writes the text.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try text.write(as: type, of: PGJSON.self, into: &writer)
  }
}

extension PGJSON: PGDecodable, PGArrayElement {
  /// Accepts json and jsonb.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    type.base == .json || type.base == .jsonb
  }

  /// Reads the text, after jsonb's version byte if it is jsonb.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    text = try String(binary: &reader, as: type)
  }

  /// Reads the text.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    text = try reader.readWholeText(of: type)
  }
}

extension PGJSON: CustomStringConvertible {
  /// The document's text.
  public var description: String { text }
}
