/// A Swift value that can be a statement's parameter.
///
/// For each parameter the driver asks for the ``encodingFormat(for:)`` that the value wants to
/// travel in, given the type that the server described, and then has the value written in it.
/// NULL is `nil`, or a value whose ``isNull`` is true; neither is ever asked to write itself.
public protocol PGEncodable: Sendable {
  /// Whether the value stands for NULL, as ``PGValue/null`` does. False unless a type says more.
  var isNull: Bool { get }

  /// The format in which this value becomes a parameter of `type`, or `nil` if it cannot become one
  /// without loss: the driver then throws `ParameterError` before anything is sent.
  func encodingFormat(for type: PGType) -> PGFormat?

  /// Writes the value in the type's binary form. Called only after ``encodingFormat(for:)``
  /// answered ``PGFormat/binary`` for the same type.
  ///
  /// - Throws: ``PGError`` `--PIO` if this value does not fit the type (an Int out of int4's range).
  func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError)

  /// Writes the value in the type's text form, as UTF-8.
  func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError)
}

extension PGEncodable {
  /// Not NULL.
  public var isNull: Bool { false }

  /// The text form, for people; `?` for a value that has none.
  var shownText: String {
    var writer = ByteWriter()
    do throws(PGError) { try encodeText(as: .shown, into: &writer) } catch { return "?" }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// Insists that a value is one that the server has; to be shown, it may be any.
  @inline(__always)
  func require(_ isInRange: Bool, of type: PGType) throws(PGError) {
    guard isInRange || type.isShown else { throw .outOfRange(Self.self, as: type) }
  }
}
