/// A Swift value that can be made from a column.
///
/// NULL never reaches a decoder: asking for a non-optional value of a NULL column is an error that
/// names the column, and `Optional` answers `nil`.
public protocol PGDecodable: PGColumnValue {
  /// Whether a column of `type` in `format` can become this Swift type.
  static func accepts(_ type: PGType, _ format: PGFormat) -> Bool

  /// Makes a value from the binary form of `type`; all of the reader's bytes must be used up.
  ///
  /// - Throws: ``PGError`` `--CIO` if the bytes are not a value of the type, or the value does not
  ///   fit the Swift type.
  init(binary reader: inout ByteReader, as type: PGType) throws(PGError)

  /// Makes a value from the text form of `type`, UTF-8.
  init(text reader: inout ByteReader, as type: PGType) throws(PGError)
}
