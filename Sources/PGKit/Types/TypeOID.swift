/// The object identifier of a type in `pg_type`.
public struct TypeOID: RawRepresentable, Hashable, Sendable, CustomStringConvertible,
  ExpressibleByIntegerLiteral
{
  /// The number.
  public let rawValue: UInt32

  /// Makes an identifier of its number.
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Makes an identifier of a literal number.
  @inlinable public init(integerLiteral value: UInt32) { rawValue = value }

  /// No type: the server infers it.
  public static let unspecified: TypeOID = 0

  /// The number in decimal.
  public var description: String { String(rawValue) }

  /// The name for messages: `int4` for a built-in type, `oid 16403` for any other.
  public var name: String { builtinName ?? "oid \(rawValue)" }

  /// Whether the server itself decides what a parameter's text means: it has no type yet, or one
  /// that a user or an extension made (`FirstNormalObjectId` and up), of which PGKit knows nothing.
  var takesAnyText: Bool { self == .unspecified || self == .unknown || rawValue >= 16384 }

  /// The format of a parameter whose Swift type has a binary form only for `own`.
  func parameterFormat(binaryFor own: TypeOID) -> PGFormat? {
    if self == own { return .binary }
    return takesAnyText ? .text : nil
  }
}
