// Swift allows Array one conformance, so the element says what an array of it is: an array of
// UInt8 is bytea, and an array of anything else is the server's array of that.

/// A type of which a Swift array can be a parameter or a column.
public protocol PGArrayElement: Sendable {
  /// The format in which an array becomes a parameter of `type`; `nil` if it cannot.
  static func arrayEncodingFormat(for type: TypeOID) -> PGFormat?

  /// Writes the array in the binary form of `type`.
  static func encodeArrayBinary(
    _ elements: [Self], as type: TypeOID, into writer: inout ByteWriter
  ) throws(PGError)

  /// Writes the array in the text form of `type`.
  static func encodeArrayText(
    _ elements: [Self], as type: TypeOID, into writer: inout ByteWriter
  ) throws(PGError)

  /// Whether a column of `type` in `format` can become an array.
  static func acceptsArray(_ type: TypeOID, _ format: PGFormat) -> Bool

  /// Reads an array from the binary form of `type`.
  static func decodeArray(
    binary reader: inout ByteReader, as type: TypeOID
  ) throws(PGError) -> [Self]

  /// Reads an array from the text form of `type`.
  static func decodeArray(text reader: inout ByteReader, as type: TypeOID) throws(PGError) -> [Self]
}

extension Array: PGEncodable where Element: PGArrayElement {
  /// Whether a parameter of `type` can be an array of the element.
  public func encodingFormat(for type: TypeOID) -> PGFormat? {
    Element.arrayEncodingFormat(for: type)
  }

  /// Writes the array in the binary form of `type`.
  public func encodeBinary(as type: TypeOID, into writer: inout ByteWriter) throws(PGError) {
    try Element.encodeArrayBinary(self, as: type, into: &writer)
  }

  /// Writes the array in the text form of `type`.
  public func encodeText(as type: TypeOID, into writer: inout ByteWriter) throws(PGError) {
    try Element.encodeArrayText(self, as: type, into: &writer)
  }
}

extension Array: PGColumnValue, PGDecodable where Element: PGArrayElement {
  /// Whether a column of `type` in `format` can become an array of the element.
  public static func accepts(_ type: TypeOID, _ format: PGFormat) -> Bool {
    Element.acceptsArray(type, format)
  }

  /// Reads an array from the binary form of `type`.
  public init(binary reader: inout ByteReader, as type: TypeOID) throws(PGError) {
    self = try Element.decodeArray(binary: &reader, as: type)
  }

  /// Reads an array from the text form of `type`.
  public init(text reader: inout ByteReader, as type: TypeOID) throws(PGError) {
    self = try Element.decodeArray(text: &reader, as: type)
  }
}
