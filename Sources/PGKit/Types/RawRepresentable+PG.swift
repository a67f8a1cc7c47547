// An enumeration with raw values need only say that it conforms:
// `enum Mood: String, PGEncodable, PGDecodable, PGArrayElement { case sad, ok }`.

extension PGEncodable where Self: RawRepresentable, RawValue: PGEncodable {
  /// The format in which the raw value becomes a parameter of `type`.
  public func encodingFormat(for type: PGType) -> PGFormat? { rawValue.encodingFormat(for: type) }

  /// Writes the raw value.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try rawValue.encodeBinary(as: type, into: &writer)
  }

  /// Writes the raw value.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try rawValue.encodeText(as: type, into: &writer)
  }
}

extension PGDecodable where Self: RawRepresentable, RawValue: PGDecodable {
  /// Whether a column can become a raw value.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    RawValue.accepts(type, format)
  }

  /// Reads a raw value, which must be one of those that there are.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    try self.init(RawValue(binary: &reader, as: type), of: type)
  }

  /// Reads a raw value, which must be one of those that there are.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    try self.init(RawValue(text: &reader, as: type), of: type)
  }

  private init(_ rawValue: RawValue, of type: PGType) throws(PGError) {
    guard let value = Self(rawValue: rawValue) else {
      throw .unreadable(type, as: Self.self, ": it is none of its values")
    }
    self = value
  }
}

// A part of a text is sent as the text that it is.

extension Substring: PGEncodable {
  /// The format in which the text becomes a parameter of `type`.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    String(self).encodingFormat(for: type)
  }

  /// Writes the text.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try String(self).encodeBinary(as: type, into: &writer)
  }

  /// Writes the text.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try String(self).encodeText(as: type, into: &writer)
  }
}
