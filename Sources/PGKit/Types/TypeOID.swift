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
  @inlinable public static var unspecified: TypeOID { 0 }

  /// The number in decimal.
  public var description: String { String(rawValue) }

  /// The name for messages: `int4` or `int4[]` for a built-in type, `oid 16403` for any other.
  public var name: String {
    guard let builtinName else { return "oid \(rawValue)" }
    return builtinName.hasPrefix("_") ? builtinName.dropFirst() + "[]" : builtinName
  }

  /// Whether every server has the type, so that nothing about it has to be asked.
  var isBuiltin: Bool { builtinName != nil || self == .unspecified }
}
