// Values whose text says nothing of its type, as members of `Codable` structures: in a row they are the
// column's value; elsewhere, as in JSON, their text form is written, and cannot be read back.

/// A value that is a column's, or written as its text form.
public protocol PGRowMember: CustomStringConvertible, Codable {}

extension PGRowMember {
  /// Is a row's alone.
  ///
  /// - Throws: `DecodingError.typeMismatch`: of what type the text is, nobody says.
  public init(from decoder: any Decoder) throws {
    throw DecodingError.typeMismatch(
      Self.self,
      .init(
        codingPath: decoder.codingPath,
        debugDescription: "\(Self.self) is decoded of a row's columns only"))
  }

  /// Writes the text form.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension PGValue: PGRowMember {}
extension PGRecord: PGRowMember {}
extension PGArray: PGRowMember {}
extension PGRange: PGRowMember {}
extension PGMultirange: PGRowMember {}

extension PGJSON: Codable {
  /// Reads the document's text, which elsewhere than in a row is a text.
  public init(from decoder: any Decoder) throws {
    self.init(text: try decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the document's text, as a text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

extension PGXML: Codable {
  /// Reads the document's text.
  public init(from decoder: any Decoder) throws {
    self.init(text: try decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the document's text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
