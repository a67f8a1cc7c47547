/// A value with one text form, whatever type it is sent as.
///
/// Conforming gives the text halves of ``PGEncodable`` and ``PGDecodable``, `description` and
/// `init?(_:)`. The form is the one that the server prints with DateStyle ISO and IntervalStyle
/// postgres.
public protocol PGTextConvertible: LosslessStringConvertible, Sendable {
  /// Writes the text form.
  func formatText(into writer: inout ByteWriter)

  /// The value whose text form the reader holds; `nil` if it is none. What remains unread after it
  /// makes the text malformed too, so a parser need not look.
  static func parseText(_ reader: inout ByteReader) -> Self?
}

extension PGTextConvertible {
  /// The text form, as the server prints it.
  public var description: String {
    var writer = ByteWriter()
    formatText(into: &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// The value whose text form this is; `nil` if it is none.
  public init?(_ text: String) {
    let value = ByteReader.over(Array(text.utf8)) { reader -> Self? in
      let value = Self.parseText(&reader)
      return reader.isAtEnd ? value : nil
    }
    guard let value else { return nil }
    self = value
  }
}

extension PGEncodable where Self: PGTextConvertible {
  /// Writes the text form, the same for every type.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    formatText(into: &writer)
  }
}

extension PGDecodable where Self: PGTextConvertible {
  /// Makes a value of its text form.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard let value = Self.parseText(&reader), reader.isAtEnd else {
      throw .malformed(type, "this text is not a value of it", hint: Self.styleHint)
    }
    self = value
  }

  static var styleHint: String {
    "Values are read in the forms of DateStyle ISO and IntervalStyle postgres or iso_8601."
  }
}
