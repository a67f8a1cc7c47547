/// What a column can be asked for as: a ``PGDecodable`` type, for which NULL is an error, or an
/// optional of one, for which NULL is `nil`.
public protocol PGColumnValue {
  /// Makes a value from a column.
  ///
  /// - Parameters:
  ///   - reader: The value's bytes; `nil` for NULL.
  ///   - type: The column's type.
  ///   - format: The form of the bytes.
  /// - Throws: ``PGError`` `--CIO` if the column's value is not to be had as this type.
  static func decodeColumn(
    _ reader: consuming ByteReader?, type: PGType, format: PGFormat
  ) throws(PGError) -> Self

  /// Makes a value of the binary form of a built-in type, if a look at the bytes is enough for that.
  ///
  /// A shortcut for the values that most columns have, which a program's loop over rows takes without leaving
  /// itself. `nil` means no more than that ``decodeColumn(_:type:format:)`` has to be asked, which also
  /// says what is wrong with a value; a value is the same that it would give. A type needs none.
  ///
  /// - Parameters:
  ///   - reader: The value's bytes.
  ///   - type: The type in whose binary form they are.
  static func decodeBuiltin(_ reader: ByteReader, as type: TypeOID) -> Self?
}

extension PGColumnValue {
  /// Nothing: every value is made by ``decodeColumn(_:type:format:)``.
  @inlinable
  public static func decodeBuiltin(_ reader: ByteReader, as type: TypeOID) -> Self? { nil }
}

extension PGDecodable {
  /// Makes a value from a column; NULL is an error.
  public static func decodeColumn(
    _ reader: consuming ByteReader?, type: PGType, format: PGFormat
  ) throws(PGError) -> Self {
    guard var reader else { throw .column("NULL is no \(Self.self)") }
    return try decode(&reader, type, format)
  }

  fileprivate static func decode(
    _ reader: inout ByteReader, _ type: PGType, _ format: PGFormat
  ) throws(PGError) -> Self {
    guard accepts(type, format) else { throw .column("\(type.name) is no \(Self.self)") }
    switch format {
    case .binary: return try Self(binary: &reader, as: type)
    case .text: return try Self(text: &reader, as: type)
    }
  }
}

extension Optional: PGColumnValue where Wrapped: PGDecodable {
  /// Makes a value from a column; NULL is `nil`.
  public static func decodeColumn(
    _ reader: consuming ByteReader?, type: PGType, format: PGFormat
  ) throws(PGError) -> Self {
    guard var reader else { return nil }
    return try Wrapped.decode(&reader, type, format)
  }

  /// The value that `Wrapped` makes at a look.
  @inlinable
  public static func decodeBuiltin(_ reader: ByteReader, as type: TypeOID) -> Self? {
    guard let value = Wrapped.decodeBuiltin(reader, as: type) else { return nil }
    return .some(.some(value))
  }
}
