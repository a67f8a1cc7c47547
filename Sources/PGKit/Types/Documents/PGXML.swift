/// An `xml` document, or a part of one: its text, held as it came.
///
/// It travels as text: the binary form may carry another encoding in its declaration.
///
/// Source: PostgreSQL manual, "XML Type".
public struct PGXML: Hashable, Sendable {
  /// The document's text.
  public let text: String

  /// Makes a value of a document's text; whether it is XML, the server says.
  public init(text: String) { self.text = text }
}

extension PGXML: PGEncodable, PGDecodable, PGArrayElement {
  /// Text, for xml and where the server decides.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    type.base == .xml || type.takesAnyText ? .text : nil
  }

  /// Writes the text.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try text.write(as: type, of: PGXML.self, into: &writer)
  }

  /// Writes the text.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try text.write(as: type, of: PGXML.self, into: &writer)
  }

  /// Accepts xml.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool { type.base == .xml }

  /// Reads the text.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    text = try reader.readWholeText(of: type)
  }

  /// Reads the text.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    text = try reader.readWholeText(of: type)
  }
}

extension PGXML: CustomStringConvertible {
  /// The document's text.
  public var description: String { text }
}
